"""Means of ratings kept as exact integers, so that equal means tie and never depend on the order of raters.

A mean computed in floating point carries noise of about 1e-16: (0.1 + 0.2 + 0.3) / 3 and (0.3 + 0.2 + 0.1) / 3 can
differ, which breaks ties and moves every rank statistic. Here each scale value becomes an integer over one common
denominator; sums are then exact, and equal fractions have the same rank and the same float. Values with too many digits
for 64 bits, as those of a scale of any numbers may have, are rounded first.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, lcm

import numpy as np
from numpy.typing import NDArray

from annotations.stats.ratings import BadRatings, Ratings

_SIMPLEST = 1000
"""A scale value that is, to the last bit, a fraction with a denominator up to this one is taken as that fraction."""

_INT64_LIMIT = 2**63 - 1
_FLOAT_EXACT = 2**52


@dataclass(frozen=True, slots=True)
class UnitMeans:
    """The mean of every unit's ratings as an exact fraction: sum / (n · denominator).

    sum      (n_units,) int64  sum of the scale values' numerators; 0 where nothing was rated
    n        (n_units,) int64  how many ratings
    denominator                of the scale values: 1 for 1…5, 2 for 0, 0.5, 1
    mean     (n_units,) float  the fraction in lowest terms, rounded once: equal fractions are equal floats;
                               NaN where nothing was rated
    rank_key (n_units,) int64  0, 1, 2… in the order of the exact fractions, equal exactly where they are equal;
                               −1 where nothing was rated
    """

    sum: NDArray[np.int64]
    n: NDArray[np.int64]
    denominator: int
    mean: NDArray[np.float64]
    rank_key: NDArray[np.int64]

    @property
    def rated(self) -> NDArray[np.bool_]:
        """(n_units,) True where at least one rating was given."""
        return self.n > 0


def exact_scale(values: NDArray[np.float64], most: int = 1) -> tuple[NDArray[np.int64], int]:
    """The numerators (n_levels,) of the scale values over their least common denominator, and that denominator.

    most: how many of them are summed at most; the sums, and `most` denominators, fit into 64 bits.

    A float is read as the simple fraction that it is nearest to (0.5 as 1/2, 0.3333333333333333 as 1/3), or else as the
    shortest decimal that rounds to it (0.1235 as 247/2000), which is presumably what was typed.
    Where the integers would not fit (0.1234567890123456 and 73 on one scale), the values are rounded to as many decimal
    places as do: to 16 for four ratings from 0 to 100. Raises BadRatings if whole numbers do not fit.
    """
    fractions = [_as_typed(float(value)) for value in values]
    denominator = lcm(*(fraction.denominator for fraction in fractions))
    numerators = [int(fraction * denominator) for fraction in fractions]
    if most * max(denominator, *map(abs, numerators)) > _INT64_LIMIT:
        room = _INT64_LIMIT // (most * max(1, *(ceil(abs(fraction)) for fraction in fractions)))
        if room == 0:
            raise BadRatings("sums of such large values would not fit into 64 bits; write them in a larger unit")
        denominator = 10 ** (len(str(room)) - 1)
        numerators = [round(fraction * denominator) for fraction in fractions]
    return np.array(numerators, dtype=np.int64), denominator


def exact_levels(ratings: Ratings) -> tuple[NDArray[np.int64], int]:
    """`exact_scale` of these ratings' scale, for sums over the raters of each unit."""
    return exact_scale(ratings.values, int(ratings.per_unit.max(initial=1)))


def unit_means(ratings: Ratings) -> UnitMeans:
    """The exact mean over raters of every unit.

    Missing cells are left out; a unit without ratings has NaN and rank −1. Scales of very many digits are rounded, see
    `exact_scale`.
    """
    numerators, denominator = exact_levels(ratings)
    n = np.bincount(ratings.unit, minlength=ratings.n_units).astype(np.int64)
    most = int(n.max(initial=0))
    largest = int(np.abs(numerators).max())
    weights = numerators[ratings.level]
    if most * largest < _FLOAT_EXACT:
        total = np.bincount(ratings.unit, weights=weights, minlength=ratings.n_units).astype(np.int64)
    else:
        total = np.zeros(ratings.n_units, dtype=np.int64)
        np.add.at(total, ratings.unit, weights)
    return means_of_sums(total, n, denominator)


def means_of_sums(total: NDArray[np.int64], n: NDArray[np.int64], denominator: int) -> UnitMeans:
    """UnitMeans of given sums (n_units,) of numerators over `denominator` and counts (n_units,) of ratings.

    For sums that are already exact, as when one rater's answers are subtracted: nothing is rounded before ranking.
    """
    total, n = np.asarray(total, dtype=np.int64), np.asarray(n, dtype=np.int64)
    rated = np.flatnonzero(n > 0)
    some, counts = total[rated], n[rated]
    mean = np.full(len(n), np.nan)
    rank_key = np.full(len(n), -1, dtype=np.int64)
    whole = counts * np.int64(denominator)
    common = np.gcd(some, whole)
    mean[rated] = (some // common) / (whole // common)
    rank_key[rated] = _ranks_of_fractions(some, counts)
    return UnitMeans(total, n, denominator, mean, rank_key)


def _ranks_of_fractions(numerator: NDArray[np.int64], denominator: NDArray[np.int64]) -> NDArray[np.int64]:
    """Dense ranks of numerator / denominator (denominator ≥ 1), exact.

    Two unequal fractions a/b and c/d differ by at least 1/(b·d), so where |a|·d < 2⁵² for all of them their
    correctly rounded quotients differ too, and floats rank them exactly. Beyond that the whole part is compared as an
    integer, and the rest, whose numerator is below its denominator (a count of raters), as a quotient.
    """
    if len(numerator) == 0:
        return np.zeros(0, dtype=np.int64)
    most = int(denominator.max())
    if max(int(numerator.max()), -int(numerator.min()), 1) * most < _FLOAT_EXACT:
        return np.unique(numerator / denominator, return_inverse=True)[1].astype(np.int64)
    whole, rest = np.divmod(numerator, denominator)
    part = rest / denominator
    order = np.lexsort((part, whole))
    new = (np.diff(whole[order]) != 0) | (np.diff(part[order]) != 0)
    ranks = np.empty(len(numerator), dtype=np.int64)
    ranks[order] = np.concatenate(([0], np.cumsum(new)))
    return ranks


def _as_typed(value: float) -> Fraction:
    simple = Fraction(value).limit_denominator(_SIMPLEST)
    return simple if float(simple) == value else Fraction(repr(value))
