"""Rankings of several methods at once: Plackett–Luce with ties, best–worst, mean ranks, Friedman's test."""

import random
from dataclasses import replace
from itertools import combinations, permutations
from math import exp, log

import numpy as np
import pytest
from scipy import optimize, stats

from annotations.stats.preferences.mean_ranks import mean_ranks
from annotations.stats.preferences.plackett_luce import fit_rankings
from annotations.stats.preferences.rankings import BadRankings, Rankings, friedman
from annotations.stats.preferences.strengths import ranking_strengths, strengths
from annotations.stats.preferences.votes import Votes
from tests.stats.preferences.published import pudding


def drawn(n: int, worth: list[float], rng: np.random.Generator) -> np.ndarray:
    """(n, k) methods from best to worst, by Luce's choices."""
    return np.argsort(-(np.log(worth) + rng.gumbel(size=(n, len(worth)))), axis=1)


def as_rankings(votes: Votes) -> Rankings:
    """Each vote as a ranking of two."""
    item = np.column_stack([votes.first, votes.second]).repeat(votes.count, axis=0)
    rank = np.array([(1, 2), (2, 1), (1, 1)])[votes.outcome].repeat(votes.count, axis=0)
    return Rankings(votes.methods, item, rank)


class TestPlackettLuce:
    def test_rankings_of_two_with_ties_are_davidsons_model(self) -> None:
        rankings = as_rankings(pudding())
        found = fit_rankings(rankings)
        of_pairs = strengths(rankings.votes())
        worth = np.exp(found.log_worth) / np.exp(found.log_worth).sum()
        # Davidson's puddings: published to 7 digits by a fit that stops slightly short of the optimum.
        assert worth == pytest.approx([0.1388005, 0.1729985, 0.1617420, 0.1653930, 0.1586805, 0.2023855], abs=5e-5)
        assert (found.tie_sizes, exp(found.log_tie[0])) == ((2,), pytest.approx(0.7468, abs=5e-5))
        assert of_pairs.rows[0].log_worth.intervals[0].high == pytest.approx(
            ranking_strengths(rankings).rows[0].log_worth.intervals[0].high, abs=1e-8
        )

    def test_without_ties_by_hand(self) -> None:
        """Three rankings of two methods each: a wins 2 of 3, so that α_a : α_b = 2 : 1."""
        found = fit_rankings(Rankings(["a", "b"], np.array([[0, 1], [0, 1], [1, 0]]), np.array([[1, 2]] * 3)))
        assert exp(found.log_worth[0] - found.log_worth[1]) == pytest.approx(2)
        assert found.log_likelihood == pytest.approx(2 * log(2 / 3) + log(1 / 3))

    def test_the_chances_of_all_rankings_with_ties_add_to_one_and_the_fit_is_the_maximum(self) -> None:
        """Against the definition, written out set by set and maximised by SciPy."""
        rng = np.random.default_rng(3)
        rank = rng.integers(1, 4, (40, 4))
        item = np.tile(np.arange(4), (40, 1))
        found = fit_rankings(Rankings(list("abcd"), item, rank))
        sizes = found.tie_sizes

        def by_definition(theta: np.ndarray) -> float:
            worth, ties = np.append(theta[:3], 0.0), dict(zip(sizes, theta[3:], strict=True)) | {1: 0.0}
            total = 0.0
            for row in rank:
                left = [0, 1, 2, 3]
                for place in sorted(set(row)):
                    chosen = [at for at in left if row[at] == place]
                    if len(left) > 1:
                        terms = [
                            ties[size] + worth[list(members)].mean()
                            for size in ties
                            if size <= len(left)
                            for members in combinations(left, size)
                        ]
                        total += ties[len(chosen)] + worth[chosen].mean() - np.logaddexp.reduce(terms)
                    left = [at for at in left if at not in chosen]
            return -total

        best = optimize.minimize(by_definition, np.zeros(3 + len(sizes)), method="BFGS", options={"gtol": 1e-7})
        assert found.log_likelihood == pytest.approx(-best.fun, abs=1e-6)
        worth = np.append(best.x[:3], 0.0)
        assert found.log_worth == pytest.approx(worth - worth.mean(), abs=1e-4)

    def test_best_and_worst_against_the_definition(self) -> None:
        rng = np.random.default_rng(4)
        order = drawn(60, [3, 2, 1.5, 1], rng)
        rank = np.tile([1, 2, 2, 3], (60, 1))
        rankings = Rankings(list("abcd"), order, rank, is_best_worst=True)
        found = fit_rankings(rankings)

        def by_definition(theta: np.ndarray) -> float:
            worth = np.append(theta, 0.0)
            total = 0.0
            for row in order:
                total += worth[row[0]] - np.logaddexp.reduce(worth[row])
                total += -worth[row[3]] - np.logaddexp.reduce(-worth[row[1:]])
            return -total

        best = optimize.minimize(by_definition, np.zeros(3), method="BFGS", options={"gtol": 1e-8})
        worth = np.append(best.x, 0.0)
        assert found.log_worth == pytest.approx(worth - worth.mean(), abs=1e-5)
        assert len(rankings.votes().first) == 60 * 5

    def test_the_order_of_rows_and_columns_does_not_matter(self) -> None:
        rng = np.random.default_rng(5)
        item, rank = np.tile(np.arange(4), (30, 1)), rng.integers(1, 5, (30, 4))
        turned = rng.permuted(np.arange(4))
        first = fit_rankings(Rankings(list("abcd"), item, rank)).log_worth
        rows = rng.permutation(30)
        second = fit_rankings(Rankings(list("abcd"), item[rows][:, turned], rank[rows][:, turned])).log_worth
        assert first == pytest.approx(second, abs=1e-9)


