import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.stats.comparison.means import MethodMean, method_means
from annotations.stats.ratings import BadRatings, Ratings
from tests.stats.comparison.comparison_data import Design, dsg_consistency, random_design


def means_of(design: Design) -> tuple[MethodMean, ...]:
    ratings, prompt, method = design
    return method_means(ratings, method=method, prompt=prompt, rng=np.random.default_rng(0), n_resamples=300)


def test_worked_example() -> None:
    """The example of docs/methods/comparison.md: prompt means by two raters, one rating missing."""
    ratings = Ratings.from_matrix([[5, 3, 4], [3, 3, np.nan]], (1, 2, 3, 4, 5))
    (got,) = means_of((ratings, np.array([0, 1, 2]), np.zeros(3, dtype=int)))
    # (5 + 3 + 3 + 3 + 4) / 5; images: (4 + 3 + 4) / 3
    assert got.mean.value == pytest.approx(18 / 5)
    assert got.mean_of_units == pytest.approx(11 / 3)
    assert got.histogram.tolist() == [0, 0, 3, 1, 1]
    assert (got.n_units, got.n_ratings, got.n_prompts, got.n_raters) == (3, 5, 3, 2)
    # Without prompt 0: 10/3; without 1: 12/3; without 2: 14/4. Mean 65/18; jackknife variance 2/3 · Σ(…)².
    without = np.array([10 / 3, 4, 3.5])
    half = 4.302652729749464 * np.sqrt(2 / 3 * np.sum((without - 65 / 18) ** 2))  # t(2, .975)
    # 3.6 + 1.724 is more than a mean on this scale can be.
    assert (got.low, got.high) == pytest.approx((3.6 - half, 5.0))
    assert (got.mean.intervals[0].cut_low, got.mean.intervals[0].cut_high) == (False, True)
    assert half == pytest.approx(4.3027 * 0.4006, abs=5e-4)
    over_raters = got.mean.interval("raters")
    assert over_raters is not None
    assert over_raters.reason == "too few raters (2)"


def test_two_prompts_are_too_few_for_an_interval() -> None:
    ratings = Ratings.from_matrix([[1, 5], [2, 5], [2, 4]], (1, 2, 3, 4, 5))
    (got,) = means_of((ratings, np.array([0, 1]), np.zeros(2, dtype=int)))
    assert [(one.covers, one.reason) for one in got.mean.intervals[:2]] == [("prompts", "too few prompts (2)")] * 2


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([3, 4, 6, 12]), st.sampled_from([3, 4, 8]))
def test_no_interval_leaves_the_scale(seed: int, n_prompts: int, n_raters: int) -> None:
    for one in means_of(random_design(seed, n_prompts=n_prompts, n_raters=n_raters)):
        for interval in one.mean.intervals:
            assert not interval.is_defined or 1 <= interval.low <= one.mean.value <= interval.high <= 5


def test_published_ratings() -> None:
    (ratings, prompt, method), _, expected = dsg_consistency()
    got = means_of((ratings, prompt, method))
    overall = sum(one.mean.value * one.n_ratings for one in got) / sum(one.n_ratings for one in got)
    assert overall == pytest.approx(expected["agreement_dsg_5raters"]["mean"], abs=1e-6)
    assert sum(one.histogram.sum() for one in got) == 3995
    for one in got:
        assert one.low < one.mean.value < one.high
        assert one.n_prompts == 160


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_the_mean_equals_the_definition(seed: int) -> None:
    ratings, prompt, method = random_design(seed, missing=0.7)
    for one in means_of((ratings, prompt, method)):
        values = [
            ratings.values[level]
            for unit, level in zip(ratings.unit, ratings.level, strict=True)
            if method[unit] == one.method
        ]
        assert one.mean.value == pytest.approx(np.mean(values))
        of_units = [
            ratings.values[ratings.level[ratings.unit == unit]].mean()
            for unit in np.unique(ratings.unit)
            if method[unit] == one.method
        ]
        assert one.mean_of_units == pytest.approx(np.mean(of_units))


def test_images_of_one_prompt_move_together() -> None:
    """The same 40 ratings: as 40 prompts, and as 4 prompts whose images agree; the second interval is far wider."""
    rng = np.random.default_rng(0)
    level = np.repeat([0, 1, 3, 4], 10)
    ratings = Ratings(np.arange(40), np.zeros(40, dtype=int), level, np.arange(1.0, 6.0), 40, 1)
    method = np.zeros(40, dtype=int)
    (own,) = method_means(ratings, method=method, prompt=np.full(40, -1), rng=rng)
    (shared,) = method_means(ratings, method=method, prompt=np.repeat(np.arange(4), 10), rng=rng)
    assert own.n_prompts == 40
    assert own.mean.value == shared.mean.value
    assert shared.high - shared.low > 3 * (own.high - own.low)


def test_a_method_without_ratings_and_a_single_prompt() -> None:
    ratings = Ratings.from_matrix([[4, np.nan, 2]], (1, 2, 3, 4, 5))
    first, second = means_of((ratings, np.array([0, 1, 2]), np.array([0, 1, -1])))
    assert first.mean.value == 4
    assert [interval.is_defined for interval in first.mean.intervals] == [False, False, False]
    assert all(interval.reason for interval in first.mean.intervals)
    assert np.isnan(first.low)
    assert np.isnan(second.mean.value)
    assert second.mean.reason == "no ratings of this method"
    assert np.isnan(second.low)


def test_all_ratings_equal_have_a_mean_and_no_interval() -> None:
    ratings = Ratings.from_matrix(np.full((3, 5), 4.0), (1, 2, 3, 4, 5))
    (got,) = means_of((ratings, np.arange(5), np.zeros(5, dtype=int)))
    assert got.mean.value == 4
    assert not any(interval.is_defined for interval in got.mean.intervals)
    assert "no variation" in got.mean.intervals[0].reason


def test_codes_that_do_not_fit_are_refused() -> None:
    ratings = Ratings.from_matrix([[1, 2]], (1, 2))
    with pytest.raises(BadRatings, match="one code for each of the 2 units"):
        means_of((ratings, np.array([0]), np.array([0, 0])))


def test_coverage_with_few_prompts() -> None:
    """600 studies of 15 skewed prompts with 1 to 3 images: nominal 95%, within 4 standard errors of a binomial."""
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(600):
        images = rng.integers(1, 4, 15)
        prompt = np.repeat(np.arange(15), images)
        quality = rng.choice([0, 1, 2, 3, 4], p=[0.05, 0.1, 0.15, 0.3, 0.4], size=15)
        ratings = Ratings(
            np.arange(len(prompt)),
            np.zeros(len(prompt), dtype=int),
            quality[prompt],
            np.arange(1.0, 6.0),
            len(prompt),
            1,
        )
        (got,) = method_means(ratings, method=np.zeros(len(prompt), dtype=int), prompt=prompt, rng=rng, n_resamples=1)
        hits += got.low <= 3.9 <= got.high  # 1·.05 + 2·.1 + 3·.15 + 4·.3 + 5·.4
    assert 0.915 <= hits / 600 <= 0.985
