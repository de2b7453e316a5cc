"""The description of a new study by a program: read by the same forms as the design page."""

from copy import copy
from typing import Any

from django import forms
from django.http import QueryDict
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from annotations.forms.dimensions import MOST_DIMENSIONS, DimensionFormSet, levels_text, preset_fields
from annotations.forms.studies import LARGEST_SEED, StudyForm, new_seed
from annotations.models import Dimension, Study
from annotations.questions import DEFAULT, PRESETS
from generation.models import Method, PromptSet

MOST_CHOSEN = 500
QUESTION_FIELDS = (
    "name",
    "question",
    "kind",
    "about",
    "levels",
    "allows_unable",
    "is_required",
    "step",
    "shows_value",
    "shape",
    "names_sides",
)


class LevelSerializer(serializers.Serializer[Any]):
    """One answer of a scale: decimal text, and the words that raters read."""

    value = serializers.CharField(max_length=12)
    label = serializers.CharField(max_length=100)  # type: ignore[assignment]  # taken off the class when it is made


class NewQuestionSerializer(serializers.Serializer[Any]):
    """A question: a ready-made one by its key, or one of your own. Any part of a ready-made question may be
    replaced."""

    preset = serializers.ChoiceField(choices=sorted(PRESETS), required=False)
    name = serializers.CharField(max_length=60, required=False, help_text="What exports and reports call it.")
    question = serializers.CharField(max_length=500, required=False)
    kind = serializers.ChoiceField(choices=Dimension.Kind.choices, required=False)
    about = serializers.ChoiceField(choices=Dimension.About.choices, required=False)
    levels = serializers.ListField(child=LevelSerializer(), max_length=100, required=False)
    allows_unable = serializers.BooleanField(required=False)
    is_required = serializers.BooleanField(
        required=False, help_text="For choices and comments: whether an answer is required."
    )
    shape = serializers.ChoiceField(choices=("either", "point", "box"), required=False, help_text="Of places.")
    step = serializers.DecimalField(max_digits=12, decimal_places=6, required=False, help_text="The step of a slider.")
    shows_value = serializers.BooleanField(required=False, help_text="For a slider: whether raters see the number.")
    names_sides = serializers.BooleanField(
        required=False,
        help_text="For levels about all that is shown, of pairs: whether the first two levels are the left and the "
        "right image, whatever their labels are.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "preset" not in attrs and "question" not in attrs:
            raise ValidationError({"question": ["Send a question, or the key of a ready-made one as `preset`."]})
        return attrs


class StudyFields(serializers.Serializer[Any]):
    """A study's settings besides its images and questions."""

    notes = serializers.CharField(max_length=20_000, required=False, allow_blank=True)
    consent = serializers.CharField(max_length=20_000, required=False, allow_blank=True)
    instructions = serializers.CharField(max_length=20_000, required=False, allow_blank=True)
    exclusion_rule = serializers.CharField(
        max_length=20_000, required=False, allow_blank=True, help_text="Fixed once the study has opened."
    )
    items_per_rater = serializers.IntegerField(min_value=1, max_value=2**31 - 1, required=False, allow_null=True)
    batch_size = serializers.IntegerField(min_value=1, max_value=100, required=False)
    lease_minutes = serializers.IntegerField(min_value=1, max_value=32_767, required=False)
    closes_at = serializers.DateTimeField(required=False, allow_null=True, help_text="Then it closes by itself.")


class NewStudySerializer(StudyFields):
    """A study: its images, the questions about them, and the number of raters."""

    title = serializers.CharField(max_length=200, help_text="Raters read it: name no method in it.")
    prompt_sets = serializers.ListField(
        child=serializers.CharField(max_length=200), min_length=1, max_length=MOST_CHOSEN, help_text="By name."
    )
    methods = serializers.ListField(
        child=serializers.CharField(max_length=200), min_length=1, max_length=MOST_CHOSEN, help_text="By name."
    )
    questions = serializers.ListField(
        child=NewQuestionSerializer(),
        min_length=1,
        max_length=MOST_DIMENSIONS,
        required=False,
        help_text=f"If none is given: “{DEFAULT.question}”",
    )
    item_kind = serializers.ChoiceField(choices=Study.ItemKind.choices, required=False)
    pairing = serializers.ChoiceField(choices=Study.Pairing.choices, required=False)
    pair_baseline = serializers.CharField(max_length=200, required=False, help_text="A method, by name.")
    pairs_per_prompt = serializers.IntegerField(min_value=1, max_value=1000, required=False)
    raters_per_item = serializers.IntegerField(min_value=1, max_value=1000, required=False)
    most_raters_per_item = serializers.IntegerField(
        min_value=2,
        max_value=1000,
        required=False,
        help_text="Further raters for disputed items, up to this many in all.",
    )
    disputed_rule = serializers.ChoiceField(choices=Study.Disputed.choices, required=False)
    disputed_distance = serializers.IntegerField(min_value=1, max_value=1000, required=False)
    undisputed_percent = serializers.IntegerField(min_value=0, max_value=100, required=False)
    prompt_looks = serializers.CharField(
        max_length=60,
        required=False,
        allow_blank=True,
        help_text="For two methods: prompts after which the comparison is looked at, such as 40,60,80,120.",
    )
    prompt_spending = serializers.ChoiceField(choices=Study.Spending.choices, required=False)
    order = serializers.ChoiceField(choices=Study.Order.choices, required=False)
    seed = serializers.IntegerField(min_value=0, max_value=LARGEST_SEED, required=False)
    n_prompts = serializers.IntegerField(
        min_value=1, max_value=10_000, required=False, help_text="At most this many prompts, drawn with the seed."
    )
    shows_reference = serializers.BooleanField(
        required=False, help_text="Show the prompt’s reference image, where it has one, next to the images."
    )
    budget = serializers.IntegerField(
        min_value=1,
        max_value=2**31 - 1,
        required=False,
        help_text="The total number of cards that may be answered. Fewer items are shown if it does not cover all of "
        "them.",
    )
    closes_in_minutes = serializers.IntegerField(
        min_value=1,
        max_value=10 * 366 * 24 * 60,
        required=False,
        help_text="Instead of closes_at: minutes from now, so that a repeated call stays the same.",
    )
    open = serializers.BooleanField(required=False, help_text="Whether raters are let in at once.")


def study_form(given: dict[str, Any], draft: Study | None = None) -> StudyForm:
    """The design page's form, filled in and checked; of a draft, into a copy of it. Raises ValidationError by field."""
    values: dict[str, Any] = {"seed": new_seed() if draft is None else draft.seed}
    values |= {name: value for name, value in given.items() if name in StudyForm.base_fields}
    values["prompt_sets"] = _found(PromptSet, given["prompt_sets"], "prompt_sets")
    values["methods"] = _found(Method, given["methods"], "methods")
    if "pair_baseline" in given:
        values["pair_baseline"] = _found(Method, [given["pair_baseline"]], "pair_baseline")[0]
    form = StudyForm(data=as_data(StudyForm(initial=values)), instance=copy(draft))
    if not form.is_valid():
        raise ValidationError({name: list(map(str, problems)) for name, problems in form.errors.items()})
    return form


def dimensions_of(questions: list[dict[str, Any]]) -> list[Dimension]:
    """The questions as the design page's forms read them. Raises ValidationError by place and field."""
    rows = []
    for question in questions or [{"preset": DEFAULT.key}]:
        row: dict[str, Any] = preset_fields(PRESETS[question["preset"]]) if "preset" in question else {}
        row |= {name: question[name] for name in QUESTION_FIELDS if name in question}
        if "levels" in question:
            row["levels"] = levels_text([_in_a_line(level) for level in question["levels"]])
        rows.append(row)
    data = QueryDict(mutable=True)
    data["form-TOTAL_FORMS"], data["form-INITIAL_FORMS"] = str(len(rows)), "0"
    for form in DimensionFormSet(initial=rows).forms:
        for name, values in as_data(form).lists():
            data.setlist(name, values)
    bound = DimensionFormSet(data=data)
    if not bound.is_valid():
        problems: dict[str, Any] = {
            str(place): {name: list(map(str, found)) for name, found in form.errors.items()}
            for place, form in enumerate(bound.forms)
            if form.errors
        }
        general = list(map(str, bound.non_form_errors()))
        raise ValidationError({"questions": problems or general})
    return [form.dimension() for form in bound.forms]


def as_data(form: forms.BaseForm) -> QueryDict:
    """The data that a browser would send for an unchanged, unbound form."""
    data = QueryDict(mutable=True)
    for field in form:
        value = field.value()
        if isinstance(value, list):
            data.setlist(field.html_name, [str(entry) for entry in value])
        elif value is not None and value is not False:
            data[field.html_name] = str(value)
    return data


def _in_a_line(level: dict[str, str]) -> dict[str, str]:
    """A level whose words the forms can read from one line."""
    return {"value": " ".join(level["value"].split()), "label": " ".join(level["label"].split())}


def _found(model: type[PromptSet] | type[Method], names: list[str], field: str) -> list[int]:
    known: dict[str, int] = dict(model._default_manager.filter(name__in=names).values_list("name", "pk"))
    if missing := [name for name in names if name not in known]:
        shown = ", ".join(f"“{name[:80]}”" for name in missing[:5])
        raise ValidationError({field: [f"There is no {shown}. Send its images first, or correct the name."]})
    return [known[name] for name in names]
