"""Does every statistic of agreement of small ratings with gaps lie inside its own interval, and that in its range?

    python -m tests.benchmarks.small_matrices [matrices]

3,000 random matrices by default: 3–6 raters, 2–8 units, 2–7 levels, up to 60% of the cells missing; in some, nearly all
ratings have one level, in some the raters agree. Prints what breaks the rules, by statistic, and the number of
intervals. A smaller sample is among the tests.
"""

import sys
from collections import Counter
from collections.abc import Iterator

import numpy as np

from annotations.stats.agreement.conger import conger_kappa
from annotations.stats.agreement.report import agreement_report
from annotations.stats.estimate import Estimate
from annotations.stats.ratings import Ratings

MATRICES = 3000
_NEAR = 1e-9


def matrices(n: int, rng: np.random.Generator) -> Iterator[Ratings]:
    """Random raters × units."""
    for _ in range(n):
        raters, units, levels = rng.integers((3, 2, 2), (7, 9, 8))
        shares = rng.dirichlet(np.full(levels, rng.choice([0.3, 1.0, 10.0])))
        level = rng.choice(levels, size=(raters, units), p=shares)
        # A share of the ratings is the unit's own level, so that some raters agree more than by chance.
        own = rng.random((raters, units)) < rng.choice([0.0, 0.5, 0.9, 1.0])
        level = np.where(own, rng.choice(levels, size=units, p=shares), level)
        given = rng.random((raters, units)) >= rng.choice([0.0, 0.2, 0.4, 0.6])
        rater, unit = np.nonzero(given)
        yield Ratings(unit, rater, level[given], np.arange(1.0, levels + 1), int(units), int(raters))


def estimates(ratings: Ratings, rng: np.random.Generator, n_resamples: int = 200) -> tuple[Estimate, ...]:
    return (*agreement_report(ratings, rng=rng, n_resamples=n_resamples).estimates, conger_kappa(ratings))


def lowest(statistic: str, ratings: Ratings) -> float:
    """The lowest value that an interval may reach: that of these numbers of ratings per unit."""
    rated = ratings.per_unit[ratings.per_unit > 0]
    fewest, raters = int(rated[rated >= 2].min(initial=ratings.n_raters)), ratings.n["raters"]
    if statistic.startswith(("krippendorff", "fleiss", "conger")):
        return -1 / (fewest - 1)
    if statistic.startswith(("gwet", "brennan")):
        return -1.0
    if statistic.startswith("percent"):
        return 0.0
    if statistic == "icc_1_1_unbalanced":
        typical = (rated.sum() - rated @ rated / rated.sum()) / (len(rated) - 1)
        return float(-1 / (typical - 1))
    if statistic.startswith("icc"):
        return -1 / (raters - 1) if statistic.endswith("_1") else -np.inf
    return 0.0 if (rated == raters).all() else (2 - raters) / raters


def faults(estimate: Estimate, ratings: Ratings) -> list[str]:
    """What is wrong with one estimate: nothing, as a rule."""
    if np.isnan(estimate.value):
        return [] if estimate.reason else ["undefined without a reason"]
    found = []
    for interval in estimate.intervals:
        if not interval.is_defined:
            found += [] if interval.reason else [f"no interval over {interval.covers} without a reason"]
            continue
        if not interval.low - _NEAR <= estimate.value <= interval.high + _NEAR:
            found.append(f"outside its interval over {interval.covers}")
        if interval.high - interval.low < _NEAR:
            found.append(f"interval without width over {interval.covers}")
        if interval.low < lowest(estimate.statistic, ratings) - _NEAR or interval.high > 1 + _NEAR:
            found.append(f"interval beyond the range over {interval.covers}")
    return found


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else MATRICES
    rng = np.random.default_rng(20261129)
    broken: Counter[tuple[str, str]] = Counter()
    intervals = 0
    for ratings in matrices(n, rng):
        for estimate in estimates(ratings, rng):
            intervals += sum(interval.is_defined for interval in estimate.intervals)
            broken.update((estimate.statistic, fault) for fault in faults(estimate, ratings))
    for (statistic, fault), times in sorted(broken.items()):
        print(f"{statistic:32}{times:6}  {fault}")
    print(f"{n} matrices, {intervals} intervals, {broken.total()} faults")


if __name__ == "__main__":
    main()
