"""The rating page: a card, its answer, the next card."""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from annotations.forms.rating import BadAnswers, parse_submission
from annotations.models import Assignment, Rater, Study
from annotations.queries import rating as queries
from annotations.services import rating as services
from annotations.views.cards import card_contexts, given_answers, images_as_shown, rendered
from generation.models import Image

MOST_CARDS_AHEAD = 3


@never_cache
@login_required
@require_GET
def card(request: HttpRequest, study_token: str) -> HttpResponse:
    """The first card that waits for this rater, or the reason why none does."""
    rater = _rater(request, study_token)
    if rater is None:
        return redirect("home")
    now = timezone.now()
    cards = _next_cards(rater, now)
    context: dict[str, Any] = {
        "study": rater.study,
        "progress": queries.progress(rater),
        "just_saved": request.GET.get("saved") == "1",
    }
    if not cards:
        context["may_come_free"] = rater.study.state == Study.State.OPEN and queries.may_come_free(rater)
        return render(request, "annotations/rate_nothing.html", context)
    services.renew(rater=rater, assignment=cards[0], now=now)
    context["card"] = card_contexts(rater.study, cards)[0]
    return render(request, "annotations/rate.html", context)


@never_cache
@login_required
@require_GET
def upcoming(request: HttpRequest, study_token: str) -> JsonResponse:
    """The next cards behind the one that the browser shows, so that it can fetch their images ahead."""
    rater = _rater(request, study_token)
    after = queries.sequence_of(request.GET.get("after", ""), rater) if rater else None
    if rater is None or after is None:
        raise Http404
    limit = int(request.GET["n"]) if request.GET.get("n", "") in {"1", "2", "3"} else MOST_CARDS_AHEAD
    cards = _next_cards(rater, timezone.now(), after=after, limit=limit)
    return JsonResponse({"cards": rendered(request, rater.study, cards)})


@never_cache
@login_required
@require_POST
def answer(request: HttpRequest, study_token: str, token: str) -> HttpResponse:
    """Save one card's answers; a script gets the next card in the same breath, a plain form is led to it."""
    assignment = _assignment(request, study_token, token)
    study, now = assignment.study, timezone.now()
    by_script = request.headers.get("Accept", "").startswith("application/json")
    dimensions = queries.dimensions_of(study.pk)
    try:
        submission = parse_submission(request.POST, dimensions, images_as_shown(assignment), now)
    except BadAnswers as problem:
        if by_script:
            return JsonResponse({"problem": str(problem)}, status=HTTPStatus.BAD_REQUEST)
        context = card_contexts(study, [assignment], dimensions, problem=str(problem), given=request.POST)[0]
        page = {"study": study, "progress": queries.progress(assignment.rater), "card": context}
        return render(request, "annotations/rate.html", page, status=HTTPStatus.BAD_REQUEST)
    # A study that was closed while somebody was answering still takes what they were given before.
    outcome = services.submit(
        assignment=assignment,
        answers=submission.answers,
        answered_at=submission.answered_at,
        shown_at=submission.shown_at,
        active_ms=submission.active_ms,
        flag=submission.flag,
    )
    if not by_script:
        return redirect(f"{reverse('rate', args=[study.token])}?saved=1")
    after = queries.sequence_of(request.POST["after"], assignment.rater) if "after" in request.POST else None
    cards = _next_cards(assignment.rater, now, after=assignment.sequence if after is None else after)
    return JsonResponse({"outcome": outcome.value, "cards": rendered(request, study, cards, dimensions)})


@never_cache
@login_required
@require_GET
def answered_card(request: HttpRequest, study_token: str, token: str) -> HttpResponse:
    """A card of this rater's own, answered or not, with the answers that stand."""
    assignment = _assignment(request, study_token, token)
    context = card_contexts(assignment.study, [assignment], given=given_answers(assignment))[0]
    page = {"study": assignment.study, "progress": queries.progress(assignment.rater), "card": context}
    return render(request, "annotations/rate.html", page)


@never_cache
@login_required
@require_GET
def back(request: HttpRequest, study_token: str) -> HttpResponse:
    """To the card that this rater answered before the one they look at."""
    rater = _rater(request, study_token)
    if rater is None:
        return redirect("home")
    looking_at = queries.assignment_of(request.GET.get("from", ""), request.user)
    previous = queries.previous_answered(looking_at) if looking_at else queries.last_answered(rater)
    if previous is None:
        return redirect("rate", study_token=study_token)
    return redirect("rate-card", study_token=study_token, token=previous.token)


@login_required
@require_POST
def pause(request: HttpRequest, study_token: str) -> HttpResponse:
    """Stop for now: what was answered is kept, what was not is free for others until this rater returns."""
    rater = _rater(request, study_token)
    if rater is None:
        return redirect("home")
    services.pause(rater=rater)
    return render(request, "annotations/rate_paused.html", {"study": rater.study, "progress": queries.progress(rater)})


@login_required
@require_GET
def image(request: HttpRequest, token: str, place: int) -> HttpResponseBase:
    """An image as this rater sees it: pixels alone, under an address that is this assignment's own."""
    assignment = queries.assignment_of(token, request.user)
    images = images_as_shown(assignment) if assignment else []
    if place >= len(images):
        raise Http404
    picture = get_object_or_404(Image.objects.exclude(shown="").only("shown"), pk=images[place])
    response = FileResponse(picture.shown.open("rb"), content_type="image/webp", filename="image.webp")
    response.headers["Cache-Control"] = "private, max-age=86400, immutable"
    return response


def _rater(request: HttpRequest, study_token: str) -> Rater | None:
    return queries.rater_of(study_token, request.user)


def _assignment(request: HttpRequest, study_token: str, token: str) -> Assignment:
    assignment = queries.assignment_of(token, request.user)
    if assignment is None or assignment.study.token != study_token:
        raise Http404(_("This card is not yours, or it does not exist."))
    return assignment


def _next_cards(rater: Rater, now: datetime, *, after: int | None = None, limit: int = 1) -> list[Assignment]:
    if rater.study.state != Study.State.OPEN:
        return []
    cards = queries.reserved(rater, after=after, limit=limit)
    if len(cards) < limit and services.reserve(rater=rater, now=now):
        cards = queries.reserved(rater, after=after, limit=limit)
    return cards
