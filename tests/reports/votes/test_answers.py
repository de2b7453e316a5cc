"""Answers of a study as votes and rankings, and their place in a study's document."""

from dataclasses import replace

import numpy as np

from annotations.reports.study.analysis import Options, analyse
from annotations.reports.study.data import StudyData, dimension_data
from annotations.reports.study.document import document
from annotations.reports.study.latex import latex
from annotations.reports.study.sections.report import headline, sections
from annotations.reports.votes.answers import rankings_of_answers, votes_of_answers
from annotations.reports.votes.document import preference_part
from annotations.stats.preferences.rankings import Rankings
from annotations.stats.preferences.votes import Votes

METHODS = ("base", "refined")


def study(votes: Votes | None = None, rankings: Rankings | None = None) -> StudyData:
    """20 pairs by 3 raters; the first image is the baseline's."""
    unit, rater = np.repeat(np.arange(20), 3), np.tile(np.arange(3), 20)
    level = np.where(np.random.default_rng(0).random(60) < 0.15, 0, 1)
    question = dimension_data(
        "preference",
        unit=unit,
        rater=rater,
        level=level,
        values=[0, 1, 2],
        rater_names=["r1", "r2", "r3"],
        n_units=20,
        labels=["first", "second", "both good"],
        kind="preference" if rankings is None else "ranking",
        votes=votes,
        rankings=rankings,
    )
    nothing = np.full(20, -1)
    return StudyData(
        [f"u{at}" for at in range(20)], [question], np.arange(20), [f"p{at}" for at in range(20)], nothing, []
    )


def answers() -> Votes:
    """The same answers as raters saw them: every other pair was shown the other way round."""
    rng = np.random.default_rng(0)
    chosen = np.where(rng.random(60) < 0.15, 0, 1)
    turned = np.arange(60) % 2
    left = np.where(turned, 1, 0)
    return votes_of_answers(
        METHODS,
        left=left,
        right=1 - left,
        answer=np.where(chosen == left, 0, 1),
        tie_kinds=["both good"],
        rater=np.tile(np.arange(3), 20),
        prompt=np.repeat(np.arange(20), 3),
    )


def test_sides_are_turned_back_and_kept() -> None:
    votes = votes_of_answers(
        ["a", "b"],
        left=np.array([0, 1, 0, 0, -1, 0]),
        right=np.array([1, 0, 1, 0, 1, 1]),
        answer=np.array([0, 0, 3, 1, 1, -1]),
        tie_kinds=["both good", "both bad"],
        rater=np.array([5, -1, -1, 0, 0, 0]),
    )
    # Out: two images of one method, one without a method, one without an answer.
    assert votes.first.tolist() == [0, 1, 0]
    assert votes.outcome.tolist() == [0, 0, 2]
    assert votes.tie_kind is not None
    assert votes.tie_kind.tolist() == [-1, -1, 1]
    assert votes.rater is not None
    assert len(set(votes.rater.tolist())) == 3


def test_rankings_from_a_row_per_image() -> None:
    rankings = rankings_of_answers(
        ["a", "b", "c"],
        group=np.array([7, 7, 7, 9, 9, 4, 4]),
        method=np.array([0, 1, 2, 2, 0, 1, 1]),
        rank=np.array([2, 1, 3, 1, 2, 1, 2]),
        shown=np.array([0, 1, 2, 1, 0, 0, 1]),
        prompt=np.array([3, 3, 3, 8, 8, 8, 8]),
    )
    assert rankings.item.tolist() == [[1, 0, 2], [2, 0, -1]]
    assert rankings.prompt is not None
    assert rankings.prompt.tolist() == [3, 8]
    votes = rankings.votes()
    assert sorted(zip(votes.first.tolist(), votes.second.tolist(), votes.side.tolist(), strict=True)) == [
        (0, 2, 1),
        (1, 0, -1),
        (1, 2, 1),
        (2, 0, -1),
    ]


def test_a_studys_document_leads_with_who_wins() -> None:
    made = document(analyse(study(answers()), Options(n_resamples=20)), title="t", code_version="c", made_at="now")
    (dimension,) = made.dimensions
    assert dimension.preferences == preference_part(answers())
    # Three raters: 83% for refined, and an interval over other raters that holds one half.
    assert "refined is preferred in 83% of 60 decided votes" in headline(dimension, made)
    shown = sections(made)
    assert shown[0].title == "Who wins"
    assert "Win rates among decided votes" in latex(made)
    assert len({section.id for section in shown}) == len(shown)


def test_votes_change_the_hash_of_the_inputs() -> None:
    votes = answers()
    first = study(votes)
    second = replace(first, dimensions=[replace(first.dimensions[0], votes=votes.only(np.arange(60) > 0))])
    assert first.inputs_hash() != second.inputs_hash()


def test_a_studys_rankings_have_their_sections() -> None:
    rng = np.random.default_rng(2)
    rankings = Rankings(
        ["a", "b", "c"],
        np.array([rng.permutation(3) for _ in range(60)]),
        np.tile([1, 2, 3], (60, 1)),
        rater=np.tile(np.arange(3), 20),
        prompt=np.repeat(np.arange(20), 3),
    )
    made = document(
        analyse(study(rankings=rankings), Options(n_resamples=20)), title="t", code_version="c", made_at="now"
    )
    titles = [section.title for section in sections(made)]
    assert titles[:4] == ["Who wins", "Mean ranks", "Every pair", "Who would beat whom"]
