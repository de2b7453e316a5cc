"""Intraclass correlations of units that every rater rated: ICC(1,1), (A,1), (C,1) and their averages of k raters.

Source: McGraw and Wong (1996), Psychological Methods 1:30–46, tables 4 and 7 with the corrections of 1:390; Shrout and
Fleiss (1979) call them ICC(1,1), (2,1), (3,1) and ICC(1,k), (2,k), (3,k).
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from math import nan
from types import MappingProxyType

import numpy as np

from annotations.stats.deletion import excess_kurtosis
from annotations.stats.distributions import t_quantile
from annotations.stats.estimate import Estimate, Interval
from annotations.stats.families import FloatArray, ratio
from annotations.stats.icc_f import f_interval
from annotations.stats.mean_squares import MeanSquares, complete_ratings, why_no_mean_squares
from annotations.stats.ratings import Ratings
from annotations.stats.spread import ALL_COVERS, BOTH, RATERS, UNITS, rater_freedom, t_of

_METHOD = {
    "1": "one-way random effects (each unit's raters are a new sample)",
    "a": "two-way, absolute agreement (raters are a sample; their severity counts as error)",
    "c": "two-way, consistency (raters' severity is taken out)",
}
MODELS = tuple(_METHOD)


def icc_family(
    ratings: Ratings, *, level: float = 0.95, covers: Collection[str] = ALL_COVERS, jackknife: bool = True
) -> tuple[Estimate, ...]:
    """icc_1_1, icc_a_1, icc_c_1, icc_1_k, icc_a_k, icc_c_k of the complete units, scale values as interval data.

    Complete units are those with a rating by every rater who rated anything (listwise deletion, stated in the method
    and counted in n as "complete_units"); k is the number of those raters. Each has delete-one jackknife intervals
    over units, raters and both on Fisher's scale z = ½ ln((1 + (k − 1)ρ)/(1 − ρ)), t with n − 1, k − 1 and
    Satterthwaite's degrees of freedom; after them comes the F interval of McGraw and Wong, which assumes normal
    ratings: over units for (1) and (C), over units and raters for (A). Values lie in −1/(k − 1)…1 (single) and up to
    1 (average, which may be far below 0). Undefined with fewer than two raters or two complete units, and when
    nothing varies.
    """
    complete = complete_ratings(ratings)
    n = MappingProxyType({**ratings.n, "complete_units": complete.n_units})
    reason = why_no_mean_squares(complete, ratings)
    methods = {
        (model, form): f"ICC, {_METHOD[model]}; {_form(form, complete.n_raters)}; {complete.n_units} complete units "
        f"of {ratings.n['units']} (listwise)"
        for model in MODELS
        for form in ("1", "k")
    }
    if reason:
        return tuple(
            Estimate.undefined(f"icc_{model}_{form}", methods[model, form], reason, n)
            for form in ("1", "k")
            for model in MODELS
        )
    squares = complete.mean_squares
    single = {model: float(squares.icc(model)) for model in MODELS}
    intervals: dict[str, list[Interval]] = {model: [] for model in MODELS}
    if jackknife:
        without_unit = complete.without_each_unit() if UNITS in covers or BOTH in covers else None
        without_rater = complete.without_each_rater() if RATERS in covers or BOTH in covers else None
        for model in MODELS:
            intervals[model] += _jackknife(model, squares, without_unit, without_rater, level, covers)
    for model in MODELS:
        normal = f_interval(model, squares, level)
        if normal.covers in covers:
            intervals[model].append(normal)
    k = complete.n_raters
    return tuple(
        [_estimate(f"icc_{model}_1", single[model], methods[model, "1"], n, intervals[model]) for model in MODELS]
        + [
            _estimate(
                f"icc_{model}_k",
                _step_up(single[model], k),
                methods[model, "k"],
                n,
                [_step_up_interval(interval, k) for interval in intervals[model]],
            )
            for model in MODELS
        ]
    )


def _estimate(statistic: str, value: float, method: str, n: Mapping[str, int], intervals: list[Interval]) -> Estimate:
    if np.isnan(value):
        return Estimate.undefined(statistic, method, "the mean squares leave a denominator of zero", n)
    return Estimate(statistic, value, method, n, tuple(intervals))


def _form(form: str, k: int) -> str:
    return "a single rating" if form == "1" else f"the mean of {k} raters"


def _step_up(single: float, k: int) -> float:
    """Spearman–Brown: the reliability of the mean of k ratings."""
    below = 1 + (k - 1) * single
    return k * single / below if below > 0 else nan


def _step_up_interval(interval: Interval, k: int) -> Interval:
    if not interval.is_defined:
        return interval
    low, high = _step_up(interval.low, k), _step_up(interval.high, k)
    if np.isnan(low) or np.isnan(high):
        reason = "the interval of a single rating reaches −1/(k − 1), where that of the mean has no end"
        return Interval.undefined(interval.covers, interval.method, reason, interval.level)
    return replace(interval, low=low, high=high)


def _jackknife(
    model: str,
    squares: MeanSquares,
    without_unit: MeanSquares | None,
    without_rater: MeanSquares | None,
    level: float,
    covers: Collection[str],
) -> list[Interval]:
    n, k = squares.n, squares.k
    z = float(_fisher(squares.icc(model), k))
    units = _variance(without_unit, model, k) if without_unit is not None and n > 2 else nan
    raters, tails = nan, 0.0
    if without_rater is not None and k > 2:
        raters = _variance(without_rater, model, k)
        tails = float(excess_kurtosis(_fisher(without_rater.icc(model), k)[:, None])[0])
    # A rater's effect follows the square of the severity, whose tail is heavy, unless consistency leaves that out.
    tame = raters if model == "c" else 0.0
    few_units = f"{n} complete units; leaving one out must leave two" if n < 3 else ""
    few_raters = f"{k} raters; leaving one out must leave two" if k < 3 else ""
    both = "delete-one jackknives over units and raters, variances of z added"

    def freedom_of(variance: float, of_units: float) -> float:
        return rater_freedom(variance, of_units, n, raters, tame, tails, k)

    intervals = []
    for cover, variance, freedom, name, too_few in (
        (UNITS, units, n - 1, "delete-one-unit jackknife", few_units),
        (RATERS, raters, freedom_of(raters, 0.0), "delete-one-rater jackknife", few_raters),
        (BOTH, units + raters, freedom_of(units + raters, units), both, few_units or few_raters),
    ):
        if cover not in covers:
            continue
        quantile = f"t({freedom})" if cover == UNITS else t_of(freedom)
        method = f"{name} on Fisher's z, {quantile}"
        if too_few or not np.isfinite(z + variance):
            reason = too_few or "no error variance is left when one is left out"
            intervals.append(Interval.undefined(cover, method, reason, level))
            continue
        reach = float(t_quantile((1 + level) / 2, freedom)) * np.sqrt(variance)
        low, high = _from_fisher(z - reach, k), _from_fisher(z + reach, k)
        intervals.append(Interval(low, high, cover, method, level))
    return intervals


def _fisher(icc: FloatArray, k: int) -> FloatArray:
    above, below = 1 + (k - 1) * icc, 1 - icc
    odds = ratio(above, below)
    return np.log(odds, out=np.full(odds.shape, nan), where=odds > 0) / 2


def _from_fisher(z: float, k: int) -> float:
    # (e^2z − 1)/(e^2z + k − 1), without overflow.
    return (
        float(-np.expm1(-2 * z) / (1 + (k - 1) * np.exp(-2 * z)))
        if z > 0
        else float(np.expm1(2 * z) / (np.exp(2 * z) + k - 1))
    )


def _variance(replicates: MeanSquares, model: str, k: int) -> float:
    z = _fisher(replicates.icc(model), k)
    return float((len(z) - 1) * np.var(z))