class TestPlace:
    """The place on the screen as a covariate of rankings."""

    def test_of_two_methods_it_is_the_effect_of_the_side(self) -> None:
        rng = np.random.default_rng(8)
        n = 200
        side, outcome = rng.choice([-1, 1], n), rng.integers(0, 3, n)
        first, second = np.zeros(n, np.int64), np.ones(n, np.int64)
        votes = Votes(["a", "b"], first, second, outcome, np.arange(n) % 4, np.arange(n) % 50, side)
        shown = np.where(side[:, None] == 1, [0, 1], [1, 0])
        rankings = replace(as_rankings(votes), shown=shown, rater=votes.rater, prompt=votes.prompt)
        of_votes, of_rankings = strengths(votes), ranking_strengths(rankings)
        assert of_votes.side is not None
        assert of_rankings.side is not None
        assert of_rankings.side.value == pytest.approx(of_votes.side.value, abs=1e-9)
        for one, other in zip(of_votes.side.intervals, of_rankings.side.intervals, strict=True):
            assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=1e-8)
        assert of_votes.rows[0].log_worth.value == pytest.approx(of_rankings.rows[0].log_worth.value, abs=1e-9)
        assert rankings.votes().side.tolist() == side.tolist()

    @pytest.mark.parametrize("is_best_worst", [False, True])
    def test_the_fit_is_the_maximum_of_the_definition(self, is_best_worst: bool) -> None:
        rng = np.random.default_rng(9)
        shown = np.argsort(rng.random((80, 4)), axis=1)
        order = np.argsort(-(np.array([1.0, 0.5, 0, 0]) - 0.4 * shown + rng.gumbel(size=(80, 4))), axis=1)
        place = np.take_along_axis(shown, order, 1)
        rank = np.tile([1, 2, 2, 3] if is_best_worst else [1, 2, 3, 4], (80, 1))
        found = fit_rankings(Rankings(list("abcd"), order, rank, shown=place, is_best_worst=is_best_worst))

        def by_definition(theta: np.ndarray) -> float:
            total = 0.0
            for row, at in zip(order, place, strict=True):
                worth = np.append(theta[:3], 0.0)[row] - theta[3] * at
                if is_best_worst:
                    total += worth[0] - np.logaddexp.reduce(worth)
                    total += -worth[3] - np.logaddexp.reduce(-worth[1:])
                else:
                    total += sum(worth[i] - np.logaddexp.reduce(worth[i:]) for i in range(3))
            return -total

        best = optimize.minimize(by_definition, np.zeros(4), method="BFGS", options={"gtol": 1e-8})
        assert found.place == pytest.approx(best.x[3], abs=1e-5)
        assert found.place > 0.2
        worth = np.append(best.x[:3], 0.0)
        assert found.log_worth == pytest.approx(worth - worth.mean(), abs=1e-5)
        assert found.log_likelihood == pytest.approx(-best.fun, abs=1e-8)

    def test_where_each_method_has_one_place_nothing_is_fitted(self) -> None:
        order = drawn(50, [3, 2, 1], np.random.default_rng(10))
        rank = np.tile([1, 2, 3], (50, 1))
        fixed, unknown = (
            ranking_strengths(Rankings(list("abc"), order, rank, shown=shown)) for shown in (order, order * 0)
        )
        plain = ranking_strengths(Rankings(list("abc"), order, rank))
        for found in (fixed, unknown):
            assert found.side is None
            assert [row.log_worth for row in found.rows] == [row.log_worth for row in plain.rows]

    def test_without_a_finite_effect_of_the_place_strengths_are_those_without_it(self) -> None:
        """The one shown first always came first; a and b were so equally often."""
        item, rank = np.array([[0, 1], [1, 0]] * 4), np.tile([1, 2], (8, 1))
        found = ranking_strengths(Rankings(["a", "b"], item, rank, shown=np.tile([0, 1], (8, 1))))
        plain = ranking_strengths(Rankings(["a", "b"], item, rank))
        assert found.side is not None
        assert found.side.reason.startswith("no finite effect of the place")
        assert [row.log_worth for row in found.rows] == [row.log_worth for row in plain.rows]

    def test_strengths_are_those_without_the_place(self) -> None:
        """a is always among the first; with the effect of the place its lead is what the choices of equals leave."""
        rng = np.random.default_rng(11)
        n = 3_000
        shown = np.argsort(rng.random((n, 3)) - np.where(rng.random((n, 1)) < 0.6, [1, 0, 0], 0), axis=1).argsort(1)
        order = np.argsort(-(-0.5 * shown + rng.gumbel(size=(n, 3))), axis=1)
        place, rank = np.take_along_axis(shown, order, 1), np.tile([1, 2, 3], (n, 1))
        blind = fit_rankings(Rankings(list("abc"), order, rank))
        found = fit_rankings(Rankings(list("abc"), order, rank, shown=place))
        assert blind.log_worth[0] > 0.15
        assert found.log_worth == pytest.approx([0, 0, 0], abs=0.08)
        assert found.place == pytest.approx(0.5, abs=0.06)


