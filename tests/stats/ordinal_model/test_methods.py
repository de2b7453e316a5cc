"""All methods in one ordinal model."""

import numpy as np
import pytest
from scipy import stats

from annotations.stats.ordinal_model.ascent import OutOfReach, maximise
from annotations.stats.ordinal_model.effect import ordinal_effect
from annotations.stats.ordinal_model.methods import largest_t, ordinal_methods
from annotations.stats.ratings import BadRatings
from tests.benchmarks.coverage.many_methods import WORLDS, fitted
from tests.stats.comparison.comparison_data import random_design


def test_of_two_methods_it_is_the_model_of_the_comparison() -> None:
    ratings, prompt, method = random_design(5, n_prompts=12, n_raters=5, images=1)
    two = np.where(method == 2, -1, method)
    rng = np.random.default_rng(0)
    whole = ordinal_methods(ratings, prompt=prompt, method=two, rng=rng)
    pair = ordinal_effect(ratings, prompt=prompt, method=method, rng=rng, baseline=0, refined=1)
    (found,) = whole.pairs
    assert found.difference.value == pytest.approx(abs(pair.effect.value), abs=1e-4)
    assert found.p == found.p_holm


def test_a_method_that_is_better_leads_and_shares_no_letter() -> None:
    ratings, prompt, method = random_design(6, n_prompts=20, n_raters=4, images=1, missing=0.1)
    level = np.where(method[ratings.unit] == 2, np.minimum(ratings.level + 2, 4), ratings.level)
    found = ordinal_methods(
        type(ratings)(ratings.unit, ratings.rater, level, ratings.values, ratings.n_units, ratings.n_raters),
        prompt=prompt,
        method=method,
        rng=np.random.default_rng(0),
    )
    assert found.methods[0].method == 2
    assert sum(one.effect for one in found.methods) == pytest.approx(0, abs=1e-9)
    first = set(found.methods[0].letters)
    assert all(not first & set(one.letters) for one in found.methods[1:])
    for pair in found.pairs:
        (interval,) = pair.difference.intervals
        assert interval.low < pair.difference.value < interval.high
        assert pair.p_holm >= pair.p


def test_the_largest_t_of_one_estimate_is_students_and_of_balanced_pairs_tukeys() -> None:
    rng = np.random.default_rng(0)
    assert largest_t(np.array([[4.0]]), 12, 0.95, rng) == pytest.approx(stats.t.ppf(0.975, 12), abs=0.05)
    contrasts = np.array([[1, -1, 0, 0], [1, 0, -1, 0], [1, 0, 0, -1], [0, 1, -1, 0], [0, 1, 0, -1], [0, 0, 1, -1]])
    right = stats.studentized_range.ppf(0.95, 4, 20) / np.sqrt(2)
    assert largest_t((contrasts @ contrasts.T).astype(float), 20, 0.95, rng) == pytest.approx(right, abs=0.05)


def test_codes_that_do_not_fit_and_one_method_alone() -> None:
    ratings, prompt, method = random_design(1, n_prompts=4)
    with pytest.raises(BadRatings):
        ordinal_methods(ratings, prompt=prompt[1:], method=method, rng=np.random.default_rng(0))
    alone = ordinal_methods(ratings, prompt=prompt, method=np.where(method == 0, 0, -1), rng=np.random.default_rng(0))
    assert alone.reason.startswith("fewer than two methods")


def test_a_first_step_that_leads_too_far_is_made_shorter() -> None:
    """Three raters of 40 prompts: the search's first step leads where the random effects have no mode."""
    found = fitted(WORLDS["tastes"], 3, np.random.default_rng(0))
    assert found.fit is not None
    assert found.fit.is_fitted
    assert found.fit.log_likelihood == pytest.approx(-530.74, abs=0.01)

    def narrow(at: np.ndarray) -> tuple[float, np.ndarray]:
        if abs(at[0]) > 1.5:
            raise OutOfReach
        return -float((at[0] - 1) ** 2), -2 * (at - 1)

    # With a guess of 0.1 for the curvature, which is 2, the first step is to 20.
    assert maximise(narrow, np.zeros(1), np.full((1, 1), 0.1), 0) == pytest.approx([1])
