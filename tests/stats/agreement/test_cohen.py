from itertools import combinations
from math import nan

import numpy as np
import pytest
from hypothesis import given, settings

from annotations.stats.agreement.cohen import cohen_kappa, cohen_matrix
from annotations.stats.agreement.rater_pairs import rater_pairs
from annotations.stats.agreement.weights import Weights, agreement_weights
from annotations.stats.ratings import Ratings
from tests.stats import reference_data
from tests.stats.strategies import matrices

SKIN = [[10, 4, 1, 0], [5, 10, 12, 2], [2, 4, 12, 5], [0, 2, 6, 13]]


def standard_error(estimate: object) -> float:
    interval = estimate.intervals[0]  # type: ignore[attr-defined]
    return float((interval.high - interval.low) / 2 / 1.959963985)


def test_cohen_1968() -> None:
    # Cohen (1968), table 1, N = 200: kappa .492, weighted .348 with disagreement weights 0, 1, 3, 6.
    shares = np.array([[0.44, 0.07, 0.09], [0.05, 0.20, 0.05], [0.01, 0.03, 0.06]])
    disagreement = np.array([[0, 1, 3], [1, 0, 6], [3, 6, 0]])
    assert cohen_kappa(200 * shares)[0].value == pytest.approx(0.491525, abs=5e-7)
    assert cohen_kappa(200 * shares, 1 - disagreement / 6)[0].value == pytest.approx(0.347826, abs=5e-7)


def test_sas_three_by_three() -> None:
    # SAS PROC FREQ, as in statsmodels' tests.
    table = [[0, 4, 1], [0, 8, 0], [0, 1, 5]]
    simple, test = cohen_kappa(table)
    assert simple.value == pytest.approx(0.4842, abs=5e-5)
    assert standard_error(simple) == pytest.approx(0.1380, abs=5e-5)
    assert (simple.intervals[0].low, simple.intervals[0].high) == pytest.approx((0.2137, 0.7547), abs=5.1e-5)
    assert test.value == pytest.approx(3.2626, abs=5e-5)
    assert simple.value / test.value == pytest.approx(0.1484, abs=5e-5)
    linear, _ = cohen_kappa(table, agreement_weights(np.arange(3.0), "linear"))
    assert linear.value == pytest.approx(0.4701, abs=5e-5)
    assert standard_error(linear) == pytest.approx(0.1457, abs=5e-5)
    assert (linear.intervals[0].low, linear.intervals[0].high) == pytest.approx((0.1845, 0.7558), abs=5.1e-5)


@pytest.mark.parametrize(
    ("kind", "value", "error"),
    [("identity", 0.344875, 0.0724), ("linear", 0.508160, 0.0655), ("quadratic", 0.660723, nan)],
)
def test_sas_skin_condition(kind: Weights, value: float, error: float) -> None:
    # SAS PROC FREQ, getting started; recomputed with statsmodels.
    estimate, _ = cohen_kappa(SKIN, agreement_weights(np.arange(4.0), kind))
    assert estimate.value == pytest.approx(value, abs=5e-7)
    if not np.isnan(error):
        assert standard_error(estimate) == pytest.approx(error, abs=5e-5)


@pytest.mark.parametrize(
    ("kind", "value", "z"),
    [
        ("identity", -0.006289308, -0.0604067),
        ("linear", 0.1459075, 1.282472),
        ("quadratic", 0.2520325, 1.437451),
    ],
)
def test_irr_anxiety_raters_2_and_3(kind: Weights, value: float, z: float) -> None:
    # R irr kappa2. It drops level 5, which nobody used: its weights are on the positions of 1, 2, 3, 4, 6.
    positions = np.where(reference_data.ANXIETY == 6, 5, reference_data.ANXIETY)
    matrix = cohen_matrix(Ratings.from_matrix(positions, range(1, 6)), kind)
    assert matrix.kappa[1, 2] == pytest.approx(value, abs=5e-8)
    assert matrix.kappa[1, 2] / matrix.null_standard_error[1, 2] == pytest.approx(z, abs=5e-7)
    if kind != "identity":
        spaced = cohen_matrix(Ratings.from_matrix(reference_data.ANXIETY, range(1, 7)), kind)
        assert abs(spaced.kappa[1, 2] - value) > 1e-3


def test_irrcac_two_rater_tables() -> None:
    # irrCAC cont3x3abstractors and cont4x4diagnosis: Cohen .79641 (.05891), .4315 (.04597). Standard errors of
    # two-rater tables divide by n there as here; with n − 1 they would be .05921 and .04607.
    for table, value, error in (
        ([[13, 0, 0], [0, 20, 7], [0, 4, 56]], 0.79641, 0.05891),
        ([[40, 4, 4, 17], [6, 25, 2, 13], [4, 1, 21, 12], [15, 5, 9, 45]], 0.4315, 0.04597),
    ):
        estimate, _ = cohen_kappa(table)
        assert estimate.value == pytest.approx(value, abs=5.1e-6)
        assert standard_error(estimate) == pytest.approx(error, abs=5.1e-6)


