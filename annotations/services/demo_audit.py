"""The demo's critic on trial: simulated auditors, their verdicts, and the errors that they list."""

from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from annotations import simulation
from annotations.models import (
    Audit,
    AuditItem,
    Auditor,
    AuditPlan,
    MissedError,
    MissedErrorGroup,
    Rater,
    Study,
    Verdict,
)
from generation.models import Claim, Critique, Image

N_AUDITORS = 3
ROOM_FOR_AUDITORS = 5
LISTS_FIRST_SHARE = 0.5
REASONS = {
    "": Verdict.Reason.NONE,
    "not there": Verdict.Reason.NOT_THERE,
    "misread": Verdict.Reason.MISREAD,
    "about something else": Verdict.Reason.ELSEWHERE,
    "contradicts the prompt": Verdict.Reason.CONTRADICTS,
}
VERDICTS = {
    "right": Verdict.Value.RIGHT,
    "partly right": Verdict.Value.PARTLY,
    "wrong": Verdict.Value.WRONG,
    "cannot tell": Verdict.Value.CANNOT_TELL,
}
Judged = tuple[Claim, Critique]


def simulate_audit(*, study: Study, prompt_set: str, seed: int, began: datetime) -> AuditPlan:
    """An open audit in which simulated auditors have judged every claim about the critic's images.

    The critic's own claims and those of the control that saw another image are judged alike. An auditor who lists
    errors first may list what a claim names too: the group of that error then holds the claim.
    """
    critiques = Critique.objects.filter(image__prompt__prompt_set__name=prompt_set).order_by("pk")
    claims: list[Judged] = [(claim, row) for row in critiques.prefetch_related("claims") for claim in row.claims.all()]
    images = list(Image.objects.filter(critiques__in=critiques).distinct().order_by("key"))
    errors = [(i, error) for i, image in enumerate(images) for error in image.provenance["truth"]["errors"]]
    audits = simulation.simulate_audits(
        claim_is_right=[row.provenance["truth"]["claims_right"][claim.rank - 1] for claim, row in claims],
        error_image=[i for i, _ in errors],
        error_is_claimed=[error["is_claimed"] for _, error in errors],
        n_images=len(images),
        panel=simulation.auditor_panel(N_AUDITORS, seed),
        seed=seed,
        lists_first_share=LISTS_FIRST_SHARE,
    )
    work = _finished(_plan(study, seed, claims, images), audits, images, claims, began)
    _judge(study, audits, work, images, claims)
    _list_errors(study, audits, work, images, errors, _groups(study, images, claims, began))
    return work[0, 0].plan


def _plan(study: Study, seed: int, claims: list[Judged], images: list[Image]) -> list[AuditItem]:
    critics = sorted({row.critic for _, row in claims if row.source == Critique.Source.CRITIC})
    plan = AuditPlan.objects.create(
        study=study,
        state=AuditPlan.State.OPEN,
        auditors_per_image=N_AUDITORS + ROOM_FOR_AUDITORS,
        lists_first_share=LISTS_FIRST_SHARE,
        seed=seed,
        critics=critics,
        with_planted=False,
        created_by=study.owner,
    )
    return AuditItem.objects.bulk_create(
        AuditItem(plan=plan, position=i, image=image, wanted=plan.auditors_per_image, taken=N_AUDITORS)
        for i, image in enumerate(images)
    )


def _finished(
    items: list[AuditItem],
    audits: simulation.SimulatedAudits,
    images: list[Image],
    claims: list[Judged],
    began: datetime,
) -> dict[tuple[int, int], Audit]:
    """(auditor, image) → the finished audit, one after another for each auditor."""
    auditors = Auditor.objects.bulk_create(
        Auditor(study=items[0].plan.study, name=p.name, kind=Rater.Kind.SIMULATED, next_sequence=len(items))
        for p in audits.panel
    )
    orders = {i: [claim.pk for claim, row in claims if row.image_id == image.pk] for i, image in enumerate(images)}
    spent = dict.fromkeys(((who, i) for who in range(len(auditors)) for i in orders), 0)
    places = {image.pk: i for i, image in enumerate(images)}
    for n in range(len(audits.claim)):
        where = places[claims[int(audits.claim[n])][1].image_id]
        spent[int(audits.auditor[n]), where] += int(audits.active_ms[n])
    work: dict[tuple[int, int], Audit] = {}
    for who, auditor in enumerate(auditors):
        clock = began
        for i, item in enumerate(items):
            lists_first = bool(audits.lists_first[who, i])
            opened, clock = clock, clock + timedelta(seconds=5, milliseconds=spent[who, i])
            work[who, i] = Audit(
                plan=item.plan,
                item=item,
                auditor=auditor,
                sequence=i,
                state=Audit.State.FINISHED,
                lists_first=lists_first,
                claim_order=orders[i],
                opened_at=opened,
                sealed_at=opened + timedelta(seconds=5) if lists_first else None,
                finished_at=clock,
                active_ms=spent[who, i] + 5_000,
            )
    Audit.objects.bulk_create(work.values())
    return work


