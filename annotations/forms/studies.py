"""The forms of the researcher's pages."""

import secrets
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.validators import MaxValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from annotations.models import Membership, Study
from annotations.queries import candidates as queries
from annotations.queries.candidates import Selection
from generation.models import Method, PromptSet

LARGEST_SEED = 2**63 - 1

if TYPE_CHECKING:
    StudyModelForm = forms.ModelForm[Study]
else:
    StudyModelForm = forms.ModelForm  # Django's forms take no type arguments when they run


def new_seed() -> int:
    """A short random number: easily written down, and different for each study unless somebody wills otherwise."""
    return secrets.randbelow(10**6)


class _Counted(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return ngettext("%(name)s — %(n)s image", "%(name)s — %(n)s images", obj.n_images) % {
            "name": obj,
            "n": f"{obj.n_images:,}",
        }


class StudyForm(StudyModelForm):
    """Everything about a new study but its questions."""

    use_required_attribute = False

    prompt_sets = _Counted(
        PromptSet.objects.none(), label=gettext_lazy("Prompt sets"), widget=forms.CheckboxSelectMultiple
    )
    methods = _Counted(Method.objects.none(), label=gettext_lazy("Methods"), widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = Study
        fields = [
            "title",
            "notes",
            "item_kind",
            "raters_per_item",
            "items_per_rater",
            "order",
            "seed",
            "batch_size",
            "lease_minutes",
            "consent",
            "instructions",
        ]
        widgets = {
            "notes": forms.Textarea(attrs={"rows": 3}),
            "consent": forms.Textarea(attrs={"rows": 4}),
            "instructions": forms.Textarea(attrs={"rows": 6}),
            "item_kind": forms.RadioSelect,
        }
        help_texts = {
            "consent": gettext_lazy("Raters read it and agree to it before they begin."),
            "instructions": gettext_lazy("Raters read them before they begin, and at any time behind “?”."),
            "seed": gettext_lazy("The same seed gives the same order of the same images."),
            "raters_per_item": gettext_lazy("Exactly so many people answer each item."),
            "lease_minutes": gettext_lazy("Then an unanswered item is given to somebody else."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["seed"].validators.append(MaxValueValidator(LARGEST_SEED))
        for name, rows in (
            ("prompt_sets", queries.prompt_sets_with_counts()),
            ("methods", queries.methods_with_counts()),
        ):
            field = self.fields[name]
            if isinstance(field, forms.ModelMultipleChoiceField):
                field.queryset = rows

    def selection(self) -> Selection:
        """What is ticked, as far as it is valid: unknown rows are left out."""
        return Selection(
            prompt_sets=tuple(row.pk for row in self.cleaned_data.get("prompt_sets", ())),
            methods=tuple(row.pk for row in self.cleaned_data.get("methods", ())),
        )


class SettingsForm(StudyModelForm):
    """What may be changed while a study runs: words around the questions, and how items are given out.

    What raters were asked, and about which images, stays as it was: answers to other words could not be pooled.
    """

    use_required_attribute = False

    class Meta:
        model = Study
        fields = ["title", "notes", "consent", "instructions", "items_per_rater", "batch_size", "lease_minutes"]
        widgets = {
            "notes": forms.Textarea(attrs={"rows": 3}),
            "consent": forms.Textarea(attrs={"rows": 4}),
            "instructions": forms.Textarea(attrs={"rows": 6}),
        }


class MemberForm(forms.Form):
    use_required_attribute = False

    username = forms.CharField(label=gettext_lazy("User name"), max_length=150)
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Membership.Role.choices)


class JoinForm(forms.Form):
    """Consent, and a name if the rater wants one."""

    use_required_attribute = False

    name = forms.CharField(
        label=gettext_lazy("Your name, if you like"),
        help_text=gettext_lazy("The people who run the study see it. Without one you are a random number."),
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "nickname"}),
    )
    consent = forms.BooleanField(label=gettext_lazy("I have read this, and I agree to take part."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["consent"].error_messages["required"] = _("Without your consent you cannot take part.")


class DeletionForm(forms.Form):
    use_required_attribute = False

    title = forms.CharField(
        label=gettext_lazy("Type the study's title"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
