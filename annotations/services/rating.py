"""Assigns items to raters and saves their answers: the writes behind the rating page."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from annotations import allocation
from annotations.kinds.base import Answer
from annotations.models import Assignment, Item, LateAnswer, Rater, Response, Study
from annotations.models.participation import RaterPlan, plan_of
from annotations.queries import rating as queries
from annotations.queries.raters import checks
from annotations.services.raters.further import consider, further_probabilities
from annotations.services.raters.held import room_of
from annotations.services.raters.next_items import Avoided, next_items
from annotations.services.shown_orders import shown_orders
from annotations.services.sqlite_writes import write_turn
from generation.jobs import locked

OVERDUE_AT_ONCE = 200
FEWEST_CARDS = 2
"""With fewer cards waiting than this, a program that rates gets more reserved."""
Card = tuple[int, str, str]
"""The data of a new assignment: item, order shown, purpose."""


class Outcome(Enum):
    SAVED = "saved"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    LATE = "late"


class NotOpen(Exception):
    """The study does not take answers at present."""


def reserve(*, rater: Rater, now: datetime | None = None, is_ahead: bool = False) -> int:
    """Reserve the next batch for this rater where the need is greatest; returns how many items were reserved.

    The need is greatest for items with the fewest raters, then for the earliest in the study's global order. A rater's
    own returned items come first. All raters' overdue reservations are given back in the process, so no timer is
    needed.

    is_ahead: for a page that keeps `held.CARDS_AHEAD` ready. It gets that many as long as the study has plenty left; a
    rater who holds enough gets none. The cards that they hold stay reserved, since they are at work.
    """
    now = now or timezone.now()
    study = rater.study
    if study.state != Study.State.OPEN:
        raise NotOpen
    if study.closes_at is not None and study.closes_at <= now:
        return 0  # its time is over, and it closes within seconds
    with write_turn(), transaction.atomic():
        # One batch at a time per study: a rater who arrived while another was giving back overdue items would find
        # nothing and leave. The rater's row is locked too, because they may have several windows open.
        rows = Rater.objects.select_related("study__rater_plan")
        rater = rows.select_for_update(of=("self", "study"), no_key=True).get(pk=rater.pk)
        study = rater.study
        if rater.excluded_at is not None or rater.must_prepare or rater.screened_out_at is not None:
            return 0
        if queries.over_since(rater.pk) is not None:
            return 0
        lease_until = now + timedelta(minutes=study.lease_minutes)
        if is_ahead:  # so that a page that works through many cards does not lose the last ones
            held = Assignment.with_checks.filter(rater=rater, state=Assignment.State.LEASED)
            held.filter(lease_until__lt=now + (lease_until - now) / 2).update(lease_until=lease_until)
        _give_back(list(locked(queries.overdue(study.pk, now, OVERDUE_AT_ONCE))))
        plan = plan_of(study)
        room = room_of(rater, study, plan, now, is_ahead=is_ahead)
        if again := _take_back(rater, lease_until, limit=room):
            return again
        n_rated = rater.next_sequence - (checks.n_checks_given(rater) if plan.shares else 0)
        left = room if study.items_per_rater is None else study.items_per_rater - n_rated
        if room <= 0 or left <= 0:
            return 0
        ways, is_drawn = _hidden(rater, study, plan, max(0, room))
        for hidden, avoided in ways:
            items = next_items(rater, study, min(room - len(hidden), left), avoided, is_drawn=is_drawn)
            if items is not None:
                break
        else:
            return 0
        further = further_probabilities(study, items)
        _take(items)
        order = list(range(len(items)))
        if study.order == Study.Order.SHUFFLED:
            order = allocation.batch_order(len(items), seed=study.seed, rater=rater.pk, n_before=rater.next_sequence)
        shown = shown_orders(rater, study, [item.pk for item in items])
        rated = [(items[i].pk, shown.get(items[i].pk, ""), Assignment.Purpose.RATING.value) for i in order]
        is_last = bool(plan.shares) and n_rated + len(items) >= queries.most_rated(study)
        cards = _laid_out(rated, hidden, n=room, is_last=is_last)
        Assignment.objects.bulk_create(
            Assignment(
                study=study,
                item_id=item,
                rater=rater,
                sequence=rater.next_sequence + place,
                lease_until=lease_until,
                shown_order=shown_order,
                purpose=purpose,
                **_further(item, purpose, further),
            )
            for place, (item, shown_order, purpose) in enumerate(cards)
        )
        rater.next_sequence += len(cards)
        rater.save(update_fields=["cursor_taken", "cursor_position", "next_sequence", "side_excess"])
        return len(cards)


def _further(item: int, purpose: str, further: Mapping[int, float]) -> dict[str, Any]:
    """Whether a card is a further rater's, as an assignment stores it; repeats and checks are not."""
    is_further = item in further and purpose == Assignment.Purpose.RATING
    return {"is_further": True, "probability": further[item]} if is_further else {}


