"""The filter in an address of the explorer, and the words for it."""

import re
from math import isfinite

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from annotations.queries.explorer import wall
from annotations.queries.explorer.wall import Measure, Wall, WallFilter

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
RANKED_WORDS = {wall.LOW: _("best first"), wall.HIGH: _("worst first")}
"""Of rankings and of best and worst, the lowest mean is the best."""
MEAN_WORDS: dict[Measure, Promise] = {
    "rating": _("Mean rating"),
    "rank": _("Mean rank (1 is best)"),
    "choice": _("Mean place (1 best, 3 worst)"),
}
MEAN_NOTES: dict[Measure, Promise] = {
    "choice": _(
        "The best image of a card counts 1, the worst 3 and the others 2. The mean rank in the results is another "
        "figure: there, the worst image counts the number of images on its card, and the others the mean of the ranks "
        "between."
    ),
}
"""How a unit's mean is related to the figure of the same answers in the results, where it is another one."""
FLAG_WORDS = {
    "flagged": _("with comments"),
    "wrong": _("critic was wrong"),
    "claims": _("with claims"),
    "missed": _("critic missed an error"),
    "unable": _("somebody could not answer"),
}
_UNIT = re.compile(r"(\d{1,18})-(\d{1,18})", re.ASCII)


def asked_filter(request: HttpRequest) -> WallFilter:
    """The filter from the address. A `Wall` leaves out what does not apply to its question; unreadable numbers are
    ignored."""
    return WallFilter(
        dimension=request.GET.get("question", ""),
        metric=request.GET.get("metric", ""),
        order=request.GET.get("order", "") or wall.POSITION,
        method=request.GET.get("method", ""),
        category=request.GET.get("category", ""),
        has=request.GET.get("has", ""),
        kind=request.GET.get("kind", ""),
        low=_number(request.GET.get("low", "")),
        high=_number(request.GET.get("high", "")),
    )


def order_words(shown: Wall, order: str) -> str:
    """What an order shows first."""
    ranked = {} if shown.measure == "rating" else RANKED_WORDS
    return str(ranked.get(order) or ORDER_WORDS.get(order) or order)


def ignored_words(shown: Wall) -> list[str]:
    """What of the filter does not apply to the wall's question, as labels and values."""
    labels = {
        "question": _("Question"),
        "metric": _("Metric"),
        "order": _("Show first"),
        "method": _("Method"),
        "category": _("Category"),
        "has": _("Only"),
        "kind": _("Kind of claim"),
        "low": _("from"),
        "high": _("to"),
    }
    has = shown.ignored.get("has", "")
    values = {
        "order": order_words(shown, shown.ignored.get("order", "")),
        "has": str(FLAG_WORDS.get(has) or has),
    }
    return [f"{labels[what]}: {values.get(what, value)}" for what, value in shown.ignored.items()]


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
