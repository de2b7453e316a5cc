"""Why a statistic of agreement cannot be had from these ratings, in words."""

import numpy as np

from annotations.stats.ratings import Ratings


def why_undefined(ratings: Ratings, statistic: str = "") -> str:
    """The first reason that applies, with the counts that show it."""
    n = ratings.n
    if n["ratings"] == 0:
        return "no ratings"
    if n["raters"] < 2:
        return f"one rater only: {n['ratings']} ratings, no unit with two"
    if n["pairable"] == 0:
        return f"no unit has two ratings: {n['units']} units, {n['ratings']} ratings, 0 pairable"
    if statistic == "krippendorff_alpha_ratio" and np.any(ratings.values <= 0):
        return "the ratio metric needs a scale above zero"
    if ratings.n_levels == 1:
        return "the scale has one level"
    rows, _ = ratings.patterns
    used = rows[rows.sum(axis=1) >= 2].any(axis=0)
    if np.count_nonzero(used) == 1:
        only = ratings.values[int(np.argmax(used))]
        return f"no variation: all ratings of the {n['pairable']} pairable units are {only:g}; observed agreement is 1"
    return "the statistic's denominator is zero for these ratings"
