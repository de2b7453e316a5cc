"""A symmetric interval taken where a statistic is nearly normal, and brought back to where it is read."""

from math import atanh, log, tanh
from typing import Literal

import numpy as np
import scipy.special

from annotations.stats.distributions import t_quantile
from annotations.stats.estimate import Interval

Scale = Literal["fisher z", "logit", "plain"]
"""½ ln((1 + r)/(1 − r)) for correlations, ln(p/(1 − p)) for shares, or as it is."""


def interval_on_scale(
    value: float, error: float, df: float, *, covers: str, method: str, scale: Scale, level: float
) -> Interval:
    """value ± t(df) · error, with the error carried to `scale` by its derivative and the ends carried back.

    error ≥ 0 is the standard error of `value` itself; df may be infinite, which takes the normal quantile. The ends
    stay within −1 … 1 on Fisher's z and 0 … 1 on the logit. Undefined with a reason for a value at an end of that
    range and for an error of 0: what does not vary in the sample does not show that it cannot vary.
    """
    ends = {"fisher z": (-1.0, 1.0), "logit": (0.0, 1.0), "plain": (-np.inf, np.inf)}[scale]
    if not ends[0] + 1e-12 < value < ends[1] - 1e-12:
        return Interval.undefined(covers, method, "the statistic is at the end of its range", level)
    if error <= 1e-14:
        return Interval.undefined(covers, method, f"no variation between {covers}", level)
    t = float(t_quantile((1 + level) / 2, df))
    if scale == "fisher z":
        centre, reach = atanh(value), t * error / (1 - value * value)
        low, high = tanh(centre - reach), tanh(centre + reach)
    elif scale == "logit":
        centre, reach = log(value / (1 - value)), t * error / (value * (1 - value))
        low, high = (float(scipy.special.expit(centre + side * reach)) for side in (-1, 1))
    else:
        low, high = value - t * error, value + t * error
    return Interval(low, high, covers, method, level)
