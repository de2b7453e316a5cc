"""Do the comparison's intervals cover, and its tests err, as often as they say?

`python -m tests.benchmarks.coverage.comparison` — seeded. With 2,000 studies a coverage of 95% has a standard error of
0.5 points, enough to distinguish 95% from 93% and 98%; the slower ordinal model gets 300 (1.3 points). About
ten minutes on one quiet core; a number on the command line scales the numbers of studies (0.1: a tenth).
"""

import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from annotations.stats.comparison.compare import compare
from annotations.stats.comparison.effects import rank_biserial_of, superiority_interval
from annotations.stats.comparison.paired import paired_differences
from annotations.stats.comparison.paired_tests import paired_t_test, sign_flip_test, wilcoxon_signed_rank
from annotations.stats.comparison.sequential import Kind, confidence_sequence
from annotations.stats.estimate import Interval
from annotations.stats.ordinal_model.effect import ordinal_effect
from annotations.stats.ordinal_model.fit import fit_ordinal
from annotations.stats.ratings import Ratings

Draw = Callable[[np.random.Generator, int], NDArray[np.int64]]
"""Differences in fifths of a step, as five raters of one image make them."""


def _normal(rng: np.random.Generator, n: int) -> NDArray[np.int64]:
    return np.clip(np.rint(rng.normal(0.3, 0.8, n) * 5), -20, 20).astype(np.int64)


def _skewed(rng: np.random.Generator, n: int) -> NDArray[np.int64]:
    return np.clip(np.rint((rng.exponential(0.8, n) - 0.5) * 5), -20, 20).astype(np.int64)


def _flat(rng: np.random.Generator, n: int) -> NDArray[np.int64]:
    return rng.integers(-8, 13, n)


def _coarse(rng: np.random.Generator, n: int) -> NDArray[np.int64]:
    """One rater: whole steps, half of them ties."""
    return rng.choice([-10, -5, 0, 5, 10], p=[0.05, 0.1, 0.5, 0.2, 0.15], size=n)


DRAWS: dict[str, Draw] = {"normal": _normal, "skewed": _skewed, "flat": _flat, "coarse": _coarse}
Row = dict[str, str | float | int]


def effect_sizes_over_prompts(scale: float = 1.0) -> list[Row]:
    """Coverage of the effect sizes' leading and percentile intervals, prompts sampled, raters as they are."""
    rows: list[Row] = []
    studies = round(2000 * scale)
    for name, draw in DRAWS.items():
        many = draw(np.random.default_rng(99), 2_000_000)
        truths = {
            "mean_difference": many.mean() / 5,
            "rank_biserial": rank_biserial_of(many),
            "probability_of_superiority": (many > 0).mean() + (many == 0).mean() / 2,
        }
        for n in (20, 50, 200):
            rng = np.random.default_rng(n)
            hits: dict[tuple[str, str], list[bool]] = {}
            for _ in range(studies):
                d = draw(rng, n)
                # One rater on a scale in fifths: baseline in the middle, refined d fifths away.
                ratings = Ratings(
                    np.arange(2 * n),
                    np.zeros(2 * n, dtype=np.int64),
                    np.concatenate((np.full(n, 20), 20 + d)),
                    np.arange(41) / 5,
                    2 * n,
                    1,
                )
                got = compare(
                    ratings,
                    prompt=np.tile(np.arange(n), 2),
                    method=np.repeat([0, 1], n),
                    baseline=0,
                    refined=1,
                    rng=rng,
                    n_resamples=400,
                    n_permutations=10,
                )
                for estimate in (got.mean_diff, got.rank_biserial, got.prob_superiority):
                    for interval in estimate.intervals:
                        if interval.covers == "prompts" and interval.is_defined:
                            kind = interval.method.split(",")[0].split(" over")[0].split(" with")[0].split(" (")[0]
                            hit = interval.low <= truths[estimate.statistic] <= interval.high
                            hits.setdefault((estimate.statistic, kind), []).append(hit)
            rows += [
                {
                    "statistic": statistic,
                    "interval": kind,
                    "differences": name,
                    "prompts": n,
                    "coverage": round(float(np.mean(values)), 4),
                    "studies": len(values),
                }
                for (statistic, kind), values in hits.items()
            ]
    return rows


