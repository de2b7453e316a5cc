"""How much a mean difference depends on who rated: intervals over raters, and over prompts and raters together.

An interval over prompts holds for these very raters. Where raters prefer differently (one likes refined more than
another), other raters would give another mean, and only an interval over raters says how far off.
Sources: Tukey's delete-one jackknife (Efron and Tibshirani 1993, chapter 11) with t on R − 1 degrees of freedom; the
sum of the one-way variances less that of their crossing: Cameron, Gelbach and Miller (2011), JBES 29:238;
degrees of freedom of a sum: Satterthwaite (1946).
"""

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from numpy.typing import NDArray

from annotations.stats.comparison.paired import Cells
from annotations.stats.distributions import t_above, t_quantile
from annotations.stats.estimate import Interval
from annotations.stats.intervals.few import too_few
from annotations.stats.intervals.leave_one_out import jackknife_variance
from annotations.stats.intervals.on_scale import interval_on_scale
from annotations.stats.raters.sums import mean_by
from annotations.stats.ratings import Ratings

_OVER_RATERS = "delete-one-rater jackknife less its excess from single ratings, t(R − 1)"
_OVER_BOTH = "variances over prompts and over raters less that of their crossing, Satterthwaite's t"


@dataclass(frozen=True)
class Spread:
    """How much a mean difference varies over what `covers` names.

    error  the standard error, NaN with a reason where there is none; df: its degrees of freedom (Satterthwaite's)
    """

    covers: str
    method: str
    error: float
    df: float
    reason: str = ""

    def interval(self, mean: float, level: float = 0.95) -> Interval:
        """mean ± t(df) · error."""
        if self.reason:
            return Interval.undefined(self.covers, self.method, self.reason, level)
        return interval_on_scale(
            mean, self.error, self.df, covers=self.covers, method=self.method, scale="plain", level=level
        )

    def p(self, mean: float, null: float = 0.0) -> float:
        """Two-sided p of the true mean being `null`; NaN where there is no interval."""
        return nan if self.reason else float(min(1.0, 2 * t_above(abs(mean - null) / self.error, self.df)))

    def p_above(self, mean: float, null: float) -> float:
        """One-sided p of the true mean being `null` or less; NaN where there is no interval."""
        return nan if self.reason else float(t_above((mean - null) / self.error, self.df))

    def detectable(self, power: float = 0.8, level: float = 0.95) -> float:
        """The smallest true difference that a study of this size finds with this power: (t(1 − α/2) + t(power)) ·
        error."""
        if self.reason:
            return nan
        return float(self.error * (t_quantile((1 + level) / 2, self.df) + t_quantile(power, self.df)))


NO_SPREAD = Spread("", "", nan, nan, "nothing was compared")


def rater_spreads(ratings: Ratings, cells: Cells, differences: NDArray[np.float64]) -> tuple[Spread, Spread]:
    """The spread of the mean difference over "raters", and over "prompts and raters".

    differences (n,): one per prompt, from the same `cells`. Undefined with too few of either, and where a rater is the
    only one on every prompt.
    """
    n = len(differences)
    rater, prompt, change, dropped = _changes_without(ratings, cells, differences)
    present = np.unique(rater)
    n_raters = len(present)
    reason = too_few(n_raters, "raters") or too_few(n, "prompts")
    if not reason:
        total = np.bincount(rater, change, minlength=ratings.n_raters)[present]
        left = n - np.bincount(rater, dropped, minlength=ratings.n_raters)[present]
        reason = "" if (left > 0).all() else "without one of the raters no prompt is left"
    if reason:
        return _undefined(reason)
    without = (float(np.sum(differences)) + total) / left
    jackknife = float(jackknife_variance(without, None))
    by_prompts = float(np.var(differences, ddof=1)) / n
    a_prompt = np.bincount(prompt, minlength=n)[prompt]
    kept = ~dropped
    single = change[kept] ** 2 / n**2
    crossing = float(np.sum(single * (1 - 1 / a_prompt[kept])))
    # Leaving out one of k raters of a prompt moves its difference by k/(k − 1) times as much as chance in one rating
    # does: at most twice, with two raters.
    by_raters = max(jackknife - float(np.sum(single / a_prompt[kept])), jackknife / 2)
    both = max(by_prompts + by_raters - crossing, by_prompts, by_raters)
    # Sums of floats leave about 1e-16 of the scale where exact ones would leave nothing.
    noise = (1e-12 * float(np.abs(ratings.values).max())) ** 2
    by_raters = by_raters if by_raters > noise else 0.0
    if both <= noise:
        nothing = "no variation between prompts or raters"
        return _undefined(nothing)
    # Subtracting from the jackknife variance leaves it as uncertain as before.
    df = both**2 / (by_prompts**2 / (n - 1) + jackknife**2 / (n_raters - 1))
    df = max(df, float(min(n, n_raters) - 1))
    unmoved = "" if by_raters else "leaving out any one of them changes nothing"
    return (
        Spread("raters", _OVER_RATERS, sqrt(by_raters), n_raters - 1, unmoved),
        Spread("prompts and raters", _OVER_BOTH, sqrt(both), df),
    )


def _undefined(reason: str) -> tuple[Spread, Spread]:
    return (
        Spread("raters", _OVER_RATERS, nan, nan, reason),
        Spread("prompts and raters", _OVER_BOTH, nan, nan, reason),
    )


def rater_intervals(
    ratings: Ratings, cells: Cells, differences: NDArray[np.float64], *, level: float = 0.95
) -> tuple[Interval, Interval]:
    """The intervals of `rater_spreads`, of the same arguments."""
    mean = float(np.mean(differences))
    raters, both = rater_spreads(ratings, cells, differences)
    return raters.interval(mean, level), both.interval(mean, level)


def _changes_without(
    ratings: Ratings, cells: Cells, differences: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """For every (rater, prompt) with ratings: how the prompt's difference changes without that rater.

    Returns rater, prompt, change (the new difference less the old one; where the prompt is lost, minus the old one) and
    dropped (the prompt is lost: only that rater rated one of its sides).
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
