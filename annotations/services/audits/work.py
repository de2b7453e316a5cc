"""Giving images to auditors, sealing their lists, and closing their work."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from annotations.models import Adjudication, Audit, AuditItem, Auditor, AuditPlan, Study
from annotations.queries.audits import work as queries
from annotations.services.audits import order
from annotations.services.audits.adjudication import queue_disagreements
from annotations.services.sqlite_writes import write_turn
from generation.jobs import locked

OVERDUE_AT_ONCE = 200
MOST_ACTIVE_MS = 2**31 - 1


class Unfinished(Exception):
    """Some questions are not answered yet; `names` are the fields, in the order of the page."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(names)
        self.names = names


def auditor_for(*, study: Study, user: User) -> Auditor:
    """This person as an auditor of this study, created on their first visit. The caller checks whether they may
    audit."""
    found = Auditor.objects.filter(study=study, user=user).first()
    if found is not None:
        return found
    name = user.get_full_name() or user.get_username()
    for wanted in (name, f"{name} ({user.pk})"):
        try:
            with transaction.atomic():
                return Auditor.objects.create(study=study, user=user, name=wanted)
        except IntegrityError:
            # Another auditor has the name, or the same person arrived in two windows at once.
            if (found := Auditor.objects.filter(study=study, user=user).first()) is not None:
                return found
    raise RuntimeError(f"no free name for {user} as an auditor")


def reserve(*, auditor: Auditor, plan: AuditPlan, now: datetime | None = None) -> Audit | None:
    """What this auditor works on next: what they hold, what they gave back, or the image that needs it most.

    It is never an image that this auditor has had or has adjudicated, and there are never more auditors per image than
    the plan wants. Pairs come when no single image is left, so that nobody sees a refined image before searching its
    baseline. None if nothing is left for them now, or the plan is not open.
    """
    now = now or timezone.now()
    if held := queries.held(auditor):
        return held
    if plan.state != AuditPlan.State.OPEN:
        return None
    with write_turn(), transaction.atomic():
        # One reservation at a time per plan: an auditor who arrived while another was giving back overdue images would
        # find nothing and leave. The auditor's row is locked too, because they may have several windows open.
        AuditPlan.objects.select_for_update(no_key=True).get(pk=plan.pk)
        _give_back(list(locked(queries.overdue(plan, now)[:OVERDUE_AT_ONCE])))
        auditor = Auditor.objects.select_for_update().get(pk=auditor.pk)
        if held := queries.held(auditor):
            return held
        lease_until = now + timedelta(minutes=plan.lease_minutes)
        for audit in locked(queries.returned_and_open(auditor)):
            if _take(audit.item_id):
                Audit.objects.filter(pk=audit.pk).update(state=Audit.State.LEASED, lease_until=lease_until)
                return queries.held(auditor)
        for item in locked(queries.open_items(plan, auditor)[:1]):
            if _take(item.pk):
                return _new_audit(plan, item, auditor, lease_until)
    return None


def _new_audit(plan: AuditPlan, item: AuditItem, auditor: Auditor, lease_until: datetime) -> Audit:
    sequence = auditor.next_sequence
    is_claims = item.kind == AuditItem.Kind.CLAIMS
    claims = queries.claim_ids(plan, item)
    audit = Audit.objects.create(
        plan=plan,
        item=item,
        auditor=auditor,
        sequence=sequence,
        lease_until=lease_until,
        lists_first=is_claims
        and order.lists_first(
            share=plan.lists_first_share, seed=plan.seed, auditor=auditor.pk, n_before=queries.n_claim_audits(auditor)
        ),
        claim_order=order.claim_order(claims, seed=plan.seed, auditor=auditor.pk, item=item.pk),
        is_mirrored=not is_claims and order.is_mirrored(seed=plan.seed, auditor=auditor.pk, item=item.pk),
    )
    Auditor.objects.filter(pk=auditor.pk).update(next_sequence=sequence + 1)
    return audit


def _take(item_id: int) -> bool:
    return bool(AuditItem.objects.filter(pk=item_id, taken__lt=F("wanted")).update(taken=F("taken") + 1))


def _give_back(audits: list[Audit]) -> int:
    # One row each: an item can be given back by two auditors at once.
    for audit in audits:
        Audit.objects.filter(pk=audit.pk).update(state=Audit.State.RETURNED, lease_until=None)
        AuditItem.objects.filter(pk=audit.item_id).update(taken=F("taken") - 1)
    return len(audits)


def opened(*, audit: Audit, plan: AuditPlan, now: datetime) -> None:
    """Note when an image was first shown, and keep it reserved while somebody works on it; called for pages and
    answers."""
    if audit.opened_at is None:
        Audit.objects.filter(pk=audit.pk, opened_at=None).update(opened_at=now)
    half = timedelta(minutes=plan.lease_minutes) / 2
    if audit.state == Audit.State.LEASED and audit.lease_until and audit.lease_until - now < half:
        Audit.objects.filter(pk=audit.pk, state=Audit.State.LEASED).update(lease_until=now + 2 * half)


def pause(*, auditor: Auditor) -> None:
    """Free what this auditor holds. Their answers are kept, and they get it back if they return in time."""
    with write_turn(), transaction.atomic():
        _give_back(list(Audit.objects.filter(auditor=auditor, state=Audit.State.LEASED).select_for_update()))
        Adjudication.objects.filter(adjudicator=auditor, state=Adjudication.State.LEASED).update(
            state=Adjudication.State.WAITING, adjudicator=None, lease_until=None
        )


def seal(*, audit: Audit, now: datetime) -> None:
    """Close an auditor's own list: from now on they may see the claims. A second call does nothing."""
    if audit.lists_first:
        Audit.objects.filter(pk=audit.pk, sealed_at=None).update(sealed_at=now)


def finish(*, audit: Audit, now: datetime, active_ms: int | None = None) -> str:
    """Close an auditor's work on one item, and queue what they and others disagree on. Returns the state reached.

    If the place has been given to somebody else, the auditor gets another if one is free; otherwise the work is kept as
    LATE and not counted. A second call does nothing. Raises Unfinished while a question is open.
    """
    with write_turn(), transaction.atomic():
        audit = Audit.objects.select_for_update(of=("self",)).select_related("item", "plan").get(pk=audit.pk)
        if audit.has_ended:
            return audit.state
        if open_names := queries.open_questions(audit):
            raise Unfinished(open_names)
        has_place = audit.state == Audit.State.LEASED or _take(audit.item_id)
        audit.state = Audit.State.FINISHED if has_place else Audit.State.LATE
        audit.finished_at, audit.lease_until = now, None
        audit.active_ms = None if active_ms is None else min(active_ms, MOST_ACTIVE_MS)
        audit.save(update_fields=["state", "finished_at", "lease_until", "active_ms"])
        if audit.item.kind == AuditItem.Kind.CLAIMS:
            queue_disagreements(items=[audit.item])
        return audit.state
