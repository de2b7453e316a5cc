"""Questions about the left and the right image: whatever the two answers are called, a study finds who wins."""

import csv
import io
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from annotations.kinds.protocols import protocol_of
from annotations.models import Dimension, Study
from annotations.queries.preferences import VOTES, preferences, vote_rows
from annotations.questions import ACCEPTANCE, PREFERENCE, Preset, names_sides
from annotations.stats.preferences.votes import Votes
from exchange.export import csv_chunks
from tests.annotations.views.test_design import form_data, images, text_of
from tests.factories import make_answer, make_rater, make_study, make_user

pytestmark = pytest.mark.django_db
NEW = "/study/new/"
BOX = "The first two answers are the left and the right image"


@pytest.fixture
def researcher(client: Client) -> Client:
    client.force_login(make_user("rosa", researcher=True))
    return client


def question(*labels: str, **changes: Any) -> Dimension:
    levels = [{"value": str(value), "label": label} for value, label in enumerate(labels, start=1)]
    return Dimension(**PREFERENCE.fields() | {"levels": levels, "parameters": {}} | changes)


class TestQuestions:
    def test_the_question_says_what_its_first_two_answers_are(self) -> None:
        assert names_sides(question("links", "rechts", "gleich gut", parameters={"names_sides": True}))
        assert not names_sides(question("links", "rechts", "gleich gut"))

    @pytest.mark.parametrize("words", [("left", "right"), ("Left", "Right", "Tie"), ("LEFT", "RIGHT")])
    def test_questions_from_before_are_recognised_by_their_words(self, words: tuple[str, ...]) -> None:
        assert names_sides(question(*words))

    def test_only_a_choice_of_levels_has_sides(self) -> None:
        assert not names_sides(question("left", "right", kind=Dimension.Kind.MANY, parameters={"names_sides": True}))
        assert not names_sides(question("Left", "Right", about=Dimension.About.IMAGE))


def edited(levels: str, *, is_ticked: bool = True, preset: Preset = PREFERENCE, **changes: Any) -> dict[str, Any]:
    """The design page's form of pairs with one question, these levels typed into it."""
    data = form_data(preset, action="create", item_kind="pair") | {"form-0-levels": levels} | changes
    if is_ticked:
        return data | {"form-0-names_sides": "on"}
    data.pop("form-0-names_sides", None)
    return data


class TestTheDesignPage:
    @pytest.mark.parametrize(
        "levels",
        ["1 = Left image\n2 = Right image", "1 = Left\n2 = Right\n3 = Tie", "1 = links\n2 = rechts", "1 = A\n2 = B"],
    )
    def test_answers_can_be_called_anything(self, researcher: Client, levels: str) -> None:
        images(3)
        original = researcher.post(NEW, form_data(PREFERENCE, action="create", item_kind="pair"))
        token = original.headers["Location"].split("/")[2]
        assert 'name="form-0-names_sides"' in (page := text_of(researcher.get(f"{NEW}?copy={token}")))
        assert BOX in page

        researcher.post(NEW, edited(levels, copy=token))

        assert names_sides(Study.objects.latest("pk").dimensions.get())
        assert Study.objects.count() == 2

    @pytest.mark.parametrize(
        "levels", ["1 = Left image\n2 = Right image", "1 = Bild links\n2 = Bild rechts", "1 = 左图\n2 = 右图"]
    )
    def test_sides_that_nobody_marked_are_refused(self, researcher: Client, levels: str) -> None:
        images(3)

        text = text_of(researcher.post(NEW, edited(levels, is_ticked=False)))

        assert f"tick “{BOX}”" in text
        assert not Study.objects.exists()

    def test_degrees_of_a_preference_are_plain_levels(self, researcher: Client) -> None:
        images(3)
        degrees = "1 = left, clearly\n2 = left, slightly\n3 = right, slightly\n4 = right, clearly"

        assert researcher.post(NEW, edited(degrees, is_ticked=False)).status_code == 302
        assert not names_sides(Study.objects.get().dimensions.get())

    @pytest.mark.parametrize("levels", ["1 = right\n2 = left", "1 = Tie\n2 = Left\n3 = Right", "1 = rechts\n2 = links"])
    def test_sides_in_another_order_are_refused(self, researcher: Client, levels: str) -> None:
        images(3)

        text = text_of(researcher.post(NEW, edited(levels)))

        assert "Put the answer for the left image first and the one for the right image second." in text
        assert not Study.objects.exists()

    def test_marked_sides_need_pairs(self, researcher: Client) -> None:
        images(2)

        text = text_of(researcher.post(NEW, edited("1 = links\n2 = rechts", item_kind="image")))

        assert "needs two images" in text
        assert not Study.objects.exists()

    def test_a_question_about_each_image_has_no_sides(self, researcher: Client) -> None:
        images(2)

        researcher.post(NEW, edited("0 = no\n1 = yes", preset=ACCEPTANCE))

        assert Study.objects.get().dimensions.get().parameters == {}


GERMAN = replace(
    PREFERENCE, levels=(("1", "Bild links"), ("2", "Bild rechts"), ("3", "beide gut")), question="Welches Bild?"
)


def test_votes_of_translated_answers_are_counted_and_exported() -> None:
    study = make_study(n_items=4, k=1, presets=(GERMAN,), item_kind=Study.ItemKind.PAIR, state=Study.State.OPEN)
    rater = make_rater(study)
    for at, item in enumerate(study.items.all()):
        make_answer(item, rater, level=at % 3)

    votes = preferences(study, list(study.dimensions.all()))[study.dimensions.get().pk]

    assert isinstance(votes, Votes)
    assert votes.n == 4
    rows = list(csv.DictReader(io.StringIO("".join(csv_chunks([column.name for column in VOTES], vote_rows(study))))))
    assert len(rows) == 4
    assert sum(row["winner"] in (row["method_a"], row["method_b"]) for row in rows) == 3


def test_a_protocol_is_recognised_in_studies_from_before() -> None:
    study = make_study(presets=(ACCEPTANCE,))
    study.item_kind = Study.ItemKind.PAIR
    words = (("1", "left"), ("2", "right"), ("3", "tie"), ("4", "both bad"))
    arena = replace(PREFERENCE, question="Which image is better?", levels=words)
    for parameters in ({}, {"names_sides": True}):
        asked = Dimension(**arena.fields() | {"parameters": parameters})
        found = protocol_of(study, [asked])
        assert found is not None
        assert found.questions[0].question == arena.question


def test_the_results_of_translated_answers_say_who_wins(client: Client) -> None:
    study = make_study(n_items=6, k=2, presets=(GERMAN,), item_kind=Study.ItemKind.PAIR, state=Study.State.OPEN)
    for name in ("Ann", "Ben"):
        rater = make_rater(study, name=name)
        for at, item in enumerate(study.items.all()):
            make_answer(item, rater, level=at % 3)
    client.force_login(study.owner)

    page = text_of(client.get(f"/study/{study.token}/results/"))

    assert "Who wins" in page
    assert "The most frequent answer" not in page
