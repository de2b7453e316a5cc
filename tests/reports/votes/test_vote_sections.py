"""What a page shows of votes: only lines that are drawn are named, nothing empty, and both kinds of intervals."""

import re

import numpy as np
import pytest

from annotations.reports.documents.preferences import PreferencePart, PreferenceQuestion
from annotations.reports.tex import Column, ended
from annotations.reports.tex import table as tex_table
from annotations.reports.view import Figure, Folded, Paragraph, Section, Table, table
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


def tables(section: Section) -> list[Table]:
    found = [block for block in section.blocks if isinstance(block, Table)]
    found += [
        each
        for block in section.blocks
        if isinstance(block, Folded)
        for each in block.blocks
        if isinstance(each, Table)
    ]
    return found


def heads(section: Section) -> list[str]:
    return [words for table in tables(section) for words in table.head]


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


def test_of_ties_alone_every_interval_is_under_its_heading() -> None:
    n = 24
    codes = np.arange(n)
    tied = Votes(list("ab"), 0 * codes, 0 * codes + 1, 0 * codes + TIE, rater=codes % 4, prompt=codes // 4)
    pair = preference_part(tied).pairs[0]
    shares = tables(sections(preference_part(tied))["winner"])[0]
    over = [f"over {each.covers}" for each in pair.tie_share.intervals]
    assert over == ["over prompts and raters", "over prompts", "over raters"]
    assert list(shares.head) == ["", "share", *over, "note"]
    assert [len(row) for row in shares.rows] == [len(shares.head)] * 3
    assert list(shares.rows[0][1:]) == ["", "", "", "", "no decided votes"]
    assert shares.rows[2][1:5] == ["100.0%", *(f"[{each.low:.1%}, 100.0%]" for each in pair.tie_share.intervals)]


@pytest.mark.parametrize("row", [("a",), ("a", "b", "c")])
def test_a_table_with_a_row_of_another_length_cannot_be_made(row: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="cells in a table of 2 columns"):
        table(("one", "two"), [("a", "b"), row], numeric=(1,))
    with pytest.raises(ValueError, match="cells in a table of 3 columns"):
        tex_table("c", "l", [Column("x")] * 3, [("a", "b", "c"), ("a", "b")], [], is_short=False)


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
    assert "1 of the 54 votes is a tie." in said(sections(preference_part(data))["checks"])


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
