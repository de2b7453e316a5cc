"""Mean squares of complete units × raters ratings, and of the same ratings with one unit or one rater left out."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from annotations.stats.arrays import FloatArray, ratio, totals
from annotations.stats.ratings import Ratings

_ROUNDING = 1e-12
"""Sums of squares below this share of the total are rounding."""


@dataclass(frozen=True, slots=True)
class MeanSquares:
    """The two-way table of the analysis of variance, each field a number or an array of replicates.

    units MSR (between units), raters MSC (between raters), error MSE, within MSW (of units); n units, k raters.
    """

    units: FloatArray
    raters: FloatArray
    error: FloatArray
    within: FloatArray
    n: int
    k: int

    @classmethod
    def of(
        cls,
        n: int,
        k: int,
        squared_units: FloatArray | float,
        squared_raters: FloatArray | float,
        total: FloatArray | float,
        squares: FloatArray | float,
    ) -> "MeanSquares":
        """From Σ (unit sum)², Σ (rater sum)², Σx and Σx²."""
        correction = np.square(total) / (n * k)
        ss_total = squares - correction
        smallest = _ROUNDING * squares
        ss_units = _no_rounding(squared_units / float(k) - correction, smallest)
        ss_raters = _no_rounding(squared_raters / float(n) - correction, smallest)
        ss_within = _no_rounding(ss_total - ss_units, smallest)
        ss_error = _no_rounding(ss_within - ss_raters, smallest)
        return cls(
            ss_units / max(n - 1, 1),
            ss_raters / max(k - 1, 1),
            ss_error / max((n - 1) * (k - 1), 1),
            ss_within / max(n * (k - 1), 1),
            n,
            k,
        )

    def icc(self, model: str) -> FloatArray:
        """ICC of a single rating under the model "1", "a" or "c" (McGraw and Wong 1996, table 4); NaN undefined."""
        noise = self.within if model == "1" else self.error
        severity = self.k * (self.raters - self.error) / self.n if model == "a" else 0.0
        return ratio(self.units - noise, self.units + (self.k - 1) * noise + severity)


def _no_rounding(sum_of_squares: FloatArray, smallest: FloatArray | float) -> FloatArray:
    return sum_of_squares * (sum_of_squares > smallest)


@dataclass(frozen=True)
class CompleteRatings:
    """Ratings of the units that all k raters rated, centred on their mean.

    unit, rater (n_units · n_raters,): codes of each rating x, without gaps.
    """

    unit: NDArray[np.int64]
    rater: NDArray[np.int64]
    level: NDArray[np.int64]
    x: FloatArray
    n_units: int
    n_raters: int

    @cached_property
    def unit_sums(self) -> FloatArray:
        return totals(self.unit, self.x, self.n_units)

    @cached_property
    def rater_sums(self) -> FloatArray:
        return totals(self.rater, self.x, self.n_raters)

    @cached_property
    def mean_squares(self) -> MeanSquares:
        units, raters = self.unit_sums, self.rater_sums
        return MeanSquares.of(
            self.n_units, self.n_raters, units @ units, raters @ raters, units.sum(), float(self.x @ self.x)
        )

    def without_each_unit(self) -> MeanSquares:
        """(n,) replicates."""
        units, raters = self.unit_sums, self.rater_sums
        unit_squares = totals(self.unit, self.x**2, self.n_units)
        against_raters = totals(self.unit, self.x * raters[self.rater], self.n_units)
        return MeanSquares.of(
            self.n_units - 1,
            self.n_raters,
            units @ units - units**2,
            raters @ raters - 2 * against_raters + unit_squares,
            units.sum() - units,
            unit_squares.sum() - unit_squares,
        )

    def without_each_rater(self) -> MeanSquares:
        """(k,) replicates; the units stay the same."""
        units, raters = self.unit_sums, self.rater_sums
        rater_squares = totals(self.rater, self.x**2, self.n_raters)
        against_units = totals(self.rater, self.x * units[self.unit], self.n_raters)
        return MeanSquares.of(
            self.n_units,
            self.n_raters - 1,
            units @ units - 2 * against_units + rater_squares,
            raters @ raters - raters**2,
            raters.sum() - raters,
            rater_squares.sum() - rater_squares,
        )


def complete_ratings(ratings: Ratings) -> CompleteRatings:
    """The ratings of units that every rater with ratings rated, as centred scale values."""
    given = ratings.per_rater > 0
    n_raters = int(np.count_nonzero(given))
    complete = ratings.per_unit == n_raters if n_raters else np.zeros(ratings.n_units, dtype=bool)
    n_units = int(np.count_nonzero(complete))
    unit, rater, level = ratings.unit, ratings.rater, ratings.level
    if n_units < ratings.n_units:
        kept = complete[unit]
        unit, rater, level = (np.cumsum(complete) - 1)[unit[kept]], rater[kept], level[kept]
    if n_raters < ratings.n_raters:
        rater = (np.cumsum(given) - 1)[rater]
    histogram = np.bincount(level, minlength=ratings.n_levels)
    mean = float(histogram @ ratings.values) / max(len(level), 1)
    return CompleteRatings(unit, rater, level, (ratings.values - mean)[level], n_units, n_raters)


def why_no_mean_squares(complete: CompleteRatings, ratings: Ratings) -> str:
    if complete.n_raters < 2:
        return f"{complete.n_raters} raters; an intraclass correlation needs two"
    if complete.n_units < 2:
        return f"{complete.n_units} of {ratings.n['units']} units were rated by all {complete.n_raters} raters"
    if not np.any(complete.x):
        return f"no variation: all ratings of the {complete.n_units} complete units are equal"
    return ""
