from itertools import combinations
from math import nan

import numpy as np
import pytest
from hypothesis import given, settings
from scipy import special, stats

from annotations.stats.agreement.concordance import FEWEST_SHARED, friedman_test, kendall_w, spearman_of_pairs
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


def slow_spearman(matrix: np.ndarray, fewest: int) -> dict[tuple[int, int], tuple[int, float]]:
    """Shared units and ρ of every two raters who share at least this many and vary on them, by SciPy."""
    found = {}
    for a, b in combinations(range(len(matrix)), 2):
        both = ~np.isnan(matrix[a]) & ~np.isnan(matrix[b])
        x, y = matrix[a, both], matrix[b, both]
        if both.sum() >= fewest and len(set(x)) > 1 and len(set(y)) > 1:
            found[a, b] = int(both.sum()), float(stats.spearmanr(x, y).statistic)
    return found


@settings(max_examples=40, deadline=None)
@given(matrices())
def test_spearman_of_pairs_equals_scipy_on_shared_units(matrix: np.ndarray) -> None:
    for fewest in (2, 4):
        found = spearman_of_pairs(Ratings.from_matrix(matrix, ONE_TO_FIVE), fewest)
        expected = slow_spearman(matrix, fewest)
        assert list(zip(found.first.tolist(), found.second.tolist(), strict=True)) == sorted(expected)
        if expected:
            n_shared, rho = zip(*(expected[pair] for pair in sorted(expected)), strict=True)
            assert found.n_shared.tolist() == list(n_shared)
            assert found.rho == pytest.approx(rho, abs=1e-9)