def _hidden(
    rater: Rater, study: Study, plan: RaterPlan, n: int
) -> tuple[Sequence[tuple[dict[int, Card], Avoided]], bool]:
    """Ways to fill the next n cards, and whether what is rated comes in an order drawn for the rater. Of each
    way: the checks among the next n cards, by place, and the rated items that this rater does not get because of them.

    The second way applies if the first leaves nothing to rate: checks that keep items from the rater then give way.
    If there is no check to assign, an ordinary card comes instead.
    """
    if not plan.shares:
        return [({}, (frozenset(),))], False
    hidden = checks.Hidden.read(study, queries.n_given_out(study))
    purposes = checks.next_purposes(rater, study, plan, n, hidden)
    candidates = checks.Candidates(rater, study, plan, hidden)
    found: dict[int, Card] = {}
    for place, purpose in enumerate(purposes):
        if purpose == Assignment.Purpose.RATING:
            continue
        taken = candidates.take(purpose, place=rater.next_sequence + place, gap=plan.repeat_gap)
        if taken is not None:
            found[place] = (*taken, purpose)
    fewer = {place: card for place, card in found.items() if not candidates.shows_again(card[0])}
    ways = [(found, candidates.avoided), (fewer, candidates.avoided_without)]
    return (ways if len(fewer) < len(found) else ways[:1]), hidden.is_drawn(study)


def _laid_out(rated: Sequence[Card], hidden: Mapping[int, Card], *, n: int, is_last: bool) -> list[Card]:
    """The next cards in order: checks at their places, with ratings between them as long as there are any.

    is_last  whether these are the rater's last ratings, so that no check comes after them
    """
    left = iter(rated)
    cards: list[Card] = []
    for place in range(n):
        card = hidden.get(place) or next(left, None)
        if card is None:
            break
        cards.append(card)
    while is_last and cards and cards[-1][2] != Assignment.Purpose.RATING:
        cards.pop()
    return cards


def _take(items: Sequence[Item]) -> None:
    # The condition repeats what was read: even if the lock ever failed, the check constraint would not.
    Item.objects.filter(pk__in=[item.pk for item in items]).update(taken=F("taken") + 1)


def _take_back(rater: Rater, lease_until: datetime, *, limit: int) -> int:
    """Reserve again the items that this rater gave back and whose places are still free."""
    n_taken = 0
    for assignment in locked(queries.returned_and_open(rater, limit=limit)):
        if assignment.purpose != Assignment.Purpose.RATING or _retake(assignment, rater.study):
            Assignment.with_checks.filter(pk=assignment.pk).update(
                state=Assignment.State.LEASED, lease_until=lease_until
            )
            n_taken += 1
    return n_taken


def _retake(assignment: Assignment, study: Study) -> bool:
    """Take the item's place again; repeats and checks need none, but are lost where one next to them would be."""
    if assignment.purpose != Assignment.Purpose.RATING:
        return not queries.is_lost(assignment)
    further: dict[int, float] = {}
    if study.most_raters_per_item is not None:
        further = further_probabilities(study, list(Item.objects.select_for_update().filter(pk=assignment.item_id)))
    open_item = Item.objects.filter(pk=assignment.item_id, taken__lt=F("wanted"))
    is_taken = bool(open_item.update(taken=F("taken") + 1))
    if is_taken and study.most_raters_per_item is not None:
        # Another rater may have taken their place as a first rater.
        kind = {"is_further": False, "probability": 1.0} | _further(assignment.item_id, assignment.purpose, further)
        Assignment.with_checks.filter(pk=assignment.pk).update(**kind)
    return is_taken


def pause(*, rater: Rater) -> int:
    """Give back the cards that this rater has not answered, so that others can have them; they get them again if they
    return."""
    with transaction.atomic():
        held = Assignment.with_checks.filter(rater=rater, state=Assignment.State.LEASED)
        return _give_back(list(held.select_for_update()))


def skip(*, assignment: Assignment, now: datetime) -> bool:
    """Give an unanswered card back for good, at the rater's wish; returns whether it was unanswered. Others get the
    item."""
    with write_turn(), transaction.atomic():
        held = Assignment.with_checks.select_for_update().filter(pk=assignment.pk, state=Assignment.State.LEASED)
        found = list(held)
        if found:
            _give_back(found)
            Assignment.with_checks.filter(pk=assignment.pk).update(skipped_at=now)
        return bool(found)


def _give_back(assignments: list[Assignment]) -> int:
    # An item can occur twice, given back by two raters: group by how often.
    times: dict[int, int] = {}
    for assignment in assignments:
        if assignment.purpose != Assignment.Purpose.RATING:
            continue
        times[assignment.item_id] = times.get(assignment.item_id, 0) + 1
    Assignment.with_checks.filter(pk__in=[a.pk for a in assignments]).update(
        state=Assignment.State.RETURNED, lease_until=None
    )
    for n in set(times.values()):
        Item.objects.filter(pk__in=[item for item, count in times.items() if count == n]).update(taken=F("taken") - n)
    return len(assignments)


def renew(*, rater: Rater, assignment: Assignment, now: datetime) -> None:
    """Keep a working rater's batch reserved: called when a card is shown, it writes only once half the time has
    passed."""
    half = timedelta(minutes=rater.study.lease_minutes) / 2
    if assignment.lease_until and assignment.lease_until - now < half:
        Assignment.with_checks.filter(rater=rater, state=Assignment.State.LEASED).update(lease_until=now + 2 * half)


