"""The forms of the researcher's pages."""

import secrets
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import UserCreationForm
from django.core.validators import MaxValueValidator
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from annotations.models import Membership, Study
from annotations.models.participation import plan_of
from annotations.queries import candidates as queries
from annotations.queries.candidates import Selection
from annotations.queries.pairs import Pairing
from annotations.queries.words import said
from annotations.services.invitations import is_code
from generation.models import Method, PromptSet

LARGEST_SEED = 2**63 - 1

if TYPE_CHECKING:
    StudyModelForm = forms.ModelForm[Study]
else:
    StudyModelForm = forms.ModelForm  # Django's forms take no type arguments when they run


def new_seed() -> int:
    """A short random number: easy to write down, and different for each study unless somebody chooses otherwise."""
    return secrets.randbelow(10**6)


class _Counted(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return ngettext("%(name)s — %(n)s image", "%(name)s — %(n)s images", obj.n_images) % {
            "name": obj,
            "n": f"{obj.n_images:,}",
        }


class StudyForm(StudyModelForm):
    """Everything about a new study except its questions."""

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
            "pairing",
            "pair_baseline",
            "pairs_per_prompt",
            "n_prompts",
            "shows_reference",
            "raters_per_item",
            "most_raters_per_item",
            "disputed_rule",
            "disputed_distance",
            "undisputed_percent",
            "prompt_looks",
            "prompt_spending",
            "items_per_rater",
            "pay_per_hour",
            "currency",
            "language",
            "main_language",
            "order",
            "seed",
            "batch_size",
            "lease_minutes",
            "consent",
            "instructions",
            "exclusion_rule",
        ]
        labels = {
            "raters_per_item": gettext_lazy("Raters per item"),
            "items_per_rater": gettext_lazy("Items per rater, at most"),
        }
        widgets = {
            "notes": forms.Textarea(attrs={"rows": 3}),
            "consent": forms.Textarea(attrs={"rows": 4}),
            "instructions": forms.Textarea(attrs={"rows": 6}),
            "exclusion_rule": forms.Textarea(attrs={"rows": 2}),
            "item_kind": forms.RadioSelect,
            "disputed_rule": forms.RadioSelect,
            "prompt_spending": forms.RadioSelect,
            "language": forms.Select(choices=[("", gettext_lazy("each rater’s own")), *settings.LANGUAGES]),
            "main_language": forms.Select(choices=settings.LANGUAGES),
            "currency": forms.TextInput(attrs={"size": 8}),
        }
        help_texts = {
            "consent": gettext_lazy(
                "Raters read it and agree to it before they start. You can use lists (- or 1.), *emphasis* and "
                "**strong**."
            ),
            "instructions": gettext_lazy(
                "Raters read them before they start, and at any time under “?”. Formatting as in the consent."
            ),
            "seed": gettext_lazy("The same seed gives the same order of the same images."),
            "raters_per_item": gettext_lazy("Exactly this many people answer each item."),
            "most_raters_per_item": gettext_lazy(
                "Empty: every item has the same number. Further raters help to find what most people say about an "
                "item; means and agreement are computed only from the first raters."
            ),
            "disputed_distance": gettext_lazy(
                "Only for “where the first raters differ”. It does not matter for choices without an order: two of "
                "them are either the same or different."
            ),
            "undisputed_percent": gettext_lazy(
                "Only for “where the first raters differ”. Drawn at random, so that the means of all raters can be "
                "estimated without bias."
            ),
            "lease_minutes": gettext_lazy("After that, an unanswered item is given to someone else."),
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
        baseline = self.fields["pair_baseline"]
        if isinstance(baseline, forms.ModelChoiceField):
            baseline.queryset = queries.methods_with_counts().order_by("name")
        # Only pairs have these: for other cards an empty field is not a mistake.
        self.fields["pairing"].required = self.fields["pairs_per_prompt"].required = False
        self.fields["main_language"].required = False
        # Only studies with further raters have these.
        for name in ("disputed_rule", "disputed_distance", "undisputed_percent", "prompt_spending"):
            self.fields[name].required = False

    def clean_pairing(self) -> str:
        return self.cleaned_data["pairing"] or Study.Pairing.ALL

    def clean_main_language(self) -> str:
        return self.cleaned_data["main_language"] or settings.LANGUAGE_CODE

    def clean_disputed_rule(self) -> str:
        return self.cleaned_data["disputed_rule"] or Study.Disputed.OPEN

    def clean_disputed_distance(self) -> int:
        return self.cleaned_data["disputed_distance"] or 1

    def clean_prompt_spending(self) -> str:
        return self.cleaned_data["prompt_spending"] or Study.Spending.OBRIEN_FLEMING

    def clean_prompt_looks(self) -> str:
        numbers = [text for text in self.cleaned_data["prompt_looks"].replace(",", " ").split() if text]
        if not all(text.isascii() and text.isdecimal() and len(text) < 6 for text in numbers):
            raise forms.ValidationError(_("Give numbers of prompts, such as 40, 60, 80, 120."))
        return ",".join(str(int(text)) for text in numbers)

    def clean_undisputed_percent(self) -> int:
        return self.cleaned_data["undisputed_percent"] or 0

    def clean_pairs_per_prompt(self) -> int:
        return self.cleaned_data["pairs_per_prompt"] or 1

    def _clean_further(self, cleaned: dict[str, Any]) -> None:
        """Refuse a rule for further raters that could not work, and discard fields that belong to another rule."""
        first, most = cleaned.get("raters_per_item"), cleaned.get("most_raters_per_item")
        is_by_difference = cleaned.get("disputed_rule") == Study.Disputed.DIFFER
        if not most or not is_by_difference:
            cleaned["disputed_distance"], cleaned["undisputed_percent"] = 1, 0
        if not most or not first:
            return
        if most <= first:
            self.add_error("most_raters_per_item", _("This must be more than the raters that every item has."))
        elif is_by_difference and first < 2:
            self.add_error("raters_per_item", _("One rater cannot differ: choose at least two, or the other rule."))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self._clean_further(cleaned)
        if cleaned.get("item_kind") != Study.ItemKind.PAIR or cleaned.get("pairing") != Study.Pairing.BASELINE:
            cleaned["pair_baseline"] = None
        elif "pair_baseline" in cleaned and cleaned.get("pair_baseline") not in list(cleaned.get("methods", ())):
            self.add_error("pair_baseline", _("Choose the baseline among the methods ticked above."))
        return cleaned

    def selection(self) -> Selection:
        """The ticked choices, as far as they are valid: unknown rows are left out."""
        return Selection(
            prompt_sets=tuple(row.pk for row in self.cleaned_data.get("prompt_sets", ())),
            methods=tuple(row.pk for row in self.cleaned_data.get("methods", ())),
            pairing=Pairing(
                self.cleaned_data.get("pairing") or Study.Pairing.ALL,
                getattr(self.cleaned_data.get("pair_baseline"), "pk", None),
                self.cleaned_data.get("pairs_per_prompt") or 1,
            ),
        )


class SettingsForm(StudyModelForm):
    """Settings that may be changed while a study runs: words around the questions, and how items are assigned.

    The questions and images cannot change, since answers to different words could not be pooled. A rule for excluding
    raters can be declared only before the study opens: later it could be made to fit the answers.
    """

    use_required_attribute = False

    class Meta:
        model = Study
        fields = [
            "title",
            "notes",
            "consent",
            "instructions",
            "exclusion_rule",
            "items_per_rater",
            "batch_size",
            "lease_minutes",
            "closes_at",
        ]
        labels = {"items_per_rater": gettext_lazy("Items per rater, at most")}
        widgets = {
            "closes_at": forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
            "exclusion_rule": forms.Textarea(attrs={"rows": 2}),
            "notes": forms.Textarea(attrs={"rows": 3}),
            "consent": forms.Textarea(attrs={"rows": 4}),
            "instructions": forms.Textarea(attrs={"rows": 6}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = _("Time zone: %(zone)s.") % {"zone": timezone.get_current_timezone_name()}
        self.fields["closes_at"].help_text = f"{self.fields['closes_at'].help_text} {zone}"
        if self.instance.state != Study.State.DRAFT:
            del self.fields["exclusion_rule"]


class InvitationForm(StudyModelForm):
    """Who can still join through the invitation."""

    use_required_attribute = False

    class Meta:
        model = Study
        fields = ["takes_raters", "most_raters", "joining_until", "joining_code"]
        widgets = {
            "joining_until": forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
            "joining_code": forms.TextInput(attrs={"autocomplete": "off"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = _("Time zone: %(zone)s.") % {"zone": timezone.get_current_timezone_name()}
        self.fields["joining_until"].help_text = f"{self.fields['joining_until'].help_text} {zone}"


class ExclusionForm(forms.Form):
    """The reason why a rater is left out of the results."""

    use_required_attribute = False

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("The report states it."),
        max_length=500,
        error_messages={"required": gettext_lazy("Give the reason: the report states it.")},
    )


class MemberForm(forms.Form):
    use_required_attribute = False

    username = forms.CharField(label=gettext_lazy("User name"), max_length=150)
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Membership.Role.choices)


class InviteMemberForm(forms.Form):
    """The role that a link gives to the first person who opens it."""

    use_required_attribute = False

    role = forms.ChoiceField(
        label=gettext_lazy("Role"), choices=Membership.Role.choices, widget=forms.Select(attrs={"id": "invited-role"})
    )


class AccountForm(UserCreationForm):
    """A new account: a user name, and a password that meets this site's rules."""

    use_required_attribute = False


class JoinForm(forms.Form):
    """Consent, and a name if the rater wants one."""

    use_required_attribute = False

    name = forms.CharField(
        label=gettext_lazy("Your name, if you like"),
        help_text=gettext_lazy("The people who run the study can see it. Without one you appear as a random number."),
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "nickname"}),
    )
    code = forms.CharField(
        label=gettext_lazy("Code"),
        help_text=gettext_lazy("You got it from the people who invited you."),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    consent = forms.BooleanField(label=gettext_lazy("I have read this, and I agree to take part."))

    def __init__(self, study: Study, *args: Any, is_from_panel: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._study = study
        if is_from_panel:  # panels forbid asking their participants who they are
            del self.fields["name"]
        plan = plan_of(study)
        if plan.groups:
            self.fields["group"] = forms.ChoiceField(
                label=said(study, plan.group_question),
                help_text=_("You need not say. Results name a group only where it has at least five people."),
                choices=[("", _("I would rather not say")), *((group, said(study, group)) for group in plan.groups)],
                required=False,
            )
        if not study.joining_code:
            del self.fields["code"]
        self.fields["consent"].error_messages["required"] = _("Without your consent you cannot take part.")

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if not is_code(self._study, code):
            raise forms.ValidationError(_("This is not the code of this study. Ask the people who invited you."))
        return code


class DeletionForm(forms.Form):
    use_required_attribute = False

    title = forms.CharField(
        label=gettext_lazy("Type the study's title"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
