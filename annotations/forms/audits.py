"""Parses and checks what auditing pages send; the forms of the researcher's audit tab."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotations.forms.rating import LONGEST_ABSENCE
from annotations.forms.studies import LARGEST_SEED, new_seed
from annotations.kinds.base import whole
from annotations.models import Audit, AuditItem, AuditPlan, Verdict
from annotations.queries.audits.work import Element
from annotations.services.audits.answers import ElementGiven, ErrorListed, Mark, RepairGiven, VerdictGiven
from generation.models import Claim, Method

Given = VerdictGiven | ElementGiven | RepairGiven
SIDES = ("left", "right")
LONGEST_TEXT, LONGEST_KIND, LONGEST_ABOUT, LONGEST_KEY = 1000, 50, 300, 40
N_REGIONS = 9


class BadAnswers(ValueError):
    """Invalid answers, which cannot be saved; the message is for the auditor."""


@dataclass(frozen=True)
class Moment:
    """When something was answered, and how long the auditor actively looked, in milliseconds (None: unknown)."""

    answered_at: datetime
    active_ms: int | None


def parse_moment(data: Mapping[str, str], now: datetime) -> Moment:
    """Times are sent as milliseconds ago, so that a wrong clock in the browser does no harm."""
    ago = whole(data.get("answered_ms_ago", ""))
    return Moment(
        now - min(timedelta(milliseconds=min(ago or 0, 10**12)), LONGEST_ABSENCE),
        None if (active := whole(data.get("active_ms", ""))) is None else min(active, 2**31 - 1),
    )


def parse_answers(data: Mapping[str, str], audit: Audit, elements: Sequence[Element]) -> list[Given]:
    """Read the questions of an audit that are answered in `data`: e0, e1… the elements, c0, c1… the claims as shown.

    Raises BadAnswers for an answer that was not offered, and for one to a claim that may not be seen yet.
    """
    given: list[Given] = []
    is_pair = audit.item.kind == AuditItem.Kind.REPAIR
    for place, element in enumerate(elements):
        if answer := data.get(f"e{place}", ""):
            offered = {**_PLACES, "cannot_tell": "cannot_tell"} if is_pair else _PRESENCE
            code = _of_pair(audit, answer) if is_pair else answer
            if answer not in offered:
                raise BadAnswers(_no_such(element.text))
            given.append(ElementGiven(element.id, element.text, code))
    for place, claim_id in enumerate(audit.claim_order):
        if not (answer := data.get(f"c{place}", "")):
            continue
        if not audit.may_see_claims:
            raise BadAnswers(_("Close your own list first."))
        if is_pair:
            given.append(_repair(data, audit, place, claim_id))
        else:
            given.append(parse_verdict(data, f"c{place}", claim_id))
    return given


def parse_verdict(data: Mapping[str, str], name: str, claim_id: int) -> VerdictGiven:
    """A verdict with the reason of a wrong claim or the severity of a true error; inapplicable fields are left out."""
    value, severity, reason = data.get(name, ""), "", ""
    if value not in Verdict.Value.values:
        raise BadAnswers(_("Choose one of the four verdicts."))
    if value == Verdict.Value.WRONG:
        reason = data.get(f"{name}-reason", "")
        if reason not in Verdict.Reason.values:
            raise BadAnswers(_("Choose one of the reasons shown."))
    elif value in (Verdict.Value.RIGHT, Verdict.Value.PARTLY):
        severity = data.get(f"{name}-severity", "")
        if severity not in Claim.Severity.values:
            raise BadAnswers(_("Choose one of the severities shown."))
    return VerdictGiven(claim_id, value, severity, reason)


def parse_listed(
    data: Mapping[str, str], audit: Audit, elements: Sequence[Element], kinds: Sequence[str]
) -> ErrorListed:
    """An error as the auditor lists it, with its mark: a point or box drawn, or one of nine parts of the image.

    Raises BadAnswers for an empty text and for a mark outside the image.
    """
    text = " ".join(data.get("text", "").split())[:LONGEST_TEXT]
    if not text:
        raise BadAnswers(_("Say in a few words what is wrong."))
    key = data.get("key", "")
    if not key or len(key) > LONGEST_KEY:
        raise BadAnswers(_("This line arrived without its key. Reload the page and add it again."))
    kind, about = data.get("kind", ""), data.get("about", "")
    severity = data.get("severity", "")
    shown_on = data.get("side", SIDES[0])
    is_pair = audit.item.kind == AuditItem.Kind.REPAIR
    return ErrorListed(
        key=key,
        text=text,
        kind=kind if kind in kinds else "",
        about=about if about in {element.id for element in elements} else "",
        severity=severity if severity in Claim.Severity.values else "",
        mark=_mark(data),
        is_in_refined=is_pair and _of_pair(audit, shown_on) == "refined",
    )


_PRESENCE = {"present": "present", "absent": "absent", "cannot_tell": "cannot_tell"}
_PLACES = {"left": "left", "right": "right", "both": "both", "none": "none"}


def _of_pair(audit: Audit, answer: str) -> str:
    """An answer about a side, in terms of baseline and refined; any other answer unchanged."""
    if answer not in SIDES:
        return answer
    return "refined" if (answer == "left") == audit.is_mirrored else "baseline"


def _repair(data: Mapping[str, str], audit: Audit, place: int, claim_id: int) -> RepairGiven:
    answer, degree = data[f"c{place}"], data.get(f"c{place}-degree", "")
    if answer not in (*_PLACES, "cannot_tell") or degree not in ("", "alike", *SIDES):
        raise BadAnswers(_("Choose one of the answers shown."))
    worse_in = _of_pair(audit, degree) if answer == "both" and degree in SIDES else ""
    return RepairGiven(claim_id, _of_pair(audit, answer), worse_in)


def _mark(data: Mapping[str, str]) -> Mark | None:
    numbers = [_share(data.get(name, "")) for name in ("x", "y", "width", "height")]
    x, y, width, height = numbers
    if x is None or y is None:
        where = data.get("where", "")
        if not (where.isascii() and where.isdigit() and 1 <= int(where) <= N_REGIONS):
            return None
        row, column = divmod(int(where) - 1, 3)
        return Mark(column / 3, row / 3, 1 / 3, 1 / 3)
    if not width or not height:
        return Mark(x, y)
    width, height = min(width, 1 - x), min(height, 1 - y)
    return Mark(x, y, width, height) if width > 0 and height > 0 else Mark(x, y)


def _share(text: str) -> float | None:
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise BadAnswers(_("The mark lies outside the image. Mark it again."))
    return number


def _no_such(question: str) -> str:
    return _("“%s” has no such answer. Choose one of those shown.") % question


class PlanForm(forms.Form):
    """Everything about an audit. It is fixed once the plan is made."""

    use_required_attribute = False

    critics = forms.MultipleChoiceField(
        label=gettext_lazy("Critics to audit"), widget=forms.CheckboxSelectMultiple, choices=[]
    )
    auditors_per_image = forms.IntegerField(
        label=gettext_lazy("Auditors per image"),
        initial=2,
        min_value=1,
        max_value=100,
        help_text=gettext_lazy("You need two to measure how far auditors agree; a third decides between them."),
    )
    lists_first_percent = forms.IntegerField(
        label=gettext_lazy("Own list first, in percent of the images"),
        initial=50,
        min_value=0,
        max_value=100,
        help_text=gettext_lazy(
            "For these images, auditors list errors before they see the claims. This shows how far the claims "
            "influence them and makes the estimate of unseen errors valid. The images are chosen at random for "
            "each auditor."
        ),
    )
    with_elements = forms.BooleanField(
        label=gettext_lazy("The prompt's parts as a check list"), required=False, initial=True
    )
    with_wrong_image = forms.BooleanField(
        label=gettext_lazy("Claims made about another image, mixed in"),
        help_text=gettext_lazy("A critic that does not look at images does as well on these."),
        required=False,
        initial=True,
    )
    with_planted = forms.BooleanField(
        label=gettext_lazy("Planted false claims, mixed in"),
        help_text=gettext_lazy("They show how readily auditors accept what they read."),
        required=False,
        initial=True,
    )
    with_repair = forms.BooleanField(
        label=gettext_lazy("Compare before and after refinement, side by side"), required=False
    )
    placebo_percent = forms.IntegerField(
        label=gettext_lazy("The same image twice, in percent of the comparisons"),
        initial=10,
        min_value=0,
        max_value=100,
        help_text=gettext_lazy("Any difference reported there is bias."),
    )
    error_free = forms.ModelMultipleChoiceField(
        Method.objects.none(),
        label=gettext_lazy("Methods whose images are known to have no errors"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    lease_minutes = forms.IntegerField(
        label=gettext_lazy("Minutes an image stays reserved"), initial=60, min_value=1, max_value=10_000
    )
    seed = forms.IntegerField(
        label=gettext_lazy("Seed"), validators=[MinValueValidator(0), MaxValueValidator(LARGEST_SEED)], initial=new_seed
    )

    def __init__(self, *args: Any, critics: Sequence[str], methods: Sequence[Method], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen, error_free = self.fields["critics"], self.fields["error_free"]
        if isinstance(chosen, forms.MultipleChoiceField) and isinstance(error_free, forms.ModelMultipleChoiceField):
            chosen.choices = [(critic, critic) for critic in critics]
            chosen.initial = list(critics)
            error_free.queryset = Method.objects.filter(pk__in=[method.pk for method in methods])

    def plan_fields(self) -> dict[str, Any]:
        """What `make_plan` takes, except for the images."""
        values = dict(self.cleaned_data)
        values["lists_first_share"] = values.pop("lists_first_percent") / 100
        values["placebo_share"] = values.pop("placebo_percent") / 100
        values.pop("error_free")
        return values


class ClaimsForm(forms.Form):
    """Claims, one per line."""

    use_required_attribute = False

    claims = forms.CharField(
        label=gettext_lazy("Claims, one per line"),
        widget=forms.Textarea(attrs={"rows": 8}),
        required=False,
        max_length=100_000,
    )

    def texts(self) -> list[str]:
        lines = (" ".join(line.split()) for line in self.cleaned_data["claims"].splitlines())
        return [line for line in lines if line]


class AuditorForm(forms.Form):
    use_required_attribute = False

    username = forms.CharField(label=gettext_lazy("User name"), max_length=150)


PLAN_STATES = (AuditPlan.State.OPEN, AuditPlan.State.CLOSED)
