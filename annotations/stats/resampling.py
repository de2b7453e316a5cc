"""Intervals over units, over raters and over both, for every statistic of count patterns at once.

Units: the bootstrap draws units with replacement. Units with the same count pattern are exchangeable, so the numbers
of drawn units per pattern are one multinomial draw: the same distribution as drawing units one by one, at a cost that
depends on the patterns alone.

Beside it stands the analytic interval of the linearised standard error, t with units − 1 degrees of freedom.

Both: V = V_units + max(0, V_raters − V_cells), each from delete-one replicates (units, raters, single ratings), after
the two-way clustering of Cameron, Gelbach and Miller (2011, eq. 2.3): what comes from a single rating is in V_units
already and must not be counted twice. t with Satterthwaite's degrees of freedom, R − 1 where raters matter most.

Raters: delete one rater at a time (Tukey 1958), t with R − 1 degrees of freedom. The jackknife variance errs upwards
(Efron and Stein 1981), by far where few ratings a unit make a rater's going the going of whole pairs; so it is held
to at most the variance over both, which is no less than that over raters alone.

Jackknives work on z = −ln(1 − θ).
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, stats

from annotations.stats.deletion import DeletedRatings, from_log_scale, jackknife_variance, linearised_variance
from annotations.stats.estimate import Estimate, Interval, seed_of
from annotations.stats.families import Described, FloatArray, PatternFamily
from annotations.stats.ratings import Ratings
from annotations.stats.undefined import why_undefined

UNITS = "units"
RATERS = "raters"
BOTH = "units and raters"
ALL_COVERS = (UNITS, RATERS, BOTH)

_CHUNK = 1 << 22
"""Numbers held at once while resampling: 32 MiB of doubles."""
_UNITS_PER_BINOMIAL = 8
"""A binomial draw of the multinomial costs about as much as drawing and counting so many units."""
_LINEARISED_FEATURES = 512
"""Families with more sums than this have no linearised interval: its cost is their square."""


def estimates(
    ratings: Ratings,
    family: PatternFamily,
    *,
    rng: np.random.Generator | None,
    n_resamples: int = 1000,
    level: float = 0.95,
    covers: Collection[str] = ALL_COVERS,
) -> tuple[Estimate, ...]:
    """Every statistic of the family with the intervals asked for.

    Without `rng` there is only the analytic interval over units; with it, the first interval of each cover is the
    resampled one.
    """
    if n_resamples < 1 or not 0 < level < 1:
        raise ValueError("n_resamples must be at least 1 and level between 0 and 1")
    unknown = [cover for cover in covers if cover not in ALL_COVERS]
    if unknown:
        raise ValueError(f"unknown cover {unknown[0]!r}; choose from {', '.join(ALL_COVERS)}")
    rows, multiplicity = ratings.patterns
    features = family.features(rows.astype(float))
    total = np.asarray(multiplicity.astype(float) @ features).reshape(1, -1)
    values = family.values(total)[0] if len(rows) else np.full(len(family.described), np.nan)
    seed = None if rng is None else seed_of(rng)
    defined = ~np.isnan(values)
    intervals: list[list[Interval]] = [[] for _ in family.described]
    if rng is not None and defined.any():
        if UNITS in covers:
            replicates = bootstrap_units(features, ratings, family, rng, n_resamples)
            for place in range(len(family.described)):
                intervals[place].append(percentile_interval(replicates[:, place], level))
        if RATERS in covers or BOTH in covers:
            spread = Spread.of(ratings, family, features, total)
            for place, described in enumerate(family.described):
                if RATERS in covers:
                    intervals[place].append(spread.raters_interval(place, values[place], described, level))
                if BOTH in covers:
                    intervals[place].append(spread.both_interval(place, values[place], described, level))
    if UNITS in covers and defined.any() and family.n_features <= _LINEARISED_FEATURES:
        variance, n_units = linearised_variance(family, features, multiplicity, total)
        for place, described in enumerate(family.described):
            intervals[place].append(linearised_interval(values[place], variance[place], n_units, described, level))
    return tuple(
        Estimate(one.statistic, float(values[place]), one.method, ratings.n, tuple(intervals[place]), seed)
        if defined[place]
        else Estimate.undefined(one.statistic, one.method, why_undefined(ratings, one.statistic), ratings.n, seed)
        for place, one in enumerate(family.described)
    )


def bootstrap_units(
    features: FloatArray | sparse.csr_array,
    ratings: Ratings,
    family: PatternFamily,
    rng: np.random.Generator,
    n_resamples: int,
) -> FloatArray:
    """(n_resamples, n_statistics): the statistics of units drawn with replacement, NaN where undefined.

    All units are drawn from, those without ratings included.
    """
    _, multiplicity = ratings.patterns
    step = max(1, _CHUNK // max(len(multiplicity), family.n_features))
    parts = []
    for first in range(0, n_resamples, step):
        drawn = _draw_patterns(ratings, rng, min(step, n_resamples - first)).astype(float)
        parts.append(family.values(np.asarray(drawn @ features)))
    return np.concatenate(parts)


def _draw_patterns(ratings: Ratings, rng: np.random.Generator, n_resamples: int) -> NDArray[np.int64]:
    """(n_resamples, n_patterns): how many units of each pattern a resample of n_units units holds."""
    _, multiplicity = ratings.patterns
    n_units = ratings.n_units
    if n_units < _UNITS_PER_BINOMIAL * len(multiplicity):
        # Nearly as many patterns as units: drawing units one by one is quicker, and the same distribution.
        drawn = [
            np.bincount(ratings.pattern_of_unit[rng.integers(n_units, size=n_units)], minlength=len(multiplicity))
            for _ in range(n_resamples)
        ]
        return np.array(drawn)
    return rng.multinomial(n_units, multiplicity / n_units, size=n_resamples)


def percentile_interval(replicates: FloatArray, level: float) -> Interval:
    """The percentile interval of bootstrap replicates over units; undefined replicates are counted and left out."""
    method = f"percentile bootstrap over units, {len(replicates)} resamples"
    kept = replicates[~np.isnan(replicates)]
    if len(kept) == 0:
        return Interval.undefined(UNITS, method, "the statistic is undefined in every resample", level)
    low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high), UNITS, method, level, len(replicates) - len(kept))


def linearised_interval(value: float, variance: float, n_units: int, described: Described, level: float) -> Interval:
    """The interval of the analytic standard error over units."""
    method = f"linearised standard error, t({n_units - 1})"
    if np.isnan(value + variance):
        return Interval.undefined(UNITS, method, "the standard error is undefined", level)
    return _symmetric(value, variance, n_units - 1, described, UNITS, method, level)


def _symmetric(
    value: float, variance: float, freedom: float, described: Described, covers: str, method: str, level: float
) -> Interval:
    """value ± t √variance, kept within the statistic's range."""
    reach = float(stats.t.ppf((1 + level) / 2, freedom) * np.sqrt(variance))
    low, high = max(value - reach, described.low), min(value + reach, described.high)
    return Interval(float(low), float(high), covers, method, level)


