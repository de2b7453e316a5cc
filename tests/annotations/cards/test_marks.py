"""Words, parts of a prompt and places: what a card keeps of the prompt, how answers are read, and the files of them."""

import csv
import io
import json
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from annotations.forms.dimensions import DimensionForm
from annotations.kinds.base import Answer, BadAnswers, field_name
from annotations.kinds.registry import frozen_of, kind_of
from annotations.kinds.words import tokens
from annotations.models import Assignment, Dimension, Item, Rater, Response, Study
from annotations.queries.candidates import Selection
from annotations.questions import Preset
from annotations.services.reports import report_now
from annotations.services.studies import create_study
from generation.models import Decomposition
from generation.queries.decompositions import questions_of
from tests.factories import make_image, make_method, make_prompt, make_prompt_set, make_rater, make_user

pytestmark = pytest.mark.django_db

WORDS = Preset(
    "w", "", "", "words", "Mark each word.", (("1", "shown"), ("2", "wrong"), ("3", "missing")), Dimension.Kind.WORDS
)
PARTS = Preset("p", "", "", "parts", "Is it there?", (), Dimension.Kind.PARTS)
PLACES = Preset(
    "x", "", "", "faults", "Where is a fault?", (("1", "artefact"), ("2", "mismatch")), Dimension.Kind.PLACES,
    parameters={"shape": "either", "is_required": False},
)  # fmt: skip
GRAPH = {
    "entities": [{"id": "e1", "text": "a red fox", "attributes": ["red"]}, {"id": "e2", "text": "a stew"}],
    "relations": [{"id": "r1", "subject": "e1", "relation": "stirs", "object": "e2"}],
}


def a_study(*presets: Preset, text: str = "A red fox stirs a stew.", graph: Any = GRAPH) -> Study:
    prompts, method = make_prompt_set(), make_method()
    prompt = make_prompt(text, prompt_set=prompts)
    make_image(prompt=prompt, method=method)
    if graph:
        Decomposition.objects.create(prompt=prompt, graph=graph, digest="d")
    study = Study(title="s", owner=make_user(researcher=True), raters_per_item=3, state=Study.State.OPEN)
    dimensions = [Dimension(**preset.fields()) for preset in presets]
    return create_study(study=study, dimensions=dimensions, selection=Selection((prompts.pk,), (method.pk,)))


def read(study: Study, **fields: str) -> Any:
    """The answer to the study's only question, from fields named by what follows the question's own name."""
    dimension, item = study.dimensions.get(), study.items.get()
    data = {field_name(dimension, 0) + ("" if key == "_" else f".{key}"): value for key, value in fields.items()}
    (answer,) = kind_of(dimension).parse(dimension, data, [5], item.frozen.get(dimension.kind))
    return answer.answer


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A fox's well-lit den, 3.5 m.", ["A", "fox's", "well-lit", "den", "3.5", "m"]),
        ("“Hm…” – no?", ["Hm", "no"]),
        ("狐狸 stirs", ["狐", "狸", "stirs"]),
        ("狐a狸b", ["狐", "a", "狸", "b"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("ثَعْلَب أحمر", ["ثَعْلَب", "أحمر"]),
        ("", []),
        ("…", []),
    ],
)
def test_a_prompt_is_cut_into_its_words(text: str, words: list[str]) -> None:
    found = tokens(text)
    assert "".join(found) == text
    assert found[1::2] == words
    assert len(found) % 2 == 1


def test_words_are_marked_in_their_order() -> None:
    study = a_study(WORDS)
    assert read(study, _="001002") == [0, 0, 1, 0, 0, 2]
    assert read(study, **{str(place): "1" if place == 1 else "0" for place in range(6)}) == [0, 1, 0, 0, 0, 0]
    for bad in ("00100", "0010021", "00100x", "003000", "00100²"):
        with pytest.raises(BadAnswers):
            read(study, _=bad)
    with pytest.raises(BadAnswers, match="not answered yet"):
        read(study, **{"0": "1"})


def test_the_words_of_a_card_stay_those_that_it_was_made_with() -> None:
    study = a_study(WORDS)
    item = study.items.get()
    type(item.prompt).objects.filter(pk=item.prompt_id).update(text="Other words.")
    assert read(study, _="000000") == [0] * 6


def test_questions_of_a_decomposition_depend_on_their_entities() -> None:
    rows = questions_of(GRAPH)
    assert [(row["about"], row["after"]) for row in rows] == [("e1", []), ("e1", [0]), ("e2", []), ("r1", [0, 2])]


