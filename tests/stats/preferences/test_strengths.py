"""Strengths, ranks and win rates: what can be ranked, what cannot and why, and how often intervals cover."""

import numpy as np
import pytest

from annotations.stats.preferences.strengths import elo, strengths
from annotations.stats.preferences.votes import BadVotes, Votes
from annotations.stats.preferences.win_rate import win_rate
from tests.stats.preferences import published


def votes_between(rows: list[tuple[int, int, int]], names: str = "abcd", **more: np.ndarray) -> Votes:
    first, second, outcome = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    return Votes(list(names), first, second, outcome, **more)


def study(seed: int, *, n_prompts: int = 40, n_raters: int = 5, worth: tuple[float, ...] = (-0.5, 0.0, 0.5)) -> Votes:
    """Each rater votes on each pair of methods of each prompt; prompts and raters have tastes of their own."""
    rng, k = np.random.default_rng(seed), len(worth)
    pairs = np.array([(i, j) for i in range(k) for j in range(i + 1, k)])
    prompt, rater, pair = (part.ravel() for part in np.indices((n_prompts, n_raters, len(pairs))))
    first, second = pairs[pair].T
    value = np.array(worth) + np.zeros((n_prompts, k))
    value = value + 0.6 * rng.normal(size=(n_prompts, k))
    taste = 0.4 * rng.normal(size=(n_raters, k))
    side = rng.choice([-1, 1], len(prompt))
    x = value[prompt, first] - value[prompt, second] + taste[rater, first] - taste[rater, second] + 0.3 * side
    weights = np.stack([np.exp(x / 2), np.exp(-x / 2), np.full(len(x), 0.5)])
    chance = np.cumsum(weights / weights.sum(axis=0), axis=0)
    outcome = (rng.random(len(x)) > chance).sum(axis=0)
    return Votes([f"m{i}" for i in range(k)], first, second, outcome, rater, prompt, side)


class TestWhatCanBeRanked:
    def test_a_method_that_won_everything_has_no_finite_strength(self) -> None:
        found = strengths(votes_between([(0, 1, 0), (0, 1, 1), (2, 0, 0), (2, 1, 0)], "abc"))
        last = found.rows[-1]
        assert (last.method, last.rank_low) == ("c", None)
        assert np.isnan(last.log_worth.value)
        assert last.note.startswith("won both votes against the ranked methods")

    def test_methods_that_never_met_are_named_with_what_would_connect_them(self) -> None:
        found = strengths(votes_between([(0, 1, 0), (0, 1, 1), (1, 2, 2), (3, 4, 0), (3, 4, 1)], "abcde"))
        notes = {row.method: row.note for row in found.rows}
        assert {name for name, note in notes.items() if not note} == {"a", "b", "c"}
        assert notes["d"] == "never met the ranked methods: collect votes against one of them"

    def test_a_prior_ranks_all_and_is_named(self) -> None:
        found = strengths(votes_between([(0, 1, 0), (2, 0, 0), (2, 1, 0)], "abc"), n_pseudo=0.5)
        assert [row.method for row in found.rows] == ["c", "a", "b"]
        assert found.prior.startswith("prior of 0.5 wins and losses")

    def test_no_votes_and_one_sided_votes_rank_nobody(self) -> None:
        none = Votes(["a", "b"], *(np.zeros(0, np.int64),) * 3)
        assert [row.note for row in strengths(none).rows] == ["no votes", "no votes"]
        one_sided = strengths(votes_between([(0, 1, 0)], "ab"))
        assert one_sided.note == "no two methods are joined by wins in both directions"
        assert [row.note[:4] for row in one_sided.rows] == ["won ", "lost"]

    def test_votes_that_the_side_alone_decides_rank_nobody(self) -> None:
        left = np.ones(8, np.int64)
        found = strengths(votes_between([(0, 1, 0), (1, 0, 0)] * 4, "ab", side=left))
        assert found.note.startswith("the side alone decides the votes")
        assert not any(row.log_worth.is_defined for row in found.rows)

    def test_an_effect_of_the_side_without_bounds_is_not_fitted_and_the_methods_are_ranked(self) -> None:
        """On the left the first always wins, on the right half the time: with a large effect of the side the votes on
        the left have chance 1 whatever the strengths, which are then arbitrary."""
        rows = [(0, 1, 0)] * 9 + [(0, 1, 1)] * 3
        found = strengths(votes_between(rows, "ab", side=np.repeat([1, -1], [6, 6])))
        # Nine wins of twelve: the strengths are ± log(9 / 3) / 2.
        assert [row.log_worth.value for row in found.rows] == pytest.approx([np.log(3) / 2, -np.log(3) / 2])
        assert found.side is not None
        assert found.side.reason.startswith("no finite effect of the side fits these votes")

    def test_methods_that_only_ties_join_have_no_finite_strength(self) -> None:
        """Without an upset, a larger difference with as many more ties always fits better."""
        chain = [(0, 1, 0), (0, 1, 2), (1, 2, 0), (1, 2, 2), (0, 2, 0)] * 4
        for sides in (np.zeros(20, np.int64), np.tile([1, -1], 10)):
            found = strengths(votes_between(chain, "abc", side=sides))
            assert found.note.startswith("only ties join the methods, and all decided votes follow one order")
            assert {row.note for row in found.rows} == {found.note}
        one_side = strengths(votes_between([(0, 1, 0), (0, 1, 2)], "ab", side=np.ones(2, np.int64)))
        assert not any(row.log_worth.is_defined for row in one_side.rows)

    def test_a_long_tie_against_the_order_bounds_the_strengths(self) -> None:
        chain = [(0, 1, 0), (0, 1, 2), (1, 2, 0), (1, 2, 2), (0, 2, 2)] * 4
        assert all(row.log_worth.is_defined for row in strengths(votes_between(chain, "abc")).rows)

    def test_a_method_does_not_meet_itself(self) -> None:
        with pytest.raises(BadVotes, match=r"vote 1: the method 'a' meets itself"):
            votes_between([(0, 1, 0), (0, 0, 0)], "ab")


