"""Strengths by category of prompts, and the test of method × category."""

from dataclasses import replace

import numpy as np
import pytest

from annotations.stats.comparison.by_category import welch
from annotations.stats.preferences.by_category import interaction, strengths_by_category, usable_facets
from annotations.stats.preferences.rankings import Rankings
from annotations.stats.preferences.strengths import strengths
from annotations.stats.preferences.votes import TIE, BadVotes, Facet, Votes
from annotations.stats.preferences.win_rate import win_rate

NAMES = ("people", "text")


def two_methods(rng: np.random.Generator, chances: tuple[float, float], n_prompts: int = 30) -> tuple[Votes, Facet]:
    """Four raters vote on every prompt; of the first and second half of the prompts a wins with these chances."""
    prompt = np.repeat(np.arange(n_prompts), 4)
    code = (prompt >= n_prompts / 2).astype(np.int64)
    outcome = (rng.random(len(prompt)) >= np.array(chances)[code]).astype(np.int64)
    zeros = np.zeros(len(prompt), np.int64)
    votes = Votes(["a", "b"], zeros, zeros + 1, outcome, np.tile(np.arange(4), n_prompts), prompt)
    return votes, Facet(NAMES, code)


def many_methods(rng: np.random.Generator, *, turned: bool) -> tuple[Votes, Facet]:
    """Six votes of three methods on each of 40 prompts; where turned, text has the methods' order the other way."""
    prompt = np.repeat(np.arange(40), 6)
    code = (prompt % 2).astype(np.int64)
    pairs = np.array([(0, 1), (0, 2), (1, 2)])[np.tile([0, 1, 2, 0, 1, 2], 40)]
    worth = np.array([1.0, 0.0, -1.0])
    x = worth[pairs[:, 0]] - worth[pairs[:, 1]]
    x = np.where((code == 1) & turned, -x, x)
    outcome = (rng.random(len(x)) > 1 / (1 + np.exp(-x))).astype(np.int64)
    outcome[rng.random(len(x)) < 0.1] = TIE
    rater = np.tile(np.arange(6), 40)
    return Votes(["a", "b", "c"], pairs[:, 0], pairs[:, 1], outcome, rater, prompt), Facet(NAMES, code)


def test_each_category_has_the_figures_of_its_votes_alone() -> None:
    votes, facet = many_methods(np.random.default_rng(0), turned=True)
    found = strengths_by_category(votes, facet)
    assert [one.category for one in found.categories] == list(NAMES)
    for code, one in enumerate(found.categories):
        alone = strengths(votes.only(facet.code == code))
        assert [row.log_worth for row in one.strengths.rows] == [row.log_worth for row in alone.rows]
        assert (one.n, one.n_prompts, one.pair) == (120, 20, None)
    assert [one.strengths.rows[0].method for one in found.categories] == ["a", "c"]
    assert found.interaction.p < 1e-4


def test_of_two_methods_with_equally_many_votes_per_prompt_it_is_welchs_f_of_wins() -> None:
    votes, facet = two_methods(np.random.default_rng(1), (0.8, 0.5))
    found = interaction(votes, facet)
    wins = np.bincount(votes.prompt, votes.outcome == 0)  # type: ignore[arg-type]  # codes, not None here
    right = welch([wins[:15], wins[15:]])
    assert (found.f, found.df_above, found.df_below, found.p) == pytest.approx(
        (right.f, right.df_above, right.df_below, right.p)
    )


def test_two_methods_have_win_rates_of_the_winner_with_holms_correction() -> None:
    votes, facet = two_methods(np.random.default_rng(2), (0.2, 0.4))
    found = strengths_by_category(votes, facet).categories
    pairs = [one.pair for one in found if one.pair]
    assert [(pair.first, pair.second) for pair in pairs] == [("b", "a")] * 2
    assert pairs[0].win_rate == win_rate(votes.only(facet.code == 0), 1, 0).win_rate
    smaller, larger = sorted(pair.p for pair in pairs)
    assert sorted(one.p_holm for one in found) == pytest.approx([2 * smaller, max(2 * smaller, larger)])


