"""Checks the form data of the rating page, and turns it into answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from annotations.kinds.base import Answer, BadAnswers, whole
from annotations.kinds.registry import kind_of
from annotations.kinds.viewing import parse_viewing
from annotations.models import Dimension

LONGEST_ABSENCE = timedelta(days=30)
LONGEST_FLAG = 1000


@dataclass(frozen=True)
class Submission:
    """The answers to one card, and their times."""

    answers: tuple[Answer, ...]
    shown_at: datetime | None
    answered_at: datetime
    active_ms: int | None
    flag: str
    viewing: dict[str, Any] | None = None
    language: str = ""
    """The language of the page, from its card; empty if it is not one of the site's."""


def parse_submission(
    data: Mapping[str, str],
    dimensions: Sequence[Dimension],
    images: Sequence[int],
    now: datetime,
    *,
    frozen: Mapping[str, Any] | None = None,
) -> Submission:
    """Read the fields of one card.

    images: the image ids in the order in which this rater sees them. frozen: of the item, see `Item.frozen`. Times are
    reported by the browser as a number of milliseconds ago, so that a wrong clock there does no harm; without a script,
    the page's own `shown_at` is used.
    Raises BadAnswers if an answer is missing or was not offered.
    """
    answers: list[Answer] = []
    for dimension in dimensions:
        answers += kind_of(dimension).parse(dimension, data, images, (frozen or {}).get(dimension.kind))
    answered_at = now - _ago(data.get("answered_ms_ago"))
    shown_ago = data.get("shown_ms_ago")
    shown_at = now - _ago(shown_ago) if shown_ago else _time(data.get("shown_at", ""))
    if shown_at is not None and shown_at > answered_at:
        shown_at = None
    active = whole(data.get("active_ms", ""))
    active_ms = None if active is None else min(active, 2**31 - 1)
    # No database accepts a NUL in a text.
    flag = data.get("flag", "").replace("\0", "").strip()[:LONGEST_FLAG]
    viewing = parse_viewing(data.get("seen", ""))
    if viewing is not None and not viewing["decoded"]:
        raise not_loaded()
    if viewing is not None and (frozen or {}).get("reference"):
        viewing["reference"] = viewing["sizes"].pop()
    if viewing is not None and len(viewing["sizes"]) != len(images):
        viewing = None
    language = data.get("language", "")
    if language not in dict(settings.LANGUAGES):
        language = ""
    return Submission(tuple(answers), shown_at, answered_at, active_ms, flag, viewing, language)


def not_loaded() -> BadAnswers:
    return BadAnswers(_("The image had not loaded when this was answered. Look at the card again."))


def _ago(text: str | None) -> timedelta:
    return min(timedelta(milliseconds=min(whole(text or "") or 0, 10**12)), LONGEST_ABSENCE)


def _time(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None
