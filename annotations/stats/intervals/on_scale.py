"""Intervals computed on a scale on which the statistic is nearly normal, and transformed back to its own scale."""

from math import atanh, inf, log, tanh
from typing import Literal

import scipy.special

from annotations.stats.distributions import t_quantile
from annotations.stats.estimate import Interval

Scale = Literal["fisher z", "logit", "plain"]
"""½ ln((1 + r)/(1 − r)) for correlations, ln((θ − a)/(b − θ)) for shares and others of a range a … b, or θ as it is."""

_ENDS: dict[Scale, tuple[float, float]] = {"fisher z": (-1.0, 1.0), "logit": (0.0, 1.0), "plain": (-inf, inf)}
_ROUNDING = 1e-12


def interval_on_scale(
    value: float,
    error: float,
    df: float,
    *,
    covers: str,
    method: str,
    scale: Scale,
    level: float,
    within: tuple[float, float] | None = None,
    skew: float = 0.0,
) -> Interval:
    """value ± t(df) · error, with the error transformed to `scale` by its derivative and the ends transformed back.

    error ≥ 0 is the standard error of `value` itself; df may be infinite, which takes the normal quantile. within: the
    ends of the range, where a logit's are not 0 and 1; a plain interval is cut there. Undefined with a reason for an
    error of 0: no variation in the sample does not show that there is none. Except on the plain scale it is also
    undefined for a value at an end of the range. Raises ValueError for Fisher's z with a range other than −1 to 1.

    skew ≥ 0, for a logit only: the error relative to a variance that lowers the statistic. The lower end is then taken
    from the cube root of that variance, which is closer to a normal distribution (Wilson and Hilferty 1931): it lies
    ((1 + skew · t/3)³ − 1)/skew errors below, not t. Raises ValueError for another scale.
    """
    low, high = ends = within or _ENDS[scale]
    if scale == "fisher z" and ends != _ENDS[scale]:
        raise ValueError("Fisher's z is for a range from −1 to 1")
    if skew and scale != "logit":
        raise ValueError("skew is for a logit only")
    if scale != "plain" and not low + _ROUNDING < value < high - _ROUNDING:
        return Interval.undefined(covers, method, "the statistic is at the end of its range", level)
    if error <= 1e-14:
        return Interval.undefined(covers, method, f"no variation between {covers}", level)
    t = float(t_quantile((1 + level) / 2, df))
    reach = t * error
    if scale == "plain":
        below, above = value - reach, value + reach
    elif scale == "fisher z":
        centre, reach = atanh(value), reach / (1 - value * value)
        below, above = tanh(centre - reach), tanh(centre + reach)
    else:
        width = high - low
        centre, reach = log((value - low) / (high - value)), reach * width / ((value - low) * (high - value))
        longer = reach * ((1 + skew * t / 3) ** 3 - 1) / (skew * t) if skew else reach
        below, above = (low + width * float(scipy.special.expit(centre + step)) for step in (-longer, reach))
    return Interval.around(value, below, above, covers, method, level, within=ends)
