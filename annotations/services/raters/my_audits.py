"""An auditor's rights over their own data: download it, and have it erased."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F

from annotations.models import (
    Adjudication,
    Audit,
    AuditItem,
    Auditor,
    ElementCheck,
    Erasure,
    Membership,
    MissedError,
    RepairJudgement,
    Verdict,
)
from annotations.services.audits.groups import forget_listed
from annotations.services.exports import export_name
from annotations.services.raters.my_data import forget_account, forget_name
from annotations.services.sqlite_writes import empty_log, write_turn

HOLDS_A_PLACE = (Audit.State.LEASED, Audit.State.FINISHED)


def own_audits(user: User) -> list[dict[str, Any]]:
    """Everything stored about the person as an auditor, without other people's data."""
    return [_of_one(auditor) for auditor in user.auditors.select_related("study").order_by("pk")]


def _of_one(auditor: Auditor) -> dict[str, Any]:
    checks = ElementCheck.objects.filter(audit__auditor=auditor).order_by("pk")
    repairs = RepairJudgement.objects.filter(audit__auditor=auditor).order_by("pk")
    return {
        "study": auditor.study.title,
        "name": auditor.name,
        "joined_at": _text(auditor.created_at),
        "verdicts": [
            {"claim": claim, "value": value, "severity": severity, "reason": reason, "answered_at": _text(at)}
            for claim, value, severity, reason, at in auditor.verdicts.order_by("pk").values_list(
                "claim__text", "value", "severity", "reason", "answered_at"
            )
        ],
        "errors_listed": [
            {"text": text, "kind": kind, "about": about, "answered_at": _text(at), "withdrawn_at": _text(withdrawn)}
            for text, kind, about, at, withdrawn in auditor.missed_errors.order_by("pk").values_list(
                "text", "kind", "about", "answered_at", "withdrawn_at"
            )
        ],
        "parts_checked": [
            {"part": text, "answer": answer, "answered_at": _text(at)}
            for text, answer, at in checks.values_list("text", "answer", "answered_at")
        ],
        "repairs_judged": [
            {"claim": claim, "outcome": outcome, "answered_at": _text(at)}
            for claim, outcome, at in repairs.values_list("claim__text", "outcome", "answered_at")
        ],
    }


def erase_auditor(*, auditor: Auditor, now: datetime) -> Erasure:
    """Delete the auditor, everything they judged or listed, and their account if it has no other use.

    Their places on images are free for others, and claims that they decided wait for another adjudicator. The critic's
    results are computed without them from now on. Only one entry with counts remains.
    """
    with write_turn(), transaction.atomic():
        study, user, name = auditor.study, auditor.user, auditor.name
        audits = Audit.objects.filter(auditor=auditor)
        n_finished = audits.filter(state=Audit.State.FINISHED).count()
        held = audits.filter(state__in=HOLDS_A_PLACE)
        AuditItem.objects.filter(pk__in=list(held.values_list("item_id", flat=True))).update(taken=F("taken") - 1)
        Adjudication.objects.filter(adjudicator=auditor).update(
            state=Adjudication.State.WAITING, adjudicator=None, lease_until=None, decided_at=None
        )
        Verdict.objects.filter(auditor=auditor).delete()
        forget_listed(MissedError.objects.filter(auditor=auditor))
        audits.delete()
        Auditor.objects.filter(pk=auditor.pk).delete()
        Membership.objects.filter(study=study, user=user, role=Membership.Role.AUDITOR).delete()
        forget_name(study, name, "erased auditor")
        forget_account(user)
        erasure = Erasure.objects.create(study=study, kind=Erasure.Kind.EVERYTHING, n_cards=n_finished)
    default_storage.delete(export_name(study))
    empty_log()
    return erasure


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
