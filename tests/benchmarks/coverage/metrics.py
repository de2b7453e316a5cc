"""Do the intervals of metric figures cover, and do the tests of differences have their size? A table, seeded.

python -m tests.benchmarks.coverage.metrics [--quick]

Each row is a world: how many prompts, how the human answers are distributed, how much a metric errs alike on all
images of a prompt. True values come from one study of 200,000 prompts of that world. 1,000 studies per row give a
coverage of .95 a standard error of .007, and a test's size of .05 one of .007; 400 suffice where a study is slow.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotations.stats.estimate import Estimate
from annotations.stats.exact_means import unit_means
from annotations.stats.metrics.ceiling import human_ceiling
from annotations.stats.metrics.correlation import Paired, grouped_correlations, item_correlations, method_correlations
from annotations.stats.metrics.permutation import correlation_differences, prompt_differences, prompt_p
from annotations.stats.metrics.prompt_intervals import Clusters
from annotations.stats.metrics.sign_flips import flipped_sums, random_signs
from annotations.stats.ratings import Ratings

Row = dict[str, Any]
LEVELS = np.arange(1.0, 6.0)
N_METHODS = 5
FAVOUR = np.array([0.15, 0.0, 0.15, -0.25, 0.0])
"""What metrics add to a method's scores without a reason: so the methods' true means correlate by less than 1."""


@dataclass(frozen=True)
class World:
    """A law of studies: thresholds of the answers 1–5 on the latent scale, and errors shared within prompts."""

    name: str
    thresholds: tuple[float, ...]
    shared: float
    """Standard deviation of what a metric errs alike on all images of a prompt; an image's own is .7."""

    def study(self, n_prompts: int, rng: np.random.Generator, n_metrics: int = 1) -> "Study":
        shape = (n_prompts, N_METHODS)
        latent = 0.6 * rng.normal(size=(n_prompts, 1)) + 0.8 * rng.normal(size=shape) + np.linspace(0, 0.4, N_METHODS)
        felt = latent[..., None] + 0.7 * rng.normal(size=(*shape, 3))
        level = np.searchsorted(self.thresholds, felt).reshape(-1, 3)
        metrics = [
            latent + FAVOUR + self.shared * rng.normal(size=(n_prompts, 1)) + 0.7 * rng.normal(size=shape)
            for _ in range(n_metrics)
        ]
        n = n_prompts * N_METHODS
        ratings = Ratings(np.repeat(np.arange(n), 3), np.tile(np.arange(3), n), level.ravel(), LEVELS, n, 3)
        codes = np.repeat(np.arange(n_prompts), N_METHODS), np.tile(np.arange(N_METHODS), n_prompts)
        return Study(ratings, np.round(np.stack(metrics).reshape(n_metrics, n), 1), *codes)


@dataclass(frozen=True)
class Study:
    ratings: Ratings
    metrics: NDArray[np.float64]
    prompt: NDArray[np.int64]
    method: NDArray[np.int64]

    def paired(self) -> Paired:
        return Paired.of(unit_means(self.ratings), self.metrics[0], self.prompt, self.method)


WORLDS = (
    World("flat answers, errors per image", (-0.9, -0.1, 0.5, 1.3), 0.0),
    World("flat answers, errors per prompt", (-0.9, -0.1, 0.5, 1.3), 0.7),
    World("skewed answers, errors per prompt", (-2.2, -1.6, -1.0, -0.2), 0.7),
)


def estimates_of(study: Study, n_resamples: int) -> Iterator[Estimate]:
    """Item-level (bootstrap up to 1,000 images, jackknife above or where n_resamples is 0), grouped, method level."""
    data, rng = study.paired(), np.random.default_rng(0)
    yield from item_correlations(data, rng=rng, n_resamples=n_resamples)
    yield from grouped_correlations(data)


def run(*, quick: bool = False) -> list[Row]:
    rows = []
    for world in WORLDS:
        true = {one.statistic: one.value for one in estimates_of(world.study(200_000, np.random.default_rng(99)), 0)}
        for n_prompts in (20, 50, 200, 1000):
            studies = 100 if quick else 1000
            rows += coverage(world, n_prompts, studies, true, "jackknife", lambda study: estimates_of(study, 0))
            if n_prompts <= 200:
                rows += coverage(
                    world, n_prompts, 50 if quick else 400, true, "bootstrap", lambda study: estimates_of(study, 400)
                )
        rows += method_coverage(world, 50 if quick else 400)
        rows += ceiling_coverage(world, 50 if quick else 400)
    for world in WORLDS[:2]:
        for n_prompts in (50, 200):
            rows += sizes(world, n_prompts, 200 if quick else 2000)
    return rows


