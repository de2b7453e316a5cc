"""Ratings of some units or some raters only."""

import numpy as np
from numpy.typing import NDArray

from annotations.stats.ratings import Ratings


def only_units(ratings: Ratings, units: NDArray[np.int64]) -> Ratings:
    """The ratings of `units` (k,), distinct codes, which become units 0 … k − 1 in this order; raters keep theirs."""
    place = np.full(ratings.n_units, -1, dtype=np.int64)
    place[units] = np.arange(len(units))
    kept = np.flatnonzero(place[ratings.unit] >= 0)
    return Ratings(
        place[ratings.unit[kept]],
        ratings.rater[kept],
        ratings.level[kept],
        ratings.values,
        len(units),
        ratings.n_raters,
    )


def without_raters(ratings: Ratings, excluded: NDArray[np.bool_]) -> Ratings:
    """The ratings less those of the excluded raters, (n_raters,) True; codes keep their meaning."""
    if not excluded.any():
        return ratings
    kept = np.flatnonzero(~excluded[ratings.rater])
    return Ratings(
        ratings.unit[kept],
        ratings.rater[kept],
        ratings.level[kept],
        ratings.values,
        ratings.n_units,
        ratings.n_raters,
    )
