"""Confidence against verdicts: by hand, and a critic whose confidence is honest."""

import numpy as np
import pytest

from annotations.stats.critic.calibration import calibration


def rng():
    return np.random.default_rng(4)


def test_by_hand():
    confidence = np.array([0.9, 0.9, 0.6, 0.2, 1.0])
    credit = np.array([1.0, 0.0, 0.5, 0.0, 1.0])
    result = calibration(confidence, credit, np.array([0, 0, 1, 1, 2]), n_images=3, rng=rng(), n_bins=2)
    # (0.01 + 0.81 + 0.01 + 0.04 + 0) / 5
    assert result.brier.value == pytest.approx(0.174)
    assert result.over_confidence.value == pytest.approx(3.6 / 5 - 2.5 / 5)
    low, high = result.bins
    assert (low.n, low.confidence, low.accuracy) == (1, pytest.approx(0.2), 0.0)
    assert (high.n, high.confidence, high.accuracy) == (4, pytest.approx(0.85), pytest.approx(0.625))
    # (1·0.2 + 4·0.225) / 5
    assert result.calibration_error.value == pytest.approx(0.22)
    assert result.calibration_error.intervals == ()
    assert result.brier.seed == 4


def test_an_honest_critic_and_a_boaster():
    generator = rng()
    chance = generator.uniform(0.2, 0.95, 3000)
    credit = (generator.random(3000) < chance).astype(float)
    image = np.arange(3000) // 3
    honest = calibration(chance, credit, image, n_images=1000, rng=generator)
    interval = honest.over_confidence.interval("images")
    assert interval.low < 0 < interval.high
    assert honest.calibration_error.value < 0.05
    boaster = calibration(np.sqrt(chance), credit, image, n_images=1000, rng=generator)
    assert boaster.over_confidence.interval("images").low > 0.1
    assert boaster.brier.value > honest.brier.value


def test_no_claim_is_undefined():
    nothing = np.zeros(0)
    result = calibration(nothing, nothing, nothing.astype(int), n_images=3, rng=rng())
    for estimate in (result.brier, result.over_confidence, result.calibration_error):
        assert not estimate.is_defined
        assert "no claim" in estimate.reason
    assert all(each.n == 0 and np.isnan(each.accuracy) and not each.interval.is_defined for each in result.bins)


def test_values_outside_the_unit_interval_are_refused():
    with pytest.raises(ValueError, match="confidence must lie"):
        calibration(np.array([95.0]), np.array([1.0]), np.array([0]), n_images=1, rng=rng())
    with pytest.raises(ValueError, match="credit must lie"):
        calibration(np.array([0.9]), np.array([np.nan]), np.array([0]), n_images=1, rng=rng())
