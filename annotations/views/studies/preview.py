"""A preview of a study as raters will see it: the same page and scripts, but nothing is stored."""

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from annotations.forms.rating import parse_submission
from annotations.kinds.base import BadAnswers
from annotations.models import Assignment, Item, Study
from annotations.queries import rating as queries
from annotations.queries.rating import Progress
from annotations.queries.studies import may_run
from annotations.queries.words import asked
from annotations.services.rating import Outcome
from annotations.services.renditions import WIDTHS
from annotations.views.cards import card_contexts, images_as_shown, picture_at, rendered
from annotations.views.receipts import by_script, with_receipts
from annotations.views.rights import researcher_of_study, signed_in
from generation.queries.stored_files import opened

PREVIEW = {
    "home": "study-preview-end",
    "answer": "study-preview-answer",
    "image": "study-preview-image",
    "upcoming": "study-preview-upcoming",
    "back": "study-preview-back",
    "pause": "study-preview-end",
}
AT_ONCE = 20


@never_cache
@researcher_of_study
@require_GET
def preview(request: HttpRequest, study: Study) -> HttpResponse:
    """The card at `at`, from 0, in the study's order; past the last one, back to the study."""
    cards = _cards(study, _number(request.GET.get("at", "")), 1)
    if not cards:
        return redirect(study)
    return _page(request, study, cards[0])


@never_cache
@researcher_of_study
@require_GET
def upcoming(request: HttpRequest, study: Study) -> JsonResponse:
    after = _place(request.GET.get("after", ""), study)
    return JsonResponse({"cards": rendered(request, study, _cards(study, after + 1, AT_ONCE), urls=PREVIEW)})


@never_cache
@require_POST
@researcher_of_study
@with_receipts
def answer(request: HttpRequest, study: Study, card: str) -> HttpResponse:
    """Parse the answers like a rater's, report errors, and discard them."""
    place = _place(card, study)
    assignment = _card(study, place)
    try:
        dimensions, images = asked(study, queries.dimensions_of(study.pk)), images_as_shown(assignment)
        parse_submission(request.POST, dimensions, images, timezone.now(), frozen=assignment.item.frozen)
    except BadAnswers as problem:
        if by_script(request):
            return JsonResponse({"problem": str(problem)}, status=HTTPStatus.BAD_REQUEST)
        return _page(request, study, assignment, problem=str(problem), given=request.POST)
    if not by_script(request):
        return _to(study, place + 1)
    after = _place(request.POST["after"], study) if "after" in request.POST else place
    limit = min(AT_ONCE, _number(request.POST.get("n", "1")))
    cards = rendered(request, study, _cards(study, after + 1, limit), urls=PREVIEW)
    return JsonResponse({"outcome": Outcome.SAVED.value, "cards": cards})


@never_cache
@researcher_of_study
@require_GET
def back(request: HttpRequest, study: Study) -> HttpResponse:
    return _to(study, max(0, _place(request.GET.get("from", ""), study) - 1))


@never_cache
@researcher_of_study
@require_GET
def shown_card(request: HttpRequest, study: Study, card: str) -> HttpResponse:
    return _to(study, _place(card, study))


@researcher_of_study
def end(request: HttpRequest, study: Study) -> HttpResponse:
    """The page that follows the last card, and the button for a pause."""
    return redirect(study)


@require_GET
def image(request: HttpRequest, card: str, place: int) -> HttpResponseBase:
    study = get_object_or_404(Study, token=card.rpartition(".")[0])
    if not may_run(signed_in(request), study):
        raise PermissionDenied
    picture = picture_at(_card(study, _place(card, study)), place)
    response = FileResponse(opened(picture.shown), content_type="image/webp", filename="image.webp")
    response.headers["Cache-Control"] = "private, max-age=300"
    return response


def _page(request: HttpRequest, study: Study, card: Assignment, **given: Any) -> HttpResponse:
    page = {
        "study": study,
        "is_preview": True,
        "progress": Progress(_place(card.token, study), study.items.count()),
        "card": card_contexts(study, [card], urls=PREVIEW, **given)[0],
        "widths": " ".join(map(str, WIDTHS)),
    }
    status = HTTPStatus.BAD_REQUEST if given else HTTPStatus.OK
    return render(request, "annotations/rate/page.html", page, status=status)


def _cards(study: Study, first: int, limit: int) -> list[Assignment]:
    """Cards that exist only for this page. Every second pair has its sides turned."""
    items = Item.objects.filter(study=study, position__gte=first).select_related("prompt").order_by("position")[:limit]
    cards = []
    for item in items:
        slots = list(map(str, range(item.images.count())))
        order = slots[::-1] if item.position % 2 else slots
        shown_order = ",".join(order) if len(slots) > 1 else ""
        token = f"{study.token}.{item.position}"
        cards.append(Assignment(study=study, item=item, token=token, sequence=item.position, shown_order=shown_order))
    return cards


def _card(study: Study, place: int) -> Assignment:
    cards = _cards(study, place, 1)
    if not cards or cards[0].sequence != place:
        raise Http404
    return cards[0]


def _place(card: str, study: Study) -> int:
    """A card's place in the study's order, from its name."""
    token, _dot, number = card.rpartition(".")
    if token != study.token or not (number.isascii() and number.isdecimal() and len(number) < 10):
        raise Http404
    return int(number)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _to(study: Study, place: int) -> HttpResponse:
    response = redirect("study-preview", study.token)
    response.headers["Location"] += f"?at={place}"
    return response
