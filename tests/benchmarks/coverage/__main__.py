"""Do the intervals cover what they claim, and do the tests err as often as they say? All simulations, as two tables.

    python -m tests.benchmarks.coverage [--parts agreement,icc,comparison,metrics,critic] [--scale 0.1] [--quick]

Each part's own program (`agreement`, `icc`, …) describes its model of the data and where its truth comes
from; this one runs them with seeds of its own, line by line, and prints Markdown. A row is one interval in one
setting; where it serves several statistics, the lowest and the highest share are given, with whose the lowest is.
`--scale 1` takes 1,000 replications for most (a share of .95 then has a standard error of .007) and hours; `--quick`
is a twentieth of it.
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from tests.benchmarks.coverage import agreement as coverage_agreement
from tests.benchmarks.coverage import comparison as coverage_comparison
from tests.benchmarks.coverage import critic as coverage_critic
from tests.benchmarks.coverage import icc as coverage_icc
from tests.benchmarks.coverage import metrics as coverage_metrics

NOMINAL, SIZE = 0.95, 0.05


@dataclass(frozen=True)
class Covered:
    """How often one kind of interval held the truth of what it claims, by statistic."""

    interval: str
    claims: str
    setting: str
    shares: Mapping[str, float]
    replications: int

    def line(self) -> str:
        lowest = min(self.shares, key=lambda name: self.shares[name])
        low, high = self.shares[lowest], max(self.shares.values())
        covered = f"{low:.3f}" if len(self.shares) == 1 else f"{low:.3f}–{high:.3f} (lowest: {lowest})"
        return f"| {self.interval} | {self.claims} | {self.setting} | {NOMINAL} | {covered} | {self.replications:,} |"


@dataclass(frozen=True)
class Rejected:
    """How often a test of level 5% rejected what is true."""

    test: str
    setting: str
    share: float
    studies: int

    def line(self) -> str:
        return f"| {self.test} | {self.setting} | {SIZE} | {self.share:.3f} | {self.studies:,} |"


Result = Covered | Rejected


def agreement(scale: float) -> Iterator[Result]:
    """Every statistic of count patterns, three ratings per unit."""
    rng = np.random.default_rng(20261120)
    replications = max(20, round(1000 * scale))
    names = {
        "units": ("percentile bootstrap", "units"),
        "units, linearised": ("linearised standard error", "units"),
        "raters": ("jackknife", "raters"),
        "units and raters": ("two-way jackknife", "units and raters"),
        "units, misread": ("percentile bootstrap over units", "*units and raters, which it does not claim*"),
    }
    for world, n_units, n_raters in coverage_agreement.settings():
        found = coverage_agreement.coverage(world, n_units, n_raters, replications, rng)
        setting = f"{world.shares} levels, {n_units:,} units, {n_raters} raters"
        for label, (interval, claims) in names.items():
            shares = {statistic: share for (statistic, of), share in found.share.items() if of == label}
            yield Covered(interval, claims, setting, shares, replications)


def icc(scale: float) -> Iterator[Result]:
    """ICCs of complete ratings."""
    rng = np.random.default_rng(20261121)
    replications = max(20, round(400 * scale))
    for shape in ("flat", "skewed"):
        for n_units, n_raters in ((200, 20), (1000, 20), (200, 200)):
            world = coverage_agreement.World(shape)
            found = coverage_icc.coverage(world, n_units, n_raters, replications, rng)
            by_label: dict[str, dict[str, float]] = defaultdict(dict)
            for (statistic, label), share in found.items():
                by_label[label][statistic] = share
            for label, shares in by_label.items():
                claims, interval = label.rsplit(", ", 1)
                setting = f"{shape} levels, {n_units:,} units × {n_raters} raters, complete"
                yield Covered(interval, claims, setting, shares, replications)


def comparison(scale: float) -> Iterator[Result]:
    """Two methods on the same prompts: effect sizes, the mean over raters, tests, stopping, the ordinal model."""
    by_setting: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    studies = {}
    for row in coverage_comparison.effect_sizes_over_prompts(scale):
        key = (f"{row['statistic']}, {row['interval']}", f"{row['prompts']} prompts")
        by_setting[key][str(row["differences"])] = float(row["coverage"])
        studies[key] = int(row["studies"])
    for key, shares in by_setting.items():
        yield Covered(key[0], "prompts", key[1], shares, studies[key])
    for row in coverage_comparison.mean_difference_over_raters(scale):
        claims = str(row["interval"])
        if claims.startswith("population"):
            claims = "*prompts and raters, by the interval over prompts, which does not claim it*"
        setting = f"{row['effects']} effects, {row['units']} units, {row['raters']} raters"
        shares = {"mean_difference": float(row["coverage"])}
        yield Covered("mean difference", claims, setting, shares, int(row["studies"]))
    for row in coverage_comparison.ordinal_effect_coverage(scale):
        setting = f"{row['prompts']} prompts, {row['raters']} raters"
        shares = {"odds ratio": float(row["coverage"])}
        yield Covered(str(row["interval"]), "prompts and raters", setting, shares, int(row["studies"]))
    for row in coverage_comparison.type_one_errors(scale):
        setting = f"{row['differences']}, {row['prompts']} prompts"
        yield Rejected(
            f"{row['test']} of paired differences", setting, float(row["type_one_error"]), int(row["studies"])
        )
    for row in coverage_comparison.sequential_errors(scale):
        setting = f"{row['differences']}, looked at after every one of 500 prompts"
        yield Rejected(f"confidence sequence, {row['sequence']}", setting, float(row["error"]), int(row["studies"]))


def metrics(scale: float) -> Iterator[Result]:
    """Metrics against people; sizes are 1,000 studies per cell, or with a scale below one half 100."""
    by_setting: dict[tuple[str, str, str], dict[str, float]] = defaultdict(dict)
    studies: dict[tuple[str, str, str], int] = {}
    tests = []
    for row in coverage_metrics.run(quick=scale < 0.5):
        figure, setting = str(row["figure"]), f"{row['world']}, {row['prompts']} prompts"
        if figure.startswith("size at 5%: "):
            tests.append(Rejected(figure.removeprefix("size at 5%: "), setting, float(row["rate"]), int(row["of"])))
            continue
        statistic, way = figure.split(", ", 1)
        level = next((one for one in ("grouped_by_prompt", "method_level") if one in statistic), "item level")
        key = (f"{level.replace('_', ' ')}, {way}", setting, "prompts")
        by_setting[key][statistic] = float(row["rate"])
        studies[key] = min(studies.get(key, sys.maxsize), int(row["of"]))
    for (interval, setting, claims), shares in by_setting.items():
        yield Covered(interval, claims, setting, shares, studies[interval, setting, claims])
    yield from tests


def critic(scale: float) -> Iterator[Result]:
    """A critic's accuracy over images."""
    replications = max(20, round(1000 * scale))
    for row in coverage_critic.run(replications):
        setting = f"{row['images']} images, precision {row['precision_is']:.2f}, clustering {row['clustering']}"
        shares = {name: value for name, value in row.items() if name not in ("images", "precision_is", "clustering")}
        wilson = {name: value for name, value in shares.items() if name.startswith("wilson")}
        clustered = {name: value for name, value in shares.items() if name not in wilson}
        yield Covered("bootstrap of images", "images", setting, clustered, replications)
        yield Covered("Wilson", "*claims, read as images*", setting, wilson, replications)


PARTS: dict[str, Callable[[float], Iterator[Result]]] = {
    "agreement": agreement,
    "icc": icc,
    "comparison": comparison,
    "metrics": metrics,
    "critic": critic,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", default=",".join(PARTS), help="some of the parts, separated by commas")
    parser.add_argument("--scale", type=float, default=1.0, help="a factor for the numbers of replications")
    parser.add_argument("--quick", action="store_true", help="the same as --scale 0.05")
    options = parser.parse_args()
    names = options.parts.split(",")
    if unknown := [name for name in names if name not in PARTS]:
        parser.error(f"no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    tests: list[Rejected] = []
    print("| interval | claims to cover | setting | nominal | covered | replications |\n|---|---|---|---|---|---|")
    for name in names:
        began = time.perf_counter()
        for result in PARTS[name](0.05 if options.quick else options.scale):
            if isinstance(result, Rejected):
                tests.append(result)
            else:
                print(result.line(), flush=True)
        print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    if tests:
        print("\n| test | setting | nominal | rejected | studies |\n|---|---|---|---|---|")
        print("\n".join(test.line() for test in tests))


if __name__ == "__main__":
    main()
