"""Stores whole audits of simulated auditors at once, for the demo study and for tests of the statistics."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from annotations.models import (
    Adjudication,
    Audit,
    AuditItem,
    Auditor,
    AuditPlan,
    ElementCheck,
    MissedError,
    MissedErrorGroup,
    Rater,
    RepairJudgement,
    Verdict,
)
from annotations.queries.audits import work as queries
from annotations.services.audits import order
from annotations.services.audits.adjudication import queue_disagreements
from annotations.services.audits.answers import Mark, RepairGiven

ROWS_AT_ONCE = 2_000
SECONDS_AN_IMAGE = 60


@dataclass(frozen=True)
class SimulatedVerdict:
    """value: one of Verdict.Value; reason only for "wrong", severity only for "right" and "partly"."""

    claim_id: int
    value: str
    severity: str = ""
    reason: str = ""
    active_ms: int | None = None


@dataclass(frozen=True)
class SimulatedListing:
    """An error on an auditor's list; `key` (unique for the auditor) is how `SimulatedGroup` finds it again.

    stage: "before" for what was listed before the claims were seen, "after", or "repair".
    """

    key: str
    text: str
    stage: str = "after"
    kind: str = ""
    about: str = ""
    severity: str = ""
    mark: Mark | None = None
    is_in_refined: bool = False


@dataclass(frozen=True)
class SimulatedAudit:
    """Everything that one simulated auditor said about one image (`refined_id` None) or one pair.

    elements: id of the element → one of ElementCheck.Answer. repairs: claims of the pair's baseline.
    """

    auditor: str
    image_id: int
    refined_id: int | None = None
    lists_first: bool = False
    verdicts: Sequence[SimulatedVerdict] = ()
    listed: Sequence[SimulatedListing] = ()
    repairs: Sequence[RepairGiven] = ()
    elements: Mapping[str, str] = field(default_factory=dict)
    is_mirrored: bool | None = None
    """Whether the refined image was on the left; None: drawn from the plan's seed as for people."""


@dataclass(frozen=True)
class SimulatedGroup:
    """A distinct error: the claims and the listed errors, as (auditor, key), that name it."""

    image_id: int
    text: str
    kind: str = ""
    about: str = ""
    claim_ids: Sequence[int] = ()
    listed: Sequence[tuple[str, str]] = ()


def record_simulated_audits(
    *, plan: AuditPlan, audits: Iterable[SimulatedAudit], finished_at: datetime | None = None
) -> list[Audit]:
    """Save finished audits of simulated auditors, and queue what they disagree on; all or nothing.

    Places count as for people: more audits of an item than the plan wants, or one auditor twice, raise IntegrityError,
    and so does a second verdict on one claim. An item that is not in the plan raises KeyError. Memory: all rows at
    once.
    """
    rows = list(audits)
    now = finished_at or timezone.now()
    with transaction.atomic():
        items = {(item.image_id, item.refined_id): item for item in plan.items.select_related("image__prompt")}
        auditors = {name: _auditor(plan, name) for name in dict.fromkeys(row.auditor for row in rows)}
        made = []
        claims: dict[int, list[int]] = {}
        for row in rows:
            auditor, item = auditors[row.auditor], items[row.image_id, row.refined_id]
            if item.pk not in claims:
                claims[item.pk] = queries.claim_ids(plan, item)
            made.append(_audit(plan, item, auditor, row, claims[item.pk], now))
        Audit.objects.bulk_create(made, batch_size=ROWS_AT_ONCE)
        Auditor.objects.bulk_update(auditors.values(), ["next_sequence"])
        for item_id, n in Counter(audit.item_id for audit in made).items():
            AuditItem.objects.filter(pk=item_id).update(taken=F("taken") + n)
        _save_answers(plan, rows, made)
        queue_disagreements(items=[item for item in items.values() if item.kind == AuditItem.Kind.CLAIMS])
    return made


def _auditor(plan: AuditPlan, name: str) -> Auditor:
    auditor, _created = Auditor.objects.get_or_create(
        study_id=plan.study_id, name=name, defaults={"kind": Rater.Kind.SIMULATED}
    )
    return auditor


def _audit(
    plan: AuditPlan, item: AuditItem, auditor: Auditor, row: SimulatedAudit, claims: list[int], now: datetime
) -> Audit:
    is_pair = item.kind == AuditItem.Kind.REPAIR
    mirrored = row.is_mirrored
    if mirrored is None:
        mirrored = is_pair and order.is_mirrored(seed=plan.seed, auditor=auditor.pk, item=item.pk)
    opened = now - timedelta(seconds=SECONDS_AN_IMAGE)
    audit = Audit(
        plan=plan,
        item=item,
        auditor=auditor,
        sequence=auditor.next_sequence,
        state=Audit.State.FINISHED,
        lists_first=row.lists_first,
        claim_order=order.claim_order(claims, seed=plan.seed, auditor=auditor.pk, item=item.pk),
        is_mirrored=is_pair and mirrored,
        opened_at=opened,
        sealed_at=opened + timedelta(seconds=SECONDS_AN_IMAGE / 2) if row.lists_first else None,
        finished_at=now,
    )
    auditor.next_sequence += 1
    return audit


