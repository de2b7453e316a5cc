"""The filter in an address of the explorer, and the words for it."""

import re
from math import isfinite

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from annotations.queries.explorer import wall
from annotations.queries.explorer.wall import WallFilter

ORDER_WORDS = {
    wall.POSITION: _("as in the report"),
    wall.APART: _("metric and people furthest apart"),
    wall.OVER: _("metric rates higher than people"),
    wall.UNDER: _("people rate higher than metric"),
    wall.SPLIT: _("raters split most"),
    wall.HURT: _("refinement hurt most"),
    wall.HELPED: _("refinement helped most"),
    wall.CRITIC: _("critic wrong most often"),
    wall.MISSED: _("critic missed most"),
    wall.FLAGGED: _("most comments"),
    wall.LOW: _("lowest mean first"),
    wall.HIGH: _("highest mean first"),
}
FLAG_WORDS = {
    "flagged": _("with comments"),
    "wrong": _("critic was wrong"),
    "claims": _("with claims"),
    "missed": _("critic missed an error"),
    "unable": _("somebody could not answer"),
}
_UNIT = re.compile(r"(\d{1,18})-(\d{1,18})", re.ASCII)


def asked_filter(request: HttpRequest) -> WallFilter:
    """The filter from the address; unreadable values are ignored rather than an error."""
    order, has = request.GET.get("order", ""), request.GET.get("has", "")
    return WallFilter(
        dimension=request.GET.get("question", ""),
        metric=request.GET.get("metric", ""),
        order=order if order in wall.ORDERS else wall.POSITION,
        method=request.GET.get("method", ""),
        category=request.GET.get("category", ""),
        has=has if has in wall.FLAGS else "",
        kind=request.GET.get("kind", ""),
        low=_number(request.GET.get("low", "")),
        high=_number(request.GET.get("high", "")),
    )


def asked_units(values: list[str], most: int) -> list[tuple[int, int]]:
    """The (item, image) of a selection, each once and at most this many, in the order given."""
    found = [(int(match[1]), int(match[2])) for value in values if (match := _UNIT.fullmatch(value))]
    return list(dict.fromkeys(found))[:most]


def _number(text: str) -> float | None:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return None
    return number if isfinite(number) else None
