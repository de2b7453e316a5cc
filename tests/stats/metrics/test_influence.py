"""Item-level correlations equal SciPy's, and influences are the derivatives that they claim to be."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from annotations.stats.metrics.influence import item_level

NAMES = ("pearson", "spearman", "kendall_tau_b", "kendall_tau_c")


def weighted(human: NDArray[np.float64], metric: NDArray[np.float64], w: NDArray[np.float64]) -> dict[str, float]:
    """The statistics where unit i is there w[i] times, w not necessarily whole."""
    total = w.sum()

    def ranks(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return (w * ((x < x[:, None]) + 0.5 * (x == x[:, None]))).sum(axis=1)

    def r(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
        x, y = x - (w * x).sum() / total, y - (w * y).sum() / total
        return float((w * x * y).sum() / np.sqrt((w * x * x).sum() * (w * y * y).sum()))

    pair = w[:, None] * w
    rise_h, rise_m = np.sign(human[:, None] - human), np.sign(metric[:, None] - metric)
    surplus, a, b = ((pair * x).sum() / 2 for x in (rise_h * rise_m, rise_h**2, rise_m**2))
    m = min(len(set(human)), len(set(metric)))
    return {
        "pearson": r(human, metric),
        "spearman": r(ranks(human), ranks(metric)),
        "kendall_tau_b": float(surplus / np.sqrt(a * b)),
        "kendall_tau_c": float(2 * m * surplus / (m - 1) / total**2),
    }


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_values_and_influences_are_those_of_weighted_units(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(5, 13))
    human = np.concatenate(([0.0, 4.0], rng.integers(0, 5, n - 2)))
    metric = np.concatenate(([0.1, 0.3], rng.integers(0, 6, n - 2) / 10))
    found = item_level(human, human.astype(np.int64), metric)
    ones, step = np.ones(n), 1e-5
    for name, value in weighted(human, metric, ones).items():
        assert found[name].value == pytest.approx(value, abs=1e-12)
    for unit in range(n):
        more, less = ones.copy(), ones.copy()
        more[unit] += step
        less[unit] -= step
        up, down = weighted(human, metric, more), weighted(human, metric, less)
        for name in NAMES:
            assert found[name].influence[unit] == pytest.approx((up[name] - down[name]) / (2 * step), abs=1e-6)
    for statistic in found.values():
        assert statistic.influence.sum() == pytest.approx(0, abs=1e-10)


def test_values_are_scipys() -> None:
    rng = np.random.default_rng(3)
    human = rng.integers(0, 13, 500)
    metric = np.round(human / 6 + rng.normal(size=500), 1)
    found = item_level(human.astype(float), human, metric)
    assert found["pearson"].value == pytest.approx(scipy.stats.pearsonr(human, metric).statistic, abs=1e-12)
    assert found["spearman"].value == pytest.approx(scipy.stats.spearmanr(human, metric).statistic, abs=1e-12)
    for variant in ("b", "c"):
        expected = scipy.stats.kendalltau(human, metric, variant=variant).statistic
        assert found[f"kendall_tau_{variant}"].value == pytest.approx(expected, abs=1e-12)


def test_published_example_of_mt_metrics_eval() -> None:
    # mt-metrics-eval @68a481a, stats_test.py, testKendallVariants. Of 10 pairs one is a human tie, 6 are concordant
    # and 3 discordant: τ-b = 3/√(9 · 10) = .316227766, τ-c = 2 · 4 · 3/(25 · 3) = .32, accuracy 6/10.
    gold, metric = np.array([1, 2, 2, 3, 4]), np.array([2, 1, 1.5, 5, 3])
    found = item_level(gold.astype(float), gold, metric)
    assert found["kendall_tau_b"].value == pytest.approx(0.316227766, abs=1e-9)
    assert found["kendall_tau_c"].value == pytest.approx(0.32, abs=1e-12)
    assert found["pairwise_accuracy"].value == pytest.approx(0.6, abs=1e-12)


def test_accuracy_influence_is_the_change_when_a_unit_leaves() -> None:
    rng = np.random.default_rng(4)
    human, metric = rng.integers(0, 4, 40), rng.integers(0, 9, 40) / 10
    found = item_level(human.astype(float), human, metric)["pairwise_accuracy"]
    for unit in range(40):
        others = np.delete(np.arange(40), unit)
        left = item_level(human[others].astype(float), human[others], metric[others])["pairwise_accuracy"].value
        # Leaving a unit out leaves (n − 1)(n − 2)/2 of n(n − 1)/2 pairs, so the change is its influence · n/(n − 2).
        assert found.value - left == pytest.approx(found.influence[unit] * 40 / 38, abs=1e-12)


@pytest.mark.parametrize(
    ("human", "metric", "reason"),
    [
        ([1, 1, 1], [1.0, 2.0, 3.0], "human scores do not vary"),
        ([1, 2, 3], [2.0, 2.0, 2.0], "metric's scores do not vary"),
        ([1], [1.0], "fewer than two units"),
        ([], [], "fewer than two units"),
    ],
)
def test_undefined_is_nan_with_its_reason(human: list[int], metric: list[float], reason: str) -> None:
    found = item_level(np.array(human, dtype=float), np.array(human, dtype=np.int64), np.array(metric))
    for name in NAMES:
        assert np.isnan(found[name].value)
        assert reason in found[name].reason


def test_a_constant_metric_has_an_accuracy_all_the_same() -> None:
    # 1, 1, 2: one of three pairs is tied by people.
    found = item_level(np.array([1.0, 1, 2]), np.array([0, 0, 1]), np.zeros(3))
    assert found["pairwise_accuracy"].value == pytest.approx(1 / 3)
