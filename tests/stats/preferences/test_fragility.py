"""How few votes decide the first place."""

from itertools import combinations

import numpy as np
import pytest

from annotations.stats.preferences.bradley_terry import fit
from annotations.stats.preferences.fragility import _ranked, fewest_rankings, fewest_votes
from annotations.stats.preferences.linked import before, comparable_groups
from annotations.stats.preferences.plackett_luce import fit_rankings
from annotations.stats.preferences.rankings import Rankings
from annotations.stats.preferences.votes import Votes


def test_two_methods_by_hand() -> None:
    # Seven wins, four losses, a tie: without three wins nobody leads. Prompts have nets 3, 1, −1: without the first, 0.
    outcome = np.array([0, 0, 0, 2, 0, 0, 1, 0, 0, 1, 1, 1])
    prompt = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2])
    votes = Votes(["A", "B"], np.zeros(12, int), np.ones(12, int), outcome, prompt=prompt)
    of_votes, of_prompts = fewest_votes(votes)
    assert (of_votes.n, of_votes.of, of_votes.is_exact) == (3, 12, True)
    assert (of_prompts.n, of_prompts.codes) == (1, (0,))


def arena(seed: int, n: int, worths: list[float]) -> Votes:
    rng = np.random.default_rng(seed)
    k = len(worths)
    first = rng.integers(0, k, n)
    second = (first + rng.integers(1, k, n)) % k
    x = np.array(worths)[first] - np.array(worths)[second]
    outcome = np.where(rng.random(n) < 0.1, 2, (rng.random(n) > 1 / (1 + np.exp(-x))).astype(int))
    names = [f"m{i}" for i in range(k)]
    return Votes(names, first, second, outcome, rng.integers(0, 6, n), rng.integers(0, 20, n))


@pytest.mark.parametrize("seed", [0, 2, 4, 5])
def test_without_what_is_named_another_method_is_first_and_no_single_vote_less_is(seed: int) -> None:
    votes = arena(seed, 60, [0.3, 0.1, 0.0])
    best = int(fit(votes).log_worth.argmax())
    found = fewest_votes(votes)
    groups = {"votes": np.arange(60), "prompts": votes.prompt, "raters": votes.rater}

    def is_first(kind: str, out: tuple[int, ...]) -> bool:
        rest = votes.only(~np.isin(groups[kind], out))
        if len(comparable_groups(rest)) != 1:
            return True
        worth = fit(rest).log_worth
        return worth[best] - np.delete(worth, best).max() > 1e-9

    assert [one.kind for one in found] == ["votes", "prompts", "raters"]
    for one in found:
        if one.n is None:
            continue
        assert not is_first(one.kind, one.codes)
        if one.kind == "votes" and one.n in (2, 3):
            assert all(is_first("votes", out) for out in combinations(range(60), one.n - 1))


def tastes(seed: int, n_prompts: int, lead: float) -> Rankings:
    """Five raters rank three methods on each prompt, and each prompt has tastes of its own."""
    rng = np.random.default_rng(seed)
    prompt, rater = np.repeat(np.arange(n_prompts), 5), np.tile(np.arange(5), n_prompts)
    score = np.array([lead, 0, 0]) + rng.normal(0, 0.8, (n_prompts, 3))[prompt] + rng.gumbel(size=(len(prompt), 3))
    rank = np.tile([1, 2, 3], (len(prompt), 1))
    return Rankings(["a", "b", "c"], np.argsort(-score, axis=1), rank, rater=rater, prompt=prompt)


def stays_first(rankings: Rankings, first: int, out: tuple[int, ...]) -> bool:
    """By a fit without these prompts, or by who beats whom where there is no common scale."""
    left = rankings.only(~np.isin(rankings.prompt, out))
    for rival in {0, 1, 2} - {first}:
        group = next(each for each in comparable_groups(left.votes()) if first in each)
        if rival not in group:
            order = before(left.votes(), first, rival)
            if order is not None and order < 0:
                return False
            continue
        worth = _ranked(left.among(group)).log_worth
        if worth[group.index(first)] - worth[group.index(rival)] <= 1e-9:
            return False
    return True


@pytest.mark.parametrize(("seed", "needed"), [(0, 6), (4, 5), (7, 6), (10, None)])
def test_a_lead_that_only_most_of_the_prompts_take_away_is_found(seed: int, needed: int | None) -> None:
    """The slow definition tries every set of prompts."""
    rankings = tastes(seed, 7, 1.5)
    first = int(fit_rankings(rankings).log_worth.argmax())
    sets = ((n, out) for n in range(1, 7) for out in combinations(range(7), n))
    assert next((n for n, out in sets if not stays_first(rankings, first, out)), None) == needed
    found = fewest_rankings(rankings)[0]
    assert (found.kind, found.n, len(found.codes)) == ("prompts", needed, needed or 0)
    assert needed is None or not stays_first(rankings, first, found.codes)


