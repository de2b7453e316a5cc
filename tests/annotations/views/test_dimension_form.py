"""Scales as people type them."""

import pytest
from django.core.exceptions import ValidationError

from annotations.forms.dimensions import DimensionForm, DimensionFormSet, levels_text, parse_levels, preset_fields
from annotations.models import Dimension
from annotations.questions import PREFERENCE, PRESETS, Preset, names_sides

ORDINAL, NOMINAL = Dimension.Kind.ORDINAL, Dimension.Kind.NOMINAL


def test_levels_are_read_line_by_line_and_values_stay_exact() -> None:
    assert parse_levels("0 = no\n\n 0.50 = half = way \n1= yes", ORDINAL) == [
        {"value": "0", "label": "no"},
        {"value": "0.5", "label": "half = way"},
        {"value": "1", "label": "yes"},
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "2 to 20 levels"),
        ("1 = only", "2 to 20 levels"),
        ("\n".join(f"{i} = level" for i in range(21)), "2 to 20 levels"),
        ("1 = a\nfine", "Line 2, “fine”"),
        ("1 = a\n2 =", "Line 2"),
        ("1 = a\ntwo = b", "a number such as"),
        ("1 = a\nNaN = b", "a number such as"),
        ("1 = a\n1e99 = b", "a number such as"),
        ("1 = a\n1.0 = b", "already has this value"),
        ("2 = a\n1 = b", "must increase"),
        ("1 = " + "x" * 101 + "\n2 = b", "at most 100 characters"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, words: str) -> None:
    with pytest.raises(ValidationError) as problem:
        parse_levels(text, ORDINAL)
    assert words in problem.value.messages[0]


def test_codes_of_unordered_choices_need_not_ascend() -> None:
    assert [level["value"] for level in parse_levels("2 = b\n1 = a", NOMINAL)] == ["2", "1"]


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.key)
def test_every_preset_passes_its_own_form_unchanged(preset: Preset) -> None:
    fields = preset_fields(preset)
    form = DimensionForm({name: value for name, value in fields.items() if value is not False})

    assert form.is_valid(), form.errors
    dimension = form.dimension()
    expected = preset.fields()
    assert {name: getattr(dimension, name) for name in expected} == expected


def test_the_default_is_worded_as_published() -> None:
    # Otani et al., CVPR 2023.
    assert levels_text(PRESETS["alignment"].level_rows()).splitlines() == [
        "1 = does not match at all",
        "2 = significant discrepancies",
        "3 = several minor discrepancies",
        "4 = a few minor discrepancies",
        "5 = matches exactly",
    ]


def test_only_the_preference_names_sides() -> None:
    sided = [preset for preset in PRESETS.values() if names_sides(Dimension(**preset.fields()))]
    assert sided == [PREFERENCE]


def test_a_name_is_made_from_the_question() -> None:
    form = DimensionForm(
        {"question": "Is it sharp?", "levels": "0 = no\n1 = yes", "kind": ORDINAL, "about": "image", "name": ""}
    )
    assert form.is_valid(), form.errors
    assert form.dimension().name == "is-it-sharp"
    assert not form.dimension().allows_unable


def test_two_questions_cannot_share_a_name() -> None:
    data = {"form-TOTAL_FORMS": "2", "form-INITIAL_FORMS": "0"}
    for index in (0, 1):
        for name, value in preset_fields(PRESETS["alignment"]).items():
            data[f"form-{index}-{name}"] = str(value)

    questions = DimensionFormSet(data)

    assert not questions.is_valid()
    assert "alignment" in questions.non_form_errors()[0]
