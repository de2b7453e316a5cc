"""What a report says of votes, rankings, and best and worst: who wins, how many answers, and by which methods."""

import csv
import html
import io
from collections.abc import Callable

import pytest
from django.test import Client

from annotations.models import Dimension, Study
from annotations.queries.reports import document_of
from annotations.questions import ALIGNMENT, BEST_WORST, PREFERENCE, RANKING
from annotations.reports.documents.study import StudyDocument
from annotations.reports.paper.limits import limits
from annotations.reports.paper.methods import cited, methods
from annotations.reports.paper.references.bibliography import REFERENCES
from annotations.reports.paper.summary import summary
from annotations.reports.study.sections.report import headline
from annotations.services.release import write_release
from annotations.services.studies import create_study, open_study
from tests.annotations.cards.test_orderings import everything
from tests.annotations.studies.test_release_of_orders import ordered_study, turning
from tests.annotations.test_pairs import images
from tests.annotations.test_preferences import cards, ranked_study, vote, voted_study
from tests.factories import make_rater, make_user

pytestmark = pytest.mark.django_db
UNORDERED, OF_VOTES = "unordered choices (1 = 1", "Bradley–Terry"
ELSEWHERE = "the report of the study's results page says which method wins."


def two_methods(level: Callable[[int, int], int]) -> Study:
    """Six prompts, four raters, votes between two methods. level: of rater and card."""
    images(6, 2)
    study = Study(title="Two", owner=make_user(researcher=True), seed=3, item_kind="pair", raters_per_item=4)
    create_study(study=study, dimensions=[Dimension(**PREFERENCE.fields())], selection=everything())
    open_study(study=study)
    for r in range(4):
        for i, card in enumerate(cards(make_rater(study, name=f"rater {r}"))):
            vote(card, level(r, i))
    return study


def page(client: Client, study: Study) -> str:
    client.force_login(study.owner)
    return html.unescape(client.get(f"/study/{study.token}/results/").content.decode())


def reported(client: Client, study: Study) -> StudyDocument:
    page(client, study)
    return document_of(study.snapshots.get())


def released(study: Study) -> StudyDocument:
    return write_release(study=study, target=io.BytesIO())


@pytest.mark.parametrize(
    ("make", "collected", "asked", "model", "keys"),
    [
        pytest.param(
            lambda: ordered_study(4, 3, turning, RANKING),
            "We collected rankings of 12 images, made from 4 prompts by 3 methods (",
            "raters put all images on a card in order, the best first, with ties allowed, or said “unable to answer” "
            "(12 rankings of 3 methods on 4 prompts by 3 raters).",
            "The strengths of the Plackett–Luce model",
            {"luce1959", "plackett1975", "turner2020", "friedman1937"},
            id="rankings",
        ),
        pytest.param(
            lambda: ranked_study(BEST_WORST),
            "We collected choices of the best and the worst among 24 images, made from 8 prompts by 3 methods (",
            "raters chose the best and the worst image on a card, or said “unable to answer” (24 choices of the best "
            "and the worst image among 3 methods on 8 prompts by 3 raters).",
            "The strengths of the model of sequential best–worst choice",
            {"marley2005"},
            id="best and worst",
        ),
        pytest.param(
            voted_study,
            "We collected votes on 24 pairs of images, made from 8 prompts by 3 methods (",
            "5 = unsure) (72 votes on 24 pairs of images by 3 raters).",
            "The strengths of the Bradley–Terry model",
            {"bradley1952", "davidson1970", "davidson1977"},
            id="votes",
        ),
        pytest.param(
            lambda: two_methods(lambda rater, card: (rater + card) % 4),
            "We collected votes on 6 pairs of images, made from 6 prompts by 2 methods (",
            "5 = unsure) (24 votes on 6 pairs of images by 4 raters).",
            "Preferences between methods are shares of decided votes",
            {"wilson1927"},
            id="votes on two methods",
        ),
    ],
)
def test_the_methods_section_describes_what_was_done(
    client: Client, make: Callable[[], Study], collected: str, asked: str, model: str, keys: set[str]
) -> None:
    study = make()
    paragraphs = methods(reported(client, study))
    text = " ".join(paragraphs)
    assert text.startswith(collected)
    assert asked in text
    assert model in text
    assert UNORDERED not in text
    every = {key for key in cited(paragraphs) if key in {"luce1959", "marley2005", "bradley1952", *keys}}
    assert every == keys
    assert keys <= set(REFERENCES)
    # A bundle has no strengths, and so names no model of them.
    text = " ".join(methods(released(study)))
    assert text.startswith(collected)
    assert asked in text
    assert model not in text


