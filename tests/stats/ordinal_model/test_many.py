"""The search for the maximum of many ratings ends where the search of few does."""

import numpy as np
import pytest
from numpy.typing import NDArray

from annotations.stats.ordinal_model import random_intercepts as arrow
from annotations.stats.ordinal_model.fit import fit_ordinal
from annotations.stats.ordinal_model.laplace import Mixed, Plain
from annotations.stats.ordinal_model.random_intercepts import Design
from tests.stats.ordinal_model.test_fit import design_data


def test_a_search_that_starts_at_a_part_ends_where_the_other_does() -> None:
    rng = np.random.default_rng(4)
    image = np.repeat(np.arange(1200), 3)
    rater = (image + np.tile([0, 3, 7], 1200)) % 12
    prompt, side = image // 2, image % 2
    latent = rng.normal(size=600)[prompt] + 0.5 * rng.normal(size=12)[rater] + 0.6 * side + rng.logistic(size=3600)
    level = np.searchsorted([-2.0, 0.0, 2.0], latent)
    groups = {"images": image, "prompts": prompt, "raters": rater}
    whole, from_part = (
        fit_ordinal(level, {"refined": side}, groups=groups, large=large, part=800) for large in (10**9, 3000)
    )
    assert from_part.log_likelihood == pytest.approx(whole.log_likelihood, abs=1e-6)
    assert from_part.coefficients["refined"] == pytest.approx(whole.coefficients["refined"], abs=1e-4)
    assert from_part.standard_errors["refined"] == pytest.approx(whole.standard_errors["refined"], rel=1e-3)
    assert list(from_part.deviations.values()) == pytest.approx(list(whole.deviations.values()), abs=1e-3)


@pytest.mark.parametrize("taste", [0.0, 0.6])
def test_factors_without_a_clear_variance_in_a_part_are_judged_by_all_ratings(taste: float) -> None:
    """Topics of equal means have no variance; how raters' tastes vary, 800 ratings of 12 raters hardly show."""
    rng = np.random.default_rng(4)
    image = np.repeat(np.arange(1200), 3)
    rater = (image + np.tile([0, 3, 7], 1200)) % 12
    prompt, side = image // 2, image % 2
    drawn = rng.normal(size=(10, 60))
    of_prompts = (drawn - drawn.mean(axis=1, keepdims=True)).ravel()
    latent = of_prompts[prompt] + 0.5 * rng.normal(size=12)[rater] + 0.6 * side + rng.logistic(size=3600)
    latent += taste * rng.normal(size=24)[2 * rater + side]
    level = np.searchsorted([-2.0, 0.0, 2.0], latent)
    groups = {"topics": prompt // 60, "prompts": prompt, "raters": rater, "tastes": 2 * rater + side}
    whole, from_part = (
        fit_ordinal(level, {"refined": side}, groups=groups, n_nodes=1, large=large, part=800)
        for large in (10**9, 3000)
    )
    assert set(from_part.notes) == set(whole.notes)
    assert from_part.deviations["tastes"] > taste / 2
    assert from_part.deviations["topics"] == 0
    assert from_part.log_likelihood == pytest.approx(whole.log_likelihood, abs=1e-5)
    assert from_part.standard_errors["refined"] == pytest.approx(whole.standard_errors["refined"], rel=1e-3)
    assert list(from_part.deviations.values()) == pytest.approx(list(whole.deviations.values()), abs=2e-3)


def test_following_the_mode_saves_steps_and_changes_nothing() -> None:
    level, codes = design_data(5, n_prompts=20, n_raters=9)
    fixed, sizes = (codes[0] % 2)[:, np.newaxis].astype(float), [int(code.max()) + 1 for code in codes]
    steps = {True: 0, False: 0}
    found: dict[bool, list[NDArray[np.float64]]] = {True: [], False: []}

    class Counted(Design):
        def factor(self, weight: NDArray[np.float64], deviations: NDArray[np.float64]) -> arrow.Factored:
            steps[follows] += 1
            return super().factor(weight, deviations)

    for follows in (True, False):
        mixed = Mixed(Plain(level, fixed, 4, "logit"), Counted(codes, sizes), np.zeros(sum(sizes)), follows)
        for shift in (0.0, 1e-5, 0.01, 0.02):
            value, gradient = mixed.log_marginal(np.array([-1.2, 0.1, 1.4, 0.4, 0.8, 0.6, 1.1]) + shift)
            found[follows].append(np.append(value, gradient))
    assert np.array(found[True]) == pytest.approx(np.array(found[False]), abs=1e-6)
    assert steps[True] < steps[False]
