"""Durations in words, as exact as they can be relied upon."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

MINUTE, HOUR, DAY = 60, 3_600, 86_400


def in_words(seconds: float | None) -> str:
    """Such as "40 s", "9 min", "3 h 20 min", "2 days"; empty if unknown."""
    if seconds is None:
        return ""
    if seconds < 1.5 * MINUTE:
        return _("%(n)s s") % {"n": max(1, round(seconds))}
    if seconds < 1.5 * HOUR:
        return _("%(n)s min") % {"n": round(seconds / MINUTE)}
    if seconds < 2 * DAY:
        minutes = round(seconds / (10 * MINUTE)) * 10
        return (
            _("%(h)s h %(m)s min") % {"h": minutes // 60, "m": minutes % 60}
            if minutes % 60
            else _("%(h)s h") % {"h": minutes // 60}
        )
    n = round(seconds / DAY)
    return ngettext("%(n)s day", "%(n)s days", n) % {"n": n}
