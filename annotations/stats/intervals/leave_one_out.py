"""The value of every statistic of count patterns without one rater, one unit or one rating.

Replicates and variances are those of z = −ln(1 − θ): disagreement relative to chance is a ratio, whose logarithm is
nearer to a normal distribution than θ itself.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from annotations.stats.arrays import FloatArray, ratio
from annotations.stats.intervals.own_variance import MOST_LEVELS, own_variance
from annotations.stats.intervals.pattern_families import Features, Joined, PatternFamily
from annotations.stats.ratings import Ratings

_CHUNK = 1 << 22
"""Numbers held at once: 32 MiB of doubles."""
_ROUNDING = 1e-12
_TABLE = 1 << 22
"""Largest raters × kinds table that is counted densely: 32 MiB."""
_EXACT_COST = 1 << 28
"""Replicates × features up to which units and ratings are really deleted; beyond that, the derivative is used."""


class DeletedRatings:
    """Deletions, grouped by kind: a kind of rating is (pattern of its unit, its level).

    Deleting any rating of one kind changes the sums in the same way: its unit moves from one pattern to another. So
    leaving a rater out is a count of the rater's kinds, and there are only as many single deletions as kinds.
    """

    def __init__(
        self,
        ratings: Ratings,
        family: PatternFamily,
        features: Features,
        total: FloatArray,
        *,
        largest_table: int = _TABLE,
        exact_cost: int = _EXACT_COST,
    ) -> None:
        self.ratings, self.family, self.features, self.total = ratings, family, features, total
        self.largest_table, self.exact_cost = largest_table, exact_cost
        rows, multiplicity = ratings.patterns
        self.multiplicity = multiplicity
        self.pattern, self.level = np.nonzero(rows)
        self.kind = np.full(rows.shape, -1, dtype=np.int64)
        self.kind[self.pattern, self.level] = np.arange(len(self.pattern))
        self.ratings_of_kind = multiplicity[self.pattern] * rows[self.pattern, self.level]
        self.change = self._change(rows)

    def _change(self, rows: NDArray[np.int64]) -> Features:
        """(n_kinds, n_features): how deleting one rating changes the sums."""
        step = max(1, _CHUNK // rows.shape[1])
        dense: list[FloatArray] = []
        few: list[sparse.csr_array] = []
        for first in range(0, len(self.pattern), step):
            pattern, level = self.pattern[first : first + step], self.level[first : first + step]
            reduced = rows[pattern].astype(float)
            reduced[np.arange(len(level)), level] -= 1.0
            change = self.family.features(reduced) - self.features[pattern]
            if isinstance(change, sparse.csr_array):
                few.append(change)
            else:
                dense.append(np.asarray(change))
        if few:
            return sparse.csr_array(sparse.vstack(few, format="csr"))
        return np.vstack(dense) if dense else np.zeros((0, self.family.n_features))

    def kinds_of_raters(self) -> NDArray[np.int64] | sparse.csr_array:
        """(n raters with ratings, n_kinds): how many ratings of each kind each of them gave."""
        ratings, n_kinds = self.ratings, len(self.pattern)
        given = ratings.per_rater > 0
        kind = self.kind.ravel()[ratings.pattern_of_unit[ratings.unit] * ratings.n_levels + ratings.level]
        if ratings.n_raters * n_kinds <= self.largest_table:
            table = np.bincount(ratings.rater * n_kinds + kind, minlength=ratings.n_raters * n_kinds)
            return table.reshape(ratings.n_raters, n_kinds)[given]
        ones = np.ones(len(ratings), dtype=np.int64)
        return sparse.csr_array((ones, (ratings.rater, kind)), shape=(ratings.n_raters, n_kinds))[given]

    def _scaled(self, sums: FloatArray) -> FloatArray:
        return to_log_scale(self.family.values(sums))

    @cached_property
    def _gradient(self) -> FloatArray:
        """(n_features, n_statistics): dz = dθ/(1 − θ)."""
        disagreement = 1.0 - self.family.values(self.total)[0]
        return self.family.gradient(self.total) * ratio(np.ones(len(disagreement)), disagreement, _ROUNDING)

    def without_each_rater(self) -> FloatArray:
        """(n raters with ratings, n_statistics): the statistics with that rater's ratings gone."""
        kinds = self.kinds_of_raters()
        step = max(1, _CHUNK // max(self.family.n_features, kinds.shape[1]))
        parts = []
        for first in range(0, kinds.shape[0], step):
            change = kinds[first : first + step].astype(float) @ self.change
            dense = change.toarray() if isinstance(change, sparse.csr_array) else np.asarray(change)
            parts.append(self.family.values(self.total + dense))
        return np.concatenate(parts)

    def variance_of_units(self) -> FloatArray:
        """(n_statistics,): the delete-one-unit jackknife variance, over units with ratings."""
        rows, _ = self.ratings.patterns
        rated = np.flatnonzero(rows.any(axis=1))
        return self._variance(-self.features[rated], self.multiplicity[rated])

    def variance_of_cells(self) -> FloatArray:
        """(n_statistics,): the delete-one-rating jackknife variance."""
        return self._variance(self.change, self.ratings_of_kind)

    def own_variance_of_units(self) -> FloatArray:
        """(n_statistics,): the units' own part of that variance, as far as it can be estimated; see `own_variance`."""
        rows, multiplicity = self.ratings.patterns
        if rows.shape[1] > MOST_LEVELS:
            return np.zeros(len(self.family.described))
        return own_variance(rows, multiplicity, self.family, self._gradient)

    def _variance(self, change: Features, weight: NDArray[np.int64]) -> FloatArray:
        n_rows, n_features = change.shape
        if n_rows * n_features > self.exact_cost:
            replicates = np.asarray(change @ self._gradient)
        else:
            step = max(1, _CHUNK // n_features)
            parts = []
            for first in range(0, n_rows, step):
                part = change[first : first + step]
                dense = part.toarray() if isinstance(part, sparse.sparray) else part
                parts.append(self._scaled(self.total + dense))
            replicates = np.concatenate(parts)
        return jackknife_variance(replicates, weight)


def by_rater(without: FloatArray, ratings: Ratings) -> tuple[float, ...]:
    """(n raters with ratings,) → (n_raters,), NaN for raters without any."""
    of_all = np.full(ratings.n_raters, np.nan)
    of_all[ratings.per_rater > 0] = without
    return tuple(of_all.tolist())


def to_log_scale(values: FloatArray) -> FloatArray:
    """z = −ln(1 − θ), NaN for θ ≥ 1 up to rounding."""
    disagreement = 1.0 - values
    z = np.full(values.shape, np.nan)
    return -np.log(disagreement, out=z, where=disagreement > _ROUNDING)


@dataclass(frozen=True, slots=True)
class UnitEffects:
    """Moments of ψ_i, what unit i adds to a statistic to first order, over the n units that add anything to its sums.

    variance: n/(n − 1) Σ (ψ_i − mean)², that of the statistic. skewness: that of the statistic, Σ ψ³/(Σ ψ²)^1.5.
    kurtosis: the excess kurtosis of ψ_i itself. All (n_statistics,), n too; variance NaN where n < 2.
    """

    variance: FloatArray
    skewness: FloatArray
    kurtosis: FloatArray
    n: NDArray[np.int64]


def unit_effects(
    family: PatternFamily, features: Features, multiplicity: NDArray[np.int64], total: FloatArray
) -> UnitEffects:
    """Moments of the units' effects (the infinitesimal jackknife), by the family's own linearisation."""
    if isinstance(family, Joined):
        # Each family has units of its own that add to it: alpha takes no part in units with one rating.
        parts = [
            unit_effects(one, features[:, sums], multiplicity, total[:, sums])
            for one, sums in zip(family.families, family.slices(), strict=True)
        ]
        return UnitEffects(*(np.concatenate([getattr(part, name) for part in parts]) for name in UnitEffects.__slots__))
    adds = np.flatnonzero(np.asarray(features.astype(bool).sum(axis=1)))
    derivative = family.linearisation(total)
    influence = np.asarray(features[adds] @ derivative)
    # The effects are differences of these, and their rounding is of that size.
    terms = np.asarray(abs(features[adds]) @ np.abs(derivative)).max(axis=0, initial=0.0)
    weight = multiplicity[adds].astype(float)
    n, n_statistics = int(weight.sum()), influence.shape[1]
    of_each = np.full(n_statistics, n)
    if n < 2:
        return UnitEffects(np.full(n_statistics, np.nan), np.zeros(n_statistics), np.zeros(n_statistics), of_each)
    centred = influence - weight @ influence / n
    second = weight @ centred**2
    # A spread that is only rounding has no shape, and counts as zero.
    spread = second > n * (_ROUNDING * terms) ** 2
    skewness, kurtosis = np.zeros(n_statistics), np.zeros(n_statistics)
    np.divide(weight @ centred**3, second**1.5, out=skewness, where=spread)
    np.divide(n * (weight @ centred**4), second**2, out=kurtosis, where=spread)
    variance = n / (n - 1) * np.where(spread | np.isnan(second), second, 0.0)
    return UnitEffects(variance, skewness, np.where(spread, kurtosis - 3.0, 0.0), of_each)


def jackknife_variance(replicates: FloatArray, weight: NDArray[np.int64] | None) -> FloatArray:
    """(n − 1)/n Σ (θ_(i) − mean)² down the rows, a row counting `weight` times; NaN where a replicate is NaN."""
    weights = np.ones(len(replicates)) if weight is None else weight.astype(float)
    n = weights.sum()
    centred = replicates - weights @ replicates / n
    return np.asarray((n - 1) / n * (weights @ centred**2))