def test_what_depends_on_a_no_is_not_asked() -> None:
    study = a_study(PARTS)
    assert read(study, **{"0": "y", "1": "n", "2": "y", "3": "u"}) == ["yes", "no", "yes", "cannot tell"]
    assert read(study, **{"0": "n", "1": "y", "2": "y"}) == ["no", "not asked", "yes", "not asked"]
    assert read(study, **{"0": "u", "1": "y", "2": "n"}) == ["cannot tell", "yes", "no", "not asked"]
    with pytest.raises(BadAnswers, match="Is there a stew"):
        read(study, **{"0": "n"})
    with pytest.raises(BadAnswers, match="no such answer"):
        read(study, **{"0": "x"})


def test_a_later_decomposition_changes_no_card() -> None:
    study = a_study(PARTS)
    Decomposition.objects.create(prompt=study.items.get().prompt, graph={"entities": ["a pot"]}, digest="new")
    assert len(study.items.get().frozen["parts"]["questions"]) == 4


def test_prompts_without_a_decomposition_are_named_and_nothing_is_made() -> None:
    with pytest.raises(ValidationError, match=r"The prompt “A red fox.*” has no decomposition"):
        a_study(PARTS, graph=None)
    assert not Study.objects.exists()
    assert not Item.objects.exists()


def test_places_are_kept_as_fractions_of_the_image() -> None:
    study = a_study(PLACES)
    point, box = {"kind": 1, "x": 0.25, "y": 1}, {"kind": 0, "x": 0.1, "y": 0.123456, "width": 0.5, "height": 0.2}
    assert read(study, marks=json.dumps([point, box])) == [
        {"kind": 1, "x": 0.25, "y": 1.0},
        {"kind": 0, "x": 0.1, "y": 0.1235, "width": 0.5, "height": 0.2},
    ]
    assert read(study, _="none") == []
    with pytest.raises(BadAnswers, match="not answered yet"):
        read(study)
    with pytest.raises(BadAnswers, match="at once"):
        read(study, _="none", marks=json.dumps([point]))
    with pytest.raises(BadAnswers, match="100 places at most"):
        read(study, marks=json.dumps([point] * 101))


@pytest.mark.parametrize(
    "place",
    [
        {"kind": 2, "x": 0, "y": 0},
        {"kind": True, "x": 0, "y": 0},
        {"kind": 0, "x": -0.1, "y": 0},
        {"kind": 0, "x": "0.5", "y": 0},
        {"kind": 0, "x": 0.5},
        {"kind": 0, "x": 0.5, "y": 0.5, "width": 0.1},
        {"kind": 0, "x": 0.5, "y": 0.5, "width": 0.6, "height": 0.1},
        "x",
    ],
)
def test_what_is_not_a_place_is_refused(place: Any) -> None:
    study = a_study(PLACES)
    with pytest.raises(BadAnswers, match="no such answer"):
        read(study, marks=json.dumps([place]))
    for text in ("{", '{"kind": 0}', "[NaN]"):
        with pytest.raises(BadAnswers, match="no such answer"):
            read(study, marks=text)


@pytest.mark.parametrize(("shape", "fits"), [("point", True), ("box", False), ("either", True)])
def test_a_question_may_take_points_alone(shape: str, fits: bool) -> None:
    study = a_study(PLACES)
    study.dimensions.update(parameters={"shape": shape, "is_required": True})
    marks = json.dumps([{"kind": 0, "x": 0.5, "y": 0.5}])
    if fits:
        assert len(read(study, marks=marks)) == 1
    else:
        with pytest.raises(BadAnswers):
            read(study, marks=marks)
    with pytest.raises(BadAnswers, match="not answered yet"):
        read(study, _="none")


@pytest.mark.parametrize(
    ("preset", "answer"),
    [
        (WORDS, [0, 0, 1, 0, 0, 2]),
        (WORDS, None),
        (PARTS, ["no", "not asked", "yes", "not asked"]),
        (PLACES, [{"kind": 1, "x": 0.25, "y": 0.5}]),
        (PLACES, []),
        (PLACES, None),
    ],
)
def test_an_answers_fields_give_the_same_answer_again(preset: Preset, answer: Any) -> None:
    study = a_study(preset)
    dimension, frozen = study.dimensions.get(), study.items.get().frozen
    kind = kind_of(dimension)
    fields = kind.fields(dimension, field_name(dimension, 0), Response(answer=answer, is_unable=answer is None))
    assert kind.parse(dimension, fields, [5], frozen.get(dimension.kind)) == [Answer(dimension.pk, 5, None, answer)]


