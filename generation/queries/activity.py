"""Reads of the record of who did what."""

import json
from collections.abc import Collection, Iterator, Sequence

from django.db.models import Q, QuerySet

from generation.models import Activity

ROWS_AT_ONCE = 2_000
COLUMNS = ("at", "who", "did", "kind", "what", "key", "details")


def everything() -> QuerySet[Activity]:
    """Every line, the newest first."""
    return Activity.objects.all()


def about(subject: Activity.Subject, keys: Collection[object]) -> Q:
    """The condition for lines about these subjects; combine several by `|`."""
    return Q(subject=subject, subject_key__in=[str(key) for key in keys])


def rows(activities: QuerySet[Activity]) -> Iterator[Sequence[object]]:
    """The lines for a file, the oldest first; columns as in COLUMNS."""
    for line in activities.order_by("pk").iterator(chunk_size=ROWS_AT_ONCE):
        details = json.dumps(line.details, ensure_ascii=False, sort_keys=True) if line.details else ""
        yield line.at, line.actor_name, line.action, line.subject, line.subject_name, line.subject_key, details
