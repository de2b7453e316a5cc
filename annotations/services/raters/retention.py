"""Retention rules, applied by the clock: data are erased when their time is over, and an entry in the record says
so."""

import logging
from datetime import datetime, timedelta

from django.core.files.storage import default_storage
from django.db.models import Max, Q
from django.db.models.functions import Coalesce

from annotations.models import Panel, Rater, Study
from annotations.services.activity import Action, note
from annotations.services.raters.my_data import forget_identity
from annotations.services.raters.panel_visits import forget_paid, forget_who_never_joined
from annotations.services.sqlite_writes import empty_log
from generation.models import Activity

logger = logging.getLogger(__name__)
AT_ONCE = 200
KEPT_DAYS = 180
"""How long the file with a deleted study's answers stays on the server."""


def keep_rules(*, now: datetime) -> int:
    """Erase the identities whose time is over; returns how many. Each study's activity record says what was done."""
    n = 0
    for study in Study.objects.filter(rater_plan__erase_after_days__isnull=False).select_related("rater_plan"):
        days = study.rater_plan.erase_after_days or 0
        due = due_raters(study, now - timedelta(days=days))
        for rater in due:
            forget_identity(rater=rater, now=now, by_rule=True)
        if due:
            note(study=study, actor=None, action=Action.CHANGED, part="retention", rows=len(due))
            logger.info("study %s: %d identities erased after %d days", study.pk, len(due), days)
        n += len(due)
        for panel in Panel.objects.filter(study=study):
            forget_who_never_joined(panel, before=now - timedelta(days=days))
    forget_paid(now=now)
    empty_log()  # also after an earlier erasure during which somebody was reading
    return n


def due_raters(study: Study, before: datetime) -> list[Rater]:
    """Raters whose last answer, or whose arrival if they gave none, was before a given time; some at a time."""
    people = study.raters.filter(kind=Rater.Kind.PERSON, user__isnull=False).select_related("study", "user")
    last = Coalesce(Max("assignments__answered_at", filter=Q(assignments__answered_at__isnull=False)), "created_at")
    return list(people.annotate(last=last).filter(last__lt=before).order_by("pk")[:AT_ONCE])


def remove_files_of_deleted_studies(*, now: datetime, days: int = KEPT_DAYS) -> int:
    """Delete the files that deleted studies left, `days` after their deletion; returns how many."""
    n = 0
    deleted = Activity.objects.filter(action=Action.DELETED, at__lt=now - timedelta(days=days))
    for line in deleted.order_by("pk").iterator(chunk_size=200):
        name = str(line.details.get("file", ""))
        if name and default_storage.exists(name):
            default_storage.delete(name)
            Activity.note(
                actor=None,
                action=Action.CHANGED,
                subject=Activity.Subject.STUDY,
                key=line.subject_key,
                name=line.subject_name,
                part="retention",
                file=name,
            )
            n += 1
    return n
