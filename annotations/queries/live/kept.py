"""Figures of a large study: cached briefly, with the time at which they were counted."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from django.core.cache import cache
from django.utils import timezone

from annotations.models import Response, Study

LARGE = 50_000
"""With more current answers, or answered cards, than this, a study is large. Below, every page counts again."""
KEPT_SECONDS = 30
COUNTED_FOR = 20
"""A slow count is kept this many times as long as it took."""
LONGEST_SECONDS = 600

Figures = TypeVar("Figures")


def is_large(study: Study, *, large: int = LARGE) -> bool:
    """Whether the study has more than `large` current answers; an index lookup that stops at that number.

    One query for each question: asked about several at once, SQLite reads the whole table if its statistics say that a
    question has most of the rows, as with a small study next to a huge one.
    """
    left = large
    for dimension in study.dimensions.order_by().values_list("pk", flat=True):
        some = Response.objects.filter(dimension=dimension, is_current=True).order_by().values("pk")[: left + 1]
        left -= some.count()
        if left < 0:
            return True
    return False


def kept(
    name: str, study: Study, count: Callable[[], Figures], *, is_dear: Callable[[Figures], bool]
) -> tuple[Figures, datetime | None]:
    """The result of `count`, and when it was counted; None if it was counted just now.

    A result that `is_dear` is kept for half a minute in this process.
    """
    key = f"{name}-{study.pk}-{study.state}"
    found: tuple[Figures, datetime] | None = cache.get(key)
    if found is not None:
        return found
    figures = count()
    if is_dear(figures):
        cache.set(key, (figures, timezone.now()), KEPT_SECONDS)
    return figures, None


def seconds_to_keep(spent: float, *, least: float) -> float:
    """How long to keep figures that took `spent` seconds to count."""
    return min(LONGEST_SECONDS, max(least, COUNTED_FOR * spent))
