"""Intraclass correlations of units that every rater rated: ICC(1,1), (A,1), (C,1) and their averages of k raters.

Source: McGraw and Wong (1996), Psychological Methods 1:30–46, tables 4 and 7 with the corrections of 1:390; Shrout and
Fleiss (1979) call them ICC(1,1), (2,1), (3,1) and ICC(1,k), (2,k), (3,k).
"""

from collections.abc import Collection, Mapping
from math import inf, isnan, nan
from types import MappingProxyType

import numpy as np

from annotations.stats.agreement.intraclass.icc_f import f_interval
from annotations.stats.agreement.mean_squares import MeanSquares, complete_ratings, why_no_mean_squares
from annotations.stats.arrays import FloatArray, ratio
from annotations.stats.estimate import Estimate, Interval
from annotations.stats.intervals.leave_one_out import by_rater, to_log_scale
from annotations.stats.intervals.on_scale import interval_on_scale
from annotations.stats.intervals.over_raters import ALL_COVERS, BOTH, RATERS, UNITS, rater_freedom, t_of
from annotations.stats.ratings import Ratings
from annotations.stats.undefined import notes_on_few

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
    over units, raters and both, between −1/(k − 1) and 1 (see `over_raters`). After them comes the F interval of
    McGraw and Wong, which assumes normal ratings: over units for (1) and (C), over units and raters for (A). Values
    lie in −1/(k − 1)…1 (single) and up to 1 (average, which may be far below 0; its intervals are cut at −1).
    Undefined with fewer than two raters or two complete units, and when nothing varies.
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
    without_rater = None
    if jackknife:
        without_unit = complete.without_each_unit() if UNITS in covers or BOTH in covers else None
        if complete.n_raters > 2 and (RATERS in covers or BOTH in covers):
            without_rater = complete.without_each_rater()
        for model in MODELS:
            intervals[model] += _jackknife(model, squares, without_unit, without_rater, level, covers)
    for model in MODELS:
        normal = f_interval(model, squares, level)
        if normal.covers in covers:
            intervals[model].append(normal)
    k = complete.n_raters
    left_out = {
        model: by_rater(without_rater.icc(model), ratings) if without_rater is not None else () for model in MODELS
    }
    return tuple(
        [
            _estimate(f"icc_{model}_1", single[model], methods[model, "1"], n, intervals[model], left_out[model])
            for model in MODELS
        ]
        + [
            _estimate(
                f"icc_{model}_k",
                _step_up(single[model], k),
                methods[model, "k"],
                n,
                [_step_up_interval(interval, _step_up(single[model], k), k) for interval in intervals[model]],
                tuple(_step_up(value, k - 1) for value in left_out[model]),
            )
            for model in MODELS
        ]
    )


def _estimate(
    statistic: str,
    value: float,
    method: str,
    n: Mapping[str, int],
    intervals: list[Interval],
    left_out: tuple[float, ...],
) -> Estimate:
    if np.isnan(value):
        return Estimate.undefined(statistic, method, "the mean squares leave a denominator of zero", n)
    notes = notes_on_few(n["complete_units"], "units that all raters rated")
    return Estimate(statistic, value, method, n, tuple(intervals), notes=notes, without_rater=left_out)


def _form(form: str, k: int) -> str:
    return "a single rating" if form == "1" else f"the mean of {k} raters"


def _step_up(single: float, k: int) -> float:
    """Spearman–Brown: the reliability of the mean of k ratings."""
    below = 1 + (k - 1) * single
    return k * single / below if below > 0 else nan


def _step_up_interval(interval: Interval, value: float, k: int) -> Interval:
    """The interval of a single rating made one of the mean of k, whose ICC is `value`; cut at −1.

    A value far below 0 only says that the mean of the raters does not distinguish the units; one below −1 has no
    interval.
    """
    if not interval.is_defined:
        return interval
    if value < -1:
        reason = "the value is below -1, where intervals of the ICC of a mean are cut; its values have no lower end"
        return Interval.undefined(interval.covers, interval.method, reason, interval.level)
    low, high = (_step_up(end, k) for end in (interval.low, interval.high))
    low = -inf if isnan(low) else low
    return Interval.around(value, low, high, interval.covers, interval.method, interval.level, within=(-1.0, 1.0))


def _jackknife(
    model: str,
    squares: MeanSquares,
    without_unit: MeanSquares | None,
    without_rater: MeanSquares | None,
    level: float,
    covers: Collection[str],
) -> list[Interval]:
    n, k = squares.n, squares.k
    rho, ends = float(squares.icc(model)), (-1 / (k - 1), 1.0)
    units = raters = nan
    # Variances of the ICC itself: from Fisher's z, or from −ln(1 − ρ), by the derivative. Without a rater the ICC may
    # be as low as −1/(k − 2), where Fisher's z for k raters has no value.
    if without_unit is not None and n > 2:
        units = _variance(_fisher(without_unit.icc(model), k)) * (2 * (1 - rho) * (1 + (k - 1) * rho) / k) ** 2
    if without_rater is not None:
        raters = _variance(to_log_scale(without_rater.icc(model))) * (1 - rho) ** 2
    few_units = f"{n} complete units; leaving one out must leave two" if n < 3 else ""
    few_raters = f"{k} raters; leaving one out must leave two" if k < 3 else ""
    of_unit, of_rater = "delete-one-unit jackknife of Fisher's z", "delete-one-rater jackknife of −ln(1 − ρ)"
    over_raters, over_both = (rater_freedom(raters + more, more, n, raters, k) for more in (0.0, units))
    intervals = []
    for cover, variance, freedom, method, too_few in (
        (UNITS, units, n - 1, f"{of_unit}, t({n - 1})", few_units),
        (RATERS, raters, over_raters, f"{of_rater}, {t_of(over_raters)}", few_raters),
        (BOTH, units + raters, over_both, f"{of_unit} and {of_rater}, {t_of(over_both)}", few_units or few_raters),
    ):
        if cover not in covers:
            continue
        if too_few or np.isnan(variance):
            reason = too_few or "no error variance is left when one is left out"
            intervals.append(Interval.undefined(cover, method, reason, level))
            continue
        error = float(np.sqrt(variance))
        intervals.append(
            interval_on_scale(rho, error, freedom, covers=cover, method=method, scale="logit", level=level, within=ends)
        )
    return intervals


def _fisher(icc: FloatArray, k: int) -> FloatArray:
    above, below = 1 + (k - 1) * icc, 1 - icc
    odds = ratio(above, below)
    return np.log(odds, out=np.full(odds.shape, nan), where=odds > 0) / 2


def _variance(z: FloatArray) -> float:
    """(n − 1)/n Σ (z − z̄)², the jackknife variance; NaN where a replicate is."""
    return float((len(z) - 1) * np.var(z))