def gappy(seed: int, raters: int = 4, units: int = 40, missing: float = 0.3, agreement: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    latent = agreement * rng.normal(size=units) + rng.normal(size=(raters, units))
    matrix = np.clip(np.round(latent + 3), 1, 5)
    matrix[rng.random(matrix.shape) < missing] = nan
    return matrix


def test_missing_cells_use_the_mean_of_pairwise_spearman_weighted_by_shared_units() -> None:
    # Brückl (2011): W = (1 + (k − 1) ρ̄)/k. Raters 1 and 2 share units 1–6 in the same order, ρ = 1, weight 5. Rater 3
    # shares units 1–5 with them, in reverse, ρ = −1, weight 4 each: ρ̄ = (5 − 8)/13.
    matrix = np.array([[1, 2, 3, 4, 5, 5], [1, 2, 3, 4, 5, 5], [5, 4, 3, 2, 1, nan]])
    estimate = kendall_w(Ratings.from_matrix(matrix, ONE_TO_FIVE))
    assert estimate.value == pytest.approx((1 + 2 * (5 - 8) / 13) / 3)
    assert "Spearman" in estimate.method
    assert estimate.n["pairs"] == 3
    # Without rater 3 ρ̄ is 1, without 1 or 2 it is −1.
    assert estimate.without_rater == pytest.approx([0, 0, 1])
    matrix = gappy(0)
    expected = slow_spearman(matrix, FEWEST_SHARED)
    mean = sum((n - 1) * rho for n, rho in expected.values()) / sum(n - 1 for n, _ in expected.values())
    assert kendall_w(Ratings.from_matrix(matrix, ONE_TO_FIVE)).value == pytest.approx((1 + 3 * mean) / 4)


def test_a_handful_of_pairs_gives_no_figure() -> None:
    # Random ratings of 200 raters with three units each: hardly any two share five units.
    rng = np.random.default_rng(0)
    rater = np.arange(200).repeat(3)
    unit = np.concatenate([rng.choice(200, 3, replace=False) for _ in range(200)])
    ratings = Ratings(unit, rater, rng.integers(0, 5, 600), np.array(ONE_TO_FIVE, float), 200, 200)
    estimate = kendall_w(ratings)
    assert "too few pairs of raters share 5 units or more and vary on them: 0 of 19,900" in estimate.reason
    assert estimate.n["pairs_undefined"] == 19_900
    # Two shared units per pair, whatever their order.
    matrix = [[1, 5, nan, nan, 1, 5], [5, 1, 1, 5, nan, nan], [nan, nan, 5, 1, 5, 1]]
    assert "0 of 3" in kendall_w(Ratings.from_matrix(matrix, ONE_TO_FIVE)).reason


def test_some_pairs_are_enough_and_the_figure_says_how_many() -> None:
    matrix = gappy(1, raters=5)
    matrix[4] = 3  # Never varies: four of ten pairs are undefined.
    estimate = kendall_w(Ratings.from_matrix(matrix, ONE_TO_FIVE))
    assert estimate.is_defined
    assert estimate.notes == ("rests on 6 of 10 pairs of raters: those who share 5 units or more and vary",)
    assert kendall_w(Ratings.from_matrix(gappy(2, raters=6), ONE_TO_FIVE)).notes == ()


def test_low_concordance_with_gaps_stays_in_its_interval() -> None:
    # Of three raters the third reverses the others: ρ̄ near −1/3, W near 0 or below it.
    below = 0
    for seed in range(60):
        matrix = gappy(seed, raters=3, units=10, missing=0.2)
        matrix[2] = 6 - matrix[2]
        estimate = kendall_w(Ratings.from_matrix(matrix, ONE_TO_FIVE))
        below += estimate.value < 0
        for interval in estimate.intervals:
            if interval.is_defined:
                assert -1 / 3 <= interval.low <= estimate.value <= interval.high <= 1
                assert interval.low < interval.high
    assert below


def test_without_ties_both_forms_are_one() -> None:
    rng = np.random.default_rng(0)
    matrix = np.array([rng.permutation(12) + 1 for _ in range(4)], dtype=float)
    ratings = Ratings.from_matrix(matrix, range(1, 13))
    assert kendall_w(ratings).value == pytest.approx((1 + 3 * spearman_of_pairs(ratings).rho.mean()) / 4)


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


@settings(max_examples=40, deadline=None)
@given(matrices(gaps=False))
def test_interval_over_raters_is_the_jackknife_of_the_mean_correlation(matrix: np.ndarray) -> None:
    k, value = len(matrix), slow_w(matrix)
    if k < 3 or matrix.shape[1] < 2 or np.isnan(value):
        return
    left = np.array([slow_w(np.delete(matrix, j, axis=0)) for j in range(k)])
    estimate = kendall_w(Ratings.from_matrix(matrix, ONE_TO_FIVE))
    interval = estimate.interval("raters")
    assert interval is not None
    assert estimate.without_rater == pytest.approx(left, nan_ok=True)
    # W = (1 + (k − 1) ρ̄)/k, so that 1 − ρ̄ = (1 − W) k/(k − 1).
    z = -np.log(np.maximum((1 - left) * (k - 1) / (k - 2), 1e-300))
    if np.isnan(left).any() or left.max() > 1 - 1e-9 or not 1e-9 < value < 1 - 1e-9 or np.var(z) < 1e-20:
        assert interval.reason
        return
    # On the logit of W itself, which is where ρ̄ lies between −1/(k − 1) and 1; d logit(W) = dz/W.
    freedom = max(2.0, 1 / (1 / (k - 1) + 1.5 / (2 * k)))
    reach = stats.t.ppf(0.975, freedom) * np.sqrt((k - 1) * np.var(z)) / value
    centre = np.log(value / (1 - value))
    assert interval.low == pytest.approx(special.expit(centre - reach), abs=1e-6)
    assert interval.high == pytest.approx(special.expit(centre + reach), abs=1e-6)


def test_agreement_that_is_perfect_in_the_sample_claims_no_certainty() -> None:
    estimate = kendall_w(Ratings.from_matrix([[1, 2, 3, 4, 5, 3, 2, 4]] * 3, ONE_TO_FIVE))
    assert estimate.value == pytest.approx(1.0)
    assert [interval.is_defined for interval in estimate.intervals] == [False, False]
    assert all(interval.reason for interval in estimate.intervals)


def test_traps() -> None:
    constant = kendall_w(Ratings.from_matrix(np.full((3, 5), 2.0), ONE_TO_FIVE))
    assert np.isnan(constant.value)
    assert "no variation" in constant.reason
    one = kendall_w(Ratings.from_matrix([[1, 2, 3]], ONE_TO_FIVE))
    assert "one rater" in one.reason
    apart = kendall_w(Ratings.from_matrix([[1, 2, nan, nan], [nan, nan, 3, 4]], ONE_TO_FIVE))
    assert "no unit has two ratings" in apart.reason
    assert not friedman_test(Ratings.from_matrix([[1, nan], [nan, 2]], ONE_TO_FIVE)).is_defined