def coverage(
    world: World,
    n_prompts: int,
    n_studies: int,
    true: dict[str, float],
    way: str,
    estimates: Callable[[Study], Iterator[Estimate]],
) -> list[Row]:
    rng = np.random.default_rng(1)
    covered: dict[str, list[bool]] = {}
    for _ in range(n_studies):
        for one in estimates(world.study(n_prompts, rng)):
            interval = one.intervals[0] if one.intervals else None
            if interval is not None and interval.is_defined:
                covered.setdefault(one.statistic, []).append(interval.low <= true[one.statistic] <= interval.high)
    return [
        {"world": world.name, "prompts": n_prompts, "figure": f"{name}, {way}", "rate": np.mean(hits), "of": len(hits)}
        for name, hits in covered.items()
        if way == "jackknife" or "grouped" not in name
    ]


def method_coverage(world: World, n_studies: int) -> list[Row]:
    """Over five methods at 100 and 2,000 prompts (resampled as they are, and in blocks)."""

    def estimates(study: Study) -> Iterator[Estimate]:
        found = method_correlations(study.paired(), rng=np.random.default_rng(0), n_resamples=400)
        yield from found

    aim = {one.statistic: one.value for one in estimates(world.study(500_000, np.random.default_rng(99)))}
    return [row for n in (100, 2000) for row in coverage(world, n, n_studies, aim, "bootstrap", estimates)]


def ceiling_coverage(world: World, n_studies: int) -> list[Row]:
    def estimates(study: Study) -> Iterator[Estimate]:
        yield from human_ceiling(study.ratings, prompt=study.prompt, rng=np.random.default_rng(0))

    true = {one.statistic: one.value for one in estimates(world.study(100_000, np.random.default_rng(99)))}
    return coverage(world, 100, n_studies, true, "ceiling, jackknife", estimates)


def sizes(world: World, n_prompts: int, n_studies: int) -> list[Row]:
    """How often metrics of equal quality differ at 5%: 199 permutations, which give p ≤ .05 its exact size."""
    rng = np.random.default_rng(2)
    rejected: dict[str, int] = {}

    def count(name: str, p: float) -> None:
        rejected[name] = rejected.get(name, 0) + (p <= 0.05)

    for _ in range(n_studies):
        study = world.study(n_prompts, rng, n_metrics=2)
        human, prompts = unit_means(study.ratings).mean, Clusters.of(study.prompt, len(study.prompt))
        images = Clusters.of(None, len(study.prompt))
        for name, clusters, method, ranks in (
            ("Pearson, exchanging prompts", prompts, None, False),
            ("Spearman, exchanging prompts", prompts, None, True),
            ("Pearson, PERM-BOTH", prompts, study.method, False),
            ("Pearson, exchanging single images", images, None, False),
        ):
            _, p = correlation_differences(
                human, study.metrics, clusters, method, rng=rng, n_permutations=199, ranks=ranks
            )
            count(name, p[0, 1])
        values = np.stack(
            [
                Paired.of(unit_means(study.ratings), metric, study.prompt).within_prompts["pairwise_accuracy"]
                for metric in study.metrics
            ]
        )
        flipped = flipped_sums(prompt_differences(values), random_signs(n_prompts, 199, rng))
        count("pairwise accuracy within prompts, exchanging prompts", prompt_p(values, flipped)[0][1])
    return [
        {
            "world": world.name,
            "prompts": n_prompts,
            "figure": f"size at 5%: {name}",
            "rate": hits / n_studies,
            "of": n_studies,
        }
        for name, hits in rejected.items()
    ]


def main() -> None:
    print(f"{'world':<36}{'prompts':>8}  {'figure':<66}{'rate':>7}{'studies':>9}")
    for row in run(quick="--quick" in sys.argv):
        print(f"{row['world']:<36}{row['prompts']:>8}  {row['figure']:<66}{row['rate']:>7.3f}{row['of']:>9}")


if __name__ == "__main__":
    main()
