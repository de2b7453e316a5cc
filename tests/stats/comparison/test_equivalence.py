"""Equivalence within a margin, what a study can find, and p-values that hold for other raters."""

import numpy as np
import pytest
from scipy import stats

from annotations.stats.comparison.compare import compare
from annotations.stats.comparison.equivalence import equivalence
from annotations.stats.comparison.over_raters import NO_SPREAD, Spread
from annotations.stats.ratings import Ratings

SPREAD = Spread("prompts and raters", "by hand", error=0.1, df=10)


def test_two_one_sided_tests_by_hand() -> None:
    """Mean .05, error .1, 10 degrees of freedom, margin .3: t = 3.5 from below and 2.5 from above."""
    found = equivalence(0.05, SPREAD, 0.3)
    assert found.p_not_inferior == pytest.approx(stats.t.sf(3.5, 10))
    assert found.p_equivalent == pytest.approx(stats.t.sf(2.5, 10))
    assert found.words.startswith("equivalent")
    # Both tests reject at 5% exactly where the 90% interval lies within the margin.
    reach = stats.t.ppf(0.95, 10) * 0.1
    assert (found.low, found.high) == pytest.approx((0.05 - reach, 0.05 + reach))
    assert -0.3 < found.low < found.high < 0.3


@pytest.mark.parametrize(
    ("mean", "margin", "words"),
    [
        (0.2, 0.3, "not inferior: a loss of 0.3 or more is ruled out"),
        (-0.2, 0.3, "not superior: a gain of 0.3 or more is ruled out"),
        (0.0, 0.3, "equivalent: a difference of 0.3 or more to either side is ruled out"),
        (0.5, 0.3, "not inferior: a loss of 0.3 or more is ruled out"),
        (-0.5, 0.3, "not superior: a gain of 0.3 or more is ruled out"),
        (0.0, 0.01, "neither equivalence nor non-inferiority is shown"),
    ],
)
def test_what_a_margin_says(mean: float, margin: float, words: str) -> None:
    assert equivalence(mean, SPREAD, margin).words == words


def test_nothing_is_concluded_without_an_interval_or_a_margin() -> None:
    assert equivalence(0.1, NO_SPREAD, 0.3).reason
    with pytest.raises(ValueError, match="margin is 0"):
        equivalence(0.1, SPREAD, 0.0)


def test_the_smallest_difference_that_would_be_found() -> None:
    assert SPREAD.detectable() == pytest.approx(0.1 * (stats.t.ppf(0.975, 10) + stats.t.ppf(0.8, 10)))


def test_p_over_prompts_and_raters_belongs_to_its_interval_and_errs_seldom() -> None:
    """No gain on average, raters' gains vary with .4: 5 raters, 60 prompts. The tests over prompts err in a third."""
    rng = np.random.default_rng(1)
    rejected, over_prompts = 0, 0
    for _ in range(60):
        quality = rng.normal(size=60)[:, None, None] + 0.5 * rng.normal(size=5) + np.zeros((60, 2, 5))
        quality[:, 1] += 0.4 * rng.normal(size=5) + 0.3 * rng.normal(size=60)[:, None]
        quality += rng.normal(size=quality.shape)
        level = np.searchsorted(1.3 * np.array([-1.2, -0.4, 0.4, 1.2]), quality)
        p, m, r = (x.ravel() for x in np.broadcast_arrays(*np.ogrid[:60, :2, :5]))
        ratings = Ratings(2 * p + m, r, level[p, m, r], [1, 2, 3, 4, 5], 120, 5)
        sides = {"prompt": np.arange(120) // 2, "method": np.arange(120) % 2, "baseline": 0, "refined": 1}
        found = compare(ratings, **sides, rng=rng, n_resamples=20, n_permutations=20)  # type: ignore[arg-type]
        both = found.mean_diff.interval("prompts and raters")
        assert both is not None
        assert (found.both_p < 0.05) == (not both.low <= 0 <= both.high)
        rejected += found.both_p < 0.05
        over_prompts += found.t_p < 0.05
    assert rejected <= 7
    assert over_prompts >= 12
