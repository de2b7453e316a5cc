"""The claim ledger: each claim of a study's critics, auditors' verdicts on it, and what happened to its error."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    F,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from annotations.models import Audit, AuditItem, MissedErrorGroup, RepairJudgement, Study, Verdict
from annotations.queries.audits.critic import counted_verdicts, critiques_on_trial
from exchange.export import Column
from generation.models import Claim, Critique

CLAIMS_AT_ONCE = 500
ORDER = ("critique__image__key", "critique__image_id", "critique_id", "rank")
OPEN, UNJUDGED = "open", "unjudged"
SETTLED = (*Verdict.Value.values, OPEN, UNJUDGED)

LEDGER = (
    Column("image", "text", "", "Name of the image."),
    Column("method", "text", "", "What made the image."),
    Column("category", "text", "", "The prompt's category."),
    Column("prompt", "text", "", "The prompt's text."),
    Column("critic", "text", "", "Who made the claim; controls go by the name they came with."),
    Column("critic_version", "text", "", "The critic's version."),
    Column("source", "text", "critic, wrong_image, planted", "A critic's own claim, or a control."),
    Column("claim_id", "integer", "", "The claim's number on this site."),
    Column("rank", "integer", "≥ 1", "1 is what the critic thinks matters most."),
    Column("claim", "text", "", "What the critic says is wrong."),
    Column("kind", "text", "", "The kind of error that the critic names."),
    Column("severity", "text", "minor, major", "How severe the critic finds it, if it said so."),
    Column("about", "text", "", "The part of the prompt that the claim is about."),
    Column("confidence", "number", "0–1", "How sure the critic was, if it said so."),
    Column("settled", "text", ", ".join(SETTLED), "The auditors' vote, or the adjudicator's verdict."),
    Column("n_right", "integer", "", "Auditors who judged it right."),
    Column("n_partly", "integer", "", "Auditors who judged it partly right."),
    Column("n_wrong", "integer", "", "Auditors who judged it wrong."),
    Column("n_cannot_tell", "integer", "", "Auditors who could not tell."),
    Column("adjudicated", "text", "", "The adjudicator's verdict; empty where there is none."),
    Column("verdicts", "json", "", "Every counted verdict, with who gave it and why."),
    Column("error", "integer", "≥ 1", "Claims and listed errors of one image with one number are one error."),
    Column("repaired", "text", "fixed, improved, unchanged …", "What refinement did, by vote; empty: not judged."),
    Column("repairs", "json", "", "Every counted judgement: auditor, outcome, refined image's method."),
)


@dataclass(frozen=True)
class LedgerFilter:
    """Which entries of the ledger are wanted; empty means all."""

    critic: str = ""
    source: str = ""
    settled: str = ""
    kind: str = ""
    text: str = ""


def ledger(study: Study, chosen: LedgerFilter | None = None) -> QuerySet[Claim, int]:
    """Primary keys of the claims, in the ledger's order; votes are counted only if the filter names a verdict."""
    chosen = chosen or LedgerFilter()
    claims: QuerySet[Claim, Any] = Claim.objects.filter(critique__in=critiques_on_trial(study))
    for field, value in (
        ("critique__critic", chosen.critic),
        ("critique__source", chosen.source),
        ("kind", chosen.kind),
        ("text__icontains", chosen.text),
    ):
        if value:
            claims = claims.filter(**{field: value})
    if chosen.settled:
        claims = _with_votes(claims, study).filter(Q(settled=chosen.settled))
    return claims.order_by(*ORDER).values_list("pk", flat=True)


def entries(study: Study, ids: Sequence[int]) -> QuerySet[Claim, Any]:
    """These claims in the ledger's order with their votes and all that `entry` reads, in four queries."""
    verdicts = counted_verdicts(study).select_related("auditor", "audit").order_by("is_adjudication", "auditor_id")
    repairs = RepairJudgement.objects.filter(
        audit__plan__study=study, audit__state=Audit.State.FINISHED, is_current=True
    ).exclude(audit__item__control=AuditItem.Control.PLACEBO)
    repairs = repairs.select_related("audit__auditor", "audit__item__refined__method").order_by("pk")
    return (
        _with_votes(Claim.objects.filter(pk__in=ids), study)
        .select_related("critique__image__prompt", "critique__image__method")
        .prefetch_related(
            Prefetch("verdicts", queryset=verdicts, to_attr="counted_verdicts"),
            Prefetch("repair_judgements", queryset=repairs, to_attr="counted_repairs"),
            Prefetch("error_groups", queryset=MissedErrorGroup.objects.filter(study=study), to_attr="own_groups"),
        )
        .order_by(*ORDER)
    )


def judged_claims(study: Study) -> QuerySet[Claim, Any]:
    """Every claim on trial, with its votes and their result (`settled`)."""
    return _with_votes(Claim.objects.filter(critique__in=critiques_on_trial(study)), study)


