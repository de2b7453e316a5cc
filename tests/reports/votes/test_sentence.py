"""The sentence that answers the question: who is preferred, over whom, and how sure that is."""

import re
from dataclasses import replace

import numpy as np
import pytest

from annotations.reports.votes.document import preference_part
from annotations.reports.votes.sentence import ties
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
    assert said.endswith("(216 votes between 3 methods by 12 raters).")


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
    assert said.endswith(" (80 votes by 2 raters, no ties).")


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
    assert said.startswith("The rankings do not distinguish the 3 methods; care, chance and haste are level in first ")
    assert "care's mean rank is 2.00, 95% interval over prompts and raters" in said
    assert "next best" not in said  # they are level
    assert said.endswith("(36 rankings of 3 methods by 4 raters).")


def of_two_rankings(*first: int) -> str:
    """The first place of each of 40 rankings of two methods, in turn, by four raters of ten prompts."""
    item = np.array([[0, 1] if one == 0 else [1, 0] for one in np.resize(first, 40)])
    rank = np.tile([1, 2], (40, 1))
    return preference_part(Rankings(["care", "haste"], item, rank, np.arange(40) % 4, np.arange(40) // 4)).sentence


def test_rankings_of_two_methods_name_both() -> None:
    level = "The rankings do not distinguish care from haste; care and haste are level: care's mean rank is 1.50, 95%"
    assert of_two_rankings(0, 1).startswith(level)
    assert "next best" not in of_two_rankings(0, 1)
    assert of_two_rankings(0, 0, 1, 0, 0, 0, 0).startswith("care is preferred to haste: its mean rank is ")
    assert ", and it comes before haste in an estimated " in of_two_rankings(0, 0, 1, 0, 0, 0, 0)
    assert of_two_rankings(0, 1, 0, 1, 0).startswith(
        "The rankings do not distinguish care from haste; care does better: its mean rank is "
    )


class TestAMethodWithoutAStrength:
    """The model ranks only methods that votes join in both directions; the best one may not be among them."""

    def test_the_method_that_won_everything_comes_first_not_the_best_of_the_others(self) -> None:
        said = preference_part(votes(4, [(0, 1, 6), (0, 2, 6), (1, 2, 4), (2, 1, 2)])).sentence
        assert said.startswith("care won all 48 of its votes, against haste and chance; its share of those against ")
        assert "the 95% interval " in said
        assert said.endswith("(72 votes between 3 methods by 4 raters).")

    def test_votes_that_always_follow_one_order_name_the_first(self) -> None:
        part = preference_part(votes(4, [(0, 1, 6), (1, 2, 6), (0, 2, 6)]))
        assert part.sentence.startswith("care won all 48 of its votes, against haste and chance; ")
        assert [row.method for row in part.strengths] == ["care", "haste", "chance"]
        assert [row.note for row in part.strengths] == [
            "won all 48 votes against the others: no finite strength before it loses or ties one",
            "no chain of wins in both directions joins it to the others: collect more votes",
            "lost all 48 votes against the others: no finite strength before it wins or ties one",
        ]

    def test_one_rater_cannot_speak_for_others(self) -> None:
        said = preference_part(votes(1, [(0, 1, 1), (0, 2, 1), (1, 2, 1)])).sentence
        assert said.startswith("care won both its votes, against haste and chance; whether this holds for other ")
        assert "1 rater cannot represent others" in said

    def test_a_method_that_lost_everything_is_named_after_the_others(self) -> None:
        said = preference_part(votes(4, [(0, 1, 4), (1, 0, 3), (0, 2, 6), (1, 2, 6)])).sentence
        assert said.startswith("care does best but is not distinguished from haste: ")
        assert "; chance is not ranked (" in said

    def test_nothing_is_best_where_nothing_compares_the_methods(self) -> None:
        four = Votes(list("abcd"), np.array([0, 1, 2, 3]), np.array([1, 0, 3, 2]), np.array([0, 0, 0, 0]))
        said = preference_part(four).sentence
        assert said == (
            "4 votes between 4 methods do not show which method is best: nothing compares a and c with each other, "
            "directly or through other methods."
        )

    def test_a_method_without_votes_does_not_hide_the_winner(self) -> None:
        three = Votes(list("abc"), np.array([0, 0]), np.array([1, 1]), np.array([0, 0]), np.zeros(2, int))
        assert preference_part(three).sentence.startswith("a won both its votes, against b; ")

    def test_two_methods_before_all_others_are_compared_with_each_other(self) -> None:
        """Best and worst of four: the model could rank only the two that are always last."""
        rank = np.array([[1, 2, 2, 3], [2, 1, 3, 2], [1, 2, 3, 2]])
        found = preference_part(
            Rankings(
                ["c", "d", "a", "b"],
                np.tile([2, 3, 0, 1], (36, 1)),
                np.tile(rank, (12, 1)),
                np.tile(np.arange(4), 9),
                np.repeat(np.arange(9), 4),
                is_best_worst=True,
            )
        )
        said = found.sentence
        assert "a comes before b in 67% of the 36 choices that separate them" in said
        assert said.endswith(
            "; both come before the other 2 methods in every comparison "
            "(36 best–worst choices among 4 methods by 4 raters)."
        )
        assert all(row.log_worth.value is None for row in found.strengths if row.method in "cd")

    def test_a_ranking_that_never_changes_names_the_first(self) -> None:
        item, rank = np.tile([0, 1, 2], (12, 1)), np.tile([1, 2, 3], (12, 1))
        raters, prompts = np.tile(np.arange(4), 3), np.repeat(np.arange(3), 4)
        part = preference_part(Rankings(["care", "haste", "chance"], item, rank, raters, prompts))
        assert part.sentence.startswith("care is first in all 12 rankings that include it; how often it comes before ")
        assert part.model.startswith("Plackett–Luce")

    @pytest.mark.parametrize(
        ("n", "is_best_worst", "said"),
        [
            (1, False, "a is first in the only ranking that includes it; "),
            (2, False, "a is first in both rankings that include it; "),
            (1, True, "a was chosen as the best the only time it was shown; "),
            (2, True, "a was chosen as the best both times; "),
            (5, True, "a was chosen as the best all 5 times; "),
        ],
    )
    def test_few_answers_are_counted_in_words(self, n: int, is_best_worst: bool, said: str) -> None:
        item, rank = np.tile([0, 1, 2], (n, 1)), np.tile([1, 2, 3], (n, 1))
        part = preference_part(
            Rankings(list("abc"), item, rank, np.arange(n), np.zeros(n, int), is_best_worst=is_best_worst)
        )
        assert part.sentence.startswith(said)
        assert ("choice" in part.sentence, "ranking" in part.sentence) == (is_best_worst, not is_best_worst)
        assert part.strengths[1].note.endswith("collect more choices" if is_best_worst else "collect more rankings")

    @pytest.mark.parametrize("n", [2, 40])
    def test_two_methods_before_all_others_that_win_equally_often_are_both_named(self, n: int) -> None:
        """Choices of the best and the worst of four: the model could rank only the two that are always last."""
        rank, item = np.array([[1, 2, 2, 3], [2, 1, 3, 2]]), np.tile([2, 3, 0, 1], (n, 1))
        rater, prompt = np.arange(n) % 4, np.arange(n) // 4
        said = preference_part(
            Rankings(["c", "d", "a", "b"], item, np.tile(rank, (n // 2, 1)), rater, prompt, is_best_worst=True)
        ).sentence
        assert "; both come before the other 2 methods in every comparison (" in said
        both = f"half of the {n} choices that separate them"
        named = f"a and b each come first in {both}"
        level = f"The choices do not distinguish a from b: each comes first in {both}, 95% interval over "
        assert said.startswith((named, level))


def test_equal_strengths_have_no_best_method() -> None:
    said = preference_part(votes(3, [(0, 1, 9), (1, 2, 9), (2, 0, 9), (1, 0, 2), (2, 1, 2), (0, 2, 2)])).sentence
    assert said.startswith("The votes do not distinguish the 3 methods; ")
    assert "; care, chance and haste are level in first place: care wins 50% of its votes, ties as halves (99 " in said


def test_too_few_votes_of_two_methods_say_that_first() -> None:
    said = preference_part(votes(1, [(0, 1, 1)])).sentence
    assert said.startswith("The votes are too few to say whether care or haste is preferred: ")
    assert "is preferred: the only decided vote is for care; no interval" in said
    tie = Votes(["care", "haste"], np.array([0]), np.array([1]), np.array([2]))
    assert preference_part(tie).sentence == "The only vote between care and haste is a tie."


def test_an_even_vote_prefers_neither() -> None:
    said = preference_part(votes(4, [(0, 1, 5), (1, 0, 5)])).sentence
    assert "each won half of the 40 decided votes" in said


def test_of_very_many_methods_the_first_two_are_compared_by_their_strengths(monkeypatch: pytest.MonkeyPatch) -> None:
    # A ring of 61 methods, more than are compared pair by pair: each wins against the one after it, the first clearly.
    one, k = np.arange(61), 61
    wins = np.where(one == 0, 10, 6)
    first = np.concatenate([np.repeat(one, wins), np.repeat(one, 5)])
    second = (first + 1) % k
    outcome = np.concatenate([np.zeros(wins.sum(), np.int64), np.ones(5 * k, np.int64)])
    given = Votes([f"m{at:02}" for at in one], first, second, outcome)
    found = preference_part(given)
    assert "and an estimated 50% of decided votes against m60, the next best, 95% interval over votes" in found.sentence
    (pair,) = found.differences
    assert pair.p_holm is None
    assert not any(row.letters for row in found.strengths)
    monkeypatch.setattr("annotations.stats.preferences.strengths.MOST_PAIRED", 61)
    of_all = preference_part(given)
    assert len(of_all.differences) == 61 * 60 // 2
    assert of_all.differences[0] == replace(pair, p_holm=of_all.differences[0].p_holm)
    assert of_all.sentence == found.sentence


class TestMethodsWithTheSameFigure:
    """A lead that the counts do not show comes from the correction for sides or places, or from the model alone."""

    def best_worst(self, shown: np.ndarray | None) -> str:
        """Alpha and beta are each once the best and once the worst, gamma and delta always between."""
        item, rank = np.array([[0, 1, 2, 3], [1, 0, 2, 3]]), np.array([[1, 3, 2, 2], [1, 3, 2, 2]])
        names = ["alpha", "beta", "gamma", "delta"]
        prompt, rater = np.arange(2), np.zeros(2, int)
        return preference_part(Rankings(names, item, rank, rater, prompt, shown, is_best_worst=True)).sentence

    def test_all_methods_with_one_mean_rank_are_level(self) -> None:
        said = "All 4 methods are level: the mean rank of each is 2.50"
        assert self.best_worst(None) == f"{said} (2 best–worst choices among 4 methods by 1 rater)."
        placed = self.best_worst(np.array([[0, 3, 1, 2], [1, 0, 2, 3]]))
        assert re.fullmatch(
            rf"{said}; only the correction for places on the screen puts \w+ first \(2 best–worst choices .*\)\.",
            placed,
        )

    def test_a_lead_by_the_correction_for_sides_alone_is_said_to_be_one(self) -> None:
        # a and b each win 16 of 26; a was on the left more rarely, and the left side wins more often.
        rows = [(0, 1, 1, 6), (1, 0, 1, 6), (0, 1, -1, 2), (1, 0, -1, 2)]  # winner, loser, the winner's side, how often
        rows += [(0, 2, 1, 3), (0, 2, -1, 5), (1, 2, 1, 5), (1, 2, -1, 3), (2, 0, 1, 2), (2, 1, 1, 2)]
        winner, loser, side, n = (np.array(column) for column in zip(*rows, strict=True))
        votes = Votes(list("abc"), winner, loser, np.zeros(len(rows), int), side=side, count=n)
        part = preference_part(votes)
        assert part.sentence == (
            "a and b are level in first place: each wins 62% of its votes, ties as halves; "
            "only the correction for sides puts a first (36 votes between 3 methods)."
        )
        assert part.fewest == ()
        without_sides = preference_part(replace(votes, side=np.zeros(len(rows), int)))
        assert " are level in first place but are not distinguished from c: " in without_sides.sentence


def test_ties_alone_give_no_ranking() -> None:
    first, second, ties = np.array([0, 1, 2] * 20), np.array([1, 2, 0] * 20), np.full(60, 2)
    part = preference_part(Votes(list("abc"), first, second, ties, np.arange(60) % 4, np.arange(60) // 3))
    assert part.sentence == "All 60 votes between the 3 methods are ties, so they give no ranking."
    item, rank = np.tile([0, 1, 2], (8, 1)), np.ones((8, 3), int)
    part = preference_part(Rankings(list("abc"), item, rank, np.arange(8) % 4, np.arange(8) // 4))
    assert part.sentence == "All 8 rankings of the 3 methods are ties, so they give no ranking."


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ({}, "69 of the 300 votes are ties."),
        ({"both good": 40, "both bad": 29}, "69 of the 300 votes are ties: 29 “both bad” and 40 “both good”."),
        ({"both good": 69}, "All 69 ties are “both good”."),
    ],
)
def test_ties_are_counted_among_all_votes(kinds: dict[str, int], said: str) -> None:
    part = preference_part(votes(4, [(0, 1, 50), (1, 0, 25)]))
    assert ties(replace(part, n_ties=69, tie_kinds=kinds)) == said
    assert ties(replace(part, n_ties=1, tie_kinds={"tie": 1})) == "1 of the 300 votes is a tie."
    assert ties(replace(part, n_ties=300, tie_kinds={})) == "All 300 votes are ties."


def test_ties_of_rankings_are_counted_among_comparisons() -> None:
    rank = np.array([[1, 1, 2], [1, 2, 3], [2, 1, 3], [1, 3, 2]])
    part = preference_part(Rankings(list("abc"), np.tile([0, 1, 2], (4, 1)), rank, np.arange(4), np.arange(4)))
    assert ties(part) == "1 of the 12 comparisons of two methods is a tie."