def _judge(
    study: Study,
    audits: simulation.SimulatedAudits,
    work: dict[tuple[int, int], Audit],
    images: list[Image],
    claims: list[Judged],
) -> None:
    places = {image.pk: i for i, image in enumerate(images)}
    verdicts: list[Verdict] = []
    for n in range(len(audits.claim)):
        claim, row = claims[int(audits.claim[n])]
        audit = work[int(audits.auditor[n]), places[row.image_id]]
        verdicts.append(
            Verdict(
                study=study,
                audit=audit,
                claim=claim,
                auditor=audit.auditor,
                value=VERDICTS[str(audits.verdict[n])],
                reason=REASONS[str(audits.reason[n])],
                answered_at=audit.finished_at or study.created_at,
                active_ms=int(audits.active_ms[n]),
            )
        )
    Verdict.objects.bulk_create(verdicts)


def _groups(
    study: Study, images: list[Image], claims: list[Judged], decided_at: datetime
) -> dict[tuple[int, int], MissedErrorGroup]:
    """(image, number of its error) → the group of that true error, with the claims that name it."""
    rows = {
        (i, number): MissedErrorGroup(
            study=study,
            image=image,
            number=number + 1,
            text=error["text"],
            kind=error["kind"],
            about=error["about"],
            decided_at=decided_at,
        )
        for i, image in enumerate(images)
        for number, error in enumerate(image.provenance["truth"]["errors"])
    }
    MissedErrorGroup.objects.bulk_create(rows.values())
    places = {image.pk: i for i, image in enumerate(images)}
    link = MissedErrorGroup.claims.through
    named = (
        (claim, places[row.image_id], row.provenance["truth"]["claims_error"][claim.rank - 1]) for claim, row in claims
    )
    link._default_manager.bulk_create(
        link(missederrorgroup_id=rows[where, number].pk, claim_id=claim.pk)
        for claim, where, number in named
        if number is not None
    )
    return rows


def _list_errors(
    study: Study,
    audits: simulation.SimulatedAudits,
    work: dict[tuple[int, int], Audit],
    images: list[Image],
    errors: list[tuple[int, dict[str, Any]]],
    groups: dict[tuple[int, int], MissedErrorGroup],
) -> None:
    numbers = [n for _, some in groupby(errors, key=lambda pair: pair[0]) for n, _ in enumerate(some)]
    rows = zip(audits.listed_auditor, audits.listed_image, audits.listed_error, strict=True)
    listed: list[MissedError] = []
    for who, where, which in ((int(a), int(b), int(c)) for a, b, c in rows):
        audit = work[who, where]
        missed = MissedError(
            study=study,
            audit=audit,
            image=images[where],
            auditor=audit.auditor,
            stage=MissedError.Stage.BEFORE if audit.lists_first else MissedError.Stage.AFTER,
            text="Something here looks wrong.",
            answered_at=audit.sealed_at or audit.finished_at or study.created_at,
        )
        if which >= 0:
            _describe(missed, errors[which][1])
            missed.group = groups[where, numbers[which]]
        listed.append(missed)
    MissedError.objects.bulk_create(listed)


def _describe(missed: MissedError, error: dict[str, Any]) -> None:
    missed.text, missed.kind, missed.about, missed.severity = (error[n] for n in ("text", "kind", "about", "severity"))
    if error["box"]:
        left, top, right, bottom = (min(max(side, 0.0), 1.0) for side in error["box"])
        missed.x, missed.y, missed.width, missed.height = left, top, right - left, bottom - top
