"""Claims on which auditors disagree go to a third auditor, whose verdict is shown with theirs."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from annotations.models import Adjudication, AuditItem, Auditor, AuditPlan, Verdict
from annotations.queries.audits import work as queries
from annotations.services.sqlite_writes import write_turn
from generation.jobs import locked


def is_settled(values: Iterable[str]) -> bool:
    """Whether verdicts on one claim need no further auditor: one has the most votes, not counting "cannot tell".

    If nobody has given a verdict, or nobody could tell, that does not count as disagreement.
    """
    votes = Counter(value for value in values if value != Verdict.Value.CANNOT_TELL).most_common(2)
    return len(votes) < 2 or votes[0][1] > votes[1][1]


def queue_disagreements(*, items: Iterable[AuditItem]) -> int:
    """Queue the claims of these items on which finished auditors are tied; returns how many are new.

    Claims settled since (a third auditor came, an auditor changed their mind) leave the queue unless somebody is
    working on them.
    """
    n_new = 0
    for item in items:
        verdicts = queries.finished_verdicts(item)
        tied = [claim for claim, values in verdicts.items() if not is_settled(values)]
        waiting = Adjudication.objects.filter(item=item, state=Adjudication.State.WAITING)
        waiting.exclude(claim__in=tied).delete()
        known = set(Adjudication.objects.filter(plan=item.plan_id, claim__in=tied).values_list("claim_id", flat=True))
        rows = [Adjudication(plan_id=item.plan_id, item=item, claim_id=claim) for claim in tied if claim not in known]
        Adjudication.objects.bulk_create(rows, ignore_conflicts=True)
        n_new += len(rows)
    return n_new


def reserve_adjudication(*, auditor: Auditor, plan: AuditPlan, now: datetime) -> Adjudication | None:
    """The next disagreement for this auditor: never about an image on which they worked themselves."""
    if held := queries.held_adjudication(auditor):
        return held
    if plan.state != AuditPlan.State.OPEN:
        return None
    with write_turn(), transaction.atomic():
        overdue = Adjudication.objects.filter(plan=plan, state=Adjudication.State.LEASED, lease_until__lt=now)
        overdue.update(state=Adjudication.State.WAITING, adjudicator=None, lease_until=None)
        found = locked(queries.waiting_adjudications(plan, auditor)).first()
        if found is None:
            return None
        # The condition repeats what was read: two auditors who arrive at once must not hold the same claim.
        Adjudication.objects.filter(pk=found.pk, state=Adjudication.State.WAITING).update(
            state=Adjudication.State.LEASED,
            adjudicator=auditor,
            lease_until=now + timedelta(minutes=plan.lease_minutes),
        )
    return queries.held_adjudication(auditor)


def decide(
    *,
    adjudication: Adjudication,
    auditor: Auditor,
    value: str,
    severity: str = "",
    reason: str = "",
    answered_at: datetime,
    active_ms: int | None = None,
) -> bool:
    """Save the third auditor's verdict next to the others; False when the claim is no longer theirs to decide.

    The same verdict again changes nothing; another one is the next revision. The database, too, keeps auditors from
    deciding between their own verdict and another's: it allows one current verdict per claim and auditor.
    """
    with write_turn(), transaction.atomic():
        adjudication = Adjudication.objects.select_for_update(of=("self",)).get(pk=adjudication.pk)
        if adjudication.adjudicator_id != auditor.pk:
            return False
        current = Verdict.objects.filter(
            study=auditor.study_id, claim=adjudication.claim_id, auditor=auditor, is_current=True
        ).first()
        given = (value, severity, reason)
        if current is not None and (current.value, current.severity, current.reason) == given:
            return True
        if current is not None:
            Verdict.objects.filter(pk=current.pk).update(is_current=False)
        Verdict.objects.create(
            study_id=auditor.study_id,
            claim_id=adjudication.claim_id,
            auditor=auditor,
            is_adjudication=True,
            value=value,
            severity=severity,
            reason=reason,
            revision=current.revision + 1 if current else 1,
            answered_at=answered_at,
            active_ms=active_ms,
        )
        if adjudication.state != Adjudication.State.DECIDED:
            adjudication.state, adjudication.decided_at = Adjudication.State.DECIDED, answered_at
            adjudication.lease_until = None
            adjudication.save(update_fields=["state", "decided_at", "lease_until"])
    return True
