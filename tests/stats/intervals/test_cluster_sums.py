"""Resampling whole clusters: the pattern shortcut against resampling them one by one, and shares built on it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.stats.intervals.cluster_sums import (
    clustered_share,
    distinct_rows,
    ratio,
    resample_sums,
    share_interval,
    symmetric_interval,
)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 40), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_distinct_rows_match_numpy_unique(n, width, seed):
    rows = np.random.default_rng(seed).integers(0, 3, size=(n, width)) / 2
    ours, multiplicity = distinct_rows(rows)
    expected, counts = np.unique(rows, axis=0, return_counts=True)
    order = np.lexsort(ours.T[::-1])
    assert np.array_equal(ours[order], expected)
    assert np.array_equal(multiplicity[order], counts)


def test_resampled_totals_have_the_law_of_resampled_clusters():
    rng = np.random.default_rng(5)
    rows = rng.integers(0, 3, size=(30, 2)).astype(float)
    fast = resample_sums(rows, rng=rng, n_resamples=40_000)
    slow = np.array([rows[rng.integers(0, 30, 30)].sum(axis=0) for _ in range(10_000)])
    # Standard errors here: mean about 0.04 and covariance about 1.5% of its size for the slow one.
    assert fast.mean(axis=0) == pytest.approx(slow.mean(axis=0), abs=0.2)
    assert np.cov(fast.T) == pytest.approx(np.cov(slow.T), rel=0.1, abs=0.5)


def test_no_cluster_gives_empty_totals():
    assert np.array_equal(
        resample_sums(np.zeros((0, 3)), rng=np.random.default_rng(1), n_resamples=4), np.zeros((4, 3))
    )


def test_a_ratio_without_denominator_is_undefined():
    assert np.array_equal(ratio(np.array([1.0, 0.0]), np.array([2.0, 0.0])), [0.5, np.nan], equal_nan=True)


def test_a_share_of_one_gets_wilson_over_clusters_and_not_a_width_of_nothing():
    estimate = clustered_share(
        "repair_rate",
        np.ones(60),
        np.repeat(np.arange(20), 3),
        n_clusters=20,
        rng=np.random.default_rng(3),
        items="claims",
        covers="images",
        method="share",
    )
    over_images = estimate.interval("images")
    # 20 of 20: Wilson's lower limit is 1 / (1 + z²/20) = 0.8389.
    assert (over_images.low, over_images.high) == pytest.approx((1 / (1 + 1.959964**2 / 20), 1.0), abs=1e-6)
    assert "Wilson" in over_images.method
    assert estimate.interval("claims").low > over_images.low
    assert estimate.seed == 3


def test_clusters_that_agree_widen_the_interval():
    """Three claims of an image that always share a verdict carry the information of one claim."""
    verdict = np.tile([1.0, 0.0, 1.0, 1.0], 25)
    estimate = clustered_share(
        "share",
        np.repeat(verdict, 3),
        np.repeat(np.arange(100), 3),
        n_clusters=100,
        rng=np.random.default_rng(3),
        items="claims",
        covers="images",
        method="share",
    )
    images, claims = estimate.interval("images"), estimate.interval("claims")
    # √3 times as wide as if claims were independent, and a little for t and the bootstrap's own noise.
    assert (images.high - images.low) / (claims.high - claims.low) == pytest.approx(np.sqrt(3), rel=0.08)


def test_too_few_clusters_and_no_variation_say_so():
    one = share_interval(0.5, np.full(100, 0.5), n_clusters=1, covers="images")
    assert "fewer than two images" in one.reason
    still = symmetric_interval(2.0, np.full(100, 2.0), n_clusters=9, covers="images")
    assert not still.is_defined
    assert "no variation" in still.reason
    # Every image half right: no width, rather than one of 0.
    assert "no variation" in share_interval(0.5, np.full(100, 0.5), n_clusters=9, covers="images").reason


def test_undefined_resamples_are_counted():
    resampled = np.random.default_rng(0).normal(0.5, 0.05, 1000)
    resampled[:30] = np.nan
    assert share_interval(0.5, resampled, n_clusters=50, covers="images").n_undefined == 30
    resampled[:600] = np.nan
    assert not share_interval(0.5, resampled, n_clusters=50, covers="images").is_defined


def test_no_item_is_undefined():
    nothing = np.zeros(0)
    estimate = clustered_share(
        "share",
        nothing,
        nothing.astype(int),
        n_clusters=5,
        rng=np.random.default_rng(3),
        items="claims",
        covers="images",
        method="share",
    )
    assert not estimate.is_defined
    assert "no data" in estimate.reason
