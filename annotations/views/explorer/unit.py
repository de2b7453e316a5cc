"""One image of the wall in full: all answers, scores and claims about it."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotations.models import Response, Study
from annotations.queries.explorer.cards import answers_about, cards, comments_on, errors_missed, metric_places
from annotations.queries.explorer.wall import Wall, explored_report, wall_of
from annotations.reports.numbers import scale_value
from annotations.reports.study.data import ORDERS
from annotations.views.audits.critic import settled_words
from annotations.views.explorer.asked import MEAN_NOTES, MEAN_WORDS, asked_filter
from annotations.views.explorer.wall import UNITS_PER_PAGE, histogram
from annotations.views.rights import researcher_of_study


@never_cache
@researcher_of_study
@require_safe
def unit(request: HttpRequest, study: Study, item_id: int, image_id: int) -> HttpResponse:
    """The image, its parent, answers, scores next to raters' judgement, claims and comments; arrow keys move along the
    wall."""
    snapshot = explored_report(study)
    wall = wall_of(snapshot, asked_filter(request)) if snapshot is not None else None
    row = wall.row_of(item_id, image_id) if wall is not None else None
    found = cards(study, wall, [row]) if wall is not None and row is not None else []
    if wall is None or row is None or not found:
        raise Http404
    card = found[0]
    query = request.GET.urlencode()
    place = wall.place_of(item_id, image_id)
    labels = wall.table.names["labels"]
    context: dict[str, Any] = {
        "study": study,
        "tab": "explorer",
        "card": card,
        "chart": histogram(card, wall),
        "chosen": wall.chosen,
        "names": wall.table.names,
        "measure": wall.measure,
        "mean_words": MEAN_WORDS[wall.measure],
        "mean_note": MEAN_NOTES.get(wall.measure, ""),
        "metrics": metric_places(wall, row),
        "answers": [
            {"answer": answer, "label": _label(answer, labels, wall)}
            for answer in answers_about(study, wall.table.dimension, item_id, image_id)
        ],
        "claims": [{"claim": claim, "settled": settled_words(claim.settled)} for claim in card.claims],
        "missed": errors_missed(study, [image.pk for image in card.images]),
        "comments": comments_on(study, item_id),
        "place": None if place is None else place + 1,
        "n_wall": len(wall.rows),
        "before": _beside(study, wall, place, -1, query),
        "after": _beside(study, wall, place, 1, query),
        "back": _address_of_wall(study, request, place),
    }
    return render(request, "annotations/explorer/unit.html", context)


def _beside(study: Study, wall: Wall, place: int | None, step: int, query: str) -> str:
    """The address of the unit before or after on the wall; empty at its ends."""
    if place is None or not 0 <= place + step < len(wall.rows):
        return ""
    row = wall.rows[place + step]
    address = reverse(
        "study-explore-unit", args=[study.token, int(wall.column("item")[row]), int(wall.column("image")[row])]
    )
    return f"{address}?{query}" if query else address


def _address_of_wall(study: Study, request: HttpRequest, place: int | None) -> str:
    """The page of the wall on which the unit is."""
    query = request.GET.copy()
    if place is not None:
        query["page"] = str(place // UNITS_PER_PAGE + 1)
    return f"{reverse('study-explore', args=[study.token])}?{query.urlencode()}"


def _label(answer: Response, labels: list[str], wall: Wall) -> str:
    if answer.level is None:
        return ""
    level = answer.level
    if wall.table.names["kind"] == "preference" and answer.assignment.shown_order.startswith("1") and level < 2:
        level = 1 - level
    values = wall.table.names["values"]
    label = labels[level] if level < len(labels) else ""
    if wall.table.names["kind"] in ("ordinal", "interval", *ORDERS) and level < len(values):
        return f"{scale_value(values[level])} {label}".strip()
    return label
