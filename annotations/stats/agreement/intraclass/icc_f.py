"""F tests and F intervals of intraclass correlations, which assume normal ratings.

Source: McGraw and Wong (1996), Psychological Methods 1:30–46, tables 7 and 8 with the corrections of 1:390.
"""

from math import isfinite

from annotations.stats.agreement.mean_squares import MeanSquares, complete_ratings, why_no_mean_squares
from annotations.stats.distributions import f_above, f_quantile
from annotations.stats.estimate import Interval, NullTest
from annotations.stats.intervals.over_raters import BOTH, UNITS
from annotations.stats.ratings import Ratings


def f_test(ratings: Ratings, model: str = "1") -> NullTest:
    """F test that an ICC of the complete units is zero: MSR/MSW for the model "1", MSR/MSE for "a" and "c"."""
    complete = complete_ratings(ratings)
    method = "F test of no differences between units"
    reason = why_no_mean_squares(complete, ratings)
    if reason:
        return NullTest.undefined("F", method, reason)
    squares = complete.mean_squares
    n, k = squares.n, squares.k
    noise, freedom = (squares.within, n * (k - 1)) if model == "1" else (squares.error, (n - 1) * (k - 1))
    if noise == 0:
        return NullTest.undefined("F", method, "no error variance")
    f = float(squares.units / noise)
    return NullTest("F", f, (n - 1, freedom), float(f_above(f, n - 1, freedom)), method)


def f_interval(model: str, squares: MeanSquares, level: float) -> Interval:
    """McGraw and Wong (1996), table 7; for (A) with Satterthwaite's degrees of freedom."""
    n, k = squares.n, squares.k
    covers = BOTH if model == "a" else UNITS
    method = "F, normal ratings (McGraw and Wong 1996)"
    noise = float(squares.within if model == "1" else squares.error)
    if noise == 0:
        return Interval.undefined(covers, method, "no error variance", level)
    upper = (1 + level) / 2
    units = float(squares.units)
    if model == "a":
        return _f_interval_absolute(squares, method, level)
    freedom = n * (k - 1) if model == "1" else (n - 1) * (k - 1)
    f_low = units / noise / f_quantile(upper, n - 1, freedom)
    f_high = units / noise * f_quantile(upper, freedom, n - 1)
    low, high = (f_low - 1) / (f_low + k - 1), (f_high - 1) / (f_high + k - 1)
    single = float(squares.icc(model))
    return Interval.around(single, float(low), float(high), covers, method, level, within=(-1 / (k - 1), 1.0))


def _f_interval_absolute(squares: MeanSquares, method: str, level: float) -> Interval:
    n, k = squares.n, squares.k
    units, raters, error = float(squares.units), float(squares.raters), float(squares.error)
    rho = float(squares.icc("a"))
    if rho >= 1:
        return Interval.undefined(BOTH, method, "no error variance", level)
    a = k * rho / (n * (1 - rho))
    b = 1 + k * rho * (n - 1) / (n * (1 - rho))
    spread = (a * raters) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
    if spread == 0:
        return Interval.undefined(BOTH, method, "Satterthwaite's degrees of freedom are undefined", level)
    freedom = (a * raters + b * error) ** 2 / spread
    upper = (1 + level) / 2
    f_low, f_high = float(f_quantile(upper, n - 1, freedom)), float(f_quantile(upper, freedom, n - 1))
    rest = k * raters + (k * n - k - n) * error
    # Python's floats overflow without a warning.
    if not isfinite(n * (f_low + f_high) * (units + error + rest)):
        return Interval.undefined(BOTH, method, f"{freedom:.2g} degrees of freedom are too few", level)
    low = n * (units - f_low * error) / (f_low * rest + n * units)
    high = n * (f_high * units - error) / (rest + n * f_high * units)
    return Interval.around(rho, low, high, BOTH, method, level, within=(-1 / (k - 1), 1.0))
