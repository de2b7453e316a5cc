"""Giving items to raters and taking their answers: the writes behind the rating page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TypeVar

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from annotations import allocation
from annotations.models import Assignment, Item, LateAnswer, Rater, Response, Study
from annotations.queries import rating as queries
from annotations.services.turnstile import write_turn

OVERDUE_AT_ONCE = 200
Row = TypeVar("Row", Item, Assignment)


@dataclass(frozen=True)
class Answer:
    """One answer to one dimension, about one image or (None) about all that was shown. level None: unable to answer."""

    dimension_id: int
    image_id: int | None
    level: int | None


class Outcome(Enum):
    SAVED = "saved"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    LATE = "late"


class NotOpen(Exception):
    """The study takes no answers now."""


def locked(rows: QuerySet[Row]) -> QuerySet[Row]:
    """Lock the rows, leaving out what another transaction holds. SQLite has one writer and needs no row locks."""
    if connection.features.has_select_for_update_skip_locked:
        return rows.select_for_update(skip_locked=True, of=("self",))
    return rows


def reserve(*, rater: Rater, now: datetime | None = None) -> int:
    """Reserve the next batch for this rater where the need is greatest; how many items that gave.

    The need is greatest where the fewest raters have been, then earliest in the study's global order. A rater's own
    returned items come first. Overdue reservations of anybody are given back on the way, so no timer is needed.
    """
    now = now or timezone.now()
    study = rater.study
    if study.state != Study.State.OPEN:
        raise NotOpen
    with write_turn(), transaction.atomic():
        # One batch at a time in a study: who came while another was giving back overdue items would find nothing and
        # leave. The rater's row too, because they may have several windows open.
        rows = Rater.objects.select_related("study").select_for_update(of=("self", "study"), no_key=True)
        rater = rows.get(pk=rater.pk)
        _give_back(list(locked(queries.overdue(study.pk, now, OVERDUE_AT_ONCE))))
        wanted = min(
            study.batch_size, (study.items_per_rater or rater.next_sequence + study.batch_size) - rater.next_sequence
        )
        lease_until = now + timedelta(minutes=study.lease_minutes)
        if again := _take_back(rater, lease_until, limit=study.batch_size):
            return again
        if wanted <= 0:
            return 0
        items = _open_items(rater, study, wanted)
        if not items:
            return 0
        _take(items)
        order = list(range(len(items)))
        if study.order == Study.Order.SHUFFLED:
            order = allocation.batch_order(len(items), seed=study.seed, rater=rater.pk, n_before=rater.next_sequence)
        n_images = queries.image_sizes([item.pk for item in items]) if study.item_kind != study.ItemKind.IMAGE else {}
        Assignment.objects.bulk_create(
            Assignment(
                study=study,
                item=items[i],
                rater=rater,
                sequence=rater.next_sequence + place,
                lease_until=lease_until,
                shown_order=_shown_order(study, rater, items[i].pk, len(n_images.get(items[i].pk, ()))),
            )
            for place, i in enumerate(order)
        )
        rater.next_sequence += len(items)
        rater.save(update_fields=["cursor_taken", "cursor_position", "next_sequence"])
        return len(items)


def _open_items(rater: Rater, study: Study, limit: int) -> list[Item]:
    """Open items at the lowest need level that has any, going on behind this rater's cursor and round once."""
    taken = queries.next_need(study.pk, above=-1)
    while taken is not None:
        start = rater.cursor_position if rater.cursor_taken == taken else -1
        for after in (start, -1) if start >= 0 else (start,):
            found = list(locked(queries.open_items(rater, taken=taken, after_position=after, limit=limit)))
            if found:
                rater.cursor_taken, rater.cursor_position = taken, found[-1].position
                return found
        taken = queries.next_need(study.pk, above=taken)
    return []


def _take(items: Sequence[Item]) -> None:
    # The condition repeats what was read: should the lock ever fail us, the check constraint still would not.
    Item.objects.filter(pk__in=[item.pk for item in items]).update(taken=F("taken") + 1)


def _shown_order(study: Study, rater: Rater, item_id: int, n_images: int) -> str:
    if n_images < 2:
        return ""
    if study.order == Study.Order.FIXED:
        return ",".join(map(str, range(n_images)))
    return ",".join(map(str, allocation.shown_order(n_images, seed=study.seed, rater=rater.pk, item=item_id)))


def _take_back(rater: Rater, lease_until: datetime, *, limit: int) -> int:
    """Reserve again what this rater gave back and nobody else has used up."""
    n_taken = 0
    for assignment in locked(queries.returned_and_open(rater, limit=limit)):
        if _retake(assignment.item_id):
            Assignment.objects.filter(pk=assignment.pk).update(state=Assignment.State.LEASED, lease_until=lease_until)
            n_taken += 1
    return n_taken


def _retake(item_id: int) -> bool:
    return bool(Item.objects.filter(pk=item_id, taken__lt=F("wanted")).update(taken=F("taken") + 1))


