"""What a page shows of votes: only lines that are drawn are named, nothing empty, and both kinds of intervals."""

import re

import numpy as np
import pytest

from annotations.reports.documents.preferences import PreferencePart, PreferenceQuestion
from annotations.reports.tex import ended
from annotations.reports.view import Figure, Folded, Paragraph, Section, Table
from annotations.reports.votes.document import preference_part
from annotations.reports.votes.latex import part_tables
from annotations.reports.votes.sections import part_sections
from annotations.stats.preferences.votes import TIE, Votes
from tests.reports.votes.test_sentence import OF_A_RATER, votes

ALWAYS_ONE_ORDER = [(0, 1, 6), (1, 2, 6), (0, 2, 6)]
WINS_ALL = [(0, 1, 6), (0, 2, 6), (1, 2, 4), (2, 1, 2)]


def sections(part: PreferencePart) -> dict[str, Section]:
    def make(of: str, title: str, blocks: list, table: str) -> Section:  # type: ignore[type-arg]
        return Section(of, title, blocks, table)

    return {section.id: section for section in part_sections(part, make)}


def figures(section: Section) -> list[Figure]:
    return [block for block in section.blocks if isinstance(block, Figure)]


def said(section: Section) -> list[str]:
    return [block.text for block in section.blocks if isinstance(block, Paragraph)]


def heads(section: Section) -> list[str]:
    tables = [block for block in section.blocks if isinstance(block, Table)]
    tables += [
        each
        for block in section.blocks
        if isinstance(block, Folded)
        for each in block.blocks
        if isinstance(each, Table)
    ]
    return [words for table in tables for words in table.head]


@pytest.mark.parametrize("counts", [ALWAYS_ONE_ORDER, WINS_ALL], ids=["one order", "one wins all"])
def test_without_strengths_for_all_the_first_picture_shows_what_every_method_won(counts: list) -> None:  # type: ignore[type-arg]
    found = sections(preference_part(votes(4, counts)))
    first = figures(found["winner"])[0]
    assert first.title == "Win rate of every method"
    assert "100.0% of 48" in first.pictures[0]
    for section in found.values():
        assert not any("not estimable" in figure.pictures[0] for figure in figures(section))


def test_no_matrix_without_chances() -> None:
    assert "chances" not in sections(preference_part(votes(4, ALWAYS_ONE_ORDER)))
    assert "chances" in sections(preference_part(votes(4)))


@pytest.mark.parametrize(
    ("n_raters", "named"),
    [
        (4, "; thick: 95% interval over prompts, these raters; thin: 95% interval over prompts and raters"),
        (1, "; line: 95% interval over prompts, these raters"),
    ],
)
def test_an_axis_names_the_lines_that_are_drawn(n_raters: int, named: str) -> None:
    (figure,) = figures(
        sections(preference_part(votes(n_raters, [(a, b, 10 * n) for a, b, n in OF_A_RATER])))["winner"]
    )
    assert figure.axis.endswith(named)
    drawn = figure.pictures[0]
    assert ("wide-interval" in drawn) == (n_raters > 1)
    assert "whisker" in drawn


def test_the_intervals_and_tests_for_these_raters_are_next_to_those_for_others() -> None:
    found = sections(preference_part(votes(5)))
    for section in ("winner", "pairs"):
        head = heads(found[section])
        assert head[head.index("over prompts and raters") + 1] == "over prompts, these raters"
    assert {"p", "p, sign test over prompts"} <= set(heads(found["pairs"]))


def test_a_reason_that_all_pairs_share_is_given_once() -> None:
    found = sections(preference_part(votes(1)))["pairs"]
    assert "note" not in heads(found)[:8]
    assert sum("1 rater cannot represent others" in text for text in said(found)) == 1


def test_nothing_is_said_of_the_first_place_of_the_others() -> None:
    part = preference_part(votes(4, WINS_ALL))
    assert part.fewest == ()
    assert preference_part(votes(4)).fewest


def test_a_single_tie_is_in_the_singular() -> None:
    data = votes(3)
    outcome = data.outcome.copy()
    outcome[0] = TIE
    data = Votes(data.methods, data.first, data.second, outcome, data.rater, data.prompt)
    assert "1 tie." in said(sections(preference_part(data))["checks"])


def test_one_side_that_wins_everything_is_the_one_reason() -> None:
    left = Votes(
        list("abc"), np.array([0, 1, 2] * 4), np.array([1, 2, 0] * 4), np.zeros(12, int), side=np.ones(12, int)
    )
    part = preference_part(left)
    assert part.sentence == (
        "12 votes between 3 methods do not rank them: the side alone decides the votes, since the image on the same "
        "side won every decided one."
    )
    assert [text for text in said(sections(part)["winner"]) if re.match("No method is ranked: the side", text)]


def test_a_question_keeps_its_own_mark_and_a_reason_is_given_once_in_the_papers_table() -> None:
    part = PreferenceQuestion(name="q", question="Which is better?", **vars(preference_part(votes(4, WINS_ALL))))
    tables = list(part_tables(part, "tab:q", ended("Which is better?"), [], is_short=False))
    assert "\\caption{Which is better? Strengths (" in tables[0]
    assert "; win rates in percent, ties as halves.}" in tables[0]
    assert tables[0].count("won all 48 votes") == 1
    assert ended("Which one") == "Which one."


@pytest.mark.parametrize(("n_lost", "alone"), [(12, True), (18, False)])
def test_an_interval_that_says_more_than_the_ranks_is_said_to_be_of_its_pair_alone(n_lost: int, alone: bool) -> None:
    counts = [(0, 1, 30), (1, 0, n_lost), (1, 2, 30), (2, 1, 10), (0, 2, 20), (2, 0, 8)]
    said = preference_part(votes(4, counts)).sentence
    assert said.startswith("care does best but is not distinguished from haste: ")
    assert (" for this pair alone (" in said) == alone
