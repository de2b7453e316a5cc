"""The units about which raters disagree most: where to look first for an unclear question or a hard image."""

import numpy as np

from annotations.reports.study.data import DimensionData
from annotations.stats.arrays import FloatArray
from annotations.stats.ratings import Ratings


def most_disputed(dimension: DimensionData, n: int) -> list[tuple[int, float, list[int]]]:
    """At most n of (unit of the study, distance, counts by level), the largest distance first; units on which all agree
    are left out.

    Equal distances are in the study's order.
    """
    ratings = dimension.ratings
    distance = pair_distance(ratings, is_ordinal=dimension.is_ordinal)
    order = np.argsort(-np.nan_to_num(distance, nan=-1.0), kind="stable")[:n]
    return [
        (
            int(dimension.units[unit]),
            float(distance[unit]),
            np.bincount(ratings.level[ratings.unit == unit], minlength=ratings.n_levels).tolist(),
        )
        for unit in order
        if distance[unit] > 0
    ]


def pair_distance(ratings: Ratings, *, is_ordinal: bool, place: FloatArray | None = None) -> FloatArray:
    """(n_units,) mean distance of two raters' ratings of a unit, 0 (all agree) … 1; NaN with fewer than two ratings.

    Unordered levels: 0 if equal, 1 if not. Ordered levels: the squared difference of their places on the scale over
    the largest possible, which over all pairs is 2(n Σx² − (Σx)²) / (n(n − 1)) for a unit's places x.

    place  (n_ratings,) the places, where they are not the levels: ranks with ties
    """
    n = np.bincount(ratings.unit, minlength=ratings.n_units).astype(float)
    pairs = np.where(n > 1, n * (n - 1), np.nan)
    if is_ordinal:
        place = ratings.level.astype(float) if place is None else place
        total = np.bincount(ratings.unit, place, ratings.n_units)
        squares = np.bincount(ratings.unit, place**2, ratings.n_units)
        return np.asarray(2 * (n * squares - total**2) / pairs / max(ratings.n_levels - 1, 1) ** 2)
    cell, count = np.unique(ratings.unit * np.int64(ratings.n_levels) + ratings.level, return_counts=True)
    same = np.bincount(cell // ratings.n_levels, count * (count - 1.0), ratings.n_units)
    return np.asarray(1 - same / pairs)
