"""Automatic ends: a study's deadline, and its last wanted answer."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef

from annotations.models import Assignment, Item, Study
from annotations.models.webhooks import Event
from annotations.services.hooks.events import emit
from annotations.services.studies import close_study


def close_due(*, now: datetime) -> int:
    """Close the studies whose deadline has passed; returns how many."""
    due = list(Study.objects.filter(state=Study.State.OPEN, closes_at__lte=now))
    for study in due:
        close_study(study=study)
    return len(due)


def note_completed(*, now: datetime) -> int:
    """Note once per study that it has every wanted answer, and notify subscribers; returns how many studies.

    Checks for each open study whether any item lacks a rater, through an index, and whether any card is still held.
    """
    lacking = Item.objects.filter(study=OuterRef("pk"), taken__lt=F("wanted"))
    held = Assignment.objects.filter(study=OuterRef("pk"), state=Assignment.State.LEASED)
    complete = Study.objects.filter(
        ~Exists(lacking),
        ~Exists(held),
        Exists(Item.objects.filter(study=OuterRef("pk"))),
        state=Study.State.OPEN,
        completed_at=None,
    )
    n_noted = 0
    for study in complete:
        with transaction.atomic():
            if Study.objects.filter(pk=study.pk, completed_at=None).update(completed_at=now):
                emit(study=study, event=Event.COMPLETED)
                n_noted += 1
    return n_noted