def submit(
    *,
    assignment: Assignment,
    answers: Sequence[Answer],
    answered_at: datetime,
    shown_at: datetime | None = None,
    active_ms: int | None = None,
    flag: str = "",
    viewing: dict[str, Any] | None = None,
    languages: Mapping[int, str] | None = None,
) -> Outcome:
    """Save the answers of one assignment, all or none; when this returns they are on disk.

    languages: by dimension, the language in which its question was read, if known.

    The same answers again (a second click, a message sent twice) change nothing. Other answers become the next
    revision; the earlier ones stay. Answers to an item that others have meanwhile answered in full are kept as late
    answers and are not counted. So are answers given after the rater's time at a panel was over, even if they would
    revise an earlier answer. Nothing more is stored about raters who have withdrawn.
    """
    with write_turn(), transaction.atomic():
        outcome = _saved(assignment, answers, answered_at, shown_at, active_ms, flag, viewing, languages or {})
        if outcome in (Outcome.SAVED, Outcome.CHANGED):
            consider(assignment=assignment)
        return outcome


def _saved(
    assignment: Assignment,
    answers: Sequence[Answer],
    answered_at: datetime,
    shown_at: datetime | None,
    active_ms: int | None,
    flag: str,
    viewing: dict[str, Any] | None,
    languages: Mapping[int, str],
) -> Outcome:
    first = Assignment.with_checks.filter(pk=assignment.pk, state=Assignment.State.LEASED).update(
        state=Assignment.State.ANSWERED, answered_at=answered_at, lease_until=None, flag=flag
    )
    if first:
        _append(assignment, answers, {}, answered_at, shown_at, active_ms, viewing, languages)
        return Outcome.SAVED
    study = assignment.study
    assignment = Assignment.with_checks.select_for_update().get(pk=assignment.pk)
    rater = Rater.objects.get(pk=assignment.rater_id)
    over = queries.over_since(rater.pk)
    is_after = over is not None and answered_at > over
    if assignment.state == Assignment.State.RETURNED:
        if rater.withdrawn_at is not None:
            return Outcome.LATE
        # An excluded rater has no places: answers to the cards that they held are kept, and count if the rater is
        # included again.
        if is_after or (rater.excluded_at is None and not _retake(assignment, study)):
            return _keep_late(assignment, answers, answered_at, active_ms, languages)
        assignment.state, assignment.answered_at, assignment.flag = Assignment.State.ANSWERED, answered_at, flag
        assignment.save(update_fields=["state", "answered_at", "flag"])
        _append(assignment, answers, {}, answered_at, shown_at, active_ms, viewing, languages)
        return Outcome.SAVED
    current = {(r.dimension_id, r.image_id): r for r in queries.current_answers(assignment)}
    changed = [
        answer
        for answer in answers
        if (old := current.get((answer.dimension_id, answer.image_id))) is None
        or (old.level, old.answer) != (answer.level, answer.answer)
    ]
    if changed and (is_after or rater.withdrawn_at is not None):
        is_kept = rater.withdrawn_at is None
        return _keep_late(assignment, changed, answered_at, active_ms, languages) if is_kept else Outcome.LATE
    if flag != assignment.flag and not is_after and rater.withdrawn_at is None:
        Assignment.with_checks.filter(pk=assignment.pk).update(flag=flag)
    if not changed:
        return Outcome.UNCHANGED
    _append(assignment, changed, current, answered_at, shown_at, active_ms, viewing, languages)
    return Outcome.CHANGED


def _append(
    assignment: Assignment,
    answers: Sequence[Answer],
    current: dict[tuple[int, int | None], Response],
    answered_at: datetime,
    shown_at: datetime | None,
    active_ms: int | None,
    viewing: dict[str, Any] | None,
    languages: Mapping[int, str],
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
            answer=answer.answer,
            is_unable=answer.is_unable,
            revision=old.revision + 1 if (old := current.get((answer.dimension_id, answer.image_id))) else 1,
            shown_at=shown_at,
            answered_at=answered_at,
            active_ms=active_ms,
            viewing=viewing,
            language=languages.get(answer.dimension_id, ""),
        )
        for answer in answers
    )


def _keep_late(
    assignment: Assignment,
    answers: Sequence[Answer],
    answered_at: datetime,
    active_ms: int | None,
    languages: Mapping[int, str],
) -> Outcome:
    record = {
        "answered_at": answered_at.isoformat(),
        "active_ms": active_ms,
        "answers": [
            {"dimension": one.dimension_id, "image": one.image_id, "level": one.level}
            | ({} if one.answer is None else {"answer": one.answer})
            | ({"language": languages[one.dimension_id]} if languages.get(one.dimension_id) else {})
            for one in answers
        ],
    }
    if not LateAnswer.objects.filter(assignment=assignment, answers__answers=record["answers"]).exists():
        LateAnswer.objects.create(assignment=assignment, answers=record)
    return Outcome.LATE
