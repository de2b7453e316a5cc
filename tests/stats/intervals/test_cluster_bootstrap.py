import numpy as np
import pytest

from annotations.stats.intervals.cluster_bootstrap import percentile_interval, resampled_counts


@pytest.mark.parametrize("multiplicity", [[400, 300, 300], [1] * 60 + [2] * 10], ids=["multinomial", "by cluster"])
def test_counts_have_the_moments_of_drawing_clusters(multiplicity: list[int]) -> None:
    sizes = np.array(multiplicity)
    total = sizes.sum()
    counts = np.concatenate(list(resampled_counts(sizes, 4000, np.random.default_rng(0))))
    assert counts.shape == (4000, len(sizes))
    assert (counts.sum(axis=1) == total).all()
    # Multinomial: mean m, variance m (1 − m/N), covariance of two keys −m·m'/N.
    assert counts.mean(axis=0) == pytest.approx(sizes, abs=5 * np.sqrt(sizes.max() / 4000))
    assert counts.var(axis=0) == pytest.approx(sizes * (1 - sizes / total), rel=0.2)


def test_the_same_seed_gives_the_same_counts() -> None:
    one, two = (list(resampled_counts(np.array([5, 5]), 10, np.random.default_rng(3))) for _ in range(2))
    assert np.array_equal(np.concatenate(one), np.concatenate(two))


def test_percentiles_leave_out_and_count_undefined_resamples() -> None:
    values = np.concatenate((np.arange(101.0), [np.nan] * 5))
    interval = percentile_interval(50.0, values, covers="prompts", method="m")
    assert (interval.low, interval.high) == pytest.approx((2.5, 97.5))
    assert interval.n_undefined == 5


def test_a_bootstrap_that_cannot_move_has_no_interval() -> None:
    constant = percentile_interval(1.0, np.ones(50), covers="prompts", method="m")
    assert not constant.is_defined
    assert "no resample differs" in constant.reason
    mostly = percentile_interval(1.0, np.array([np.nan, np.nan, np.nan, 1.0]), covers="prompts", method="m")
    assert "undefined in at least half" in mostly.reason


def test_an_interval_holds_its_value_wherever_the_resamples_are() -> None:
    """2.5 to 97.5 of 0 … 100, but the value is 99: the study's own figure may be beyond nearly all resamples."""
    interval = percentile_interval(99.0, np.arange(101.0), covers="prompts", method="m")
    assert (interval.low, interval.high) == pytest.approx((2.5, 99.0))
