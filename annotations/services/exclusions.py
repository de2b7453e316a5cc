"""Excludes a rater from a study's results, with a reason, and includes them again. No answer is changed."""

from datetime import datetime

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, IntegerField, QuerySet
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from annotations.models import Assignment, Item, Rater
from annotations.services.activity import Action, note
from annotations.services.sqlite_writes import write_turn


def exclude_rater(
    *, rater: Rater, reason: str, by: User | None, now: datetime | None = None, is_withdrawal: bool = False
) -> None:
    """Leave this rater out of every figure from now on, and give their places to others.

    Their answers are kept, and so are answers to cards that they still hold; they get no further cards.
    Nothing changes for a rater who is already excluded. `is_withdrawal`: at the rater's wish, so the record does not
    name them. Raises ValidationError without a reason: the report states it.
    """
    reason = " ".join(reason.split())
    longest = Rater._meta.get_field("excluded_reason").max_length
    if not reason:
        raise ValidationError(_("Give the reason: the report states it."))
    if longest is not None and len(reason) > longest:
        raise ValidationError(_("The reason can have at most %(n)d characters.") % {"n": longest})
    with write_turn(), transaction.atomic():
        rater = _locked(rater)
        if rater.excluded_at is not None:
            return
        _held_or_answered(rater).update(taken=F("taken") - 1)
        Assignment.with_checks.filter(rater=rater, state=Assignment.State.LEASED).update(
            state=Assignment.State.RETURNED, lease_until=None
        )
        rater.excluded_at, rater.excluded_reason, rater.excluded_by = now or timezone.now(), reason, by
        rater.save(update_fields=["excluded_at", "excluded_reason", "excluded_by"])
        whom = {} if is_withdrawal else {"rater": rater.name}
        note(study=rater.study, actor=by, action=Action.EXCLUDED, reason=reason, **whom)


def include_rater(*, rater: Rater, by: User | None) -> None:
    """Count an excluded rater's answers again. If others have taken their places, the item then has one rater more."""
    with write_turn(), transaction.atomic():
        rater = _locked(rater)
        if rater.excluded_at is None or rater.withdrawn_at is not None:
            return  # a rater who has withdrawn stays out: it was their own wish
        room = Greatest(F("wanted"), F("taken") + 1, output_field=IntegerField())
        _held_or_answered(rater).update(wanted=room, taken=F("taken") + 1)
        reason, rater.excluded_reason = rater.excluded_reason, ""
        rater.excluded_at = rater.excluded_by = None
        rater.save(update_fields=["excluded_at", "excluded_reason", "excluded_by"])
        note(study=rater.study, actor=by, action=Action.INCLUDED, rater=rater.name, reason=reason)


def _locked(rater: Rater) -> Rater:
    """The rater's current row; everything that could change their places is locked until the transaction ends.

    Reserving cards locks the rater, and saving an answer locks its assignment.
    """
    rows = Rater.objects.select_related("study").select_for_update(of=("self", "study"), no_key=True)
    locked = rows.get(pk=rater.pk)
    list(Assignment.with_checks.filter(rater=locked).select_for_update(of=("self",)).values_list("pk"))
    return locked


def _held_or_answered(rater: Rater) -> QuerySet[Item]:
    """The items on which this rater has a place, each once."""
    states = (Assignment.State.LEASED, Assignment.State.ANSWERED)
    mine = Assignment.objects.filter(rater=rater, state__in=states)
    return Item.objects.filter(pk__in=mine.values("item"))
