"""Fair averages."""

import numpy as np
import pytest

from annotations.stats.comparison.adjusted import adjusted_means
from annotations.stats.ratings import BadRatings, Ratings

nan = np.nan


def test_a_severe_rater_who_saw_one_method_alone_by_hand() -> None:
    # Prompts A and B, methods 0 and 1. Rater 0 rates all; rater 1 is 2 lower and saw method 1 alone.
    # Units A0 A1 B0 B1. Plain means: 3.5, and (5 + 4 + 3 + 2)/4 = 3.5. Rater 0 alone distinguishes them: 1 is better.
    ratings = Ratings.from_matrix([[4, 5, 3, 4], [nan, 3, nan, 2]], [1, 2, 3, 4, 5])
    found = adjusted_means(ratings, prompt=np.array([0, 0, 1, 1]), method=np.array([0, 1, 0, 1]))
    assert [one.raw for one in found.methods] == [3.5, 3.5]
    assert found.severity == pytest.approx([1, -1])
    # Of the mean rater (severity 0 between both): method 0 has 3.5 − 1, method 1 has 4.5 − 1.
    assert [one.mean.value for one in found.methods] == pytest.approx([2.5, 3.5])
    assert [one.reason for one in found.methods[0].mean.intervals] == ["too few prompts (2)"] * 2 + [
        "too few raters (2)"
    ]


def test_of_complete_ratings_they_are_the_plain_means() -> None:
    rng = np.random.default_rng(0)
    ratings = Ratings.from_matrix(rng.integers(1, 6, (4, 30)), [1, 2, 3, 4, 5])
    found = adjusted_means(ratings, prompt=np.arange(30) // 3, method=np.arange(30) % 3)
    for one in found.methods:
        assert one.mean.value == pytest.approx(one.raw)
        both, prompts, raters = one.mean.intervals
        assert both.high - both.low >= max(prompts.high - prompts.low, 0) * 0.99
        assert raters.is_defined


def test_groups_that_share_no_ratings_are_not_adjusted() -> None:
    ratings = Ratings.from_matrix([[4, 5, nan, nan], [nan, nan, 1, 2]], [1, 2, 3, 4, 5])
    found = adjusted_means(ratings, prompt=np.array([0, 1, 2, 3]), method=np.array([0, 0, 1, 1]))
    assert found.reason == "methods, prompts and raters fall into groups that share no ratings"
    with pytest.raises(BadRatings):
        adjusted_means(ratings, prompt=np.array([0]), method=np.array([0, 0, 1, 1]))


def test_a_biased_panel_gives_the_true_order_and_its_intervals_cover() -> None:
    rng = np.random.default_rng(5)
    covered, order = 0, 0
    for _ in range(60):
        prompts, raters = 30, 8
        method = np.arange(2 * prompts) % 2
        prompt = np.arange(2 * prompts) // 2
        severity = rng.normal(0, 1, raters)
        # The four severest mostly see the better method.
        severe = np.argsort(severity)[:4]
        chance = np.where(np.isin(np.arange(raters), severe)[:, None] == (method == 1)[None], 0.7, 0.2)
        quality = 50 + 10 * rng.normal(size=prompts)[prompt] + 6 * method
        table = quality[None] + 10 * severity[:, None] + 5 * rng.normal(size=(raters, 2 * prompts))
        seen = rng.random(table.shape) < chance
        ratings = Ratings.from_matrix(np.where(seen, np.clip(np.rint(table), 0, 100), nan), list(range(101)))
        low, high = adjusted_means(ratings, prompt=prompt, method=method).methods
        order += high.mean.value > low.mean.value
        interval = high.mean.intervals[0]
        covered += interval.low <= 56 <= interval.high
    assert order == 60
    assert covered >= 54
