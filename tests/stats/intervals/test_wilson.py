"""Wilson's interval: published values, its defining equation, and what happens without data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from annotations.stats.intervals.wilson import proportion, wilson, wilson_bounds


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # Newcombe (1998), Statistics in Medicine 17:857, Table I, method 3, printed to four decimals.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_published_limits(successes, n, low, high):
    interval = wilson(successes, n, covers="claims")
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 10_000), st.data(), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_limits_solve_the_score_equation(n, data, level):
    successes = data.draw(st.integers(0, n))
    share, z = successes / n, norm.isf((1 - level) / 2)
    for limit in wilson_bounds(successes, n, level=level):
        # (p̂ − p)² = z² p (1 − p) / n at either limit.
        assert (share - limit) ** 2 == pytest.approx(z**2 * limit * (1 - limit) / n, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 500), st.data())
def test_success_and_failure_are_mirror_images(n, data):
    successes = data.draw(st.integers(0, n))
    low, high = wilson_bounds(successes, n)
    mirrored_low, mirrored_high = wilson_bounds(n - successes, n)
    assert (float(low), float(high)) == pytest.approx((1 - float(mirrored_high), 1 - float(mirrored_low)))


def test_the_ends_are_exact():
    assert wilson_bounds(0, 7)[0] == 0.0
    assert wilson_bounds(7, 7)[1] == 1.0


def test_no_data_is_undefined_with_its_reason():
    # statsmodels gives (NaN, NaN) and says nothing.
    estimate = proportion("critic_precision", 0, 0, covers="claims")
    assert not estimate.is_defined
    assert "no data" in estimate.reason
    assert not estimate.intervals[0].is_defined
    assert "no data" in estimate.intervals[0].reason


def test_many_at_once_match_statsmodels():
    from statsmodels.stats.proportion import proportion_confint

    hits, n = np.array([3, 50, 0, 12]), np.array([4, 81, 9, 12])
    expected = proportion_confint(hits, n, method="wilson")
    assert np.allclose(wilson_bounds(hits, n), expected)


@pytest.mark.parametrize(("successes", "n"), [(-1, 5), (6, 5), (np.nan, 5), (1, np.inf)])
def test_impossible_counts_are_refused(successes, n):
    with pytest.raises(ValueError, match="0 ≤ successes ≤ n"):
        wilson_bounds(successes, n)
