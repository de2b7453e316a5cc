"""Forms about raters: how a study treats them, and its exercises and checks."""

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
    """How a study treats its raters. Shares may change while it runs: cards that are out stay as they are."""

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
    """One item with its right answers: a tick for each level that is right, for each question (and image)."""

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
        self._asked: dict[str, tuple[int, int | None]] = {}
        for dimension in dimensions:
            if not kind_of(dimension).has_levels:
                continue  # only what is answered with one of its levels can be known beforehand
            is_about_images = dimension.about == Dimension.About.IMAGE or dimension.is_ordering
            for place, image in enumerate(images if is_about_images else [None]):
                name = f"d{dimension.pk}-{place}"
                self._asked[name] = (dimension.pk, image)
                label = dimension.question
                if is_about_images and len(images) > 1:
                    label = f"{label} ({_('image %d') % (place + 1)})"
                self.fields[name] = forms.TypedMultipleChoiceField(
                    label=label,
                    choices=[(str(code), level["label"]) for code, level in enumerate(dimension.levels)],
                    coerce=int,
                    required=False,
                    widget=forms.CheckboxSelectMultiple,
                )

    @property
    def questions(self) -> list[Any]:
        return [self[name] for name in self._asked]

    def accepted(self) -> dict[tuple[int, int | None], list[int]]:
        """What is right, by question and image; questions without a tick are left out."""
        return {key: self.cleaned_data[name] for name, key in self._asked.items() if self.cleaned_data.get(name)}


class MismatchForm(forms.Form):
    """How many attention checks to make from images shown with a wrong prompt."""

    use_required_attribute = False

    dimension = forms.ModelChoiceField(
        label=gettext_lazy("Question that such a check answers"),
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
        help_text=gettext_lazy("PNG, JPEG or WebP, at most 10 MB. It is stored as pixels alone, at most 1,600 wide."),
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        required=False,
        max_length=60,
        help_text=gettext_lazy("What you call it in the texts. Raters never see it. Empty: the file’s name."),
    )
