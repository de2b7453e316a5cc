"""The Welch–James test against Welch's F of one figure, and against the formula for two groups."""

import numpy as np
import pytest

from annotations.stats.comparison.by_category import welch
from annotations.stats.intervals.equal_means import welch_james


def groups(q: int, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, q)) @ rng.normal(size=(q, q)) + shift for n, shift in ((12, 0), (20, 0.3), (9, 0.5))]


def test_of_one_figure_it_is_welchs_f() -> None:
    found, right = welch_james(groups(1)), welch([group[:, 0] for group in groups(1)])
    assert (found.f, found.df_above, found.df_below, found.p) == pytest.approx(
        (right.f, right.df_above, right.df_below, right.p)
    )


def test_of_two_groups_the_statistic_is_the_distance_in_units_of_both_covariances() -> None:
    """T = d' (S₁/n₁ + S₂/n₂)⁻¹ d, and F = T / c with Johansen's c = q + 2A − 6A/(q + 2)."""
    one, other, _ = groups(3)
    covariances = [np.cov(group, rowvar=False) / len(group) for group in (one, other)]
    d = one.mean(axis=0) - other.mean(axis=0)
    t = d @ np.linalg.inv(sum(covariances)) @ d
    lost = 0.0
    for covariance, group in zip(covariances, (one, other), strict=True):
        share = covariance @ np.linalg.inv(sum(covariances))  # I − W⁻¹ W_g, whichever group it is of
        lost += (np.trace(share @ share) + np.trace(share) ** 2) / (2 * (len(group) - 1))
    found = welch_james([one, other])
    assert found.f == pytest.approx(t / (3 + 2 * lost - 6 * lost / 5))
    assert found.df_below == pytest.approx(3 * 5 / (3 * lost))


def test_other_units_of_the_figures_change_nothing() -> None:
    turn = np.random.default_rng(1).normal(size=(3, 3))
    assert welch_james([group @ turn for group in groups(3)]).p == pytest.approx(welch_james(groups(3)).p)