def _save_answers(plan: AuditPlan, rows: Sequence[SimulatedAudit], made: Sequence[Audit]) -> None:
    verdicts, listed, repairs, checks = [], [], [], []
    texts: dict[int, dict[str, str]] = {}
    for row, audit in zip(rows, made, strict=True):
        at = audit.finished_at or timezone.now()
        common = {"audit": audit, "answered_at": at}
        person = {"study_id": plan.study_id, "auditor_id": audit.auditor_id}
        verdicts += [Verdict(**common, **person, **vars(verdict)) for verdict in row.verdicts]
        for error in row.listed:
            fields = {name: value for name, value in vars(error).items() if name != "mark"}
            if error.mark is not None:
                fields |= vars(error.mark)
            image = row.refined_id if error.is_in_refined and row.refined_id else row.image_id
            listed.append(MissedError(**common, **person, image_id=image, **fields))
        repairs += [
            RepairJudgement(**common, claim_id=given.claim_id, place=given.place, outcome=given.outcome)
            for given in row.repairs
        ]
        if row.elements and row.image_id not in texts:
            texts[row.image_id] = {e.id: e.text for e in queries.elements_of(audit.item.image.prompt, plan)}
        checks += [
            ElementCheck(**common, element=element, text=texts[row.image_id].get(element, element), answer=answer)
            for element, answer in row.elements.items()
        ]
    Verdict.objects.bulk_create(verdicts, batch_size=ROWS_AT_ONCE)
    MissedError.objects.bulk_create(listed, batch_size=ROWS_AT_ONCE)
    RepairJudgement.objects.bulk_create(repairs, batch_size=ROWS_AT_ONCE)
    ElementCheck.objects.bulk_create(checks, batch_size=ROWS_AT_ONCE)


def record_simulated_adjudications(
    *, plan: AuditPlan, adjudicator: str, decisions: Mapping[int, SimulatedVerdict], decided_at: datetime | None = None
) -> int:
    """Decide queued disagreements, claim id → verdict, in the name of one simulated adjudicator; returns how many were
    decided.

    Claims that are not waiting are left unchanged. Raises IntegrityError if the adjudicator has judged the claim
    before.
    """
    now = decided_at or timezone.now()
    with transaction.atomic():
        auditor = _auditor(plan, adjudicator)
        waiting = plan.adjudications.filter(state=Adjudication.State.WAITING, claim__in=list(decisions))
        claims = list(waiting.values_list("claim_id", flat=True))
        Verdict.objects.bulk_create(
            [
                Verdict(
                    study_id=plan.study_id,
                    auditor=auditor,
                    is_adjudication=True,
                    answered_at=now,
                    **vars(decisions[claim]),
                )
                for claim in claims
            ],
            batch_size=ROWS_AT_ONCE,
        )
        return plan.adjudications.filter(claim__in=claims).update(
            state=Adjudication.State.DECIDED, adjudicator=auditor, decided_at=now
        )


def record_simulated_groups(
    *, plan: AuditPlan, groups: Iterable[SimulatedGroup], decided_at: datetime | None = None
) -> list[MissedErrorGroup]:
    """Save which listed errors and claims name the same error, replacing earlier decisions; all or nothing.

    Raises KeyError for a listed error that does not exist.
    """
    rows, now = list(groups), decided_at or timezone.now()
    with transaction.atomic():
        errors = {
            (name, key): error
            for error, name, key in (
                (error, error.auditor.name, error.key)
                for error in MissedError.objects.filter(study_id=plan.study_id).select_related("auditor")
            )
        }
        MissedErrorGroup.objects.filter(study_id=plan.study_id).delete()
        numbers: dict[int, int] = {}
        made = []
        for row in rows:
            numbers[row.image_id] = numbers.get(row.image_id, 0) + 1
            made.append(
                MissedErrorGroup(
                    study_id=plan.study_id,
                    image_id=row.image_id,
                    number=numbers[row.image_id],
                    text=row.text,
                    kind=row.kind,
                    about=row.about,
                    decided_at=now,
                )
            )
        MissedErrorGroup.objects.bulk_create(made, batch_size=ROWS_AT_ONCE)
        links = MissedErrorGroup.claims.through
        links.objects.bulk_create(
            [
                links(missederrorgroup_id=group.pk, claim_id=claim)
                for row, group in zip(rows, made, strict=True)
                for claim in row.claim_ids
            ],
            batch_size=ROWS_AT_ONCE,
        )
        changed = []
        for row, group in zip(rows, made, strict=True):
            for name_and_key in row.listed:
                error = errors[name_and_key]
                error.group = group
                changed.append(error)
        MissedError.objects.bulk_update(changed, ["group"], batch_size=ROWS_AT_ONCE)
    return made
