from math import inf, nan

import pytest

from annotations.stats.estimate import Estimate, Interval


def around(value: float, low: float, high: float, within: tuple[float, float] = (-inf, inf)) -> Interval:
    return Interval.around(value, low, high, "units", "by hand", within=within)


def test_an_interval_is_cut_at_its_range_and_says_so() -> None:
    interval = around(0.5, -0.2, 0.8, (0.0, 1.0))
    assert (interval.low, interval.high) == (0.0, 0.8)
    assert (interval.cut_low, interval.cut_high) == (True, False)


def test_an_interval_holds_its_value() -> None:
    assert (around(0.5, 0.6, 0.8).low, around(0.5, 0.2, 0.4).high) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("value", "low", "high", "within", "reason"),
    [
        (1.0, 1.0, 1.0, (0.0, 1.0), "no variation in the sample"),
        (0.5, 0.5 - 1e-14, 0.5 + 1e-14, (0.0, 1.0), "no variation in the sample"),
        (0.5, nan, 0.7, (0.0, 1.0), "no ends"),
        (-0.8, -0.9, -0.7, (-0.5, 1.0), "beyond -0.5, the end of its range"),
        (0.0, -0.3, 0.0, (0.0, 1.0), "at the end of its range"),
    ],
)
def test_what_cannot_be_an_interval_has_the_reason(
    value: float, low: float, high: float, within: tuple[float, float], reason: str
) -> None:
    interval = around(value, low, high, within)
    assert not interval.is_defined
    assert reason in interval.reason


def test_rounding_alone_puts_no_value_outside_its_interval() -> None:
    interval = Interval(-0.5, 1.0, "units", "")
    assert Estimate("kappa", -0.5000000000000001, "", intervals=(interval,)).value == -0.5
    assert Estimate("kappa", -0.51, "", intervals=(interval,)).value == -0.51
