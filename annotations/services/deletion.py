"""Deletes a study in two steps, keeping its answers in a file."""

from collections.abc import Iterator
from datetime import datetime

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from annotations.models import Assignment, Item, ItemImage, LateAnswer, MissedError, Response, Study, Verdict
from annotations.services.activity import Action, note
from annotations.services.exports import export_study
from annotations.services.raters.text_images import delete_text_images
from annotations.services.studies import close_study

ROWS_AT_ONCE = 2_000


def ask_deletion(*, study: Study, by: User | None = None) -> str:
    """The first step: close the study, write its answers to a file, and note that its owner wants it deleted.

    Nothing is deleted. Returns the file's name in the default storage.
    """
    close_study(study=study, by=by)
    name = export_study(study=study)
    _note_wish(study, timezone.now(), Action.DELETION_ASKED, by)
    return name


def cancel_deletion(*, study: Study, by: User | None = None) -> None:
    """Undo the first step; the study stays closed."""
    if study.deletion_asked_at is not None:
        _note_wish(study, None, Action.DELETION_CANCELLED, by)


def _note_wish(study: Study, at: datetime | None, action: Action, by: User | None) -> None:
    study.deletion_asked_at = at
    with transaction.atomic():
        Study.objects.filter(pk=study.pk).update(deletion_asked_at=at)
        note(study=study, actor=by, action=action)


def delete_study(*, study: Study, typed_title: str, by: User | None = None) -> str:
    """The second step: delete the study and every answer in it, if its title was typed and deletion was asked for.

    The file is written once more, because cards that were held when the study closed may have been answered since. The
    file is kept, and so are images, prompts and accounts. Returns the file's name. Raises ValidationError otherwise.
    """
    if study.deletion_asked_at is None:
        raise ValidationError(_("Request the deletion first, so that the answers are exported."))
    if " ".join(typed_title.split()) != " ".join(study.title.split()):
        raise ValidationError(_("That is not the title. Nothing was deleted."))
    with transaction.atomic():
        # Locked, so that no answer arrives between the file and the deletion; SQLite has only one writer anyway.
        Study.objects.select_for_update().get(pk=study.pk)
        name = export_study(study=study)
        # Answers are protected from accidental deletion with their question or item, so they are deleted first, in
        # batches.
        rows: list[QuerySet[Model]] = [
            Verdict.objects.filter(study=study),
            MissedError.objects.filter(study=study),
            LateAnswer.objects.filter(assignment__study=study),
            Response.objects.filter(assignment__study=study),
            Assignment.with_checks.filter(study=study),
            ItemImage.objects.filter(item__study=study),
            Item.with_checks.filter(study=study),
        ]
        for queryset in rows:
            for keys in _batches(queryset):
                queryset.model._base_manager.filter(pk__in=keys).delete()
        delete_text_images(study.text_images.all())
        note(study=study, actor=by, action=Action.DELETED, file=name)
        study.delete()
    return name


def _batches(queryset: QuerySet[Model]) -> Iterator[list[int]]:
    while keys := list(queryset.order_by("pk").values_list("pk", flat=True)[:ROWS_AT_ONCE]):
        yield keys
