"""Submissions of auditing pages: answers, listed errors, the end of an audit. A script gets a receipt, a plain form a
page."""

from http import HTTPStatus

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from annotations.forms.audits import BadAnswers, parse_answers, parse_listed, parse_moment, parse_verdict
from annotations.models import Audit, AuditItem
from annotations.queries.audits import work as queries
from annotations.services.audits import adjudication as decisions
from annotations.services.audits import answers, work
from annotations.views.audits.pages import audit_page, decision_page, own_audit, own_decision
from annotations.views.receipts import by_script, with_receipts
from annotations.views.rights import signed_in


@never_cache
@login_required
@require_POST
@with_receipts
def save(request: HttpRequest, study_token: str, token: str) -> HttpResponse:
    """Save the questions that are answered; with `then`, close the auditor's list ("seal") or the image ("finish")."""
    audit, now = own_audit(request, study_token, token), timezone.now()
    work.opened(audit=audit, plan=audit.plan, now=now)
    moment, outcome, state = parse_moment(request.POST, now), answers.Outcome.UNCHANGED, ""
    elements = queries.elements_of(audit.item.image.prompt, audit.plan)
    try:
        for given in parse_answers(request.POST, audit, elements):
            saved = answers.save_answer(
                audit=audit, given=given, answered_at=moment.answered_at, active_ms=moment.active_ms
            )
            outcome = saved if saved is not answers.Outcome.UNCHANGED else outcome
        then = request.POST.get("then", "")
        if then == "seal":
            work.seal(audit=audit, now=now)
        elif then == "finish":
            state = work.finish(audit=audit, now=now, active_ms=moment.active_ms)
    except BadAnswers as problem:
        return _refused(request, audit, str(problem))
    except work.Unfinished as unfinished:
        return _refused(request, audit, _what_is_open(audit, unfinished.names), unfinished.names)
    is_late = state == Audit.State.LATE
    if by_script(request):
        return JsonResponse({"outcome": "late" if is_late else outcome.value})
    if then == "finish":
        return redirect(f"{reverse('audit', args=[study_token])}?saved=1{'&late=1' if is_late else ''}")
    return redirect(f"{reverse('audit-work', args=[study_token, token])}?saved=1")


@never_cache
@login_required
@require_POST
@with_receipts
def list_error(request: HttpRequest, study_token: str, token: str) -> HttpResponse:
    """Put an error on this auditor's list."""
    audit = own_audit(request, study_token, token)
    elements = queries.elements_of(audit.item.image.prompt, audit.plan)
    try:
        listed = parse_listed(request.POST, audit, elements, queries.kinds_of(audit.plan))
    except BadAnswers as problem:
        return _refused(request, audit, str(problem), typed=request.POST)
    moment = parse_moment(request.POST, timezone.now())
    outcome = answers.list_error(audit=audit, listed=listed, answered_at=moment.answered_at)
    return _list_changed(request, outcome, study_token, token)


@never_cache
@login_required
@require_POST
@with_receipts
def withdraw(request: HttpRequest, study_token: str, token: str) -> HttpResponse:
    """Take an error off this auditor's list."""
    audit = own_audit(request, study_token, token)
    try:
        outcome = answers.withdraw_error(audit=audit, key=request.POST.get("key", ""), now=timezone.now())
    except answers.Sealed:
        return _refused(request, audit, _("This list is closed and can no longer be changed."))
    return _list_changed(request, outcome, study_token, token)


def _list_changed(request: HttpRequest, outcome: answers.Outcome, study_token: str, token: str) -> HttpResponse:
    if by_script(request):
        return JsonResponse({"outcome": outcome.value})
    return redirect(f"{reverse('audit-work', args=[study_token, token])}?saved=1#missed")


@never_cache
@login_required
@require_POST
@with_receipts
def decide(request: HttpRequest, study_token: str, token: str) -> HttpResponse:
    """Save the decision on a disagreement."""
    disagreement, now = own_decision(request, study_token, token), timezone.now()
    moment, auditor = parse_moment(request.POST, now), disagreement.adjudicator
    try:
        given = parse_verdict(request.POST, "c0", disagreement.claim_id)
        if given.value == "wrong" and not given.reason:
            raise BadAnswers(_("Say why the claim is wrong."))
    except BadAnswers as problem:
        if by_script(request):
            return JsonResponse({"problem": str(problem)}, status=HTTPStatus.BAD_REQUEST)
        return decision_page(request, disagreement, problem=str(problem), status=HTTPStatus.BAD_REQUEST)
    if auditor is not None:
        decisions.decide(
            adjudication=disagreement,
            auditor=auditor,
            value=given.value,
            severity=given.severity,
            reason=given.reason,
            answered_at=moment.answered_at,
            active_ms=moment.active_ms,
        )
    if by_script(request):
        return JsonResponse({"outcome": "saved"})
    return redirect(f"{reverse('audit', args=[study_token])}?saved=1")


@login_required
@require_POST
def pause(request: HttpRequest, study_token: str) -> HttpResponse:
    """Stop for now: answers are kept, and the place is free for others until this auditor returns."""
    study = queries.audited_by(study_token, request.user)
    if study is None:
        return redirect("home")
    auditor = work.auditor_for(study=study, user=signed_in(request))
    work.pause(auditor=auditor)
    context = {"study": study, "reason": "paused", "n_finished": queries.n_finished(auditor)}
    return render(request, "annotations/audit/nothing.html", context)


def _refused(
    request: HttpRequest, audit: Audit, problem: str, open_names: list[str] | None = None, typed: object = None
) -> HttpResponse:
    """Say what is wrong, on the same page; valid answers are saved."""
    if by_script(request):
        return JsonResponse({"problem": problem}, status=HTTPStatus.BAD_REQUEST)
    return audit_page(
        request, audit, status=HTTPStatus.BAD_REQUEST, problem=problem, open_names=open_names or [], typed=typed
    )


def _what_is_open(audit: Audit, names: list[str]) -> str:
    if names == ["seal"]:
        return _("Close your own list first. Then you will see the claims.")
    n = len(names)
    if audit.item.kind == AuditItem.Kind.CLAIMS and any(name.startswith("c") for name in names):
        return ngettext(
            "%(n)d answer is missing: every claim needs a verdict, and a wrong one its reason.",
            "%(n)d answers are missing: every claim needs a verdict, and a wrong one its reason.",
            n,
        ) % {"n": n}
    return ngettext("%(n)d question is not answered yet.", "%(n)d questions are not answered yet.", n) % {"n": n}
