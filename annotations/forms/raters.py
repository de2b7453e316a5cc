"""Forms about raters: a study's settings for them, and its exercises and checks."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotations.kinds.registry import kind_of
from annotations.models import Dimension, Item, RaterPlan, Study

if TYPE_CHECKING:
    PlanModelForm = forms.ModelForm[RaterPlan]
else:
    PlanModelForm = forms.ModelForm  # Django's forms take no type arguments when they run

BEFORE = ["quiz_pass_mark", "quiz_tries", "screen_out_text", "content_warning"]
DURING = [
    *("gold_share", "check_share", "repeat_share", "mirror_share", "repeat_gap", "shows_feedback"),
    *("break_minutes", "most_per_session", "most_per_day", "allows_skip"),
]
PAY = ["reward", "currency", "pay_floor"]
CARE = ["erase_after_days"]
GROUPS = ["group_question", "group_choices"]
LONGEST_GROUP = 100


class RaterPlanForm(PlanModelForm):
    """A study's settings for its raters. Shares may change while it runs: cards already assigned stay unchanged."""

    use_required_attribute = False

    class Meta:
        model = RaterPlan
        fields = [*BEFORE, *DURING, *GROUPS, *PAY, *CARE]
        widgets = {
            "screen_out_text": forms.Textarea(attrs={"rows": 3}),
            "content_warning": forms.Textarea(attrs={"rows": 3}),
            "group_choices": forms.Textarea(attrs={"rows": 4}),
        }

    @property
    def parts(self) -> list[tuple[Any, list[Any]]]:
        """The fields by the part of the page that they belong to."""
        return [
            (_("Before the first card"), [self[name] for name in BEFORE]),
            (_("Between the cards"), [self[name] for name in DURING]),
            (_("Groups of raters"), [self[name] for name in GROUPS]),
            (_("Pay"), [self[name] for name in PAY]),
            (_("Data"), [self[name] for name in CARE]),
        ]

    def clean_group_choices(self) -> str:
        text: str = self.cleaned_data["group_choices"]
        if any(len(line.strip()) > LONGEST_GROUP for line in text.splitlines()):
            raise forms.ValidationError(_("A group’s name can have at most %d characters.") % LONGEST_GROUP)
        return text

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        total = sum(cleaned.get(name) or 0 for name in ("gold_share", "check_share", "repeat_share", "mirror_share"))
        if total > 50:
            self.add_error(
                "gold_share", _("At most half of all cards can be checks and repeats; these are %d%%.") % total
            )
        is_pair = self.instance.study.item_kind == Study.ItemKind.PAIR
        if cleaned.get("mirror_share") and not is_pair:
            self.add_error("mirror_share", _("Only pairs have sides to swap."))
        return cleaned


class ExerciseForm(forms.Form):
    """One item with its right answers, for each question (and image).

    There is a checkbox for each right level; for a slider, the lowest and the highest right value.
    """

    use_required_attribute = False

    role = forms.ChoiceField(
        label=gettext_lazy("Used as"), choices=[choice for choice in Item.Role.choices if choice[0] != Item.Role.RATED]
    )
    reason = forms.CharField(
        label=gettext_lazy("Why these answers are right"),
        help_text=gettext_lazy(
            "Raters read it with examples and after practice. Paragraphs, lists and *emphasis* work."
        ),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, study: Study, dimensions: list[Dimension], images: list[int], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._asked: dict[str, tuple[Dimension, int | None]] = {}
        for dimension in dimensions:
            if not kind_of(dimension).has_levels:
                continue  # only questions answered with a level can have a known answer
            is_about_images = dimension.about == Dimension.About.IMAGE or dimension.is_ordering
            for place, image in enumerate(images if is_about_images else [None]):
                name = f"d{dimension.pk}-{place}"
                self._asked[name] = (dimension, image)
                label = dimension.question
                if is_about_images and len(images) > 1:
                    label = f"{label} ({_('image %d') % (place + 1)})"
                if dimension.kind == Dimension.Kind.SLIDER:
                    self._add_range(name, label, dimension)
                    continue
                self.fields[name] = forms.TypedMultipleChoiceField(
                    label=label,
                    choices=[
                        (str(code), level["label"] or level["value"]) for code, level in enumerate(dimension.levels)
                    ],
                    coerce=int,
                    required=False,
                    widget=forms.CheckboxSelectMultiple,
                )

    def _add_range(self, name: str, label: str, dimension: Dimension) -> None:
        low, high = dimension.levels
        scale = {"low": low["value"], "low_label": low["label"], "high": high["value"], "high_label": high["label"]}
        scale["step"] = dimension.parameters["step"]
        helps = {
            "from": _("The line goes from %(low)s = %(low_label)s to %(high)s = %(high_label)s in steps of %(step)s.")
            % scale,
            "to": _("Every value from the lowest to the highest is right. Leave both empty to check nothing."),
        }
        for end, words in (("from", _("%s – lowest right value")), ("to", _("%s – highest right value"))):
            self.fields[f"{name}-{end}"] = forms.DecimalField(
                label=words % label,
                help_text=helps[end],
                min_value=Decimal(low["value"]),
                max_value=Decimal(high["value"]),
                step_size=Decimal(dimension.parameters["step"]),
                required=False,
            )

    @property
    def questions(self) -> list[Any]:
        return [self[name] for name in self.fields if name.startswith("d")]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name in self._asked:
            low, high = (cleaned.get(f"{name}-{end}") for end in ("from", "to"))
            if f"{name}-from" in self.errors or f"{name}-to" in self.errors:
                continue
            if (low is None) != (high is None):
                missing = "from" if low is None else "to"
                self.add_error(f"{name}-{missing}", _("Give both values, or none."))
            elif low is not None and low > high:
                self.add_error(f"{name}-to", _("The highest right value is below the lowest."))
        return cleaned

    def accepted(self) -> dict[tuple[int, int | None], list[int]]:
        """The levels that are right, by question and image; questions without any are left out."""
        found = {}
        for name, (dimension, image) in self._asked.items():
            if levels := self.cleaned_data.get(name) or self._within(name, dimension):
                found[dimension.pk, image] = levels
        return found

    def _within(self, name: str, dimension: Dimension) -> list[int]:
        """The levels of a slider between the two given values."""
        low, high = (self.cleaned_data.get(f"{name}-{end}") for end in ("from", "to"))
        if low is None or high is None:
            return []
        least, step = Decimal(dimension.levels[0]["value"]), Decimal(dimension.parameters["step"])
        return list(range(int((low - least) / step), int((high - least) / step) + 1))


class MismatchForm(forms.Form):
    """How many attention checks to make from images shown with a wrong prompt."""

    use_required_attribute = False

    dimension = forms.ModelChoiceField(
        label=gettext_lazy("Question that these checks use"),
        queryset=Dimension.objects.none(),
        help_text=gettext_lazy("The one that asks whether the image fits its prompt."),
    )
    n = forms.IntegerField(label=gettext_lazy("How many"), min_value=1, max_value=100, initial=5)

    def __init__(self, study: Study, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["dimension"].queryset = study.dimensions.all()  # type: ignore[attr-defined]  # of a model's choices


class TextImageForm(forms.Form):
    """One more image for the texts that raters read."""

    use_required_attribute = False

    file = forms.FileField(
        label=gettext_lazy("Image"),
        help_text=gettext_lazy(
            "PNG, JPEG or WebP, at most 10 MB. Only the picture itself is stored, at most 1,600 pixels wide."
        ),
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        required=False,
        max_length=60,
        help_text=gettext_lazy("What you call it in the texts. Raters never see it. Empty: the file’s name."),
    )