class TestIntervals:
    def test_none_of_davidsons_brands_differs_from_another(self) -> None:
        found = strengths(published.pudding())
        assert {(row.rank_low, row.rank_high) for row in found.rows} == {(1, 6)}

    def test_far_apart_methods_have_ranks_of_their_own_and_chances_follow(self) -> None:
        found = strengths(study(1, worth=(-3.0, 0.0, 3.0)))
        assert [(row.method, row.rank_low, row.rank_high) for row in found.rows] == [
            ("m2", 1, 1), ("m1", 2, 2), ("m0", 3, 3)
        ]  # fmt: skip
        assert found.chance[0, 2] > found.chance[0, 1] > 0.5
        assert found.chance[0, 1] + found.chance[1, 0] == pytest.approx(1)

    def test_two_raters_cannot_represent_others(self) -> None:
        (interval, *_more) = strengths(study(1, n_raters=2)).rows[0].log_worth.intervals
        assert np.isnan(interval.low)
        assert interval.reason == "2 raters cannot represent others; at least 3 are needed"

    @pytest.mark.slow
    @pytest.mark.parametrize("n_raters", [5, 12])
    def test_intervals_over_prompts_and_raters_cover(self, n_raters: int) -> None:
        # Truth: the marginal model's values, from a very large study.
        large = strengths(study(999, n_prompts=1_500, n_raters=60))
        truth = {row.method: row.log_worth.value for row in large.rows}
        held = []
        for seed in range(120):
            for row in strengths(study(seed, n_raters=n_raters)).rows:
                interval = row.log_worth.intervals[0]
                assert interval.covers == "prompts and raters"
                held.append(interval.low <= truth[row.method] <= interval.high)
        assert 0.92 <= np.mean(held) <= 0.995

    def test_elo_is_a_change_of_scale(self) -> None:
        assert elo(np.log(10)) - elo(0) == pytest.approx(400)


