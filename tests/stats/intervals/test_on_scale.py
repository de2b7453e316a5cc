"""Intervals on Fisher's z, on the logit, and as they are."""

from math import exp, inf, sqrt

import pytest
from scipy import stats

from annotations.stats.estimate import Interval
from annotations.stats.intervals.on_scale import Scale, interval_on_scale


def interval(value: float, error: float, df: float, scale: Scale) -> Interval:
    return interval_on_scale(value, error, df, covers="prompts", method="", scale=scale, level=0.95)


def test_fisher_z_of_a_correlation() -> None:
    # Fisher's own interval: z ± 1.96/√(n − 3). r = .5 and n = 28: z = .5493 ± .3920, tanh .1573 = .1560 and
    # tanh .9413 = .7358.
    found = interval(0.5, (1 - 0.5**2) / sqrt(25), inf, "fisher z")
    assert (found.low, found.high) == pytest.approx((0.1560, 0.7358), abs=5e-5)


def test_logit_of_a_share() -> None:
    # Odds 3, standard error of the log odds √(1/30 + 1/10): 3 · exp(± 1.96 · .3651) = 1.467 and 6.137.
    found = interval(0.75, 0.75 * 0.25 * sqrt(1 / 30 + 1 / 10), inf, "logit")
    odds = [end / (1 - end) for end in (found.low, found.high)]
    assert odds == pytest.approx([1.467, 6.137], abs=2e-3)


def test_skew_takes_the_lower_end_from_the_cube_root_of_a_variance() -> None:
    # A variance with a relative standard error of √(2/9) = .4714. Its cube root's is a third, .1571. A cube root 1.96
    # errors higher is 1.3080 times as large, and its cube 2.2376 times: 1.2376/.4714 = 2.6256 errors of the variance.
    skew, z = sqrt(2 / 9), 1.959964
    error = 0.1
    found = interval_on_scale(
        0.75, 0.75 * 0.25 * error, inf, covers="raters", method="", scale="logit", level=0.95, skew=skew
    )
    below = ((1 + skew * z / 3) ** 3 - 1) / skew
    assert below == pytest.approx(2.6256, abs=5e-4)
    assert found.low / (1 - found.low) == pytest.approx(3 * exp(-below * error))
    assert found.high / (1 - found.high) == pytest.approx(3 * exp(z * error))


def test_skew_is_for_a_logit_only() -> None:
    with pytest.raises(ValueError, match="logit only"):
        interval_on_scale(0.5, 0.1, 9, covers="raters", method="", scale="plain", level=0.95, skew=0.1)


def test_plain_is_students() -> None:
    found = interval(3, 0.5, 4, "plain")
    reach = 0.5 * stats.t.ppf(0.975, 4)
    assert (found.low, found.high) == pytest.approx((3 - reach, 3 + reach))


@pytest.mark.parametrize(("value", "scale"), [(1.0, "fisher z"), (-1.0, "fisher z"), (0.0, "logit"), (1.0, "logit")])
def test_the_end_of_the_range_has_none(value: float, scale: Scale) -> None:
    found = interval(value, 0.1, 9, scale)
    assert not found.is_defined
    assert "end of its range" in found.reason


@pytest.mark.parametrize("scale", ["fisher z", "logit", "plain"])
def test_no_variation_is_not_certainty(scale: Scale) -> None:
    assert interval(0.5, 0.0, 9, scale).reason == "no variation between prompts"


@pytest.mark.parametrize(("scale", "low", "high"), [("fisher z", -1, 1), ("logit", 0, 1)])
def test_a_wide_one_stays_within_the_range(scale: Scale, low: float, high: float) -> None:
    found = interval(0.9, 50.0, 2, scale)
    assert low <= found.low < found.high <= high