def _with_votes(claims: QuerySet[Claim, Any], study: Study) -> QuerySet[Claim, Any]:
    """With n_right…, `adjudicated` and `settled`.

    Settled as in `annotations.stats.critic.audit.settle_verdicts`: the most votes, where "cannot tell" does not count
    against a verdict; a tie is open; an adjudicator's verdict replaces the vote.
    """
    judged = counted_verdicts(study).filter(claim=OuterRef("pk"))
    final = judged.filter(is_adjudication=True).order_by("-pk").values("value")[:1]
    # One index lookup of verdicts per claim and answer: grouping whole joined rows is far slower.
    votes = {f"n_{value}": _count(judged.filter(is_adjudication=False, value=value)) for value in Verdict.Value.values}
    adjudicated = Coalesce(Subquery(final), Value(""), output_field=CharField())
    return claims.annotate(**votes, adjudicated=adjudicated).annotate(settled=_settled())


def _count(rows: QuerySet[Verdict]) -> Coalesce:
    per_claim = rows.order_by().values("claim").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(per_claim, output_field=IntegerField()), 0)


def _settled() -> Case:
    values = ("right", "partly", "wrong")
    wins = []
    for value in values:
        first, second = (F(f"n_{other}") for other in values if other != value)
        wins.append(When(Q(**{f"n_{value}__gt": first}) & Q(**{f"n_{value}__gt": second}), then=Value(value)))
    return Case(
        When(~Q(adjudicated=""), then=F("adjudicated")),
        *wins,
        When(n_right=0, n_partly=0, n_wrong=0, n_cannot_tell__gt=0, then=Value(Verdict.Value.CANNOT_TELL.value)),
        When(n_right=0, n_partly=0, n_wrong=0, then=Value(UNJUDGED)),
        default=Value(OPEN),
        output_field=CharField(),
    )


def repaired(outcomes: Sequence[str]) -> str:
    """The outcome with the most votes, where "cannot tell" does not count against others; "open" for a tie, "" without
    votes."""
    ranked = Counter(outcome for outcome in outcomes if outcome != RepairJudgement.Outcome.CANNOT_TELL).most_common(2)
    if not ranked:
        return RepairJudgement.Outcome.CANNOT_TELL.value if outcomes else ""
    return OPEN if len(ranked) > 1 and ranked[0][1] == ranked[1][1] else ranked[0][0]


def ledger_rows(study: Study, chosen: LedgerFilter) -> Iterator[tuple[object, ...]]:
    """The rows of the ledger by the columns of LEDGER: a few hundred claims in memory at a time."""
    ids = list(ledger(study, chosen))
    for start in range(0, len(ids), CLAIMS_AT_ONCE):
        for claim in entries(study, ids[start : start + CLAIMS_AT_ONCE]):
            yield entry(claim)


def entry(claim: Any) -> tuple[object, ...]:
    """One claim of `entries` as a row."""
    critique, image = claim.critique, claim.critique.image
    return (
        image.key or f"image-{image.pk}",
        image.method.name,
        image.prompt.category,
        image.prompt.text,
        critique.critic,
        critique.critic_version,
        critique.source,
        claim.pk,
        claim.rank,
        claim.text,
        claim.kind,
        claim.severity,
        claim.about,
        claim.confidence,
        claim.settled,
        claim.n_right,
        claim.n_partly,
        claim.n_wrong,
        claim.n_cannot_tell,
        claim.adjudicated,
        [
            {
                "auditor": verdict.auditor.name,
                "verdict": verdict.value,
                "severity": verdict.severity,
                "reason": verdict.reason,
                "lists_first": verdict.audit.lists_first if verdict.audit else None,
                "adjudication": verdict.is_adjudication,
            }
            for verdict in claim.counted_verdicts
        ],
        claim.own_groups[0].number if claim.own_groups else None,
        repaired([row.outcome for row in claim.counted_repairs]),
        [
            {
                "auditor": row.audit.auditor.name,
                "outcome": row.outcome,
                "refined_by": row.audit.item.refined.method.name if row.audit.item.refined else None,
            }
            for row in claim.counted_repairs
        ],
    )


def critics_in_ledger(study: Study) -> list[str]:
    rows = critiques_on_trial(study).order_by("critic").values_list("critic", flat=True)
    return list(rows.distinct())


def kinds_in_ledger(study: Study) -> list[str]:
    rows = Claim.objects.filter(critique__in=critiques_on_trial(study)).exclude(kind="").order_by("kind")
    return list(rows.values_list("kind", flat=True).distinct())


def has_repairs(study: Study) -> bool:
    return RepairJudgement.objects.filter(audit__plan__study=study, audit__state=Audit.State.FINISHED).exists()


SOURCES = Critique.Source.choices
