"""The rating page: a card, its answer, the next card."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from io import BytesIO
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from annotations.forms.rating import not_loaded, parse_submission
from annotations.kinds.base import Answer, BadAnswers
from annotations.models import Assignment, Rater, Study
from annotations.models.participation import plan_of
from annotations.queries import rating as queries
from annotations.queries.raters.checks import n_left
from annotations.queries.raters.known import known_answers, verdicts
from annotations.queries.words import asked, language_of
from annotations.services import rating as services
from annotations.services.panels.visits import GOING_ON, finished, state_of
from annotations.services.renditions import WIDTHS, narrow_rendition
from annotations.views.cards import card_contexts, given_answers, images_as_shown, picture_at, rendered
from annotations.views.fetched import IMAGE_SECONDS, note_fetched, were_fetched
from annotations.views.join import JUST_JOINED
from annotations.views.languages import speak_language_of_study
from annotations.views.raters.before import comes_before
from annotations.views.receipts import by_script, with_receipts
from generation.queries.stored_files import opened

MOST_CARDS_AHEAD = 20


@never_cache
@login_required
@require_GET
def card(request: HttpRequest, study_token: str) -> HttpResponse:
    """The first card that waits for this rater, or the reason why there is none."""
    rater = _rater(request, study_token)
    if rater is None:
        return redirect("home")
    if comes_before(rater) and queries.over_since(rater.pk) is None:
        return redirect("rate-before", study_token=study_token)
    now = timezone.now()
    cards = _next_cards(rater, now)
    if not cards:
        is_excluded = rater.excluded_at is not None
        is_in = rater.study.state == Study.State.OPEN and not is_excluded
        is_capped = is_in and n_left(rater, plan_of(rater.study), now) == 0
        panel_end = None if is_capped else finished(rater, now=now)
        visit_state = state_of(rater)
        is_over = visit_state not in ("", *GOING_ON)  # a rater who has their code need not wait for more
        context = {
            "study": rater.study,
            "progress": queries.progress(rater),
            "is_excluded": is_excluded,
            "visit_state": visit_state,
            "may_come_free": is_in and not is_capped and not is_over and queries.may_come_free(rater),
            "is_capped": is_capped,
            "panel_end": panel_end,
            "rater": rater,
        }
        return render(request, "annotations/rate/nothing.html", context)
    services.renew(rater=rater, assignment=cards[0], now=now)
    return _page(request, rater, card_contexts(rater.study, cards)[0])


@never_cache
@login_required
@require_GET
def upcoming(request: HttpRequest, study_token: str) -> JsonResponse:
    """The reserved cards after the one that the browser shows, so that it can fetch their images ahead."""
    rater = _rater(request, study_token)
    after = queries.sequence_of(request.GET.get("after", ""), rater) if rater else None
    if rater is None or after is None:
        raise Http404
    limit = _number(request.GET.get("n", ""), default=MOST_CARDS_AHEAD)
    cards = _next_cards(rater, timezone.now(), after=after, limit=limit)
    return JsonResponse(
        {
            "cards": rendered(request, rater.study, cards),
            "is_over": _is_over(rater) or (not cards and queries.over_since(rater.pk) is not None),
        }
    )


@never_cache
@login_required
@require_POST
@with_receipts
def answer(request: HttpRequest, study_token: str, token: str) -> HttpResponse:
    """Save one card's answers; a script receives as many next cards as it asks for, a plain form is redirected to the
    next."""
    assignment = _assignment(request, study_token, token)
    study, now = assignment.study, timezone.now()
    written = queries.dimensions_of(study.pk)
    dimensions = asked(study, written)  # errors are reported in the words of the card
    try:
        images, frozen = images_as_shown(assignment), assignment.item.frozen
        submission = parse_submission(request.POST, dimensions, images, now, frozen=frozen)
        n_pictures = len(images) + (assignment.item.reference is not None)
        if not by_script(request) and not were_fetched(request, assignment.token, n_pictures):
            raise not_loaded()
    except BadAnswers as problem:
        if by_script(request):
            return JsonResponse({"problem": str(problem)}, status=HTTPStatus.BAD_REQUEST)
        context = card_contexts(study, [assignment], dimensions, problem=str(problem), given=request.POST)[0]
        return _page(request, assignment.rater, context, status=HTTPStatus.BAD_REQUEST)
    # A study that was closed while a rater was answering still takes answers to the cards that they hold.
    outcome = services.submit(
        assignment=assignment,
        answers=submission.answers,
        answered_at=submission.answered_at,
        shown_at=submission.shown_at,
        active_ms=submission.active_ms,
        viewing=submission.viewing,
        languages={one.pk: language_of(study, one, submission.language) for one in written if submission.language},
        flag=submission.flag,
    )
    feedback = _feedback(assignment, submission.answers)
    if not by_script(request):
        if feedback:
            messages.warning(request, feedback)
        return redirect(f"{reverse('rate', args=[study.token])}?saved=1")
    after = queries.sequence_of(request.POST["after"], assignment.rater) if "after" in request.POST else None
    limit = _number(request.POST.get("n", ""), default=1)
    cards = _next_cards(assignment.rater, now, after=assignment.sequence if after is None else after, limit=limit)
    reply: dict[str, Any] = {"outcome": outcome.value, "cards": rendered(request, study, cards, dimensions)}
    reply["is_over"] = _is_over(assignment.rater)
    return JsonResponse(reply | ({"feedback": feedback} if feedback else {}))


@never_cache
@login_required
@require_GET
def answered_card(request: HttpRequest, study_token: str, token: str) -> HttpResponse:
    """A card of this rater's own, answered or not, with the current answers."""
    assignment = _assignment(request, study_token, token)
    context = card_contexts(assignment.study, [assignment], given=given_answers(assignment))[0]
    return _page(request, assignment.rater, context)