def test_places_are_about_images_and_their_kinds_are_named() -> None:
    form = DimensionForm({"question": "Q?", "levels": "1 = a\n2 = b", "kind": "places", "about": "item"})
    assert form.is_valid(), form.errors
    assert form.dimension().about == Dimension.About.IMAGE
    assert form.dimension().parameters == {"shape": "either", "is_required": False}
    assert not DimensionForm({"question": "Q?", "levels": "", "kind": "places", "about": "image"}).is_valid()
    assert not DimensionForm({"question": "Q?", "levels": "1 = a\n2 = b", "kind": "parts", "about": "image"}).is_valid()


def answered(study: Study, rater: Rater, **answers: Any) -> None:
    item = study.items.get()
    card = Assignment.objects.create(
        study=study, item=item, rater=rater, sequence=0, state="answered", answered_at=timezone.now()
    )
    for dimension in study.dimensions.all():
        answer = answers[dimension.name]
        fields = {"answer": answer, "is_unable": answer is None}
        image = item.images.get()
        Response.objects.create(assignment=card, dimension=dimension, image=image, answered_at=timezone.now(), **fields)


def test_files_have_a_row_for_each_part_and_the_report_a_score(client: Client) -> None:
    study = a_study(WORDS, PARTS, PLACES)
    box = {"kind": 0, "x": 0.1, "y": 0.2, "width": 0.5, "height": 0.25}
    answered(study, make_rater(study, name="a"), words=[0, 0, 1, 0, 0, 2], parts=["no", "not asked", "yes", "not asked"], faults=[box])  # fmt: skip  # noqa: E501  # a table
    answered(study, make_rater(study, name="b"), words=[0] * 6, parts=["yes"] * 4, faults=[])
    answered(study, make_rater(study, name="c"), words=None, parts=["cannot tell"] * 4, faults=None)

    client.force_login(study.owner)
    file = client.get(f"/study/{study.token}/export/parts.csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(file.streaming_content).decode())))
    own = [row for row in rows if row["rater"] == "a"]
    assert [(row["part"], row["about"], row["answer"]) for row in own] == [
        ("word 1", "A", '{"answer": "shown"}'),
        ("word 2", "red", '{"answer": "shown"}'),
        ("word 3", "fox", '{"answer": "wrong"}'),
        ("word 4", "stirs", '{"answer": "shown"}'),
        ("word 5", "a", '{"answer": "shown"}'),
        ("word 6", "stew", '{"answer": "missing"}'),
        ("e1", own[6]["about"], '{"answer": "no"}'),
        ("e1", own[7]["about"], '{"answer": "not asked"}'),
        ("e2", own[8]["about"], '{"answer": "yes"}'),
        ("r1", own[9]["about"], '{"answer": "not asked"}'),
        ("place 1", "artefact", '{"x": 0.1, "y": 0.2, "width": 0.5, "height": 0.25}'),
    ]
    document = report_now(study=study, comparisons=()).results
    assert document is not None
    scores = {one["name"]: one for one in document["dimensions"]}
    assert scores["words"]["values"] == [0.0, 4 / 6, 1.0]
    assert scores["words"]["histogram"] == [0, 1, 1]
    assert scores["words"]["n_unable"] == 1
    assert scores["parts"]["values"] == [0.0, 0.25, 1.0]
    assert (scores["parts"]["histogram"], scores["parts"]["n_unable"]) == ([0, 1, 1], 1)
    shares = {(part["name"], row["key"]): row["share"] for part in document["counted"] for row in part["rows"]}
    assert shares["words", "2"] == 1 / 12
    assert shares["parts", "cannot tell"] == 4 / 12
    assert shares["faults", "1"] == 0.5


def test_what_is_frozen_is_read_in_few_queries(django_assert_max_num_queries: Any) -> None:
    prompts = make_prompt_set()
    keys = [make_prompt(f"Prompt {number}", prompt_set=prompts).pk for number in range(20)]
    Decomposition.objects.bulk_create(Decomposition(prompt_id=pk, graph=GRAPH, digest="d") for pk in keys)
    with django_assert_max_num_queries(5):
        found = frozen_of([Dimension(**WORDS.fields()), Dimension(**PARTS.fields())], keys)
    assert len(found) == 20
    assert set(found[keys[0]]) == {"words", "parts"}
