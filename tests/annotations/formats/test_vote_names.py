"""`votes.csv` gives the site's figures back, whatever the methods are called."""

from collections import Counter
from itertools import permutations
from pathlib import Path

import pytest

from annotations.models import Dimension, Study
from annotations.queries.preferences import VOTES, preferences, vote_rows
from annotations.questions import PREFERENCE
from annotations.reports.votes.files import read_votes
from annotations.services.studies import create_study, open_study
from annotations.stats.preferences.votes import Votes
from exchange.export import csv_chunks
from exchange.rejects import RejectLog
from generation.models import Method
from tests.annotations.cards.test_orderings import everything
from tests.annotations.test_pairs import images
from tests.annotations.test_preferences import cards, vote
from tests.factories import make_rater, make_user

NAMES = (
    "tie",
    "left",
    "right",
    "both bad",
    "model_a",
    "model_b",
    "a",
    "b",
    "draw",
    "first",
    "neither",
    "Tie",
    "both good",
)


def outcomes(votes: Votes) -> list[tuple[str, str, int, str]]:
    """Each vote by names: the first method, the second, how the first fared, and which of the two was on the left."""
    left = {1: "first", -1: "second"}
    rows = zip(votes.first, votes.second, votes.outcome, votes.side, strict=True)
    return sorted(
        (votes.methods[one], votes.methods[other], int(how), left[int(side)]) for one, other, how, side in rows
    )


@pytest.mark.django_db
def test_words_for_outcomes_as_names_of_methods_are_read_back_exactly(tmp_path: Path) -> None:
    _prompts, methods = images(1, len(NAMES))
    for method, name in zip(methods, NAMES, strict=True):
        Method.objects.filter(pk=method.pk).update(name=name)
    study = Study(title="Names", owner=make_user(), seed=5, item_kind=Study.ItemKind.PAIR, raters_per_item=5)
    create_study(study=study, dimensions=[Dimension(**PREFERENCE.fields())], selection=everything())
    open_study(study=study)
    for r in range(5):
        for card in cards(make_rater(study, name=f"rater {r}")):
            vote(card, r)
    source = tmp_path / "votes.csv"
    source.write_text("".join(csv_chunks([column.name for column in VOTES], vote_rows(study))), encoding="utf-8")

    log = RejectLog()
    (read,) = read_votes(source, on_bad_value="error", log=log).values()

    (ours,) = preferences(study, list(study.dimensions.all())).values()
    assert isinstance(ours, Votes)
    assert {*permutations(NAMES, 2)} >= {row[:2] for row in outcomes(read)}
    assert turned(outcomes(read)) == turned(outcomes(ours))
    assert [kinds(read)[kind] for kind in ("both good", "both bad", "tie")] == [
        kinds(ours)[kind] for kind in ("both good", "both bad", "unsure")
    ]
    assert [warning for warning in log.warnings if "is read as the method" in warning] == []


def kinds(votes: Votes) -> Counter[str]:
    assert votes.tie_kind is not None
    return Counter(votes.tie_kinds[kind] for kind in votes.tie_kind if kind >= 0)


def turned(rows: list[tuple[str, str, int, str]]) -> list[tuple[str, str, int, str]]:
    """The same with the names of each pair in alphabetic order."""
    back, other = {0: 1, 1: 0}, {"first": "second", "second": "first"}
    return sorted(row if row[0] < row[1] else (row[1], row[0], back.get(row[2], row[2]), other[row[3]]) for row in rows)
