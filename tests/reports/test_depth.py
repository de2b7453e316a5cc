"""The statistic that the multiverse of a comparison runs, and what stands behind a comparison."""

import numpy as np
import pytest

from annotations.reports.depth import depth, paired_mean
from annotations.stats.comparison import compare
from annotations.stats.raters import rater_board
from annotations.stats.ratings import Ratings

PROMPT, METHOD = np.array([0, 0, 1, 1, 2, 2, 3]), np.array([0, 1, 0, 1, 0, 1, 0])


def mean_of(scores: list[float]):  # type: ignore[no-untyped-def]
    return paired_mean(np.array(scores), prompt=PROMPT, method=METHOD, baseline=0, refined=1)


def test_the_worked_example_of_the_methods_document() -> None:
    # docs/methods/comparison.md: differences 1, 0, 2 of three prompts, the fourth has one method. Mean 1, s = 1,
    # t(2, .975)/√3 = 4.3027/1.7321.
    found = mean_of([2, 3, 4, 4, 1, 3, 5])
    assert found.value == 1
    assert found.n == {"prompts": 3}
    [interval] = found.intervals
    assert interval.covers == "prompts"
    assert (interval.low, interval.high) == pytest.approx((1 - 2.4841, 1 + 2.4841), abs=5e-5)


def test_images_of_one_prompt_and_method_are_averaged_first() -> None:
    found = paired_mean(
        np.array([1.0, 3, 5, np.nan, 2, 2]),
        prompt=np.array([0, 0, 0, 0, 1, 1]),
        method=np.array([0, 0, 1, 1, 0, 1]),
        baseline=0,
        refined=1,
    )
    assert found.value == pytest.approx((5 - 2 + 0) / 2)


def test_no_width_is_made_up_without_variation() -> None:
    # 0.3 − 0.2 and 0.4 − 0.3 differ in floating point only.
    found = mean_of([0.2, 0.3, 0.3, 0.4, 0.1, 0.2, 5])
    assert found.value == pytest.approx(0.1)
    [interval] = found.intervals
    assert not interval.is_defined
    assert "no variation" in interval.reason
    assert "two prompts" in mean_of([1, 2, np.nan, 2, 1, np.nan, 5]).intervals[0].reason


def test_nothing_to_compare_gives_its_reason() -> None:
    found = mean_of([np.nan, 2, np.nan, 2, 1, np.nan, 5])
    assert np.isnan(found.value)
    assert found.reason == "no prompt has scores of both methods"


def test_what_stands_behind_a_comparison() -> None:
    rng = np.random.default_rng(0)
    n_prompts, n_raters = 40, 6
    prompt, method = np.repeat(np.arange(n_prompts), 2), np.tile([0, 1], n_prompts)
    unit, rater = np.repeat(np.arange(2 * n_prompts), n_raters), np.tile(np.arange(n_raters), 2 * n_prompts)
    latent = 2 + method[unit] + rng.normal(size=n_prompts)[prompt][unit] + rng.normal(size=len(unit))
    level = np.clip(np.rint(latent), 0, 4).astype(int)
    ratings = Ratings(unit, rater, level, np.arange(1.0, 6.0), 2 * n_prompts, n_raters)
    codes = {"prompt": prompt, "method": method}
    comparison = compare(ratings, **codes, baseline=0, refined=1, rng=rng)
    topic = np.where(prompt < 20, "one", "").astype(object)
    found = depth(ratings, comparison, **codes, board=rater_board(ratings), facets={"topic": topic}, rng=rng)

    # The reference universe is the comparison itself: rater means, nobody left out, all images.
    reference = found.robustness.reference
    assert reference.estimate.value == pytest.approx(comparison.mean_diff.value)
    over_prompts, interval = comparison.mean_diff.interval("prompts"), reference.estimate.intervals[0]
    assert over_prompts is not None
    assert (interval.low, interval.high) == pytest.approx((over_prompts.low, over_prompts.high))
    assert {universe.subset for universe in found.robustness.universes} == {"all units", "topic: one"}
    # One half width, numbers of raters up to those at hand and four times as many, raters a prompt.
    assert [(width, raters, k) for width, k, raters, _ in found.sizes] == [
        (width, raters, k) for width in (0.1, 0.2, 0.3) for raters in (6, 24) for k in (1, 3, 5)
    ]
    wide, narrow = found.sizes[-1][3], found.sizes[5][3]
    assert wide is not None
    assert narrow is None or narrow.n_prompts > wide.n_prompts
    assert found.effect.odds_low < found.effect.odds_ratio < found.effect.odds_high
    low, high = found.sequence.low[-1], found.sequence.high[-1]
    assert low <= comparison.mean_diff.value <= high
    assert high - low > interval.high - interval.low
