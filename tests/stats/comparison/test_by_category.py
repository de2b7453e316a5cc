"""Comparisons within categories of prompts, and the interaction method × category."""

import numpy as np
import pytest
from scipy import stats

from annotations.stats.comparison.by_category import effects_by_category, welch
from annotations.stats.comparison.compare import compare
from annotations.stats.comparison.means import method_means
from tests.stats.comparison.comparison_data import random_design


def test_a_category_is_the_comparison_of_its_prompts_alone() -> None:
    ratings, prompt, method = random_design(3, n_prompts=24, n_raters=4, missing=0.2)
    category = np.where(prompt < 10, "color", np.where(prompt < 20, "counting", "")).astype(object)
    found, _ = effects_by_category(ratings, prompt=prompt, method=method, category=category, baseline=0, refined=1)
    assert [(one.category, one.n) for one in found] == [("color", 10), ("counting", 10)]
    for one in found:
        alone = compare(
            ratings,
            prompt=np.where(category == one.category, prompt, -1),
            method=method,
            baseline=0,
            refined=1,
            rng=np.random.default_rng(0),
            n_resamples=20,
        )
        assert one.mean_diff.value == alone.mean_diff.value
        assert (one.wins, one.ties, one.losses) == (alone.wins, alone.ties, alone.losses)
        assert one.p == pytest.approx(alone.both_p)
        assert one.mean_diff.interval("prompts and raters") == alone.mean_diff.interval("prompts and raters")
        assert one.mean_refined - one.mean_baseline == pytest.approx(one.mean_diff.value)
        assert one.p_holm >= one.p
    means = method_means(ratings, method=method, prompt=prompt, rng=np.random.default_rng(0), n_resamples=20)
    assert 1 <= min(one.mean_baseline for one in found) <= 5
    assert len(means) == 3


def test_welchs_f_of_two_groups_is_welchs_t_squared() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(0.3, 1, 30), rng.normal(0, 2, 17)
    found, right = welch([one, other]), stats.ttest_ind(one, other, equal_var=False)
    assert (found.f, found.p, found.df_below) == pytest.approx((right.statistic**2, right.pvalue, right.df))


def test_welchs_f_of_three_groups_by_hand() -> None:
    """Means 2, 3, 7 of three values each with variance 1: w = 3 each, grand mean 4, Σ w (m − 4)² / 2 = 21.

    Each weight's share is 1/3: Λ = 3 (2/3)² / 2 = 2/3, the divisor 1 + 2 · 1/8 · 2/3 = 7/6, so F = 18 on 2 and 4.
    """
    found = welch([np.array([1.0, 2, 3]), np.array([2.0, 3, 4]), np.array([6.0, 7, 8])])
    assert (found.f, found.df_above, found.df_below) == pytest.approx((18, 2, 4))


def test_categories_that_cannot_be_tested_say_so() -> None:
    assert welch([np.array([1.0, 2.0])]).reason
    assert welch([np.array([1.0, 1.0]), np.array([1.0, 2.0])]).reason
