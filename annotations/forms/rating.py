"""Checks the shape of what the rating page sends, and turns it into answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from annotations.models import Dimension
from annotations.services.rating import Answer

UNABLE = "u"
LONGEST_ABSENCE = timedelta(days=30)
LONGEST_FLAG = 1000


class BadAnswers(ValueError):
    """Answers that cannot be saved as they came; the message is for the annotator."""


@dataclass(frozen=True)
class Submission:
    """What one card was answered with, and when."""

    answers: tuple[Answer, ...]
    shown_at: datetime | None
    answered_at: datetime
    active_ms: int | None
    flag: str


def field_name(dimension: Dimension, place: int | None) -> str:
    """The form field of a dimension: about the image at a place from the left, or about all that is shown."""
    return f"d{dimension.pk}" if place is None else f"d{dimension.pk}-{place}"


def parse_submission(
    data: Mapping[str, str], dimensions: Sequence[Dimension], images: Sequence[int], now: datetime
) -> Submission:
    """Read the fields of one card.

    images: the image ids in the order in which this rater sees them. Times are told by the browser as "so many
    milliseconds ago", so that a wrong clock there does no harm; without a script the page's own `shown_at` is used.
    Raises BadAnswers when an answer is missing or is none of the offered ones.
    """
    answers = []
    for dimension in dimensions:
        places: Sequence[int | None] = range(len(images)) if dimension.about == Dimension.About.IMAGE else [None]
        for place in places:
            code = data.get(field_name(dimension, place), "")
            answers.append(Answer(dimension.pk, None if place is None else images[place], _level(dimension, code)))
    answered_at = now - _ago(data.get("answered_ms_ago"))
    shown_ago = data.get("shown_ms_ago")
    shown_at = now - _ago(shown_ago) if shown_ago else _time(data.get("shown_at", ""))
    if shown_at is not None and shown_at > answered_at:
        shown_at = None
    active = _whole(data.get("active_ms", ""))
    active_ms = None if active is None else min(active, 2**31 - 1)
    # No database takes a NUL in a text.
    flag = data.get("flag", "").replace("\0", "").strip()[:LONGEST_FLAG]
    return Submission(tuple(answers), shown_at, answered_at, active_ms, flag)


def _level(dimension: Dimension, code: str) -> int | None:
    if code == "":
        raise BadAnswers(_("One question is not answered yet: “%s”") % dimension.question)
    if code == UNABLE and dimension.allows_unable:
        return None
    level = _whole(code)
    if level is None or level >= len(dimension.levels):
        raise BadAnswers(_("“%s” has no such answer. Choose one of those shown.") % dimension.question)
    return level


def _ago(text: str | None) -> timedelta:
    return min(timedelta(milliseconds=min(_whole(text or "") or 0, 10**12)), LONGEST_ABSENCE)


def _whole(text: str) -> int | None:
    """A whole number; None for anything else, and for more digits than any number here has (Python refuses 4,301)."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _time(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None