def test_friedman_of_one_ranking_a_prompt_is_scipys() -> None:
    rng = np.random.default_rng(6)
    ranks = np.array([rng.permutation(4) + 1 for _ in range(15)])
    rankings = Rankings(list("abcd"), np.tile(np.arange(4), (15, 1)), ranks, prompt=np.arange(15))
    found = friedman(rankings)
    right = stats.friedmanchisquare(*ranks.T)
    assert (found.chi2, found.p, found.n_prompts) == pytest.approx((right.statistic, right.pvalue, 15))


def test_mean_ranks_share_the_ranks_of_ties() -> None:
    """a before b and c, which tie: b and c have 2.5 each; of the second ranking all three have 2."""
    rankings = Rankings(list("abc"), np.array([[0, 1, 2]] * 2), np.array([[1, 2, 2], [1, 1, 1]]))
    found = {one.method: one for one in mean_ranks(rankings)}
    assert [found[name].mean_rank.value for name in "abc"] == [1.5, 2.25, 2.25]
    assert [found[name].n_first for name in "abc"] == [2, 1, 1]


def test_strengths_of_rankings_find_the_order_and_cover_it() -> None:
    """60 prompts × 5 raters; α 4 : 2 : 1 : 1, so that the log-worths are ln 4, ln 2, 0, 0 less their mean."""
    rng = np.random.default_rng(7)
    order = drawn(300, [4, 2, 1, 1], rng)
    prompt, rater = np.repeat(np.arange(60), 5), np.tile(np.arange(5), 60)
    found = ranking_strengths(Rankings(list("abcd"), order, np.tile([1, 2, 3, 4], (300, 1)), rater, prompt))
    assert [row.method for row in found.rows[:2]] == ["a", "b"]
    assert (found.rows[0].rank_low, found.rows[0].rank_high) == (1, 1)
    assert found.letters[0] == "a"
    assert "a" not in found.letters[1]
    truth = log(4) - (log(4) + log(2)) / 4
    (both, *_) = found.rows[0].log_worth.intervals
    assert both.covers == "prompts and raters"
    assert both.low < truth < both.high


def test_a_method_that_is_always_last_is_named_and_the_others_are_ranked() -> None:
    orders = [[*order, 3] for order in permutations(range(3))]
    found = ranking_strengths(Rankings(list("abcz"), np.array(orders), np.tile([1, 2, 3, 4], (6, 1))))
    assert found.rows[-1].method == "z"
    assert found.rows[-1].note.startswith("lost all 18 comparisons with")
    assert [row.log_worth.value for row in found.rows[:3]] == pytest.approx([0, 0, 0], abs=1e-8)


def test_nothing_but_ties_is_said_not_raised() -> None:
    tied = Votes(["a", "b"], np.zeros(5, int), np.ones(5, int), np.full(5, 2))
    assert strengths(tied).note
    rankings = Rankings(["a", "b", "c"], np.tile([0, 1, 2], (5, 1)), np.ones((5, 3), int))
    assert ranking_strengths(rankings).note


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"rank": np.array([[1, 2]])}, "shape"),
        ({"item": np.array([[0, 0, 1]])}, "twice"),
        ({"item": np.array([[0, 1, 9]])}, "outside 0 … 2"),
        ({"rank": np.array([[0, 1, 2]])}, "below 1"),
        ({"item": np.array([[0, -1, -1]])}, "fewer than two"),
        ({"is_best_worst": True, "rank": np.array([[1, 1, 3]])}, "one best"),
        ({"rater": np.array([-1])}, "negative"),
    ],
)
def test_rankings_that_make_no_sense_are_refused_by_name(change: dict[str, object], problem: str) -> None:
    right = {"methods": list("abc"), "item": np.array([[0, 1, 2]]), "rank": np.array([[1, 2, 3]])}
    with pytest.raises(BadRankings, match=problem):
        Rankings(**(right | change))  # type: ignore[arg-type]


@pytest.mark.filterwarnings("error")
def test_a_step_that_is_too_long_is_shortened_without_a_warning() -> None:
    # Each of 15 rankings is of half the methods, and few methods meet often: the first steps go too far.
    rng, rows = random.Random(3), []
    for _ in range(15):
        methods = rng.sample(range(40), 20)
        rows.append(sorted(methods, key=lambda code: code + rng.gauss(0, 3)))
    found = ranking_strengths(Rankings([str(code) for code in range(40)], rows, np.tile(np.arange(1, 21), (15, 1))))
    assert np.isfinite(found.rows[0].log_worth.value)
