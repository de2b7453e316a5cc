from math import nan

import numpy as np
import pytest
from hypothesis import given, settings
from scipy import stats

from annotations.stats.concordance import friedman_test, kendall_w, spearman_matrix
from annotations.stats.ratings import Ratings
from tests.stats import reference_data
from tests.stats.strategies import matrices

ONE_TO_FIVE = (1, 2, 3, 4, 5)


def slow_w(matrix: np.ndarray) -> float:
    """Siegel and Castellan (1988), eq. 9.18: sums of mid-ranks and T = Σ (t³ − t) over groups of ties."""
    k, n = matrix.shape
    ranks = np.array([stats.rankdata(row) for row in matrix])
    s = ((ranks.sum(axis=0) - k * (n + 1) / 2) ** 2).sum()
    ties = sum((t**3 - t) for row in matrix for t in np.unique(row, return_counts=True)[1])
    bottom = k**2 * (n**3 - n) - k * ties
    return 12 * s / bottom if bottom > 0 else nan


def test_anxiety() -> None:
    # DescTools KendallW: W .5396569, χ²(19) 30.7604, p .0429.
    ratings = Ratings.from_matrix(reference_data.ANXIETY, range(1, 7))
    assert kendall_w(ratings).value == pytest.approx(0.5396569, abs=5e-8)
    test = friedman_test(ratings)
    assert (test.value, test.p_value) == pytest.approx((30.7604, 0.0429), abs=5e-5)
    assert test.freedom == (19,)


def test_siegel_and_castellan() -> None:
    # DescTools example: W .656085, χ²(7) 13.7778, p .0553.
    ratings = Ratings.from_matrix(reference_data.SIEGEL_CASTELLAN, range(1, 9))
    assert kendall_w(ratings).value == pytest.approx(0.656085, abs=5e-7)
    test = friedman_test(ratings)
    assert (test.value, test.p_value) == pytest.approx((13.7778, 0.0553), abs=5e-5)


@settings(max_examples=50, deadline=None)
@given(matrices(gaps=False))
def test_complete_equals_slow_definition(matrix: np.ndarray) -> None:
    if matrix.shape[1] < 2:
        return
    estimate = kendall_w(Ratings.from_matrix(matrix, ONE_TO_FIVE))
    assert estimate.value == pytest.approx(slow_w(matrix), abs=1e-9, nan_ok=True)


@settings(max_examples=40, deadline=None)
@given(matrices())
def test_spearman_matrix_equals_scipy_on_shared_units(matrix: np.ndarray) -> None:
    found = spearman_matrix(Ratings.from_matrix(matrix, ONE_TO_FIVE))
    for a in range(len(matrix)):
        for b in range(len(matrix)):
            both = ~np.isnan(matrix[a]) & ~np.isnan(matrix[b])
            x, y = matrix[a, both], matrix[b, both]
            expected = nan
            if a != b and len(set(x)) > 1 and len(set(y)) > 1:
                expected = stats.spearmanr(x, y).statistic
            assert found[a, b] == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_missing_cells_use_the_mean_of_pairwise_spearman() -> None:
    # Brueckl (2011): W = (1 + (k − 1) ρ̄)/k. Raters 1 and 2 share units 1–3 in the same order, ρ = 1; 1 and 3
    # share units 1, 2, 4 in the order 1 2 4 against 2 1 4, ρ = 1/2; 2 and 3 share units 1 and 2, reversed, ρ = −1.
    matrix = np.array([[1, 2, 3, 4], [1, 2, 3, nan], [2, 1, nan, 4]])
    estimate = kendall_w(Ratings.from_matrix(matrix, ONE_TO_FIVE))
    assert estimate.value == pytest.approx((1 + 2 * (1 + 0.5 - 1) / 3) / 3)
    assert "Spearman" in estimate.method
    assert estimate.n["pairs"] == 3


def test_without_ties_both_forms_are_one() -> None:
    rng = np.random.default_rng(0)
    matrix = np.array([rng.permutation(12) + 1 for _ in range(4)], dtype=float)
    ratings = Ratings.from_matrix(matrix, range(1, 13))
    rho = spearman_matrix(ratings)
    mean = np.nanmean(rho)
    assert kendall_w(ratings).value == pytest.approx((1 + 3 * mean) / 4)


def test_interval_over_units_is_that_of_resampled_units() -> None:
    rng = np.random.default_rng(1)
    n = 300
    latent = rng.normal(size=n) + rng.normal(size=(4, n))
    matrix = np.clip(np.round(latent * 1.2 + 3), 1, 5)
    interval = kendall_w(Ratings.from_matrix(matrix, ONE_TO_FIVE)).interval("units")
    assert interval is not None
    resampled = [slow_w(matrix[:, rng.integers(n, size=n)]) for _ in range(400)]
    by_formula = (interval.high - interval.low) / 2 / stats.t.ppf(0.975, n - 1)
    # The standard deviation of 400 resamples has a relative error of 1/√800 = 3.5 %.
    assert by_formula == pytest.approx(np.std(resampled), rel=0.11)


@settings(max_examples=20, deadline=None)
@given(matrices(gaps=False))
def test_interval_over_raters_is_the_jackknife(matrix: np.ndarray) -> None:
    k = len(matrix)
    if k < 3 or matrix.shape[1] < 2 or np.isnan(slow_w(matrix)):
        return
    left = np.array([slow_w(np.delete(matrix, j, axis=0)) for j in range(k)])
    interval = kendall_w(Ratings.from_matrix(matrix, ONE_TO_FIVE)).interval("raters")
    assert interval is not None
    if np.isnan(left).any():
        assert not interval.is_defined
        return
    reach = stats.t.ppf(0.975, k - 1) * np.sqrt((k - 1) * np.var(left))
    assert interval.high == pytest.approx(min(1, slow_w(matrix) + reach), abs=1e-6)
    assert interval.low == pytest.approx(max(0, slow_w(matrix) - reach), abs=1e-6)


def test_traps() -> None:
    constant = kendall_w(Ratings.from_matrix(np.full((3, 5), 2.0), ONE_TO_FIVE))
    assert np.isnan(constant.value)
    assert "no variation" in constant.reason
    one = kendall_w(Ratings.from_matrix([[1, 2, 3]], ONE_TO_FIVE))
    assert "one rater" in one.reason
    apart = kendall_w(Ratings.from_matrix([[1, 2, nan, nan], [nan, nan, 3, 4]], ONE_TO_FIVE))
    assert "no unit has two ratings" in apart.reason
    assert not friedman_test(Ratings.from_matrix([[1, nan], [nan, 2]], ONE_TO_FIVE)).is_defined
