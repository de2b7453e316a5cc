"""How far a mean difference depends on who rated: intervals over raters, and over prompts and raters together.

An interval over prompts holds for these very raters. Where raters prefer differently (one likes refined more than
another), other raters would give another mean, and only an interval over raters says how far off.
Sources: Tukey's delete-one jackknife (Efron and Tibshirani 1993, chapter 11) with t on R − 1 degrees of freedom; the
sum of the one-way variances less that of their crossing: Cameron, Gelbach and Miller (2011), JBES 29:238;
degrees of freedom of a sum: Satterthwaite (1946).
"""

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from annotations.stats.deletion import jackknife_variance
from annotations.stats.estimate import Interval
from annotations.stats.paired import Cells
from annotations.stats.rater_sums import mean_by
from annotations.stats.ratings import Ratings
from annotations.stats.scaled_interval import interval_on_scale


def rater_intervals(
    ratings: Ratings, cells: Cells, differences: NDArray[np.float64], *, level: float = 0.95
) -> tuple[Interval, Interval]:
    """Intervals of the mean difference that cover "raters" and "prompts and raters".

    differences (n,): one a prompt, from the same `cells`. Undefined below two raters, and where a rater is the only
    one on every prompt.
    """
    over_raters = "delete-one-rater jackknife less its excess from single ratings, t(R − 1)"
    over_both = "variances over prompts and over raters less that of their crossing, Satterthwaite's t"
    n = len(differences)
    rater, prompt, change, dropped = _changes_without(ratings, cells, differences)
    present = np.unique(rater)
    n_raters = len(present)
    reason = "needs two raters" if n_raters < 2 else "needs two prompts" if n < 2 else ""
    if not reason:
        total = np.bincount(rater, change, minlength=ratings.n_raters)[present]
        left = n - np.bincount(rater, dropped, minlength=ratings.n_raters)[present]
        reason = "" if (left > 0).all() else "without one of the raters no prompt is left"
    if reason:
        return (
            Interval.undefined("raters", over_raters, reason, level),
            Interval.undefined("prompts and raters", over_both, reason, level),
        )
    mean = float(np.mean(differences))
    without = (float(np.sum(differences)) + total) / left
    jackknife = float(jackknife_variance(without, None))
    by_prompts = float(np.var(differences, ddof=1)) / n
    a_prompt = np.bincount(prompt, minlength=n)[prompt]
    kept = ~dropped
    single = change[kept] ** 2 / n**2
    crossing = float(np.sum(single * (1 - 1 / a_prompt[kept])))
    # Leaving out one of k raters of a prompt moves it by k/(k − 1) times what chance in one rating does to it: at most
    # twice, with two raters.
    by_raters = max(jackknife - float(np.sum(single / a_prompt[kept])), jackknife / 2)
    both = max(by_prompts + by_raters - crossing, by_prompts, by_raters)
    # Sums of floats leave about 1e-16 of the scale where exact ones would leave nothing.
    noise = (1e-12 * float(np.abs(ratings.values).max())) ** 2
    by_raters = by_raters if by_raters > noise else 0.0
    if both <= noise:
        nothing = "no variation between prompts or raters"
        return (
            Interval.undefined("raters", over_raters, nothing, level),
            Interval.undefined("prompts and raters", over_both, nothing, level),
        )
    df = both**2 / (by_prompts**2 / (n - 1) + by_raters**2 / (n_raters - 1))
    df = max(df, float(min(n, n_raters) - 1))
    return (
        _t_interval(mean, by_raters, n_raters - 1, "raters", over_raters, level),
        _t_interval(mean, both, df, "prompts and raters", over_both, level),
    )


def _t_interval(mean: float, variance: float, df: float, covers: str, method: str, level: float) -> Interval:
    if variance == 0:
        return Interval.undefined(covers, method, "leaving out any one of them changes nothing", level)
    return interval_on_scale(mean, sqrt(variance), df, covers=covers, method=method, scale="plain", level=level)


def _changes_without(
    ratings: Ratings, cells: Cells, differences: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """For every (rater, prompt) with ratings: how the prompt's difference changes without that rater.

    Returns rater, prompt, change (the new difference less the old one; where the prompt is lost, minus the old one)
    and dropped (the prompt is lost: that rater alone rated one of its sides).
    """
    cell_of_unit = np.full(ratings.n_units, -1, dtype=np.int64)
    cell_of_unit[cells.unit] = cells.cell
    used = cell_of_unit[ratings.unit] >= 0
    unit, rater, value = ratings.unit[used], ratings.rater[used], ratings.values[ratings.level[used]]
    cell = cell_of_unit[unit]
    raters = np.bincount(unit, minlength=ratings.n_units)[unit]
    mean = np.bincount(unit, value, minlength=ratings.n_units)[unit] / raters
    alone = raters == 1
    step = np.where(alone, -mean, (mean - value) / np.maximum(raters - 1, 1))
    # One row for every (rater, prompt, side), then one for every (rater, prompt).
    rows, where = np.unique(rater * np.int64(len(cells.images)) + cell, return_inverse=True)
    row_cell = rows % max(len(cells.images), 1)
    of_unit = mean_by(ratings.unit, ratings.values[ratings.level], ratings.n_units)
    sums = np.bincount(cells.cell, of_unit[cells.unit], minlength=len(cells.images))
    left = cells.images[row_cell] - np.bincount(where, alone, minlength=len(rows)).astype(np.int64)
    moved = (sums[row_cell] + np.bincount(where, step, minlength=len(rows))) / np.maximum(left, 1)
    change = (moved - sums[row_cell] / cells.images[row_cell]) * np.where(row_cell % 2 == 1, 1.0, -1.0)
    pairs, pair = np.unique(rows // 2, return_inverse=True)
    n = max(len(differences), 1)
    lost = np.bincount(pair, left == 0, minlength=len(pairs)) > 0
    total: NDArray[np.float64] = np.bincount(pair, weights=change, minlength=len(pairs)).astype(np.float64)
    prompt = pairs % n
    total[lost] = -differences[prompt[lost]]
    return pairs // n, prompt, total, lost