def test_without_an_interaction_it_errs_as_often_as_it_says() -> None:
    """100 studies: a share of .05 has a standard error of .022."""
    rng = np.random.default_rng(3)
    p = [interaction(*many_methods(rng, turned=False)).p for _ in range(100)]
    assert np.mean(np.array(p) < 0.05) <= 0.12
    assert np.mean(np.array(p) < 0.5) > 0.3


def test_rankings_have_it_too() -> None:
    rng = np.random.default_rng(4)
    code = (np.arange(60) % 2).astype(np.int64)
    worth = np.where(code[:, None] == 1, [-1.0, 0, 1], [1.0, 0, -1])
    order = np.argsort(-(worth + rng.gumbel(size=(60, 3))), axis=1)
    rankings = Rankings(list("abc"), order, np.tile([1, 2, 3], (60, 1)), prompt=np.arange(60))
    found = strengths_by_category(rankings, Facet(NAMES, code))
    assert [one.strengths.rows[0].method for one in found.categories] == ["a", "c"]
    assert found.interaction.p < 1e-4


def test_a_category_that_cannot_be_tested_is_named() -> None:
    votes, facet = many_methods(np.random.default_rng(5), turned=True)
    small = np.where(np.asarray(votes.prompt) < 3, 2, facet.code)
    found = interaction(votes, Facet((*NAMES, "few"), small))
    assert found.left_out == ("few has 3 of the 6 prompts that are needed",)
    assert found.p < 1e-4
    apart = np.where((votes.first == 0) & (facet.code == 1), -1, facet.code)
    alone = interaction(votes, Facet(NAMES, apart))
    assert np.isnan(alone.p)
    assert alone.left_out == ("the answers in text do not join all methods",)
    assert alone.reason


def test_categories_that_are_all_too_small_are_counted_against_what_is_needed() -> None:
    votes, _ = many_methods(np.random.default_rng(5), turned=True)
    code = np.where(np.asarray(votes.prompt) < 5, 0, np.where(np.asarray(votes.prompt) < 9, 1, -1))
    found = interaction(votes, Facet(NAMES, code))
    assert found.reason == "at least two categories need 6 prompts or more"
    assert found.left_out == (f"{NAMES[0]} has 5", f"{NAMES[1]} has 4")


def test_facets_of_one_value_or_of_too_few_prompts_are_not_used() -> None:
    votes, facet = many_methods(np.random.default_rng(6), turned=False)
    prompt = np.asarray(votes.prompt)
    facets = {
        "category": facet,
        "same": Facet(["x"], np.zeros_like(prompt)),
        "own": Facet([f"{at:02}" for at in range(40)], prompt),
        "rare": Facet(["x", "y"], (prompt < 2).astype(np.int64)),
    }
    usable, left_out = usable_facets(replace(votes, facets=facets))
    assert usable == ["category"]
    assert left_out == {
        "own": "it has 40 values, more than 24",
        "rare": "one category has only 2 prompts; at least 3 are needed",
    }
    with pytest.raises(BadVotes, match="facet 'short' has 1 entries"):
        replace(votes, facets={"short": Facet(["x"], np.zeros(1, np.int64))})


def test_a_facet_is_sorted_by_name() -> None:
    found = Facet.coded(["text", "people"], np.array([0, -1, 1]))
    assert (list(found.names), found.code.tolist()) == (["people", "text"], [1, -1, 0])


def test_prompts_that_all_split_alike_in_a_category_give_it_no_part_in_the_test() -> None:
    """Their variance is rounding, which would make any difference certain."""
    n = 21
    prompt = np.repeat(np.arange(3 * n), 3)
    code = prompt // n
    outcome = np.tile([0, 0, 1], 3 * n)
    outcome[code > 0] = np.random.default_rng(1).integers(0, 2, int((code > 0).sum()))
    zeros = np.zeros(len(prompt), np.int64)
    found = interaction(Votes(["a", "b"], zeros, zeros + 1, outcome, None, prompt), Facet(("x", "y", "z"), code))
    assert found.left_out == ("the prompts in x do not vary in all methods",)
    assert found.p > 0.01
