"""Signals of one rater's own work: runs, drift and pace against what they are derived from."""

import math

import numpy as np
import pytest

from annotations.stats.raters.watching import drift, longest_run, pace_variation, reading_seconds, share


def test_a_share_has_wilsons_interval() -> None:
    found = share(9, 10)
    # Newcombe (1998): z²/n = 0.3841, centre (0.9 + 0.1921)/1.3841, half 1.96·√(0.009 + 0.0096)/1.3841.
    assert (found.low, found.high) == pytest.approx((0.5958, 0.9821), abs=1e-4)
    assert math.isnan(share(0, 0).value)


def test_reading_time_grows_with_words_and_images() -> None:
    assert reading_seconds(0, 1) == 0.5
    assert reading_seconds(40, 2) == 11.0


def test_the_longest_run_is_found_wherever_it_is() -> None:
    assert longest_run([1, 1, 1, 2, 2])[0] == 3
    assert longest_run([2, 1, 1, 1])[0] == 3
    assert longest_run([0, 1, 0, 1])[0] == 1
    assert longest_run([])[0] == 0
    assert longest_run([3] * 40) == (40, 1.0)  # nothing varies, so no order is rarer than another


def test_the_chance_of_a_run_is_that_of_independent_answers() -> None:
    rng = np.random.default_rng(5)
    lengths = np.array([longest_run(rng.integers(0, 4, 80))[0] for _ in range(4000)])
    balanced = np.repeat([0, 1, 2, 3], 20)  # each level as often as it is expected
    for length in (5, 6, 7):
        drawn = (longest_run(rng.permutation(balanced)) for _ in range(4000))
        chance = next(p for found, p in drawn if found == length)
        assert chance == pytest.approx((lengths >= length).mean(), abs=0.03)


def test_drift_is_the_difference_of_the_halves() -> None:
    found = drift([1, 2, 1, 2, 1, 3, 4, 3, 4, 3])
    assert found.value == pytest.approx(2.0)
    assert found.low > 0
    assert math.isnan(drift([1, 2, 3]).value)
    assert drift([2] * 12) == drift([3] * 12)


def test_drifts_interval_covers_no_drift_as_often_as_it_says() -> None:
    rng = np.random.default_rng(8)
    covered = [found.low <= 0 <= found.high for found in (drift(rng.integers(0, 5, 40)) for _ in range(2000))]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)


def test_a_programs_pace_is_steady_and_a_persons_is_not() -> None:
    rng = np.random.default_rng(3)
    assert pace_variation(1000 + rng.integers(0, 20, 50)) < 0.05
    assert pace_variation(np.exp(rng.normal(8, 0.6, 50))) > 0.4
    assert math.isnan(pace_variation([1000] * 9))
