"""Clusters that agree exactly, and votes that hang on one cluster: no interval of width zero, none made of rounding."""

from itertools import combinations

import numpy as np
import pytest

from annotations.stats.preferences.mean_ranks import mean_ranks
from annotations.stats.preferences.rankings import Rankings
from annotations.stats.preferences.strengths import Strengths, ranking_strengths, strengths
from annotations.stats.preferences.votes import Votes
from annotations.stats.preferences.win_rate import win_rate


def all_pairs(outcome: np.ndarray, *, with_raters: bool = True) -> Votes:
    """outcome (methods' pairs, prompts, raters)."""
    n_pairs = len(outcome)
    k = round((1 + (1 + 8 * n_pairs) ** 0.5) / 2)
    pairs = np.array(list(combinations(range(k), 2)))
    pair, prompt, rater = (part.ravel() for part in np.indices(outcome.shape))
    first, second = pairs[pair].T
    return Votes([f"m{i}" for i in range(k)], first, second, outcome.ravel(), rater if with_raters else None, prompt)


def three_to_one() -> np.ndarray:
    """Twenty prompts and four raters, each of whom has three votes of four for the first method."""
    prompt, rater = np.indices((20, 4))
    return ((prompt + rater) % 4 == 3).astype(int)[None]


def widths(found: Strengths) -> list[float]:
    estimates = [row.log_worth for row in found.rows] + [one.log_odds for one in found.differences]
    return [each.high - each.low for one in estimates for each in one.intervals if not np.isnan(each.low)]


@pytest.mark.parametrize("with_raters", [True, False])
def test_where_prompts_and_raters_all_split_alike_votes_are_independent(with_raters: bool) -> None:
    """By hand: the variance of the log odds with n votes is 1 / (n · 3/4 · 1/4)."""
    found = strengths(all_pairs(three_to_one(), with_raters=with_raters))
    difference = {one.covers: one for one in found.differences[0].log_odds.intervals}["prompts"]
    half = 2.093024 * (1 / (80 * 0.75 * 0.25)) ** 0.5  # t with 19 degrees of freedom
    assert (difference.low, difference.high) == pytest.approx((np.log(3) - half, np.log(3) + half), abs=1e-5)
    assert min(widths(found)) > 0.5
    assert found.differences[0].p > 1e-5


def test_an_even_split_on_every_prompt_has_an_interval_and_p_of_one() -> None:
    found = strengths(all_pairs(np.tile([0, 1], (1, 12, 1)), with_raters=False))
    assert found.differences[0].p == pytest.approx(1)
    assert [(row.rank_low, row.rank_high) for row in found.rows] == [(1, 2), (1, 2)]
    assert min(widths(found)) > 0.5


@pytest.mark.parametrize("n_prompts", [7, 12, 60, 1000])
def test_a_win_rate_equal_on_all_prompts_up_to_rounding(n_prompts: int) -> None:
    found = win_rate(all_pairs(np.tile([0, 0, 1], (1, n_prompts, 1)), with_raters=False), 0, 1)
    (interval,) = found.win_rate.intervals
    assert interval.high - interval.low > 1.7 / (3 * n_prompts) ** 0.5


def test_as_many_ties_on_every_prompt() -> None:
    (interval,) = win_rate(all_pairs(np.tile([0, 0, 2], (1, 10, 1)), with_raters=False), 0, 1).ties.intervals
    assert (interval.low, interval.high) == pytest.approx((0.18, 0.53), abs=0.02)


def test_raters_of_one_vote_each_do_not_narrow_what_prompts_leave_open() -> None:
    votes = all_pairs(np.tile([0, 0, 1], (1, 12, 1)))
    each_a_rater = Votes(votes.methods, votes.first, votes.second, votes.outcome, np.arange(votes.n), votes.prompt)
    both, prompts, raters = win_rate(each_a_rater, 0, 1).win_rate.intervals
    assert (both.low, both.high) == pytest.approx((prompts.low, prompts.high), abs=0.01)
    assert both.low <= raters.low + 0.01


def test_raters_who_all_split_alike_do_not_count_as_one_vote_each() -> None:
    """Each of five raters has 80 of 100 votes for the first method; with 79 and 81 the interval is nearly the same."""
    found = []
    for wins in ([80] * 5, [79, 80, 80, 80, 81]):
        outcome = np.array([np.random.default_rng(at).permutation(np.arange(100) >= n) for at, n in enumerate(wins)])
        found.append(win_rate(all_pairs(outcome.T[None].astype(int)), 0, 1).win_rate.intervals[0])
    assert (found[0].low, found[0].high) == pytest.approx((found[1].low, found[1].high), abs=0.03)


def test_rankings_balanced_on_every_prompt() -> None:
    orders = np.array([[1, 2, 3], [1, 3, 2], [2, 1, 3], [1, 2, 3]])
    rank = np.tile(orders, (8, 1))
    items = np.tile(np.arange(3), (32, 1))
    rankings = Rankings(
        ["a", "b", "c"],
        items,
        rank,
        rater=np.tile(np.arange(4), 8),
        prompt=np.repeat(np.arange(8), 4),
    )
    assert min(widths(ranking_strengths(rankings))) > 0.3
    assert all(one.high - one.low > 0.1 for row in mean_ranks(rankings) for one in row.mean_rank.intervals)


@pytest.mark.parametrize("with_raters", [True, False])
def test_small_studies_without_a_difference_are_never_sure_of_one(with_raters: bool) -> None:
    """Three methods, three prompts, three votes on each pair: formerly 10 to 16 of 200 could not be computed at all."""
    rng = np.random.default_rng(0)
    for _study in range(200):
        found = strengths(all_pairs(rng.integers(0, 2, (3, 3, 3)), with_raters=with_raters))
        assert min(widths(found), default=1) > 1e-3
        assert all(np.isnan(one.p) or one.p > 1e-6 for one in found.differences)


def test_what_hangs_on_one_prompt_does_not_depend_on_the_order_of_votes() -> None:
    """Without the first prompt, seven votes are left that do not distinguish sides from methods."""
    rng = np.random.default_rng(3)
    n = 200
    prompt = np.r_[np.zeros(193, int), np.arange(1, 8)]
    outcome = np.r_[rng.integers(0, 3, 193), [0, 1, 0, 1, 0, 2, 1]]
    side = np.r_[rng.choice([-1, 1], 193), np.ones(7, int)]
    ends = []
    for order in (np.arange(n), rng.permutation(n)):
        votes = Votes(["a", "b"], np.zeros(n, int), np.ones(n, int), outcome[order], None, prompt[order], side[order])
        found = strengths(votes)
        ends += [(one.low, one.high, one.reason) for one in found.rows[0].log_worth.intervals]
    assert ends[0] == pytest.approx(ends[1], nan_ok=True) if not ends[0][2] else ends[0][2] == ends[1][2]
    assert ends[0][2] == "without one of the prompts the others do not rank all methods"