def test_cards_are_what_raters_were_to_answer(client: Client) -> None:
    said = methods(reported(client, ordered_study(4, 3, turning, RANKING)))[0]
    assert "Each card with all images of a prompt was to be answered by 3 raters; all 4 cards were." in said


def test_pairs_are_what_raters_were_to_judge(client: Client) -> None:
    said = methods(reported(client, voted_study()))[0]
    assert "Each pair was to be judged by 3 raters; all 24 pairs were." in said


def test_rankings_and_ratings_of_one_card_are_counted_as_what_they_are(client: Client) -> None:
    said = methods(reported(client, ordered_study(2, 1, turning, RANKING, ALIGNMENT)))
    assert said[0].startswith("We collected answers about 6 items, made from 2 prompts by 3 methods (")
    assert "(2 rankings of 3 methods on 2 prompts by 1 rater)" in said[2]
    assert "(6 ratings of 6 items by 1 rater)" in said[2]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ordered_study(4, 2, turning, RANKING), "8 rankings of 3 methods on 4 prompts by 2 raters; "),
        (
            lambda: ranked_study(BEST_WORST),
            "24 choices of the best and the worst image among 3 methods on 8 prompts by 3 raters; ",
        ),
        (voted_study, "72 votes on 24 pairs of images by 3 raters; "),
        (lambda: two_methods(lambda *_: 2), "24 votes on 6 pairs of images by 4 raters; "),
    ],
)
def test_a_bundle_says_how_many_answers_it_has_and_where_to_find_who_wins(
    client: Client, make: Callable[[], Study], said: str
) -> None:
    study = make()
    found = released(study)
    (line,) = summary(found)
    assert line.startswith(said + ELSEWHERE)
    assert headline(found.dimensions[0], found).startswith(said)
    # Neither says a low agreement anything about the question.
    assert not [line for line in limits(found) if "agree little" in line]
    (line,) = summary(reported(client, study))
    assert ELSEWHERE not in line
    assert "method" in line or "strong" in line


def test_unable_to_answer_is_counted_by_cards(client: Client) -> None:
    unable_at_first = ordered_study(4, 2, lambda _, i: [0, 1, 2] if i else [None] * 3, RANKING)
    for found in (reported(client, unable_at_first), released(unable_at_first)):
        assert "(6 rankings of 3 methods on " in methods(found)[2]
        assert ", and 2 times unable to answer, which is in no statistic)" in methods(found)[2]
    assert "6 rankings of 3 methods on 4 prompts by 2 raters, 2 times unable" in headline(found.dimensions[0], found)


def test_where_nobody_could_answer_no_rater_is_counted(client: Client) -> None:
    found = reported(client, ordered_study(4, 2, lambda *_: [None] * 3, RANKING))
    assert summary(found) == ["Nobody could answer."]
    assert headline(found.dimensions[0], found).startswith("no answers, 8 times unable to answer; ")
    assert not [line for line in limits(found) if line.startswith("One rater")]


def test_intervals_over_raters_are_a_reason_not_to_say_that_nothing_is_known_of_others(client: Client) -> None:
    tied = two_methods(lambda *_: 2)
    text = page(client, tied)
    assert "over prompts and raters" in text
    assert "nothing can be said about other raters" not in text
    assert "All 24 ties are “both good”." in text
    assert "4 raters say little about other raters: intervals over raters are wide." in limits(
        document_of(tied.snapshots.get())
    )
    (why,) = [line for line in limits(released(tied)) if "other raters" in line and "agree" in line]
    assert why.startswith("How far other raters would agree is not known (no variation: ")


def test_the_page_and_the_table_count_the_same_answers(client: Client) -> None:
    study = voted_study()
    text = page(client, study)
    snapshot = study.snapshots.get()
    sent = client.get(f"/study/{study.token}/results/{snapshot.pk}/answers.csv")
    content = b"".join(sent.streaming_content if sent.streaming else [sent.content])  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert [(row["value"], row["label"], row["n"], row["levels"]) for row in rows] == [
        ("", "one of the two images", "63", "2"),
        *((str(value), label, "3", "1") for value, label in ((3.0, "both good"), (4.0, "both bad"), (5.0, "unsure"))),
    ]
    for row in rows:
        assert row["label"] in text
    assert "second image" not in content.decode()


def test_votes_for_either_of_two_methods_are_counted_by_its_name(client: Client) -> None:
    two = reported(client, two_methods(lambda rater, card: (rater + card) % 4)).dimensions[0]
    assert [label for label, _ in two.answer_counts] == [*two.labels[:2], "both good", "both bad", "unsure"]
    assert set(two.labels[:2]) == {pair for one in two.preferences.pairs for pair in (one.first, one.second)}  # type: ignore[union-attr]