class TestWinRate:
    def test_a_clear_winner_by_hand(self) -> None:
        # Three raters, four prompts; a wins all but one vote, one tie: 10 of 11 decided, 10.5 of 12 with halves.
        outcome = np.array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2])
        votes = votes_between(
            [(0, 1, int(one)) for one in outcome], "ab", rater=np.arange(12) % 3, prompt=np.arange(12) // 3
        )
        found = win_rate(votes, 0, 1)
        assert (found.n, found.n_wins, found.n_losses, found.n_ties) == (12, 10, 1, 1)
        assert found.win_rate.value == pytest.approx(10 / 11)
        assert found.with_halves.value == pytest.approx(10.5 / 12)
        assert found.ties.value == pytest.approx(1 / 12)
        # Prompts: three clear wins, and one of a win against a loss. Two-sided: 2 · (1/2)³.
        assert found.p_prompts == pytest.approx(0.25)
        assert [interval.covers for interval in found.win_rate.intervals] == ["prompts and raters", "prompts", "raters"]

    def test_turning_the_pair_round_turns_every_figure(self) -> None:
        votes = study(3)
        one, other = win_rate(votes, 0, 2), win_rate(votes, 2, 0)
        assert one.win_rate.value == pytest.approx(1 - other.win_rate.value)
        assert one.win_rate.intervals[0].low == pytest.approx(1 - other.win_rate.intervals[0].high)
        assert one.lefts.value == pytest.approx(other.lefts.value)
        assert (one.p, one.p_prompts) == pytest.approx((other.p, other.p_prompts))

    def test_a_side_effect_is_seen_and_taken_out(self) -> None:
        rng = np.random.default_rng(0)
        n = 4_000
        side = np.where(rng.random(n) < 0.8, 1, -1)  # the first is mostly on the left
        left_wins = rng.random(n) < 0.7  # the left wins 70%, whichever method is there
        outcome = np.where((side == 1) == left_wins, 0, 1)
        votes = Votes(["a", "b"], np.zeros(n, int), np.ones(n, int), outcome, side=side)
        found = win_rate(votes, 0, 1)
        assert found.win_rate.value == pytest.approx(0.8 * 0.7 + 0.2 * 0.3, abs=0.03)
        assert found.lefts.value == pytest.approx(0.7, abs=0.03)
        assert found.if_balanced.value == pytest.approx(0.5, abs=0.03)

    def test_unanimous_votes_give_no_interval_of_width_zero(self) -> None:
        n = 30
        votes = votes_between([(0, 1, 0)] * n, "ab", rater=np.arange(n) % 5, prompt=np.arange(n) // 5)
        interval = win_rate(votes, 0, 1).win_rate.intervals[0]
        assert (interval.high, interval.low < 0.6) == (1.0, True)

    def test_prompts_with_nothing_but_ties_do_not_narrow_the_interval_of_decided_votes(self) -> None:
        # The three decided votes of 100 are unanimous. They are worth three, so the lower end is 3 / (3 + 4.303²).
        outcome = np.where(np.arange(100) < 3, 0, 2)
        prompt = {"prompt": np.arange(100), "rater": np.arange(100) % 20}
        votes = votes_between([(0, 1, int(one)) for one in outcome], "ab", **prompt)
        found = win_rate(votes, 0, 1)
        assert [interval.low for interval in found.win_rate.intervals] == pytest.approx([0.1394] * 3, abs=1e-4)
        decided = votes.only(votes.outcome != 2)
        assert (found.win_rate, found.p) == (win_rate(decided, 0, 1).win_rate, win_rate(decided, 0, 1).p)
        assert found.ties.intervals[0].low > 0.85

    def test_two_prompts_with_decided_votes_cannot_represent_others(self) -> None:
        votes = votes_between([(0, 1, 0), (0, 1, 0), (0, 1, 2), (0, 1, 2)], "ab", prompt=np.arange(4))
        found = win_rate(votes, 0, 1)
        assert found.win_rate.intervals[0].reason == "2 prompts cannot represent others; at least 3 are needed"
        assert np.isnan(found.p)

    def test_only_ties_are_undefined_with_the_reason(self) -> None:
        found = win_rate(votes_between([(0, 1, 2)] * 4, "ab"), 0, 1)
        assert found.win_rate.reason == "no decided votes"
        assert found.with_halves.value == 0.5