@never_cache
@login_required
@require_GET
def back(request: HttpRequest, study_token: str) -> HttpResponse:
    """Goes to the card that this rater answered before the current one."""
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
def skip(request: HttpRequest, study_token: str, token: str) -> HttpResponse:
    """Skip a card for good. It has no consequences for the rater; an answered card stays answered."""
    assignment = _assignment(request, study_token, token)
    if plan_of(assignment.study).allows_skip:
        services.skip(assignment=assignment, now=timezone.now())
    return redirect("rate", study_token=study_token)


@login_required
@require_POST
def pause(request: HttpRequest, study_token: str) -> HttpResponse:
    """Stop for now: answers are kept, and unanswered cards are free for others until this rater returns."""
    rater = _rater(request, study_token)
    if rater is None:
        return redirect("home")
    services.pause(rater=rater)
    return render(request, "annotations/rate/paused.html", {"study": rater.study, "progress": queries.progress(rater)})


@login_required
@require_GET
def image(request: HttpRequest, token: str, place: int) -> HttpResponseBase:
    """An image as this rater sees it: only pixels, under an address that belongs to this assignment.

    `width` asks for fewer pixels, for a screen that cannot show them all; one of `WIDTHS`; otherwise all pixels are
    sent. `page`: the image is for a page without a script, which has to prove that it fetched its images.
    """
    assignment = queries.assignment_of(token, request.user)
    if assignment is None:
        raise Http404
    picture = picture_at(assignment, place)
    width = next((one for one in WIDTHS if request.GET.get("width") == str(one)), 0)
    file = BytesIO(narrow_rendition(picture, width)) if 0 < width < (picture.width or 0) else opened(picture.shown)
    response = FileResponse(file, content_type="image/webp", filename="image.webp")
    response.headers["Cache-Control"] = f"private, max-age={IMAGE_SECONDS}, immutable"
    if "page" in request.GET:
        note_fetched(
            response,
            assignment.token,
            place,
            answered_at=reverse("rate-answer", args=[assignment.study.token, assignment.token]),
        )
    return response


def _page(request: HttpRequest, rater: Rater, card: dict[str, Any], *, status: int = HTTPStatus.OK) -> HttpResponse:
    page = {
        "study": rater.study,
        "progress": queries.progress(rater),
        "card": card,
        "just_saved": request.GET.get("saved") == "1",
        "just_joined": request.session.pop(JUST_JOINED, "") == rater.study.token,
        "widths": " ".join(map(str, WIDTHS)),
        "plan": plan_of(rater.study),
    }
    return render(request, "annotations/rate/page.html", page, status=status)


def _feedback(assignment: Assignment, answers: Sequence[Answer]) -> str:
    """The feedback for a rater who misses a gold item, if the study gives any; otherwise nothing."""
    if assignment.purpose != Assignment.Purpose.GOLD or not plan_of(assignment.study).shows_feedback:
        return ""
    known = known_answers([assignment.item_id]).get(assignment.item_id, [])
    given = {(one.dimension_id, one.image_id): one.level for one in answers}
    if all(verdicts(known, given, assignment.shown_order)):
        return ""
    reason = assignment.item.reason
    words = _("Your last answer differs from what the people who run this study expect.")
    return f"{words} {reason}" if reason else words


def _rater(request: HttpRequest, study_token: str) -> Rater | None:
    rater = queries.rater_of(study_token, request.user)
    if rater is not None:
        speak_language_of_study(request, rater.study.language)
    return rater


def _assignment(request: HttpRequest, study_token: str, token: str) -> Assignment:
    assignment = queries.assignment_of(token, request.user)
    if assignment is None or assignment.study.token != study_token:
        raise Http404(_("This card is not assigned to you, or it does not exist."))
    speak_language_of_study(request, assignment.study.language)
    return assignment


def _next_cards(rater: Rater, now: datetime, *, after: int | None = None, limit: int = 1) -> list[Assignment]:
    """At most `limit` reserved cards; more are reserved if there are fewer. A page that asks for several keeps them
    ready for times without a network; see `services.raters.held`."""
    if limit == 0 or rater.study.state != Study.State.OPEN:
        return []
    cards = queries.reserved(rater, after=after, limit=limit)
    if len(cards) < limit and services.reserve(rater=rater, now=now, is_ahead=limit > 1):
        cards = queries.reserved(rater, after=after, limit=limit)
    return cards


def _is_over(rater: Rater) -> bool:
    """Whether no more cards will come, so that the page leads to the one that says so. Answers are kept."""
    return rater.study.state != Study.State.OPEN or rater.excluded_at is not None


def _number(text: str, *, default: int) -> int:
    """How many cards a script asks for; anything that is not such a number is the default."""
    is_number = text.isascii() and text.isdigit() and len(text) < 4
    return int(text) if is_number and int(text) <= MOST_CARDS_AHEAD else default
