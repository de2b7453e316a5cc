"""Dimensions as people type them: a question, and one level per line."""

from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BaseFormSet, formset_factory
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotations.kinds.base import OF_KIND, Design
from annotations.kinds.registry import KINDS
from annotations.models import Dimension
from annotations.questions import Preset
from exchange.numerals import in_ascii

FEWEST_LEVELS, MOST_LEVELS = 2, 20
LONGEST_LABEL = 100
MOST_DIMENSIONS = 12
TICKED = ("allows_unable", "is_required", "shows_value", "names_sides")
"""Fields that a form omits when they are not ticked."""


def parse_levels(text: str, kind: str) -> list[dict[str, str]]:
    """Levels from lines `value = label`, as `Dimension.levels` stores them.

    Values are decimal text, kept exactly (0.50 becomes 0.5), no two alike; on an ordered scale they ascend.
    Raises ValidationError with the line, what is wrong in it, and how to fix it.
    """
    levels: list[dict[str, str]] = []
    values: list[Decimal] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        written, sign, label = (part.strip() for part in line.partition("="))
        where = {"line": number, "text": line.strip()}
        if not sign or not label:
            raise ValidationError(
                _("Line %(line)d, “%(text)s”: write a value, =, and its label: 1 = not at all") % where
            )
        if len(label) > LONGEST_LABEL:
            raise ValidationError(
                _("Line %(line)d: shorten the label to at most %(n)d characters.") % (where | {"n": LONGEST_LABEL})
            )
        value = _decimal(written)
        if value is None:
            raise ValidationError(_("Line %(line)d, “%(text)s”: write a number such as 1 or 0.5 before the =.") % where)
        if value in values:
            raise ValidationError(_("Line %(line)d, “%(text)s”: an earlier line already has this value.") % where)
        if kind != Dimension.Kind.NOMINAL and values and value < values[-1]:
            raise ValidationError(
                _("Line %(line)d, “%(text)s”: the values of ordered levels must increase from line to line.") % where
            )
        values.append(value)
        levels.append({"value": format(value.normalize(), "f"), "label": label})
    if not FEWEST_LEVELS <= len(levels) <= MOST_LEVELS:
        raise ValidationError(
            _("A scale has %(low)d to %(high)d levels, one per line.") % {"low": FEWEST_LEVELS, "high": MOST_LEVELS}
        )
    return levels


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(in_ascii(text))
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value) < 10**6 and len(text) <= 12 else None


def levels_text(levels: list[dict[str, str]]) -> str:
    """The lines that `parse_levels` reads back into the same levels."""
    return "\n".join(f"{level['value']} = {level['label']}" for level in levels)


class KindSelect(forms.Select):
    """Each option names the fields that its kind takes (`data-fields`), by which the style sheet hides the others."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        if kind := KINDS.get(str(value)):
            option["attrs"]["data-fields"] = " ".join(kind.parameters)
        return option


class DimensionForm(forms.Form):
    """One question. Exports and reports use its name; an empty one is made from the question."""

    use_required_attribute = False

    question = forms.CharField(label=gettext_lazy("Question"), max_length=500)
    levels = forms.CharField(
        label=gettext_lazy("Answers"),
        help_text=gettext_lazy(
            "One per line, from low to high: value = what raters read. For a slider, give its two ends; for words, "
            "their marks; for places, their kinds. Leave this empty for a ranking, a comment or the parts of a prompt."
        ),
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "true"}),
        required=False,
    )
    kind = forms.ChoiceField(label=gettext_lazy("The answers are"), choices=Dimension.Kind.choices, widget=KindSelect)
    about = forms.ChoiceField(label=gettext_lazy("Asked about"), choices=Dimension.About.choices)
    name = forms.CharField(
        label=gettext_lazy("Name in exports"),
        max_length=60,
        required=False,
        validators=[forms.SlugField.default_validators[0]],
    )
    allows_unable = forms.BooleanField(label=gettext_lazy("Offer “unable to answer”"), required=False, initial=True)
    is_required = forms.BooleanField(
        label=gettext_lazy("Needs an answer"),
        help_text=gettext_lazy(
            "For comments and choices only. If you do not tick it, choices also offer “none of these”."
        ),
        required=False,
        initial=True,
    )
    step = forms.DecimalField(
        label=gettext_lazy("Step"),
        help_text=gettext_lazy("For a slider: 1 or 0.1, for example."),
        max_digits=12,
        required=False,
        min_value=Decimal("0.000001"),
    )
    shape = forms.ChoiceField(
        label=gettext_lazy("Shape"),
        choices=[
            ("either", gettext_lazy("points and boxes")),
            ("point", gettext_lazy("points")),
            ("box", gettext_lazy("boxes")),
        ],
        required=False,
    )
    shows_value = forms.BooleanField(
        label=gettext_lazy("Show the value"),
        help_text=gettext_lazy("Without it, a slider is a visual analogue scale: a line with two ends and no number."),
        required=False,
        initial=True,
    )
    names_sides = forms.BooleanField(
        label=gettext_lazy("The first two answers are the left and the right image"),
        help_text=gettext_lazy(
            "For pairs. Each choice then counts for the method of the chosen image, whatever the answers are called."
        ),
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        kind = KINDS.get(cleaned.get("kind", ""))
        if kind is not None and "levels" in cleaned and "step" in cleaned:
            design = Design(**{name: cleaned[name] for name in ("levels", *OF_KIND)})
            if cleaned.get("about") != Dimension.About.ITEM:
                design = replace(design, names_sides=False)
            try:
                cleaned["levels"], self._parameters = kind.designed(design, parse_levels)
            except ValidationError as problem:
                self.add_error("levels", problem)
            if kind.about and cleaned.get("about") not in kind.about:
                cleaned["about"] = kind.about[0]
        if not cleaned.get("name"):
            cleaned["name"] = slugify(cleaned.get("question", ""))[:60].strip("-") or "question"
        return cleaned

    def dimension(self) -> Dimension:
        """An unsaved dimension, without study and position."""
        values = {name: value for name, value in self.cleaned_data.items() if name not in OF_KIND}
        return Dimension(**values, parameters=self._parameters)


if TYPE_CHECKING:
    QuestionFormSet = BaseFormSet[DimensionForm]
else:
    QuestionFormSet = BaseFormSet  # Django's form sets take no type arguments when they run


class BaseDimensionFormSet(QuestionFormSet):
    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        """An empty question counts as an omission, and is not silently dropped."""
        kwargs: dict[str, Any] = super().get_form_kwargs(index)
        return kwargs if index is None else kwargs | {"empty_permitted": False}

    def clean(self) -> None:
        if any(self.errors):
            return
        names = [form.cleaned_data["name"] for form in self.forms]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValidationError(
                _("Two questions are called “%(name)s”. Give each a name of its own.") % {"name": twice[0]}
            )


DimensionFormSet = formset_factory(
    DimensionForm,
    formset=BaseDimensionFormSet,
    extra=0,
    min_num=1,
    max_num=MOST_DIMENSIONS,
    validate_min=True,
    validate_max=True,
    absolute_max=MOST_DIMENSIONS,
)


def dimension_fields(dimension: Dimension) -> dict[str, Any]:
    """A stored question as the initial data of a `DimensionForm`."""
    values = {name: getattr(dimension, name) for name in DimensionForm.base_fields if name not in OF_KIND}
    return values | {"levels": levels_text(dimension.levels)} | KINDS[dimension.kind].typed(dimension)


def preset_fields(preset: Preset) -> dict[str, Any]:
    """A preset as the initial data of a `DimensionForm`."""
    return dimension_fields(Dimension(**preset.fields()))
