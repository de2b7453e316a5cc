"""Taking an auditor's answers, one at a time: each is saved when the call returns, and only once, however often it is
sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from annotations.models import Audit, AuditItem, ElementCheck, MissedError, RepairJudgement, Verdict
from annotations.services.audits.adjudication import queue_disagreements
from annotations.services.sqlite_writes import write_turn

Outcomes = RepairJudgement.Outcome


class Outcome(Enum):
    SAVED = "saved"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class Sealed(Exception):
    """The list is closed: errors listed before the claims were seen stay on it."""


@dataclass(frozen=True)
class VerdictGiven:
    claim_id: int
    value: str
    severity: str = ""
    reason: str = ""


@dataclass(frozen=True)
class ElementGiven:
    """answer: one of ElementCheck.Answer, in terms of baseline and refined, whichever side they were shown on."""

    element: str
    text: str
    answer: str


@dataclass(frozen=True)
class RepairGiven:
    """place: where the error is, "baseline", "refined", "both", "none" or "cannot_tell"; worse_in: "", "baseline" or
    "refined", for an error in both."""

    claim_id: int
    place: str
    worse_in: str = ""

    @property
    def outcome(self) -> str:
        if self.place == "both":
            return {"baseline": Outcomes.IMPROVED, "refined": Outcomes.WORSE}.get(self.worse_in, Outcomes.UNCHANGED)
        return {
            "baseline": Outcomes.FIXED,
            "refined": Outcomes.WORSE,
            "none": Outcomes.NO_ERROR,
        }.get(self.place, Outcomes.CANNOT_TELL)


@dataclass(frozen=True)
class Mark:
    """A point or, with width and height, a box, in fractions of the image from its top left."""

    x: float
    y: float
    width: float | None = None
    height: float | None = None


@dataclass(frozen=True)
class ErrorListed:
    """An error in the auditor's words. `key` is the page's own, so that a line sent twice is one line."""

    key: str
    text: str
    kind: str = ""
    about: str = ""
    severity: str = ""
    mark: Mark | None = None
    is_in_refined: bool = False


def save_answer(
    *,
    audit: Audit,
    given: VerdictGiven | ElementGiven | RepairGiven,
    answered_at: datetime,
    active_ms: int | None = None,
) -> Outcome:
    """Save one answer. The same answer again changes nothing; another one becomes the next revision, and the earlier
    ones stay.

    An audit whose place was given to another auditor also takes answers: whether they count is decided when it is
    finished.
    """
    times: dict[str, Any] = {"answered_at": answered_at, "active_ms": active_ms}
    with write_turn(), transaction.atomic():
        # One answer of one audit at a time: two windows must not both add the same revision.
        audit = Audit.objects.select_for_update(of=("self",)).select_related("plan", "item").get(pk=audit.pk)
        if isinstance(given, VerdictGiven):
            outcome = _save_verdict(audit, given, times)
            if outcome is Outcome.CHANGED and audit.state == Audit.State.FINISHED:
                queue_disagreements(items=[audit.item])
            return outcome
        if isinstance(given, ElementGiven):
            checks = ElementCheck.objects.filter(audit=audit, element=given.element)
            about = {"audit": audit, "element": given.element, "text": given.text}
            return _revise(checks, about=about, answer={"answer": given.answer}, times=times)
        judgements = RepairJudgement.objects.filter(audit=audit, claim=given.claim_id)
        about = {"audit": audit, "claim_id": given.claim_id}
        return _revise(judgements, about=about, answer={"place": given.place, "outcome": given.outcome}, times=times)


def _save_verdict(audit: Audit, given: VerdictGiven, times: Mapping[str, Any]) -> Outcome:
    about = {"study_id": audit.plan.study_id, "claim_id": given.claim_id, "auditor_id": audit.auditor_id}
    answer = {"value": given.value, "severity": given.severity, "reason": given.reason}
    return _revise(Verdict.objects.filter(**about), about={"audit": audit, **about}, answer=answer, times=times)


def _revise(
    revisions: QuerySet[Any], *, about: Mapping[str, Any], answer: Mapping[str, Any], times: Mapping[str, Any]
) -> Outcome:
    """Make an answer the current one of these revisions, all of the question that `about` identifies."""
    current = revisions.filter(is_current=True).first()
    if current is not None and all(getattr(current, name) == value for name, value in answer.items()):
        return Outcome.UNCHANGED
    if current is not None:
        revisions.filter(pk=current.pk).update(is_current=False)
    revisions.model.objects.create(revision=current.revision + 1 if current else 1, **about, **answer, **times)
    return Outcome.CHANGED if current else Outcome.SAVED


def list_error(*, audit: Audit, listed: ErrorListed, answered_at: datetime) -> Outcome:
    """Put an error on the auditor's list. Whether the claims had been seen is taken from the audit, not from the
    page."""
    item = audit.item
    stage = MissedError.Stage.AFTER if audit.may_see_claims else MissedError.Stage.BEFORE
    image_id = item.image_id
    if item.kind == AuditItem.Kind.REPAIR:
        stage = MissedError.Stage.REPAIR
        image_id = item.refined_id if listed.is_in_refined and item.refined_id else item.image_id
    mark = listed.mark
    try:
        with write_turn(), transaction.atomic():
            MissedError.objects.create(
                study_id=audit.plan.study_id,
                audit=audit,
                image_id=image_id,
                auditor_id=audit.auditor_id,
                stage=stage,
                is_in_refined=listed.is_in_refined and stage == MissedError.Stage.REPAIR,
                key=listed.key,
                text=listed.text,
                kind=listed.kind,
                about=listed.about,
                severity=listed.severity,
                answered_at=answered_at,
                **({} if mark is None else vars(mark)),
            )
    except IntegrityError:
        if MissedError.objects.filter(audit=audit, key=listed.key).exists():
            return Outcome.UNCHANGED
        raise
    return Outcome.SAVED


def withdraw_error(*, audit: Audit, key: str, now: datetime) -> Outcome:
    """Take an error off the list; the row stays, with the time. Raises Sealed for one listed before a closed list."""
    error = MissedError.objects.filter(audit=audit, key=key).first()
    if error is None or error.withdrawn_at is not None:
        return Outcome.UNCHANGED
    if error.stage == MissedError.Stage.BEFORE and audit.sealed_at is not None:
        raise Sealed
    MissedError.objects.filter(pk=error.pk, withdrawn_at=None).update(withdrawn_at=now)
    return Outcome.CHANGED