def test_a_strong_leader_stays_first_and_methods_apart_have_no_figure() -> None:
    votes = arena(1, 3000, [3.0, 0.0, 0.0, 0.0])
    of_votes = fewest_votes(votes)[0]
    assert of_votes.n is not None
    assert 300 < of_votes.n < 3000
    apart = Votes(["A", "B"], np.array([0, 0]), np.array([1, 1]), np.array([0, 0]))
    assert fewest_votes(apart) == ()


def test_a_method_without_a_strength_is_left_out() -> None:
    votes = arena(3, 60, [0.3, 0.1, 0.0])
    more = Votes(
        [*votes.methods, "never lost"],
        np.concatenate((np.full(5, 3), votes.first)),
        np.concatenate((np.array([0, 1, 2, 0, 1]), votes.second)),
        np.concatenate((np.zeros(5, int), votes.outcome)),
    )
    (inner, *_), (found,) = fewest_votes(votes), fewest_votes(more)
    assert (found.n, found.of) == (inner.n, 60)
    assert found.codes == tuple(code + 5 for code in inner.codes)


def test_rankings_lose_the_first_of_their_own_model() -> None:
    """Their model puts a first; the votes that they imply put c first."""
    orders = [(0, 1, 2)] * 6 + [(1, 0, 2)] * 9 + [(2, 0, 1)] * 12 + [(2, 1, 0)] * 6
    n = len(orders)
    rankings = Rankings(
        ["a", "b", "c"], orders, np.tile([1, 2, 3], (n, 1)), rater=np.arange(n) % 5, prompt=np.arange(n)
    )
    worth = fit_rankings(rankings).log_worth
    assert worth.argmax() == 0
    assert fit(rankings.votes()).log_worth.argmax() == 2
    of_prompts, of_raters = fewest_rankings(rankings)
    assert (of_prompts.kind, of_raters.kind, of_prompts.of, of_raters.of) == ("prompts", "raters", n, 5)
    assert of_prompts.n == len(of_prompts.codes) > 1
    left = rankings.only(~np.isin(rankings.prompt, of_prompts.codes))
    assert fit_rankings(left).log_worth.argmax() != 0
    # One prompt fewer does not suffice: the numbers found cannot be improved by giving one back.
    for kept in of_prompts.codes:
        fewer = [name for name in of_prompts.codes if name != kept]
        assert fit_rankings(rankings.only(~np.isin(rankings.prompt, fewer))).log_worth.argmax() == 0


def two_ranked(seed: int, n: int = 14) -> Rankings:
    """Rankings of two methods by four raters on seven prompts, with known places on the screen."""
    rng = np.random.default_rng(seed)
    rank = np.array([[1, 2], [1, 2], [2, 1], [1, 1]])[rng.integers(0, 4, n)]
    shown = np.array([[0, 1], [1, 0]])[rng.integers(0, 2, n)]
    item = np.tile([0, 1], (n, 1))
    return Rankings(["a", "b"], item, rank, rng.integers(0, 4, n), np.arange(n) % 7, shown)


@pytest.mark.parametrize("seed", range(8))
def test_rankings_of_two_methods_lose_the_first_exactly(seed: int) -> None:
    """The slow definition tries every set of raters and of prompts."""
    rankings = two_ranked(seed)
    net = np.sign(rankings.rank[:, 1] - rankings.rank[:, 0])
    if not ((net > 0).any() and (net < 0).any()):
        return
    lead = np.sign(net.sum())
    for found in fewest_rankings(rankings):
        codes = rankings.prompt if found.kind == "prompts" else rankings.rater
        assert codes is not None
        names = np.unique(codes).tolist()
        sets = ((size, out) for size in range(1, len(names)) for out in combinations(names, size))
        slow = next((size for size, out in sets if lead * net[~np.isin(codes, out)].sum() <= 0), None)
        assert (found.n, found.is_exact) == (slow if lead else 0, True)


@pytest.mark.parametrize("seed", range(6))
def test_the_order_of_rankings_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for rankings in (two_ranked(seed), tastes(seed, 7, 1.0), tastes(seed, 4, 0.3)):
        mixed = rng.permutation(rankings.n)
        assert rankings.rater is not None
        assert rankings.prompt is not None
        shuffled = Rankings(
            rankings.methods,
            rankings.item[mixed],
            rankings.rank[mixed],
            rankings.rater[mixed],
            rankings.prompt[mixed],
            None if rankings.shown is None else rankings.shown[mixed],
        )
        assert fewest_rankings(shuffled) == fewest_rankings(rankings)


def test_where_two_methods_are_level_none_need_be_removed() -> None:
    even = Votes(["A", "B"], np.zeros(4, int), np.ones(4, int), np.array([0, 1, 0, 1]), prompt=np.array([0, 0, 1, 1]))
    assert [one.n for one in fewest_votes(even)] == [0, 0]
    ring = Votes(list("abc"), np.array([0, 1, 2]), np.array([1, 2, 0]), np.zeros(3, int))
    assert [one.n for one in fewest_votes(ring)] == [0]
