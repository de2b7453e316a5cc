"""The sentence that answers the question: who is preferred, over whom, and how sure that is."""

import re

import numpy as np
import pytest

from annotations.reports.votes.document import preference_part
from annotations.stats.preferences.rankings import Rankings
from annotations.stats.preferences.votes import Votes

# Winner, loser and how often, by each rater: odds of 3, 3 and 9, which the model fits exactly.
OF_A_RATER = [(0, 1, 3), (1, 0, 1), (1, 2, 3), (2, 1, 1), (0, 2, 9), (2, 0, 1)]


def votes(n_raters: int, of_a_rater: list[tuple[int, int, int]] = OF_A_RATER) -> Votes:
    """Every rater votes alike about the same prompts, one vote on each."""
    winner, loser = (np.repeat([row[at] for row in of_a_rater], [row[2] for row in of_a_rater]) for at in (0, 1))
    n = len(winner)
    return Votes(
        ["care", "haste", "chance"][: int(max(winner.max(), loser.max())) + 1],
        np.tile(winner, n_raters),
        np.tile(loser, n_raters),
        np.zeros(n * n_raters, np.int64),
        np.repeat(np.arange(n_raters), n),
        np.tile(np.arange(n), n_raters),
    )


def test_of_many_methods_it_says_how_often_the_best_one_beats_the_next() -> None:
    said = preference_part(votes(12)).sentence
    # 12 of 14 votes of each rater are won; against the next best three of four are.
    assert said.startswith(
        "The votes do not distinguish the 3 methods; care does best: it wins 86% of its votes, ties as"
    )
    assert ", and an estimated 75% of decided votes against haste, the next best, 95% interval over prompts and" in said
    assert said.endswith("(216 votes of 3 methods by 12 raters).")


def test_the_methods_that_may_be_as_good_are_named() -> None:
    close = [(0, 1, 30), (1, 0, 28), (1, 2, 30), (2, 1, 6), (0, 2, 30), (2, 0, 6)]
    assert preference_part(votes(5, close)).sentence.startswith("care does best but is not distinguished from haste: ")


def test_a_clear_winner_beats_the_next_best_with_its_whole_interval() -> None:
    ten = [(first, second, 10 * n) for first, second, n in OF_A_RATER]
    said = preference_part(votes(5, ten)).sentence
    assert said.startswith("care is preferred to all others: ")
    low, high = map(int, re.findall(r"over prompts and raters (\d+)%–(\d+)%", said)[0])
    assert 50 < low < 75 < high


@pytest.mark.parametrize("n_raters", [1, 2])
def test_with_too_few_raters_it_says_what_holds_for_them(n_raters: int) -> None:
    ten = [(first, second, 10 * n) for first, second, n in OF_A_RATER]
    said = preference_part(votes(n_raters, ten)).sentence
    assert "an estimated 75% of decided votes against haste, the next best, 95% interval over prompts " in said
    few = "1 rater" if n_raters == 1 else f"{n_raters} raters"
    held = f"whether this holds for other prompts and raters cannot be said: {few} cannot represent others"
    assert held in said


def test_a_prompt_on_which_the_ranking_hangs_is_the_reason() -> None:
    """All raters prefer the first method, but for one prompt: without it that method has won everything."""
    of_prompts = [(0, 1, 5), (1, 0, 1), (1, 2, 3), (2, 1, 3), (0, 2, 6)]
    said = preference_part(votes(4, of_prompts)).sentence
    assert said.endswith("cannot be said: without one of the prompts the others do not rank all methods.")


def test_of_two_methods_with_two_raters_the_interval_over_prompts_is_said() -> None:
    said = preference_part(votes(2, [(0, 1, 30), (1, 0, 10)])).sentence
    assert said.startswith("care is preferred in 75% of 80 decided votes, 95% interval over prompts ")
    assert "; no interval over prompts and raters: 2 raters cannot represent others" in said
    assert said.endswith("0 ties (0% of 80 votes by 2 raters).")


def test_rankings_that_distinguish_nobody_are_not_called_votes() -> None:
    rank = np.array([[1, 2, 3], [3, 1, 2], [2, 3, 1]])
    rankings = Rankings(
        ["care", "haste", "chance"],
        np.tile([0, 1, 2], (36, 1)),
        np.tile(rank, (12, 1)),
        np.tile(np.arange(4), 9),
        np.repeat(np.arange(9), 4),
    )
    said = preference_part(rankings).sentence
    assert said.startswith("The rankings do not distinguish the 3 methods; ")
    assert (
        ", the next best, in an estimated 50% of rankings without ties, 95% interval over prompts and raters " in said
    )
    assert said.endswith("(36 rankings of 3 methods by 4 raters).")