def joint_freedom(variance: float, units: float, n_units: int, raters: float, n_raters: int) -> float:
    """Satterthwaite's degrees of freedom of a variance over units and raters, at least n_raters − 1.

    The raters' part is taken at its jackknife value up to the whole: where noise makes that large, the degrees of
    freedom stay near n_raters − 1, on the safe side.
    """
    least = float(max(1, n_raters - 1))
    raters = min(raters, variance)
    parts = units**2 / max(1, n_units - 1) + raters**2 / least
    return max(least, variance**2 / parts) if parts > 0 else least


@dataclass(frozen=True, slots=True)
class Spread:
    """Jackknife variances of z = −ln(1 − θ) for every statistic of a family; NaN where a replicate is undefined."""

    raters: FloatArray
    units: FloatArray
    cells: FloatArray
    n_raters: int
    n_units: int

    @classmethod
    def of(
        cls,
        ratings: Ratings,
        family: PatternFamily,
        features: FloatArray | sparse.csr_array,
        total: FloatArray,
    ) -> "Spread":
        n_raters = int(np.count_nonzero(ratings.per_rater))
        nothing = np.full(len(family.described), np.nan)
        n_units = ratings.n["units"]
        if n_raters < 3:
            return cls(nothing, nothing, nothing, n_raters, n_units)
        deleted = DeletedRatings(ratings, family, features, total)
        by_rater = jackknife_variance(deleted.without_each_rater(), None)
        return cls(by_rater, deleted.variance_of_units(), deleted.variance_of_cells(), n_raters, n_units)

    def raters_interval(self, place: int, value: float, described: Described, level: float) -> Interval:
        alone, both = self.raters[place], self._both(place)
        # min would keep NaN or drop it by the order of its arguments.
        variance = both if both < alone else alone
        freedom = max(1, self.n_raters - 1)
        held = " held to the variance over both" if both < alone else ""
        method = f"delete-one-rater jackknife of −ln(1 − θ){held}, t({freedom})"
        return self._interval(value, variance, freedom, described, RATERS, method, level)

    def both_interval(self, place: int, value: float, described: Described, level: float) -> Interval:
        variance = self._both(place)
        freedom = joint_freedom(variance, self.units[place], self.n_units, self.raters[place], self.n_raters)
        method = (
            f"delete-one jackknives of −ln(1 − θ) over units and raters less that over single ratings, t({freedom:.0f})"
        )
        return self._interval(value, variance, freedom, described, BOTH, method, level)

    def _both(self, place: int) -> float:
        extra = self.raters[place] - self.cells[place]
        return float(self.units[place] + (extra if not extra < 0 else 0.0))

    def _interval(
        self,
        value: float,
        variance: float,
        freedom: float,
        described: Described,
        covers: str,
        method: str,
        level: float,
    ) -> Interval:
        reason = ""
        if np.isnan(value):
            reason = "the statistic is undefined"
        elif self.n_raters < 3:
            reason = f"{self.n_raters} raters; leaving one out must leave two"
        elif 1 - value < 1e-12:
            reason = "there is no disagreement that could spread"
        elif np.isnan(variance):
            reason = "undefined or without disagreement when one of the raters, units or ratings is left out"
        if reason:
            return Interval.undefined(covers, method, reason, level)
        reach = float(stats.t.ppf((1 + level) / 2, freedom) * np.sqrt(variance))
        z = -np.log1p(-value)
        low, high = max(from_log_scale(z - reach), described.low), min(from_log_scale(z + reach), described.high)
        return Interval(low, high, covers, method, level)
