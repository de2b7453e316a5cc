"""The wall: a study's images on which metric and raters disagree, raters are split, refinement hurt or the critic was
wrong."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotations import dispatch
from annotations.models import ReportSnapshot, Response, Study
from annotations.queries.explorer.cards import Card, cards
from annotations.queries.explorer.figure import MOST_SELECTED
from annotations.queries.explorer.wall import BY_MEAN, BY_METRIC, Wall, explored_report, wall_of
from annotations.queries.reports import methods_of
from annotations.queries.studies import has_answers_of_excluded_alone
from annotations.reports.numbers import scale_value
from annotations.reports.study.data import ORDERS
from annotations.services.reports import MOST_COMPARISONS
from annotations.views.audits.critic import settled_words
from annotations.views.explorer.asked import (
    FLAG_WORDS,
    MEAN_NOTES,
    MEAN_WORDS,
    asked_filter,
    ignored_words,
    order_words,
)
from annotations.views.rights import researcher_of_study, signed_in

UNITS_PER_PAGE = 24
FIRST = 48
"""How many units at the head of an order are examined for what they have in common."""
MOST_POINTS = 400
SIDE, EDGE = 320, 36


@never_cache
@researcher_of_study
@require_safe
def explore(request: HttpRequest, study: Study) -> HttpResponse:
    """A page of the wall, and above it what its first units have in common."""
    snapshot, found = explored_report(study), None
    if snapshot is None:
        comparisons = methods_of(study)[1][:MOST_COMPARISONS]
        found = dispatch.find_report(study=study, comparisons=comparisons, user=signed_in(request)).snapshot
        snapshot = explored_report(study)
    wall = wall_of(snapshot, asked_filter(request)) if snapshot is not None else None
    context: dict[str, Any] = {"study": study, "tab": "explorer", "snapshot": snapshot, "waiting": found}
    if wall is None:
        context["are_all_excluded"] = has_answers_of_excluded_alone(study)
    if snapshot is not None and wall is not None:
        page = Paginator(range(len(wall.rows)), UNITS_PER_PAGE).get_page(request.GET.get("page"))
        rows = wall.rows[list(page.object_list)].tolist()
        names = wall.table.names
        context |= {
            "page": page,
            "cards": [shown(card, wall) for card in cards(study, wall, rows)],
            "chosen": wall.chosen,
            "names": names,
            "tables": list(snapshot.unit_tables.all()),
            "orders": [(order, order_words(wall, order)) for order in names["orders"]],
            "methods": wall.methods,
            "kinds": wall.kinds,
            "ignored": ignored_words(wall),
            "measure": wall.measure,
            "mean_words": MEAN_WORDS[wall.measure],
            "mean_note": MEAN_NOTES.get(wall.measure, ""),
            "unit": unit_of(study, wall),
            "flags": [(flag, FLAG_WORDS[flag]) for flag in names["flags"]],
            "by_metric": wall.chosen.order in BY_METRIC,
            "n_all": wall.table.n_units,
            "n_first": min(FIRST, len(wall.rows)),
            "common": wall.common(FIRST) if wall.chosen.order in BY_MEAN else [],
            "mean": wall.mean_of(wall.rows),
            "mean_of_all": wall.mean_of(np.arange(wall.table.n_units)),
            "scatter": scatter(study, wall, rows, request.GET.urlencode()),
            "query": request.GET.urlencode(),
            "most_selected": MOST_SELECTED,
            "is_older": _has_newer_answers(study, snapshot),
        }
    return render(request, "annotations/explorer/wall.html", context)


def unit_of(study: Study, wall: Wall) -> str:
    """What a wall's unit is: an image, a pair of images, or a set of more."""
    image = wall.column("image")
    if study.item_kind == Study.ItemKind.IMAGE or not len(image) or image.any():
        return "image"
    return "pair" if study.item_kind == Study.ItemKind.PAIR else "set"


