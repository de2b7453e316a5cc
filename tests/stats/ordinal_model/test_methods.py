"""All methods in one ordinal model."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from annotations.stats.ordinal_model.ascent import OutOfReach, maximise
from annotations.stats.ordinal_model.effect import ordinal_effect
from annotations.stats.ordinal_model.methods import MethodModel, ordinal_methods
from annotations.stats.ratings import BadRatings, Ratings
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
    assert found.p == found.p_holm == found.p_simultaneous


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


@pytest.mark.parametrize(("n_of_both", "words"), [(0, "no rater"), (1, "only 1 rater"), (2, "only 2 raters")])
def test_few_raters_of_several_methods_are_counted_in_a_note(n_of_both: int, words: str) -> None:
    ratings, prompt, method = random_design(6, n_prompts=20, n_raters=8, images=1, missing=0.0)
    kept = (ratings.rater < n_of_both) | (method[ratings.unit] == ratings.rater % (int(method.max()) + 1))
    found = ordinal_methods(
        Ratings(
            *(column[kept] for column in (ratings.unit, ratings.rater, ratings.level)),
            *(ratings.values, ratings.n_units, ratings.n_raters),
        ),
        prompt=prompt,
        method=method,
        rng=np.random.default_rng(0),
    )
    assert f"the intervals do not cover other raters: {words} rated several methods" in found.notes


@dataclass(frozen=True)
class Study:
    unit: np.ndarray
    rater: np.ndarray
    level: np.ndarray
    prompt: np.ndarray
    method: np.ndarray

    def fitted(self) -> MethodModel:
        n_units, n_raters = len(self.prompt), int(self.rater.max()) + 1
        ratings = Ratings(self.unit, self.rater, self.level, np.arange(1.0, 6), n_units, n_raters)
        return ordinal_methods(ratings, prompt=self.prompt, method=self.method, rng=np.random.default_rng(0))


def drawn(
    seed: int, *, k: int = 6, n_prompts: int = 12, n_raters: int = 4, images: int = 2, gain: float = 0.25
) -> Study:
    """Every rater rates every image; methods are better by `gain` one by one."""
    rng = np.random.default_rng(seed)
    prompt, method, _ = (codes.ravel() for codes in np.indices((n_prompts, k, images)))
    unit, rater = np.repeat(np.arange(len(prompt)), n_raters), np.tile(np.arange(n_raters), len(prompt))
    latent = (gain * method + rng.normal(0, 0.7, n_prompts)[prompt] + rng.normal(0, 0.5, len(prompt)))[unit]
    latent += rng.normal(0, 0.6, n_raters)[rater] + rng.normal(0, 0.4, (n_raters, k))[rater, method[unit]]
    latent += rng.logistic(size=len(unit))
    level = np.searchsorted(np.quantile(latent, [0.2, 0.4, 0.6, 0.8]), latent)
    return Study(unit, rater, level, prompt, method)


def figures(model: MethodModel, names: np.ndarray, *, sign: int = 1) -> np.ndarray:
    """(n_pairs, 6) of every pair of methods in the order of their names: difference, interval, and the three p."""
    found = {}
    for pair in model.pairs:
        (interval,) = pair.difference.intervals
        first, second = (int(names[method]) for method in (pair.first, pair.second))
        turned = sign if first < second else -sign
        ends = sorted((turned * interval.low, turned * interval.high))
        ps = (pair.p, pair.p_simultaneous, pair.p_holm)
        found[min(first, second), max(first, second)] = (turned * pair.difference.value, *ends, *ps)
    return np.array([found[pair] for pair in sorted(found)])


def test_names_and_the_order_of_rows_change_no_figure() -> None:
    study, rng, k = drawn(0), np.random.default_rng(1), 6
    here = figures(study.fitted(), np.arange(k))
    new_names = rng.permutation(k)
    renamed = replace(study, method=new_names[study.method])
    assert figures(renamed.fitted(), np.argsort(new_names)) == pytest.approx(here, abs=3e-6)
    rows, units, raters = (rng.permutation(n) for n in (len(study.unit), len(study.prompt), 4))
    shuffled = Study(
        np.argsort(units)[study.unit][rows],
        raters[study.rater][rows],
        study.level[rows],
        study.prompt[units],
        study.method[units],
    )
    assert figures(shuffled.fitted(), np.arange(k)) == pytest.approx(here, abs=3e-6)
    reversed_scale = replace(study, level=4 - study.level)
    assert figures(reversed_scale.fitted(), np.arange(k), sign=-1) == pytest.approx(here, abs=2e-5)


@pytest.mark.parametrize("seed", range(12))
def test_intervals_p_and_letters_agree_for_every_pair(seed: int) -> None:
    model = drawn(seed, k=5, n_prompts=8, n_raters=3 + seed % 3, images=1, gain=0.6).fitted()
    letters = {one.method: set(one.letters) for one in model.methods}
    assert model.pairs
    for pair in model.pairs:
        (interval,) = pair.difference.intervals
        excludes_zero = interval.low > 0 or interval.high < 0
        assert excludes_zero == (pair.p_simultaneous < 0.05)
        assert excludes_zero == (not letters[pair.first] & letters[pair.second])
        assert pair.p <= pair.p_simultaneous


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
