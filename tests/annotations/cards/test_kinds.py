"""Each kind of question's form, design and answers."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from annotations.forms.dimensions import DimensionForm, dimension_fields
from annotations.forms.rating import parse_submission
from annotations.kinds.base import Answer, BadAnswers, field_name
from annotations.kinds.registry import KINDS, kind_of
from annotations.models import Assignment, Dimension, Response
from annotations.questions import Preset
from annotations.services import rating as services
from tests.factories import make_rater, make_study

pytestmark = pytest.mark.django_db

SLIDER = Preset(
    "s", "", "", "closeness", "How close is it?", (("0", "not at all"), ("100", "exactly")), Dimension.Kind.SLIDER,
    parameters={"step": "0.1", "shows_value": True},
)  # fmt: skip
MANY = Preset(
    "m", "", "", "faults", "What is wrong?", (("1", "hands"), ("2", "face"), ("3", "text")), Dimension.Kind.MANY,
    parameters={"is_required": False},
)  # fmt: skip
COMMENT = Preset("c", "", "", "why", "Why?", (), Dimension.Kind.COMMENT, parameters={"is_required": True})


def unsaved(preset: Preset, **changes: Any) -> Dimension:
    dimension = Dimension(**preset.fields() | changes)
    dimension.pk = 7
    return dimension


def read(dimension: Dimension, **fields: str) -> Any:
    """(level, answer) from fields named by what follows the question's own name; `_` is that name itself."""
    data = {field_name(dimension, 0) + ("" if key == "_" else f".{key}"): value for key, value in fields.items()}
    (answer,) = kind_of(dimension).parse(dimension, data, [5])
    return answer.level, answer.answer


def form_of(**fields: Any) -> DimensionForm:
    return DimensionForm({"question": "Q?", "levels": "", "kind": "ordinal", "about": "image"} | fields)


def test_every_kind_of_question_is_registered() -> None:
    assert set(KINDS) == set(Dimension.Kind.values)


LEVELS = {
    "slider": "0 = a\n100 = b",
    **dict.fromkeys(("ranking", "comment", "parts"), ""),
}
"""What a kind's form takes; the others take three lines."""


@pytest.mark.parametrize("key", Dimension.Kind.values)
def test_a_kind_says_how_it_is_designed_measured_and_exported(key: str) -> None:
    kind = KINDS[key]
    levels = LEVELS.get(key, "1 = a\n2 = b\n3 = c")
    ticked = {"is_required": "on", "names_sides": "on"}
    form = form_of(kind=key, about="item", levels=levels, step="1", shape="point", **ticked)
    assert form.is_valid(), form.errors
    dimension = form.dimension()
    assert set(dimension.parameters) == set(kind.parameters) == set(kind.typed(dimension))
    assert kind.has_levels == (kind.measured_as is not None) == (not kind.in_files)
    option = str(form["kind"]).split(f'value="{key}"')[1].split(">")[0]
    assert f'data-fields="{" ".join(kind.parameters)}"' in option


@pytest.mark.parametrize(("text", "level"), [("0", 0), ("0.1", 1), ("62.5", 625), ("100", 1000), ("100.0", 1000)])
def test_a_sliders_value_is_one_of_its_levels(text: str, level: int) -> None:
    dimension = unsaved(SLIDER)
    assert read(dimension, _=text) == (level, None)
    assert dimension.value_of(level) == Decimal(text)
    assert dimension.values[level] == Decimal(text)


@pytest.mark.parametrize("text", ["-0.1", "100.1", "0.05", "NaN", "Infinity", "1e2000", "ten", "1" * 25])
def test_a_slider_refuses_what_lies_off_its_steps(text: str) -> None:
    with pytest.raises(BadAnswers, match=r"from 0 to 100 in steps of 0\.1"):
        read(unsaved(SLIDER), _=text)


def test_a_slider_without_a_value_is_not_answered_unless_unable() -> None:
    with pytest.raises(BadAnswers, match="not answered yet"):
        read(unsaved(SLIDER), _=" ")
    assert read(unsaved(SLIDER), _="u") == (None, None)
    with pytest.raises(BadAnswers, match="in steps"):
        read(unsaved(SLIDER, allows_unable=False), _="u")


@pytest.mark.parametrize(
    ("levels", "step", "complaint"),
    [
        ("0 = a", "1", "2 to 20 levels"),
        ("0 = a\n1 = b\n2 = c", "1", "two lines"),
        ("0 = a\n1 = b", "0.3", "do not lead"),
        ("0 = a\n100 = b", "0.01", "10001 levels"),
        ("0 = a\n1 = b", "0", "greater than"),
    ],
)
def test_a_slider_that_cannot_be_is_refused_in_the_form(levels: str, step: str, complaint: str) -> None:
    form = form_of(kind="slider", levels=levels, step=step)
    assert not form.is_valid()
    assert complaint in str(form.errors)


