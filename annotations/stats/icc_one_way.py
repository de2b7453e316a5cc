"""The one-way random ICC of unequal numbers of ratings a unit, from count patterns.

ICC(1,1) = (MSB − MSW)/(MSB + (m₀ − 1) MSW), m₀ = (N − Σ m_i²/N)/(n − 1), for n units with m_i of N ratings.
Source: Fleiss, Levin and Paik, *Statistical Methods for Rates and Proportions*, 3rd ed. (2003), section 18.3;
Donner (1986), International Statistical Review 54:67–82, eq. 2.1–2.3 (the ANOVA estimator).
"""

from collections.abc import Collection

import numpy as np

from annotations.stats.estimate import Estimate
from annotations.stats.families import Described, FloatArray, gradient, ratio
from annotations.stats.ratings import Ratings
from annotations.stats.resampling import estimates
from annotations.stats.spread import ALL_COVERS

_NOTHING = 1e-12
"""Sums of squares below this share of their largest possible value are rounding."""


class OneWayFamily:
    """ICC(1,1) of unbalanced ratings from sums of ratings and of their squares."""

    described: tuple[Described, ...] = (
        Described(
            "icc_1_1_unbalanced",
            "ICC(1,1), one-way random effects, ANOVA estimator for unequal ratings a unit (Donner 1986); "
            "units with one rating count between units only",
            low=-1.0,
        ),
    )
    n_features = 6

    def __init__(self, values: FloatArray) -> None:
        # Centred, so that squares of large scale values do not swallow small differences.
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

    def linearisation(self, total: FloatArray) -> FloatArray:
        return gradient(self.values, total)


def icc_one_way_unbalanced(
    ratings: Ratings,
    *,
    rng: np.random.Generator | None = None,
    n_resamples: int = 1000,
    level: float = 0.95,
    covers: Collection[str] = ALL_COVERS,
) -> Estimate:
    """ICC(1,1) of whatever ratings there are, missing cells and all, treating the scale's values as interval data.

    Equal to ICC(1,1) when every unit has the same number of ratings. Undefined for fewer than two units, when no unit
    has two ratings, and when all ratings are equal.
    """
    family = OneWayFamily(ratings.values)
    return estimates(ratings, family, rng=rng, n_resamples=n_resamples, level=level, covers=covers)[0]
