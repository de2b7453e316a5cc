"""The distribution of the largest |t|."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from annotations.stats.ordinal_model.largest_t import largest_t


def pairs_of(k: int) -> np.ndarray:
    contrasts = np.zeros((k * (k - 1) // 2, k))
    for row, pair in enumerate(combinations(range(k), 2)):
        contrasts[row, pair] = 1, -1
    return contrasts


def test_of_one_estimate_it_is_students() -> None:
    found = largest_t(np.array([[4.0]]), 12)
    assert found.quantile(0.95) == pytest.approx(stats.t.ppf(0.975, 12), rel=1e-12)
    assert found.above(np.array([0.0, 2.5])) == pytest.approx(2 * stats.t.sf([0.0, 2.5], 12), rel=1e-12)


@pytest.mark.parametrize("k", [3, 4, 6, 10, 14])
@pytest.mark.parametrize("df", [2.5, 20])
def test_of_balanced_pairs_it_is_tukeys(k: int, df: float) -> None:
    """The studentised range over √2. To the last digits where directions are on a circle, else to a thousandth."""
    contrasts, rel = pairs_of(k), 1e-7 if k == 3 else 1e-3
    found = largest_t(contrasts @ contrasts.T, df)
    assert found.quantile(0.95) == pytest.approx(stats.studentized_range.ppf(0.95, k, df) / np.sqrt(2), rel=rel)
    t = np.array([0.5, 1.5, 3.0, 5.0])
    right = stats.studentized_range.sf(t * np.sqrt(2), k, df)
    assert found.above(t) == pytest.approx(right, rel=20 * rel)


@pytest.mark.parametrize(("k", "tabled"), [(3, 3.578), (4, 3.958), (10, 5.008)])
def test_of_balanced_pairs_it_is_that_of_tukeys_table(k: int, tabled: float) -> None:
    """Tukey's studentised range, 5% and 20 degrees of freedom (Harter 1960, Ann. Math. Stat. 31:1122)."""
    contrasts = pairs_of(k)
    assert largest_t(contrasts @ contrasts.T, 20).quantile(0.95) * np.sqrt(2) == pytest.approx(tabled, abs=2e-3)


def test_of_independent_estimates_it_is_sidaks() -> None:
    """Many degrees of freedom: a largest |z| of n below q has chance (2 Φ(q) − 1)ⁿ."""
    found = largest_t(np.diag([1.0, 4, 9]), 1e9)
    assert found.quantile(0.95) == pytest.approx(stats.norm.ppf((1 + 0.95 ** (1 / 3)) / 2), rel=1e-3)


def test_of_unequal_pairs_it_is_the_share_of_many_draws() -> None:
    rng = np.random.default_rng(0)
    root = rng.normal(size=(6, 6))
    covariance = pairs_of(6) @ (root @ root.T) @ pairs_of(6).T
    n = 400_000
    z = rng.normal(size=(n, 6)) @ root.T @ pairs_of(6).T / np.sqrt(np.diag(covariance))
    t = np.abs(z).max(axis=1) / np.sqrt(rng.chisquare(6, n) / 6)
    found = largest_t(covariance, 6.0)
    at = np.array([1.0, 2.5, 3.9])
    shares = (t[:, None] > at).mean(axis=0)
    assert np.abs(found.above(at) - shares).max() < 4 * np.sqrt(0.25 / n)
    assert found.above(np.array([found.quantile(0.95)]))[0] == pytest.approx(0.05, abs=1e-12)


@given(
    seed=st.integers(0, 10**6), k=st.integers(2, 7), df=st.floats(0.6, 200), level=st.sampled_from([0.8, 0.95, 0.99])
)
def test_p_is_below_the_level_just_beyond_the_quantile(seed: int, k: int, df: float, level: float) -> None:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(k, k)) * rng.uniform(0.1, 3, k)
    found = largest_t(pairs_of(k) @ (root @ root.T) @ pairs_of(k).T, df)
    q = found.quantile(level)
    below, above = found.above(q * np.array([1 - 1e-9, 1 + 1e-9]))
    assert below > 1 - level > above
    n, alone = k * (k - 1) // 2, 2 * stats.t.sf(q, df)
    assert (1 - level) / n <= alone * (1 + 1e-9)
    assert alone <= (1 - level) * (1 + 1e-9)


def test_the_opposite_order_gives_the_same() -> None:
    root = np.random.default_rng(3).normal(size=(6, 6))
    covariance = pairs_of(6) @ (root @ root.T) @ pairs_of(6).T
    assert largest_t(covariance, 5).quantile(0.95) == pytest.approx(
        largest_t(covariance[::-1, ::-1], 5).quantile(0.95), rel=1e-12
    )
