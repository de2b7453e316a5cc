"""The auditor's pages: the next work, an audit, a disagreement, an image."""

from http import HTTPStatus
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from annotations.models import Adjudication, Audit, Auditor, AuditPlan, Study, Verdict
from annotations.queries.audits import work as queries
from annotations.services.audits import adjudication as decisions
from annotations.services.audits import work
from annotations.views.audits.context import audit_context, decision_context, images_as_shown
from annotations.views.languages import speak_language_of_study
from annotations.views.rights import signed_in
from generation.models import Image, Reference
from generation.queries.stored_files import opened


@never_cache
@login_required
@require_GET
def next_work(request: HttpRequest, study_token: str) -> HttpResponse:
    """This auditor's next work: the image they hold, a new one, or others' disagreement; or why there is none."""
    study = queries.audited_by(study_token, request.user)
    if study is None:
        return redirect("home")
    speak_language_of_study(request, study.language)
    plan = AuditPlan.objects.select_related("study").filter(study=study).first()
    if plan is None or plan.state == AuditPlan.State.DRAFT:
        return render(request, "annotations/audit/nothing.html", {"study": study, "reason": "draft", "n_finished": 0})
    auditor, now = work.auditor_for(study=study, user=signed_in(request)), timezone.now()
    if audit := work.reserve(auditor=auditor, plan=plan, now=now):
        return audit_page(request, audit)
    if disagreement := decisions.reserve_adjudication(auditor=auditor, plan=plan, now=now):
        return decision_page(request, disagreement)
    reason = "closed" if plan.state == AuditPlan.State.CLOSED else "done"
    if reason == "done" and queries.may_come_free(plan, auditor):
        reason = "wait"
    context = {
        "study": study,
        "reason": reason,
        "n_finished": queries.n_finished(auditor),
        "was_late": _was_late(request),
    }
    return render(request, "annotations/audit/nothing.html", context)


@never_cache
@login_required
@require_GET
def work_page(request: HttpRequest, study_token: str, token: str) -> HttpResponse:
    """An audit of this auditor's own, finished or not, with the current answers."""
    return audit_page(request, own_audit(request, study_token, token))


@never_cache
@login_required
@require_GET
def decide_page(request: HttpRequest, study_token: str, token: str) -> HttpResponse:
    return decision_page(request, own_decision(request, study_token, token))


@never_cache
@login_required
@require_GET
def back(request: HttpRequest, study_token: str) -> HttpResponse:
    """Goes to the image that this auditor finished before the current one."""
    study = queries.audited_by(study_token, request.user)
    if study is None:
        return redirect("home")
    auditor = work.auditor_for(study=study, user=signed_in(request))
    looking_at = queries.audit_of(request.GET.get("from", ""), request.user)
    previous = queries.last_finished(auditor, before=looking_at.sequence if looking_at else None)
    if previous is None:
        return redirect("audit", study_token=study_token)
    return redirect("audit-work", study_token=study_token, token=previous.token)


@login_required
@require_GET
def image(request: HttpRequest, token: str, place: int) -> HttpResponseBase:
    """An image as this auditor sees it: only pixels, under an address that belongs to this audit.

    After the images to judge comes the reference image, if the study shows one.
    """
    judged: Audit | Adjudication | None = queries.audit_of(token, request.user)
    images: list[Image | Reference] = []
    if isinstance(judged, Audit):
        images += images_as_shown(judged)
    elif (judged := queries.adjudication_of(token, request.user)) is not None:
        images.append(judged.item.image)
    if judged is not None and place == len(images):
        known = queries.reference_of(judged.item, judged.plan.study)
        images += Reference.objects.filter(pk=known["id"]) if known else []
    if place >= len(images) or not images[place].shown:
        raise Http404
    response = FileResponse(opened(images[place].shown), content_type="image/webp", filename="image.webp")
    response.headers["Cache-Control"] = "private, max-age=86400, immutable"
    return response


def own_audit(request: HttpRequest, study_token: str, token: str) -> Audit:
    audit = queries.audit_of(token, request.user)
    if audit is None or audit.plan.study.token != study_token:
        raise Http404(_("This image is not assigned to you, or it does not exist."))
    speak_language_of_study(request, audit.plan.study.language)
    return audit


def own_decision(request: HttpRequest, study_token: str, token: str) -> Adjudication:
    disagreement = queries.adjudication_of(token, request.user)
    if disagreement is None or disagreement.plan.study.token != study_token:
        raise Http404(_("This claim is not assigned to you, or it does not exist."))
    speak_language_of_study(request, disagreement.plan.study.language)
    return disagreement


def audit_page(request: HttpRequest, audit: Audit, *, status: int = HTTPStatus.OK, **context: Any) -> HttpResponse:
    """The page of an audit; showing it records the time and keeps the place."""
    work.opened(audit=audit, plan=audit.plan, now=timezone.now())
    return _page(request, audit.plan.study, audit.auditor, audit_context(audit, **context), status)


def decision_page(
    request: HttpRequest, disagreement: Adjudication, *, problem: str = "", status: int = HTTPStatus.OK
) -> HttpResponse:
    auditor = disagreement.adjudicator
    if auditor is None:
        raise Http404
    verdict = Verdict.objects.filter(claim=disagreement.claim_id, auditor=auditor, is_current=True).first()
    context = decision_context(disagreement, verdict, problem=problem)
    return _page(request, disagreement.plan.study, auditor, context, status)


def _page(request: HttpRequest, study: Study, auditor: Auditor, page: dict[str, Any], status: int) -> HttpResponse:
    n_finished = queries.n_finished(auditor)
    plan = AuditPlan.objects.get(study=study)
    n_left = queries.open_items(plan, auditor).count() if plan.state == AuditPlan.State.OPEN else 0
    is_open = page["stage"] != "decide" and not page["has_ended"]
    context = {
        "study": study,
        "page": page,
        "n_finished": n_finished,
        "n_total": n_finished + n_left + is_open,
        "just_saved": request.GET.get("saved") == "1",
        "was_late": _was_late(request),
    }
    return render(request, "annotations/audit/page.html", context, status=status)


def _was_late(request: HttpRequest) -> bool:
    """Whether the work just finished came after its place had been given to somebody else."""
    return request.GET.get("late") == "1"