def mean_difference_over_raters(scale: float = 1.0) -> list[Row]:
    """Coverage for other prompts and raters, for these raters, for these prompts; each truth is its own."""
    rows: list[Row] = []
    for n_raters in (20, 200):
        for n_prompts in (100, 1000, 2500):
            for shape in ("skewed", "flat"):
                rng = np.random.default_rng([n_raters, n_prompts])
                studies = round((2000 if n_prompts == 100 else 1000) * scale)
                hits = {"prompts": 0, "raters": 0, "prompts and raters": 0, "population by prompts alone": 0}
                for _ in range(studies):
                    ratings, prompt, method, of_prompts, of_raters = _study(rng, n_prompts, n_raters, shape)
                    got = compare(
                        ratings,
                        prompt=prompt,
                        method=method,
                        baseline=0,
                        refined=1,
                        rng=rng,
                        n_resamples=1,
                        n_permutations=1,
                    )
                    # For "prompts" the raters stay: truth 0.3 + their mean; for "raters" the prompts stay.
                    truths = {"prompts": 0.3 + of_raters, "raters": 0.3 + of_prompts, "prompts and raters": 0.3}
                    for covers, truth in truths.items():
                        interval = got.mean_diff.interval(covers)
                        assert interval is not None
                        hits[covers] += _inside(interval, truth)
                        if covers == "prompts":
                            hits["population by prompts alone"] += _inside(interval, 0.3)
                rows += [
                    {
                        "interval": covers,
                        "raters": n_raters,
                        "units": 2 * n_prompts,
                        "effects": shape,
                        "coverage": round(count / studies, 4),
                        "studies": studies,
                    }
                    for covers, count in hits.items()
                ]
    return rows


def _study(
    rng: np.random.Generator, n_prompts: int, n_raters: int, shape: str, k: int = 3
) -> tuple[Ratings, NDArray[np.int64], NDArray[np.int64], float, float]:
    """k of the raters rate both images of a prompt; the effect differs by prompt (sd 0.8) and by rater (sd 0.3).

    Also the mean of the prompts' deviations, and of the raters' weighted by what they rated.
    """
    by_prompt = rng.exponential(0.8, n_prompts) - 0.8 if shape == "skewed" else rng.uniform(-1.4, 1.4, n_prompts)
    by_rater = rng.normal(0, 0.3, n_raters)
    rater = (
        (rng.integers(0, n_raters, n_prompts)[:, np.newaxis])
        + rng.integers(1, 6, n_prompts)[:, np.newaxis] * np.arange(k)
    ) % n_raters
    baseline = rng.normal(0, 0.6, (n_prompts, k))
    refined = 0.3 + by_prompt[:, np.newaxis] + by_rater[rater] + rng.normal(0, 0.6, (n_prompts, k))
    value = np.stack((baseline, refined), axis=1).ravel()
    level = np.clip(np.rint(value * 4) + 60, 0, 120).astype(np.int64)
    unit = np.repeat(np.arange(2 * n_prompts), k)
    raters = np.concatenate((rater, rater), axis=1).ravel()
    ratings = Ratings(unit, raters, level, np.arange(121.0) / 4, 2 * n_prompts, n_raters)
    method = np.tile([0, 1], n_prompts)
    return ratings, np.repeat(np.arange(n_prompts), 2), method, float(by_prompt.mean()), float(by_rater[rater].mean())


def type_one_errors(scale: float = 1.0) -> list[Row]:
    """Share of p ≤ 5% among studies without a difference (each prompt's difference symmetric about zero)."""
    rows: list[Row] = []
    studies = round(4000 * scale)
    for name, draw in DRAWS.items():
        for n in (15, 40, 200):
            rng = np.random.default_rng(n + 1)
            p: dict[str, list[float]] = {"permutation": [], "permutation, mid-p": [], "wilcoxon": [], "t": []}
            for _ in range(studies):
                d = draw(rng, n) * rng.choice([-1, 1], n)
                flips = sign_flip_test(d, rng=rng)
                p["permutation"].append(flips.p)
                p["permutation, mid-p"].append(flips.mid_p)
                p["wilcoxon"].append(wilcoxon_signed_rank(d).p)
                p["t"].append(paired_t_test(d.astype(float)).p)
            rows += [
                {
                    "test": test,
                    "differences": f"{name}, signs flipped",
                    "prompts": n,
                    "type_one_error": round(float(np.mean(np.array(values) <= 0.05)), 4),
                    "studies": studies,
                }
                for test, values in p.items()
            ]
    return rows