def test_kappa_paradox() -> None:
    # PMC7222679, table 1: Po .675, Pe .668, kappa .022; and kappa −.023 at 94 % agreement.
    assert cohen_kappa([[130, 56], [9, 5]])[0].value == pytest.approx(0.022, abs=5e-4)
    assert cohen_kappa([[118, 5], [2, 0]])[0].value == pytest.approx(-0.023, abs=5e-4)


def slow_kappa(a: np.ndarray, b: np.ndarray, weights: np.ndarray) -> float:
    """Cohen (1968) on two columns of levels."""
    both = ~np.isnan(a) & ~np.isnan(b)
    x, y = a[both].astype(int) - 1, b[both].astype(int) - 1
    if len(x) == 0:
        return nan
    observed = np.mean([weights[i, j] for i, j in zip(x, y, strict=True)])
    expected = np.mean([weights[i, j] for i in x for j in y])
    return (observed - expected) / (1 - expected) if 1 - expected > 1e-12 else nan


@settings(max_examples=50, deadline=None)
@given(matrices())
def test_matrix_equals_slow_definition(matrix: np.ndarray) -> None:
    ratings = Ratings.from_matrix(matrix, range(1, 6))
    for kind in ("identity", "linear", "quadratic"):
        weights = agreement_weights(ratings.values, kind)  # type: ignore[arg-type]
        found = cohen_matrix(ratings, kind)  # type: ignore[arg-type]
        for a, b in combinations(range(len(matrix)), 2):
            expected = slow_kappa(matrix[a], matrix[b], weights)
            assert found.kappa[a, b] == pytest.approx(expected, abs=1e-9, nan_ok=True)
            assert found.kappa[b, a] == pytest.approx(expected, abs=1e-9, nan_ok=True)
            assert found.n_shared[a, b] == (~np.isnan(matrix[a]) & ~np.isnan(matrix[b])).sum()
        assert np.isnan(np.diag(found.kappa)).all()


@pytest.mark.parametrize("gain", [0, 10**9], ids=["sparse", "dense"])
@pytest.mark.parametrize("missing", [0.0, 0.7])
def test_joint_counts(gain: int, missing: float) -> None:
    rng = np.random.default_rng(0)
    table = rng.integers(1, 6, (6, 50)).astype(float)
    table[rng.random(table.shape) < missing] = nan
    pairs = rater_pairs(Ratings.from_matrix(table, range(1, 6)), dense_gain=gain)
    for a, b, c, k, count in zip(pairs.a, pairs.b, pairs.c, pairs.k, pairs.count, strict=True):
        assert count == ((table[a] == c + 1) & (table[b] == k + 1)).sum()
    given = ~np.isnan(table)
    shared = given.astype(int) @ given.T.astype(int)
    np.fill_diagonal(shared, 0)
    assert np.array_equal(pairs.n_shared, shared)


class TestTraps:
    def test_an_unused_level_moves_linear_kappa_unless_the_scale_is_declared(self) -> None:
        matrix = [[1, 1, 2, 4, 4, 1], [1, 2, 2, 4, 2, 4]]
        declared = cohen_matrix(Ratings.from_matrix(matrix, (1, 2, 3, 4)), "quadratic").kappa[0, 1]
        compressed = cohen_matrix(
            Ratings.from_matrix([[1, 1, 2, 3, 3, 1], [1, 2, 2, 3, 2, 3]], (1, 2, 3)), "quadratic"
        ).kappa[0, 1]
        assert declared == pytest.approx(
            slow_kappa(np.array(matrix[0]), np.array(matrix[1]), agreement_weights(np.arange(4.0), "quadratic"))
        )
        assert abs(declared - compressed) > 0.01

    def test_two_constant_raters_are_undefined_with_a_reason(self) -> None:
        estimate, test = cohen_kappa([[12, 0], [0, 0]])
        assert np.isnan(estimate.value)
        assert estimate.reason
        assert not test.is_defined

    def test_raters_without_a_shared_unit(self) -> None:
        found = cohen_matrix(Ratings.from_matrix([[1, nan], [nan, 2]], (1, 2)))
        assert np.isnan(found.kappa).all()
        assert found.n_shared[0, 1] == 0

    def test_a_table_that_is_not_square_is_refused(self) -> None:
        with pytest.raises(ValueError, match="square"):
            cohen_kappa([[1, 2, 3], [4, 5, 6]])


def test_perfect_agreement_has_no_interval_and_no_interval_leaves_the_range() -> None:
    perfect, _ = cohen_kappa([[4, 0], [0, 5]])
    assert perfect.value == 1.0
    assert "no variation" in perfect.intervals[0].reason
    # κ = −.8 with a standard error of .588: the plain interval begins at −1.95.
    apart, _ = cohen_kappa([[0, 2], [1, 0]])
    assert apart.value == pytest.approx(-0.8)
    assert apart.intervals[0].low == -1