@pytest.mark.parametrize("preset", [SLIDER, MANY, COMMENT], ids=lambda preset: preset.name)
def test_a_stored_question_fills_the_form_that_made_it(preset: Preset) -> None:
    fields = dimension_fields(Dimension(**preset.fields()))
    form = DimensionForm({name: value for name, value in fields.items() if value is not False})
    assert form.is_valid(), form.errors
    again = form.dimension()
    assert (again.levels, again.parameters, again.kind) == (preset.level_rows(), preset.parameters, preset.kind)


def test_choices_are_the_places_of_those_chosen() -> None:
    dimension = unsaved(MANY)
    assert read(dimension, **{"2": "1", "0": "1"}) == (None, [0, 2])
    assert read(dimension, _="none") == (None, [])
    assert read(dimension, _="u") == (None, None)
    with pytest.raises(BadAnswers, match="not answered yet"):
        read(dimension)
    with pytest.raises(BadAnswers, match="at once"):
        read(dimension, _="none", **{"1": "1"})
    with pytest.raises(BadAnswers, match="no such answer"):
        read(dimension, **{"1": "2"})
    with pytest.raises(BadAnswers, match="not answered yet"):
        read(unsaved(MANY, parameters={"is_required": True}), _="none")
    assert kind_of(dimension).in_words(dimension, [0, 2]) == "hands; text"


def test_a_comment_is_kept_as_it_was_typed() -> None:
    assert read(unsaved(COMMENT), text=" =1+1\r\nüé\0 ") == (None, {"text": "=1+1\nüé"})
    with pytest.raises(BadAnswers, match="not answered yet"):
        read(unsaved(COMMENT), text="  ")
    assert read(unsaved(COMMENT, parameters={"is_required": False}), text="") == (None, {"text": ""})
    with pytest.raises(BadAnswers, match="takes at most 2000 characters; this has 2001"):
        read(unsaved(COMMENT), text="x" * 2001)


@pytest.mark.parametrize(
    ("preset", "level", "answer"),
    [
        (SLIDER, 625, None),
        (SLIDER, None, None),
        (MANY, None, [1, 2]),
        (MANY, None, []),
        (MANY, None, None),
        (COMMENT, None, {"text": "so"}),
        (COMMENT, None, None),
    ],
)
def test_an_answers_fields_give_the_same_answer_again(preset: Preset, level: int | None, answer: Any) -> None:
    dimension = unsaved(preset)
    response = Response(level=level, answer=answer, is_unable=level is None and answer is None)
    fields = kind_of(dimension).fields(dimension, field_name(dimension, 0), response)
    assert kind_of(dimension).parse(dimension, fields, [5]) == [Answer(7, 5, level, answer)]


def test_a_changed_structure_is_a_new_revision_and_the_same_one_is_none() -> None:
    rater = make_rater(make_study(n_items=1, presets=(MANY, COMMENT)))
    services.reserve(rater=rater)
    card = Assignment.objects.get()
    many, comment = rater.study.dimensions.all()
    image = card.item.images.get().pk

    def submit(**fields: str) -> services.Outcome:
        data = {f"d{many.pk}-0.{key}": value for key, value in fields.items()} | {f"d{comment.pk}-0.text": "so"}
        found = parse_submission(data, [many, comment], [image], timezone.now())
        return services.submit(assignment=card, answers=found.answers, answered_at=found.answered_at)

    outcomes = [submit(**{"0": "1"}), submit(**{"0": "1"}), submit(**{"0": "1", "1": "1"})]
    assert [outcome.value for outcome in outcomes] == ["saved", "unchanged", "changed"]
    rows = Response.objects.order_by("pk").values_list("dimension__name", "answer", "revision", "is_current")
    assert list(rows) == [("faults", [0], 1, False), ("why", {"text": "so"}, 1, True), ("faults", [0, 1], 2, True)]


def test_the_database_refuses_two_answers_in_one_and_none_at_all() -> None:
    rater = make_rater(make_study(n_items=1, presets=(MANY,)))
    services.reserve(rater=rater)
    card, dimension = Assignment.objects.get(), rater.study.dimensions.get()
    for fields in ({"level": 1, "answer": [1]}, {}, {"answer": [1], "is_unable": True}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Response.objects.create(assignment=card, dimension=dimension, answered_at=timezone.now(), **fields)


def test_a_comment_with_levels_is_refused() -> None:
    form = form_of(kind="comment", levels="1 = a\n2 = b")
    assert not form.is_valid()
    assert "has no levels" in str(form.errors)