def return_overdue(*, study_id: int, now: datetime) -> int:
    """Give back what was reserved and not answered in time; how many."""
    with transaction.atomic():
        return _give_back(list(locked(queries.overdue(study_id, now, OVERDUE_AT_ONCE))))


def pause(*, rater: Rater) -> int:
    """Give back what this rater has not answered, so that nobody waits for it; it is theirs again if they return."""
    with transaction.atomic():
        held = Assignment.objects.filter(rater=rater, state=Assignment.State.LEASED)
        return _give_back(list(held.select_for_update()))


def _give_back(assignments: list[Assignment]) -> int:
    # An item can stand here twice, given back by two raters: group by how often.
    times: dict[int, int] = {}
    for assignment in assignments:
        times[assignment.item_id] = times.get(assignment.item_id, 0) + 1
    Assignment.objects.filter(pk__in=[a.pk for a in assignments]).update(
        state=Assignment.State.RETURNED, lease_until=None
    )
    for n in set(times.values()):
        Item.objects.filter(pk__in=[item for item, count in times.items() if count == n]).update(taken=F("taken") - n)
    return len(assignments)


def renew(*, rater: Rater, assignment: Assignment, now: datetime) -> None:
    """Keep a working rater's batch reserved: called when a card is shown, writes only once half the time is gone."""
    half = timedelta(minutes=rater.study.lease_minutes) / 2
    if assignment.lease_until and assignment.lease_until - now < half:
        Assignment.objects.filter(rater=rater, state=Assignment.State.LEASED).update(lease_until=now + 2 * half)


def submit(
    *,
    assignment: Assignment,
    answers: Sequence[Answer],
    answered_at: datetime,
    shown_at: datetime | None = None,
    active_ms: int | None = None,
    flag: str = "",
) -> Outcome:
    """Save the answers of one assignment, all or none; when this returns they are on disk.

    The same answers again (a second click, a message sent twice) change nothing. Other answers become the next
    revision; the earlier ones stay. Answers to an item that has meanwhile been answered in full by others are kept
    as late ones and counted nowhere.
    """
    with write_turn(), transaction.atomic():
        first = Assignment.objects.filter(pk=assignment.pk, state=Assignment.State.LEASED).update(
            state=Assignment.State.ANSWERED, answered_at=answered_at, lease_until=None, flag=flag
        )
        if first:
            _append(assignment, answers, {}, answered_at, shown_at, active_ms)
            return Outcome.SAVED
        assignment = Assignment.objects.select_for_update().get(pk=assignment.pk)
        if assignment.state == Assignment.State.RETURNED:
            if not _retake(assignment.item_id):
                return _keep_late(assignment, answers, answered_at, active_ms)
            assignment.state, assignment.answered_at, assignment.flag = Assignment.State.ANSWERED, answered_at, flag
            assignment.save(update_fields=["state", "answered_at", "flag"])
            _append(assignment, answers, {}, answered_at, shown_at, active_ms)
            return Outcome.SAVED
        if flag != assignment.flag:
            Assignment.objects.filter(pk=assignment.pk).update(flag=flag)
        current = {(r.dimension_id, r.image_id): r for r in queries.current_answers(assignment)}
        changed = [
            answer
            for answer in answers
            if (old := current.get((answer.dimension_id, answer.image_id))) is None or old.level != answer.level
        ]
        if not changed:
            return Outcome.UNCHANGED
        _append(assignment, changed, current, answered_at, shown_at, active_ms)
        return Outcome.CHANGED


def _append(
    assignment: Assignment,
    answers: Sequence[Answer],
    current: dict[tuple[int, int | None], Response],
    answered_at: datetime,
    shown_at: datetime | None,
    active_ms: int | None,
) -> None:
    replaced = [current[key] for a in answers if (key := (a.dimension_id, a.image_id)) in current]
    if replaced:
        Response.objects.filter(pk__in=[response.pk for response in replaced]).update(is_current=False)
    Response.objects.bulk_create(
        Response(
            assignment=assignment,
            dimension_id=answer.dimension_id,
            image_id=answer.image_id,
            level=answer.level,
            is_unable=answer.level is None,
            revision=old.revision + 1 if (old := current.get((answer.dimension_id, answer.image_id))) else 1,
            shown_at=shown_at,
            answered_at=answered_at,
            active_ms=active_ms,
        )
        for answer in answers
    )


def _keep_late(
    assignment: Assignment, answers: Sequence[Answer], answered_at: datetime, active_ms: int | None
) -> Outcome:
    record = {
        "answered_at": answered_at.isoformat(),
        "active_ms": active_ms,
        "answers": [
            {"dimension": answer.dimension_id, "image": answer.image_id, "level": answer.level} for answer in answers
        ],
    }
    if not LateAnswer.objects.filter(assignment=assignment, answers__answers=record["answers"]).exists():
        LateAnswer.objects.create(assignment=assignment, answers=record)
    return Outcome.LATE
