"""Intervals over units, over raters and over both, for every statistic of count patterns at once.

Units: the bootstrap draws units with replacement. Units with the same count pattern are exchangeable, so the numbers
of drawn units per pattern are one multinomial draw: the same distribution as drawing units one by one, at a cost that
depends on the patterns alone.

Beside it stands the analytic interval of the linearised standard error, t with units − 1 degrees of freedom.

Raters: delete one rater at a time, t with R − 1 degrees of freedom (Tukey 1958; Efron and Stein 1981, who show that
the jackknife variance errs upwards).

Both: V = V_units + max(0, V_raters − V_cells), each from delete-one replicates (units, raters, single ratings), after
the two-way clustering of Cameron, Gelbach and Miller (2011, eq. 2.3): what comes from a single rating is in V_units
already and must not be counted twice.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, stats

from annotations.stats.deletion import DeletedRatings, jackknife_variance, linearised_variance
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
            replicates = bootstrap_units(features, multiplicity, family, rng, n_resamples)
            for place in range(len(family.described)):
                intervals[place].append(percentile_interval(replicates[:, place], level))
        if RATERS in covers or BOTH in covers:
            spread = Spread.of(ratings, family, features, total, with_cells=BOTH in covers)
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
    multiplicity: NDArray[np.int64],
    family: PatternFamily,
    rng: np.random.Generator,
    n_resamples: int,
) -> FloatArray:
    """(n_resamples, n_statistics): the statistics of units drawn with replacement, NaN where undefined."""
    n_units = int(multiplicity.sum())
    shares = multiplicity / n_units
    step = max(1, _CHUNK // max(len(multiplicity), family.n_features))
    parts = []
    for first in range(0, n_resamples, step):
        drawn = rng.multinomial(n_units, shares, size=min(step, n_resamples - first)).astype(float)
        parts.append(family.values(np.asarray(drawn @ features)))
    return np.concatenate(parts)


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


@dataclass(frozen=True, slots=True)
class Spread:
    """Jackknife variances of every statistic of a family; NaN where a replicate is undefined."""

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
        *,
        with_cells: bool = True,
    ) -> "Spread":
        n_raters = int(np.count_nonzero(ratings.per_rater))
        nothing = np.full(len(family.described), np.nan)
        n_units = ratings.n["units"]
        if n_raters < 3:
            return cls(nothing, nothing, nothing, n_raters, n_units)
        deleted = DeletedRatings(ratings, family, features, total)
        by_rater = jackknife_variance(deleted.without_each_rater(), None)
        if not with_cells:
            return cls(by_rater, nothing, nothing, n_raters, n_units)
        return cls(by_rater, deleted.variance_of_units(), deleted.variance_of_cells(), n_raters, n_units)

    def raters_interval(self, place: int, value: float, described: Described, level: float) -> Interval:
        method = f"delete-one-rater jackknife, t({self.n_raters - 1})"
        return self._interval(value, self.raters[place], self.n_raters - 1, described, RATERS, method, level)

    def both_interval(self, place: int, value: float, described: Described, level: float) -> Interval:
        units, extra = self.units[place], max(0.0, self.raters[place] - self.cells[place])
        if np.isnan(self.raters[place] + self.cells[place]):
            extra = np.nan
        variance = units + extra
        freedom = float(max(1, self.n_raters - 1))
        method = f"delete-one jackknives over units and raters less that over single ratings, t({freedom:g})"
        return self._interval(value, variance, freedom, described, BOTH, method, level)

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
        if np.isnan(value):
            return Interval.undefined(covers, method, "the statistic is undefined", level)
        if self.n_raters < 3:
            reason = f"{self.n_raters} raters; leaving one out must leave two"
            return Interval.undefined(covers, "delete-one-rater jackknife", reason, level)
        if np.isnan(variance):
            reason = "the statistic is undefined when one of the raters, units or ratings is left out"
            return Interval.undefined(covers, method, reason, level)
        return _symmetric(value, variance, freedom, described, covers, method, level)
