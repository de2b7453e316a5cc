"""A study's panel for its researchers: settings, visits and files; and Prolific's webhooks."""

from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotations.forms.panels import PanelForm, new_codes
from annotations.models import Panel, PanelVisit, Study
from annotations.models.participation import plan_of
from annotations.queries.raters.pay import hourly_pay
from annotations.services.activity import Action, note
from annotations.services.panels import files, polling, prolific, visits
from annotations.services.panels.kinds import DEFAULTS
from annotations.views.downloads import streamed
from annotations.views.rights import researcher_of_study, signed_in
from annotations.views.studies.invitations import invitation_link
from exchange.export import csv_chunks

MOST_BODY = 64 * 1024


@never_cache
@researcher_of_study
@require_http_methods(["GET", "HEAD", "POST"])
def panel(request: HttpRequest, study: Study) -> HttpResponse:
    """The panel from which raters come, the link to give it, and the outcomes of the visits."""
    found = visits.panel_of(study)
    kind = found.kind if found is not None else request.GET.get("kind", "")
    if kind not in Panel.Kind.values:
        kinds = Panel.Kind.choices
        return render(request, "annotations/watching/panel_kinds.html", _context(study) | {"kinds": kinds})
    instance = found or _new(study, kind)
    form = PanelForm(request.POST or None, instance=instance)
    if request.method == "POST" and form.is_valid():
        form.save()
        note(study=study, actor=signed_in(request), action=Action.CHANGED, settings=["panel", *form.changed_data])
        messages.success(request, _("Saved."))
        return redirect("study-panel", study.token)
    rows = PanelVisit.objects.filter(panel=found).order_by().values("state").annotate(n=Count("pk")) if found else []
    counts = {row["state"]: row["n"] for row in rows}
    context = _context(study) | {
        "form": form,
        "panel": instance,
        "is_new": found is None,
        "link": f"{invitation_link(request, study)}?{_query(instance)}",
        "states": [(label, counts[state]) for state, label in PanelVisit.State.choices if state in counts],
        "pay": hourly_pay(study, plan_of(study)),
        "webhook": request.build_absolute_uri(reverse("panel-webhook")),
        "has_token": bool(settings.PROLIFIC_TOKEN),
        "has_secret": bool(settings.PROLIFIC_WEBHOOK_SECRET),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "annotations/watching/panel.html", context, status=status)


@never_cache
@researcher_of_study
@require_safe
def file(request: HttpRequest, study: Study, name: str) -> HttpResponseBase:
    """Approvals, rejections or bonuses as CSV."""
    found = visits.panel_of(study)
    if found is None or name not in files.NAMES:
        raise Http404
    if name == "approvals":
        chunks = csv_chunks(files.APPROVALS, files.approvals(found))
    elif name == "rejections":
        chunks = csv_chunks(files.REJECTIONS, files.rejections(found))
    else:
        try:
            amount = Decimal(request.GET.get("amount", ""))
        except InvalidOperation:
            amount = Decimal(0)
        if not amount.is_finite() or not 0 < amount < 1000:
            messages.error(request, _("Give the bonus as an amount such as 1.50."))
            return redirect("study-panel", study.token)
        # Prolific's bulk payment has no header line.
        chunks = iter([f"{participant},{paid}\n" for participant, paid in files.bonuses(found, amount)])
    return streamed(chunks, f"{name}.csv", "text/csv")


@csrf_exempt  # its signature authenticates the sender
@require_POST
def webhook(request: HttpRequest) -> HttpResponse:
    """A change of a submission at Prolific: a rater who returns or times out frees the cards that they held at once."""
    if len(request.body) > MOST_BODY:
        return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    is_signed = prolific.is_signed(
        body=request.body,
        signature=request.headers.get("X-Prolific-Request-Signature", ""),
        timestamp=request.headers.get("X-Prolific-Request-Timestamp", ""),
        secret=settings.PROLIFIC_WEBHOOK_SECRET,
    )
    if not is_signed:
        return HttpResponse(status=HTTPStatus.FORBIDDEN)
    if (submission := prolific.event(request.body)) is not None:
        polling.apply(submission, now=timezone.now())
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


def _context(study: Study) -> dict[str, Any]:
    return {"study": study, "tab": "raters", "part": "panel"}


def _new(study: Study, kind: str) -> Panel:
    usual = DEFAULTS[kind]
    return Panel(
        study=study,
        kind=kind,
        participant_parameter=usual.participant_parameter,
        session_parameter=usual.session_parameter,
        study_parameter=usual.study_parameter,
        return_address=usual.return_address,
        **new_codes(),
    )


def _query(found: Panel) -> str:
    """The query that the panel has to fill in; in the usual form if the parameters are the usual ones."""
    usual = DEFAULTS[found.kind]
    if urlsplit(f"?{usual.link_query}").query.startswith(f"{found.participant_parameter}="):
        return usual.link_query
    names = (found.participant_parameter, found.session_parameter, found.study_parameter)
    return "&".join(f"{name}=…" for name in names if name)