def shown(card: Card, wall: Wall) -> dict[str, Any]:
    """A card with its histogram as numbers for the chart, and its claims with their settled verdicts, in words."""
    claims = [{"claim": claim, "settled": settled_words(claim.settled)} for claim in card.claims]
    return {"card": card, "chart": histogram(card, wall), "claims": claims}


def histogram(card: Card, wall: Wall) -> dict[str, Any]:
    """A histogram as numbers for an SVG: one bar per level; the bar for "unable" is separate and hollow."""
    values, labels = wall.values, wall.table.names["labels"]
    is_ordered = wall.table.names["kind"] in ("ordinal", "interval", *ORDERS)
    most = max(*card.counts, card.n_unable, 1)
    bars = [
        _bar(
            24 * code,
            scale_value(value) if is_ordered else str(code + 1),
            labels[code : code + 1],
            card.counts[code],
            most,
        )
        for code, value in enumerate(values)
    ]
    width = 24 * len(bars) - 4
    unable = None
    if wall.table.names["allows_unable"]:
        unable = _bar(width + 12, "?", [], card.n_unable, most)
        width += 32
    return {"n": card.n, "n_unable": card.n_unable, "bars": bars, "unable": unable, "width": width}


def scatter(study: Study, wall: Wall, on_page: Sequence[int], query: str) -> dict[str, Any] | None:
    """Score against mean rating, with a linked point for each unit; at most MOST_POINTS, evenly along the wall.

    The units of this page are always among them. None if no unit has both.
    """
    if not wall.chosen.metric:
        return None
    mean, score = wall.column("mean"), wall.column(f"score:{wall.chosen.metric}")
    drawn = wall.rows[np.isfinite(mean[wall.rows]) & np.isfinite(score[wall.rows])]
    if len(drawn) < 2:
        return None
    n_all = len(drawn)
    here = set(on_page)
    if n_all > MOST_POINTS:
        spread = drawn[np.unique(np.linspace(0, n_all - 1, MOST_POINTS).round().astype(int))]
        drawn = np.unique(np.concatenate([spread, drawn[np.isin(drawn, list(here))]]))
    bottom, top = wall.values[0], wall.values[-1]
    if wall.measure != "rating":  # The better end is at the top: in rankings, the lowest rank.
        # An image that only ties may have a mean rank beyond every place that somebody gave.
        bottom, top = max(top, float(np.nanmax(mean))), bottom
    left, right = float(score[drawn].min()), float(score[drawn].max())
    item, image = wall.column("item"), wall.column("image")
    points = []
    for row in drawn.tolist():
        address = reverse("study-explore-unit", args=[study.token, int(item[row]), int(image[row])])
        points.append(
            {
                "x": round(EDGE + (SIDE - EDGE - 8) * ((float(score[row]) - left) / ((right - left) or 1.0)), 1),
                "y": round(SIDE - EDGE - (SIDE - EDGE - 8) * (float(mean[row]) - bottom) / ((top - bottom) or 1.0), 1),
                "score": float(score[row]),
                "mean": float(mean[row]),
                "here": row in here,
                "url": f"{address}?{query}" if query else address,
            }
        )
    points.sort(key=lambda point: bool(point["here"]))
    return {"points": points, "n": n_all, "left": left, "right": right, "low": bottom, "high": top}


def _bar(x: int, value: str, label: Sequence[str], count: int, most: int) -> dict[str, Any]:
    height = round(40 * count / most)
    return {
        "x": x,
        "middle": x + 10,
        "top": 52 - height,
        "height": height,
        "value": value,
        "label": label[0] if label else "",
        "count": count,
    }


def _has_newer_answers(study: Study, snapshot: ReportSnapshot) -> bool:
    """Whether somebody answered the first question after the report was made; one index lookup."""
    dimension = study.dimensions.first()
    newest = Response.objects.filter(dimension=dimension, is_current=True).order_by("-pk").values("received_at").first()
    return newest is not None and newest["received_at"] is not None and newest["received_at"] > snapshot.created_at
