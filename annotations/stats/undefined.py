"""Why a statistic of agreement is undefined for these ratings, or rests on few of them, in words."""

import numpy as np

from annotations.stats.ratings import Ratings

FEW_UNITS = 10
"""A figure from fewer units than this has a note that says so."""


def notes_on_few(n_units: int, kind: str = "units with two ratings or more") -> tuple[str, ...]:
    """A note for figures that rest on a handful of units."""
    return (f"rests on {n_units} {kind}",) if n_units < FEW_UNITS else ()


def why_undefined(ratings: Ratings, statistic: str = "") -> str:
    """The first reason that applies, with the counts that show it."""
    n = ratings.n
    if n["ratings"] == 0:
        return "no ratings"
    if n["raters"] < 2:
        return "only one rater, so no item has two ratings"
    if n["pairable"] == 0:
        return f"no unit has two ratings: {n['units']} units, {n['ratings']} ratings, 0 pairable"
    if n["pairable"] == 1 and statistic.startswith("krippendorff_alpha"):
        return "one pairable unit: alpha is 0 by construction"
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
