"""What every statistic of count patterns becomes without one rater, one unit or one rating.

Replicates and variances are those of z = −ln(1 − θ): disagreement relative to chance is a ratio, whose logarithm is
nearer to a normal distribution than θ itself, and an interval brought back from z stays below 1.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from annotations.stats.families import Features, FloatArray, PatternFamily, gradient
from annotations.stats.own_variance import MOST_LEVELS, own_variance
from annotations.stats.ratings import Ratings

_CHUNK = 1 << 22
"""Numbers held at once: 32 MiB of doubles."""
_ROUNDING = 1e-12
_TABLE = 1 << 25
"""Largest raters × kinds table that is counted densely: 256 MiB."""
_EXACT_COST = 1 << 28
"""Replicates × features up to which units and ratings are really deleted; beyond, the derivative stands in."""


class DeletedRatings:
    """Deletions, grouped by kind: a kind of rating is (pattern of its unit, its level).

    All ratings of one kind change the sums alike when they go: their unit moves from one pattern to another. So
    leaving a rater out is a count of the rater's kinds, and there are only as many single deletions as kinds.
    """

    def __init__(self, ratings: Ratings, family: PatternFamily, features: Features, total: FloatArray) -> None:
        self.ratings, self.family, self.features, self.total = ratings, family, features, total
        rows, multiplicity = ratings.patterns
        self.multiplicity = multiplicity
        self.pattern, self.level = np.nonzero(rows)
        self.kind = np.full(rows.shape, -1, dtype=np.int64)
        self.kind[self.pattern, self.level] = np.arange(len(self.pattern))
        self.ratings_of_kind = multiplicity[self.pattern] * rows[self.pattern, self.level]
        self.change = self._change(rows)

    def _change(self, rows: NDArray[np.int64]) -> Features:
        """(n_kinds, n_features): what one rating's going does to the sums."""
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
        if ratings.n_raters * n_kinds <= _TABLE:
            table = np.bincount(ratings.rater * n_kinds + kind, minlength=ratings.n_raters * n_kinds)
            return table.reshape(ratings.n_raters, n_kinds)[given]
        ones = np.ones(len(ratings), dtype=np.int64)
        return sparse.csr_array((ones, (ratings.rater, kind)), shape=(ratings.n_raters, n_kinds))[given]

    def _scaled(self, sums: FloatArray) -> FloatArray:
        return to_log_scale(self.family.values(sums))

    @cached_property
    def _gradient(self) -> FloatArray:
        return gradient(self._scaled, self.total)

    def without_each_rater(self) -> FloatArray:
        """(n raters with ratings, n_statistics): z of the statistics with that rater's ratings gone."""
        kinds = self.kinds_of_raters()
        if isinstance(kinds, np.ndarray):
            kinds = kinds.astype(float)
        change = kinds @ self.change
        if isinstance(change, sparse.sparray):
            change = change.toarray()
        return self._scaled(self.total + change)

    def variance_of_units(self) -> FloatArray:
        """(n_statistics,): the delete-one-unit jackknife variance, over units with ratings."""
        rows, _ = self.ratings.patterns
        rated = np.flatnonzero(rows.any(axis=1))
        return self._variance(-self.features[rated], self.multiplicity[rated])

    def variance_of_cells(self) -> FloatArray:
        """(n_statistics,): the delete-one-rating jackknife variance."""
        return self._variance(self.change, self.ratings_of_kind)

    def own_variance_of_units(self) -> FloatArray:
        """(n_statistics,): how much of that is the units' own, as far as it can be told: see `own_variance`."""
        rows, multiplicity = self.ratings.patterns
        if rows.shape[1] > MOST_LEVELS:
            return np.zeros(len(self.family.described))
        return own_variance(rows, multiplicity, self.family, self._gradient)

    def _variance(self, change: Features, weight: NDArray[np.int64]) -> FloatArray:
        n_rows, n_features = change.shape
        if n_rows * n_features > _EXACT_COST:
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


def to_log_scale(values: FloatArray) -> FloatArray:
    """z = −ln(1 − θ), NaN for θ ≥ 1 up to rounding."""
    disagreement = 1.0 - values
    z = np.full(values.shape, np.nan)
    return -np.log(disagreement, out=z, where=disagreement > _ROUNDING)


def from_log_scale(z: float) -> float:
    return float(-np.expm1(-z))


@dataclass(frozen=True, slots=True)
class UnitEffects:
    """Moments of ψ_i, what unit i adds to a statistic to first order, over the n units that add anything.

    variance: n/(n − 1) Σ (ψ_i − mean)², that of the statistic. skewness: that of the statistic, Σ ψ³/(Σ ψ²)^1.5.
    kurtosis: the excess kurtosis of ψ_i itself. All (n_statistics,); variance NaN where n < 2.
    """

    variance: FloatArray
    skewness: FloatArray
    kurtosis: FloatArray
    n: int

    @classmethod
    def unknown(cls, n_statistics: int, n: int) -> "UnitEffects":
        """Nothing known of the shape: as of a normal distribution."""
        return cls(np.full(n_statistics, np.nan), np.zeros(n_statistics), np.zeros(n_statistics), n)


def unit_effects(
    family: PatternFamily, features: Features, multiplicity: NDArray[np.int64], total: FloatArray
) -> UnitEffects:
    """Moments of the units' effects (the infinitesimal jackknife), by the family's own linearisation."""
    adds = np.flatnonzero(np.asarray(features.astype(bool).sum(axis=1)))
    influence = np.asarray(features[adds] @ family.linearisation(total))
    weight = multiplicity[adds].astype(float)
    n = int(weight.sum())
    if n < 2:
        return UnitEffects.unknown(influence.shape[1], n)
    centred = influence - weight @ influence / n
    second = weight @ centred**2
    # A spread that is rounding has no shape.
    spread = second > n * (_ROUNDING * np.abs(influence).max(axis=0, initial=0.0)) ** 2
    skewness, kurtosis = np.zeros(len(second)), np.zeros(len(second))
    np.divide(weight @ centred**3, second**1.5, out=skewness, where=spread)
    np.divide(n * (weight @ centred**4), second**2, out=kurtosis, where=spread)
    return UnitEffects(n / (n - 1) * second, skewness, np.where(spread, kurtosis - 3.0, 0.0), n)


def jackknife_variance(replicates: FloatArray, weight: NDArray[np.int64] | None) -> FloatArray:
    """(n − 1)/n Σ (θ_(i) − mean)² down the rows, a row counting `weight` times; NaN where a replicate is NaN."""
    weights = np.ones(len(replicates)) if weight is None else weight.astype(float)
    n = weights.sum()
    centred = replicates - weights @ replicates / n
    return np.asarray((n - 1) / n * (weights @ centred**2))


def excess_kurtosis(replicates: FloatArray) -> FloatArray:
    """(n_statistics,) excess kurtosis of what each row's going does, adjusted for few rows (Fisher's G₂).

    Zero for fewer than four rows, and where nothing varies.
    """
    n = len(replicates)
    shape = np.zeros(replicates.shape[1])
    if n < 4:
        return shape
    centred = replicates - replicates.mean(axis=0)
    second = (centred**2).mean(axis=0)
    varies = second > _ROUNDING**2
    np.divide((centred**4).mean(axis=0), second**2, out=shape, where=varies)
    return np.where(varies, (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * (shape - 3.0) + 6.0), 0.0)