def sequential_errors(scale: float = 1.0) -> list[Row]:
    """Share of studies without a difference that stop at all, looked at after every one of 500 prompts."""
    rows: list[Row] = []
    studies = round(1000 * scale)
    cases = {
        "normal": lambda rng: np.clip(np.rint(rng.normal(0, 0.8, 500) * 5) / 5, -4, 4),
        "rarely much better": lambda rng: rng.choice([-0.2, 0.0, 1.6], p=[0.4, 0.55, 0.05], size=500),
    }
    kinds: tuple[Kind, ...] = ("bounded", "asymptotic")
    for name, draw in cases.items():
        for kind in kinds:
            rng = np.random.default_rng(5)
            stopped = [confidence_sequence(draw(rng), bound=4, kind=kind).stopped_at for _ in range(studies)]
            found = [confidence_sequence(draw(rng) + 0.3, bound=4.3, kind=kind).stopped_at for _ in range(studies // 4)]
            rows.append(
                {
                    "sequence": kind,
                    "differences": name,
                    "error": round(float(np.mean([at is not None for at in stopped])), 4),
                    "median_stop_if_0.3": float(np.median([at or 500 for at in found])),
                    "studies": studies,
                }
            )
    return rows


def ordinal_effect_coverage(scale: float = 1.0) -> list[Row]:
    """Coverage of the ordinal model's Wald interval for other prompts, raters and images."""
    rows: list[Row] = []
    studies = round(300 * scale)
    for n_prompts, n_raters in ((40, 20), (100, 20)):
        rng = np.random.default_rng(n_prompts)
        hits = fitted = 0
        for _ in range(studies):
            image = np.repeat(np.arange(2 * n_prompts), 3)
            rater = np.argsort(rng.random((2 * n_prompts, n_raters)), axis=1)[:, :3].ravel()
            eta = 0.8 * (image % 2) + rng.normal(0, 0.7, n_raters)[rater] + rng.normal(0, 1, n_prompts)[image // 2]
            eta += rng.normal(0, 0.8, 2 * n_prompts)[image] + rng.logistic(size=len(image))
            fit = fit_ordinal(
                np.searchsorted([-2.5, -1, 0.5, 2], eta),
                {"refined": image % 2},
                groups={"images": image, "prompts": image // 2, "raters": rater},
            )
            fitted += fit.is_fitted
            hits += fit.is_fitted and _inside(fit.intervals["refined"], 0.8)
        rows.append(
            {
                "interval": "ordinal effect, Laplace, Wald",
                "prompts": n_prompts,
                "raters": n_raters,
                "coverage": round(hits / max(fitted, 1), 4),
                "not_fitted": studies - fitted,
                "studies": studies,
            }
        )
    return rows


def _preferences(
    n_prompts: int, n_raters: int, per_prompt: int, gain: float, rng: np.random.Generator, noise: str
) -> tuple[Ratings, dict[str, NDArray[np.int64] | int]]:
    """Gains that differ between raters (standard deviation .4, or .6 with logistic noise) and between prompts (.3)."""
    spread = 0.6 if noise == "logistic" else 0.4
    quality = rng.normal(size=n_prompts)[:, None, None] + 0.5 * rng.normal(size=n_raters) + np.zeros((1, 2, 1))
    quality[:, 1] += gain + spread * rng.normal(size=n_raters) + 0.3 * rng.normal(size=n_prompts)[:, None]
    quality += rng.logistic(size=quality.shape) if noise == "logistic" else rng.normal(size=quality.shape)
    cuts = (1.7 if noise == "logistic" else 1.0) * 1.3 * np.array([-1.2, -0.4, 0.4, 1.2])
    kept = np.argsort(rng.random((n_prompts, n_raters)), axis=1)[:, :per_prompt]
    prompt, method = np.arange(n_prompts)[:, None, None], np.arange(2)[None, :, None]
    unit, rater = (x.ravel() for x in np.broadcast_arrays(2 * prompt + method, kept[:, None, :]))
    level = np.searchsorted(cuts, quality)[unit // 2, unit % 2, rater]
    sides = {"prompt": np.arange(2 * n_prompts) // 2, "method": np.arange(2 * n_prompts) % 2}
    ratings = Ratings(unit, rater, level, np.arange(1.0, 6.0), 2 * n_prompts, n_raters)
    return ratings, {**sides, "baseline": 0, "refined": 1}


def few_raters(scale: float = 1.0) -> list[Row]:
    """The mean difference over prompts and raters, and the odds ratio, with raters who differ in their preference.

    The odds ratio's interval counts where it claims to cover raters; `claims` is how often.
    """
    rows: list[Row] = []
    for n_raters in (3, 5, 8, 12):
        rng, studies = np.random.default_rng([61, n_raters]), round(2000 * scale)
        many = [_preferences(2000, 200, 5, 0.5, rng, "normal") for _ in range(20)]
        truth = np.mean([paired_differences(ratings, **sides).mean for ratings, sides in many])  # type: ignore[arg-type]
        hits = []
        for _ in range(studies):
            ratings, sides = _preferences(60, n_raters, n_raters, 0.5, rng, "normal")
            got = compare(ratings, **sides, rng=rng, n_resamples=1, n_permutations=1)  # type: ignore[arg-type]
            hits.append(_inside(got.mean_diff.intervals[-1], float(truth)))
        share = round(float(np.mean(hits)), 4)
        rows.append(
            {"interval": "mean difference", "raters": n_raters, "claims": 1.0, "coverage": share, "of": studies}
        )
    for n_raters, per_prompt in ((3, 3), (5, 5), (8, 4), (20, 4)):
        rng, studies = np.random.default_rng([62, n_raters]), round(300 * scale)
        hits = []
        for _ in range(studies):
            ratings, sides = _preferences(40, n_raters, per_prompt, 0.8, rng, "logistic")
            interval = ordinal_effect(ratings, **sides, rng=rng).effect.intervals[0]  # type: ignore[arg-type]
            if "raters" in interval.covers:
                hits.append(_inside(interval, 0.8))
        share = round(float(np.mean(hits)), 4)
        claims = round(len(hits) / studies, 2)
        rows.append({"interval": "odds ratio", "raters": n_raters, "claims": claims, "coverage": share, "of": studies})
    return rows


def superiority_exact() -> list[Row]:
    """Coverage of the score interval without simulation: the sum over all outcomes of n prompts."""
    from scipy import stats

    rows: list[Row] = []
    for n in (20, 50):
        for win, tie in ((0.5, 0.0), (0.7, 0.0), (0.5, 0.3), (0.3, 0.6), (0.9, 0.0)):
            truth, covered = win + tie / 2, 0.0
            for wins in range(n + 1):
                for ties in range(n + 1 - wins):
                    interval = superiority_interval(wins, ties, n - wins - ties)
                    if not interval.is_defined or _inside(interval, truth):
                        p = stats.multinomial.pmf([wins, ties, n - wins - ties], n, [win, tie, 1 - win - tie])
                        covered += float(p)
            rows.append(
                {"interval": "superiority, score", "prompts": n, "win": win, "tie": tie, "coverage": round(covered, 4)}
            )
    return rows


def _inside(interval: Interval, truth: float) -> bool:
    return interval.low <= truth <= interval.high


def main() -> None:
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    parts: dict[str, list[Row]] = {
        "effect sizes over prompts": effect_sizes_over_prompts(scale),
        "probability of superiority, exact": superiority_exact(),
        "mean difference over prompts, raters, both": mean_difference_over_raters(scale),
        "type-I error at 5%": type_one_errors(scale),
        "sequential stopping at 5%": sequential_errors(scale),
        "ordinal effect": ordinal_effect_coverage(scale),
        "few raters": few_raters(scale),
    }
    for title, rows in parts.items():
        print(f"\n{title}")
        print("\t".join(rows[0]))
        for row in rows:
            print("\t".join(str(value) for value in row.values()))


if __name__ == "__main__":
    main()
