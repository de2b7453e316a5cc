"""The one-way random ICC of unequal numbers of ratings per unit, from count patterns.

ICC(1,1) = (MSB − MSW)/(MSB + (m₀ − 1) MSW), m₀ = (N − Σ m_i²/N)/(n − 1), for n units with m_i of N ratings.
Source: Fleiss, Levin and Paik, *Statistical Methods for Rates and Proportions*, 3rd ed. (2003), section 18.3;
Donner (1986), International Statistical Review 54:67–82, eq. 2.1–2.3 (the ANOVA estimator).
"""

from collections.abc import Collection

import numpy as np

from annotations.stats.arrays import FloatArray, IntArray, ratio
from annotations.stats.estimate import Estimate
from annotations.stats.intervals.over_raters import ALL_COVERS
from annotations.stats.intervals.pattern_families import Described
from annotations.stats.intervals.unit_resampling import estimates
from annotations.stats.ratings import Ratings

_NOTHING = 1e-12
"""Sums of squares below this share of their largest possible value are rounding."""


class OneWayFamily:
    """ICC(1,1) of unbalanced ratings from sums of ratings and of their squares."""

    described: tuple[Described, ...] = (
        Described(
            "icc_1_1_unbalanced",
            "ICC(1,1), one-way random effects, ANOVA estimator for unequal ratings per unit (Donner 1986); "
            "units with one rating count between units only",
        ),
    )
    n_features = 6

    def __init__(self, values: FloatArray) -> None:
        # Centred, so that small differences are not lost in squares of large scale values.
        self.centred = values - values.mean()
        self.largest = float(np.abs(self.centred).max(initial=0.0)) ** 2

    def features(self, rows: FloatArray) -> FloatArray:
        """[rated, m, m², Σx, Σx², (Σx)²/m] of each unit."""
        ratings = rows.sum(axis=1)
        total = rows @ self.centred
        squares = rows @ self.centred**2
        return np.column_stack(
            [ratings >= 1, ratings, ratings**2, total, squares, np.nan_to_num(ratio(total**2, ratings))]
        )

    def values(self, sums: FloatArray) -> FloatArray:
        units, n, squared_sizes, total, squares, between = sums.T
        ss_between = between - np.nan_to_num(ratio(total**2, n))
        ss_within = squares - between
        ms_between = ratio(ss_between, units - 1, 0.5)
        ms_within = ratio(ss_within, n - units, 0.5)
        typical = ratio(n - np.nan_to_num(ratio(squared_sizes, n)), units - 1, 0.5)
        icc = ratio(
            ms_between - ms_within, ms_between + (typical - 1) * ms_within, _NOTHING * max(self.largest, _NOTHING)
        )
        return icc[:, None]

    def gradient(self, total: FloatArray) -> FloatArray:
        units, n, squared_sizes, of_all, squares, between = (float(one) for one in total[0])
        if units < 2 or n <= units or np.isnan(self.values(total)).any():
            return np.full((self.n_features, 1), np.nan)
        ms_between = (between - of_all**2 / n) / (units - 1)
        ms_within = (squares - between) / (n - units)
        typical = (n - squared_sizes / n) / (units - 1)
        denominator = ms_between + (typical - 1) * ms_within
        # Rows: the sums in the order of `features`; columns: mean squares and m₀.
        moves = np.zeros((self.n_features, 3))
        moves[:, 0] = np.array([-ms_between, (of_all / n) ** 2, 0, -2 * of_all / n, 0, 1]) / (units - 1)
        moves[:, 1] = np.array([ms_within, -ms_within, 0, 0, 1, -1]) / (n - units)
        moves[:, 2] = np.array([-typical, 1 + squared_sizes / n**2, -1 / n, 0, 0, 0]) / (units - 1)
        of_each = np.array([typical * ms_within, -typical * ms_between, (ms_within - ms_between) * ms_within])
        return (moves @ of_each / denominator**2)[:, None]

    def linearisation(self, total: FloatArray) -> FloatArray:
        return self.gradient(total)

    def lowest(self, sizes: IntArray) -> FloatArray:
        """−1/(m₀ − 1), where nothing varies between units; below −1 for m₀ < 2."""
        n, n_units = int(sizes.sum()), len(sizes)
        if n <= n_units or n_units < 2:
            return np.array([np.nan])
        typical = (n - float(sizes @ sizes) / n) / (n_units - 1)
        return np.array([-1 / (typical - 1)])


def icc_one_way_unbalanced(
    ratings: Ratings,
    *,
    rng: np.random.Generator | None = None,
    n_resamples: int = 1000,
    level: float = 0.95,
    covers: Collection[str] = ALL_COVERS,
) -> Estimate:
    """ICC(1,1) of all ratings, with or without missing cells, treating the scale's values as interval data.

    Equal to ICC(1,1) when every unit has the same number of ratings. Undefined for fewer than two units, when no unit
    has two ratings, and when all ratings are equal.
    """
    family = OneWayFamily(ratings.values)
    return estimates(ratings, family, rng=rng, n_resamples=n_resamples, level=level, covers=covers)[0]
