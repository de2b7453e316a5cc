"""Joining a study by its invitation."""

from http import HTTPStatus

from django.contrib.auth import login, logout
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from annotations.forms.studies import JoinForm
from annotations.models import Panel, PanelVisit, Rater, Study
from annotations.queries import studies as queries
from annotations.services import invitations
from annotations.services import studies as services
from annotations.services.panels import visits
from annotations.views.languages import speak_language_of_study

BACKEND = "django.contrib.auth.backends.ModelBackend"
REMEMBERED_S = 365 * 24 * 3600
JUST_JOINED = "just_joined"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, invitation: str) -> HttpResponse:
    """What the study asks of a rater, and the consent with which they can begin. Raters who have joined before go
    straight on."""
    study = get_object_or_404(Study, invitation=invitation)
    speak_language_of_study(request, study.language)
    user = request.user if isinstance(request.user, User) else None
    panel = visits.panel_of(study)
    if panel is not None and visits.names_somebody(panel, request.GET):
        return _arrive(request, study, panel)
    visit = _visit(request, study)
    if user is not None and study.state != Study.State.DRAFT and study.raters.filter(user=user).exists():
        return redirect("rate", study.token)
    if study.state != Study.State.OPEN or invitations.why_closed(study):
        return _not_open(request, study)
    if visit is not None and visit.is_forgotten:
        return _refuse(request, study, "declined" if visit.state == PanelVisit.State.DECLINED else "again")
    if visit is not None and visit.state not in visits.GOING_ON:
        return _refuse(request, study, "ended")
    if panel is not None and panel.is_only_way and visit is None:
        return _refuse(request, study, "missing")
    form = JoinForm(study, request.POST or None, is_from_panel=visit is not None)
    if request.method == "POST" and form.is_valid():
        try:
            if visit is not None:
                # A separate account, even if this browser is signed in: a visitor from a panel is always a separate
                # person.
                rater = visits.join(visit=visit, study=study, group=form.cleaned_data.get("group", ""))
                return _begin(request, rater, is_new=True)
            group = form.cleaned_data.get("group", "")
            rater = services.join(study=study, user=user, name=form.cleaned_data["name"], group=group)
        except visits.Refused as refusal:
            return _refuse(request, study, refusal.why)
        except services.GroupIsFull as problem:
            if visit is not None:
                visits.end(visit=visit, state=PanelVisit.State.SCREENED_OUT, now=timezone.now())
                visit.refresh_from_db()
                full = {"study": study, "panel_end": visits.way_back(visit), "why": " ".join(problem.messages)}
                return render(request, "annotations/raters/declined.html", full)
            form.add_error(None, problem)
        except ValidationError as problem:
            form.add_error(None, problem)
        else:
            return _begin(request, rater)
    seconds, is_measured = queries.seconds_per_item(study)
    n_items = study.items.count() if study.n_released is None else study.n_released
    n_items = min(n_items, study.items_per_rater or n_items)
    context = {
        "study": study,
        "form": form,
        "n_items": n_items,
        "n_questions": study.dimensions.count(),
        "minutes": max(1, round(n_items * seconds / 60)),
        "is_measured": is_measured,
        "has_joined": user is None and _mark(study) in request.COOKIES,
    }
    return render(request, "annotations/rate/join.html", context)


@require_http_methods(["GET", "HEAD"])
def declined(request: HttpRequest, invitation: str) -> HttpResponse:
    """The page for people who do not want to take part; from a panel, with the matching code."""
    study = get_object_or_404(Study, invitation=invitation)
    speak_language_of_study(request, study.language)
    visit = _visit(request, study)
    panel_end = None
    if visit is not None and visit.state != PanelVisit.State.JOINED:
        panel_end = visits.decline(visit=visit, now=timezone.now())
    context = {"study": study, "panel_end": panel_end, "is_from_panel": visit is not None and visit.is_forgotten}
    return render(request, "annotations/raters/declined.html", context)


def _arrive(request: HttpRequest, study: Study, panel: Panel) -> HttpResponse:
    """Handles the panel's link: redirects to the invitation, without the identifiers in the address."""
    may_begin = study.state == Study.State.OPEN and not invitations.why_closed(study)
    try:
        visit = visits.arrive(panel=panel, parameters=request.GET.dict(), may_begin=may_begin)
    except visits.Refused as refusal:
        if refusal.why == "not_open":
            return _not_open(request, study)
        return _refuse(request, study, refusal.why)
    is_someone = request.user.is_authenticated and visit.rater is None
    if is_someone and Rater.objects.filter(study=study, user=request.user.pk, visit__isnull=False).exists():
        logout(request)  # somebody else came with this browser before: their answers and their code are not this one's
    request.session[f"visit-{study.token}"] = visit.pk
    if visit.rater is not None and visit.rater.user is not None:
        if request.user != visit.rater.user:
            login(request, visit.rater.user, backend=BACKEND)
        return redirect("rate", study.token)
    response = redirect("join", study.invitation)
    path = reverse("join", args=[study.invitation])
    secure = request.is_secure()
    response.set_signed_cookie(
        _pressed(study), str(visit.pk), max_age=3600, path=path, secure=secure, httponly=True, samesite="Lax"
    )
    return response


def _pressed(study: Study) -> str:
    """The name of a cookie that knows the visit when consent is pressed twice: the first press ends the session."""
    return f"visit-{study.token}"


def _visit(request: HttpRequest, study: Study) -> PanelVisit | None:
    """The visit from a panel that was begun in this browser."""
    key = request.session.get(f"visit-{study.token}")
    if key is None and request.method == "POST":
        key = request.get_signed_cookie(_pressed(study), None, max_age=3600)
    visit = PanelVisit.objects.filter(pk=key, panel__study=study).select_related("panel").first() if key else None
    known = (*visits.GOING_ON, PanelVisit.State.DECLINED, PanelVisit.State.RETURNED, PanelVisit.State.TIMED_OUT)
    return visit if visit is not None and visit.state in known else None


def _not_open(request: HttpRequest, study: Study) -> HttpResponse:
    closed = {"study": study, "why_closed": invitations.why_closed(study)}
    return render(request, "annotations/rate/join_not_open.html", closed, status=HTTPStatus.FORBIDDEN)


def _refuse(request: HttpRequest, study: Study, why: str) -> HttpResponse:
    context = {"study": study, "why": why}
    return render(request, "annotations/raters/panel_refused.html", context, status=HTTPStatus.FORBIDDEN)


def _begin(request: HttpRequest, rater: Rater, *, is_new: bool = False) -> HttpResponse:
    """Goes on to the first card. People who had no account first see their personal link, their only way back."""
    response = redirect("rate", rater.study.token)
    if rater.user is None or (request.user.is_authenticated and not is_new):
        return response
    login(request, rater.user, backend=BACKEND)
    request.session[JUST_JOINED] = rater.study.token
    # It outlives the session and gives no access, but lets the invitation warn before one person becomes a second
    # rater.
    response.set_cookie(
        _mark(rater.study),
        "1",
        max_age=REMEMBERED_S,
        path=reverse("join", args=[rater.study.invitation]).rpartition(rater.study.invitation)[0],
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    return response


def _mark(study: Study) -> str:
    return f"joined-{study.token}"
