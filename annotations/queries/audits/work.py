"""Reads for auditing: rights, the parts of an audit, the next work, and open questions."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from annotations.models import (
    Adjudication,
    Audit,
    AuditItem,
    Auditor,
    AuditPlan,
    ElementCheck,
    Item,
    Membership,
    MissedError,
    RepairJudgement,
    Study,
    Verdict,
)
from generation.models import Claim, Critique, Image, Prompt
from generation.queries.decompositions import decomposition_of

LONGEST_ELEMENT = 500
LONGEST_ELEMENT_ID = 60
# The kinds of errors that an auditor is offered if no critic of the study names any.
USUAL_KINDS = ("missing", "extra", "count", "attribute", "relation", "anatomy", "text", "look")


# --- people ----------------------------------------------------------------------------------------------------------
def audited_by(token: str, user: User | AnonymousUser) -> Study | None:
    """The study at this address, only for its auditors."""
    is_auditor = Membership.objects.filter(study=OuterRef("pk"), user=user.pk, role=Membership.Role.AUDITOR)
    return None if user.pk is None else Study.objects.filter(Exists(is_auditor), token=token).first()


def audit_of(token: str, user: User | AnonymousUser) -> Audit | None:
    """An audit with everything that its page needs, only for its own auditor."""
    if user.pk is None:
        return None
    audits = Audit.objects.select_related("plan__study", "auditor", "item__image__prompt", "item__refined")
    return audits.filter(_is_still_auditor(user), token=token, auditor__user_id=user.pk).first()


def adjudication_of(token: str, user: User | AnonymousUser) -> Adjudication | None:
    """A disagreement, only for the auditor who holds it or has decided it."""
    if user.pk is None:
        return None
    rows = Adjudication.objects.select_related("plan__study", "adjudicator", "item__image__prompt", "claim")
    return rows.filter(_is_still_auditor(user), token=token, adjudicator__user_id=user.pk).first()


def _is_still_auditor(user: User | AnonymousUser) -> Exists:
    rows = Membership.objects.filter(study=OuterRef("plan__study"), user=user.pk, role=Membership.Role.AUDITOR)
    return Exists(rows)


# --- what there is to audit ------------------------------------------------------------------------------------------
def study_images(study: Study) -> QuerySet[Image]:
    """The images that a study's items show and whose files are held, each once."""
    shown_in = Item.objects.filter(study=study, item_images__image=OuterRef("pk"))
    return Image.objects.filter(Exists(shown_in), shown__gt="")


def critics_of(study: Study) -> list[str]:
    """Names of the critics that were shown images of this study."""
    critiques = Critique.objects.filter(source=Critique.Source.CRITIC, image__in=study_images(study))
    return list(critiques.order_by("critic").values_list("critic", flat=True).distinct())


def auditable_images(study: Study, *, critics: Sequence[str], images: Collection[int] | None) -> list[Image]:
    """Images that a chosen critic was shown: from the study, or from the images named, in any study."""
    critiques = Critique.objects.filter(image=OuterRef("pk"), source=Critique.Source.CRITIC)
    if critics:
        critiques = critiques.filter(critic__in=critics)
    rows = study_images(study) if images is None else Image.objects.filter(pk__in=images, shown__gt="")
    return list(rows.filter(Exists(critiques)).order_by("pk"))


def refined_pairs(study: Study, images: Collection[int]) -> list[tuple[int, int]]:
    """Each audited image with each image of the study that was refined from it."""
    rows = study_images(study).filter(parent__in=images).order_by("parent_id", "pk")
    return [(int(parent), pk) for parent, pk in rows.values_list("parent_id", "pk")]


def claims_of_plan(plan: AuditPlan, *, with_controls: bool = True) -> QuerySet[Claim]:
    """Claims of the critics on trial and, if the plan has them, of its controls."""
    wanted = Q(critique__source=Critique.Source.CRITIC)
    if plan.critics:
        wanted &= Q(critique__critic__in=plan.critics)
    if with_controls and plan.with_wrong_image:
        wanted |= Q(critique__source=Critique.Source.WRONG_IMAGE)
    if with_controls and plan.with_planted:
        wanted |= Q(critique__source=Critique.Source.PLANTED)
    return Claim.objects.filter(wanted)


def claim_ids(plan: AuditPlan, item: AuditItem) -> list[int]:
    """The claims that are judged with an item: for a pair, those that critics made about its baseline, without
    controls."""
    claims = claims_of_plan(plan, with_controls=item.kind == AuditItem.Kind.CLAIMS)
    return list(claims.filter(critique__image=item.image_id).order_by("pk").values_list("pk", flat=True))


def kinds_of(plan: AuditPlan) -> list[str]:
    """Which kinds of errors the critics of this plan distinguish, so that missed errors can be counted by the same
    kinds."""
    kinds = claims_of_plan(plan, with_controls=False).filter(critique__image__audit_items__plan=plan).exclude(kind="")
    return list(kinds.order_by("kind").values_list("kind", flat=True).distinct()) or list(USUAL_KINDS)


def reference_of(item: AuditItem, study: Study) -> dict[str, Any] | None:
    """The reference image that the study's cards of this prompt show, as `Item.reference` has it; None without one."""
    if not study.shows_reference:
        return None
    rows = Item.with_checks.filter(study=study, prompt=item.image.prompt_id, frozen__has_key="reference")
    shown = rows.order_by("pk").first()
    return shown.reference if shown else None


@dataclass(frozen=True)
class Element:
    """One part of what a prompt asks for. `kind`: "entity" or "relation"."""

    id: str
    text: str
    kind: str


def elements_of(prompt: Prompt, plan: AuditPlan | None) -> list[Element]:
    """The parts of the decomposition in use when the plan was made: answers refer to them by their ids.

    Its lists "entities" and "relations" hold texts or dicts. A dict names itself by "text", "name", or "subject",
    "relation", "object" (ids or words), and may have an "id". Parts without text are left out; without a decomposition
    the list is empty.
    """
    decomposition = decomposition_of(prompt, made_before=plan.created_at if plan else None) or {}
    found: dict[str, Element] = {}
    names: dict[str, str] = {}
    for kind, plural in (("entity", "entities"), ("relation", "relations")):
        rows = decomposition.get(plural)
        for number, row in enumerate(rows if isinstance(rows, list) else [], start=1):
            text = _element_text(row, names)
            own_id = row.get("id") if isinstance(row, dict) else None
            element_id = str(own_id or f"{kind[0]}{number}")[:LONGEST_ELEMENT_ID]
            if text:
                names[element_id] = text
                found.setdefault(element_id, Element(element_id, text[:LONGEST_ELEMENT], kind))
    return list(found.values())


def _element_text(row: Any, names: dict[str, str]) -> str:
    if isinstance(row, str):
        return " ".join(row.split())
    if not isinstance(row, dict):
        return ""
    if text := row.get("text") or row.get("name"):
        return " ".join(str(text).split())
    parts = [str(row.get(part) or "") for part in ("subject", "relation", "object")]
    return " ".join(" ".join(names.get(part, part) for part in parts).split())


# --- what comes next -------------------------------------------------------------------------------------------------
def held(auditor: Auditor) -> Audit | None:
    """The work that this auditor holds."""
    audits = Audit.objects.select_related("plan__study", "auditor", "item__image__prompt", "item__refined")
    return audits.filter(auditor=auditor, state=Audit.State.LEASED).order_by("sequence").first()


def overdue(plan: AuditPlan, now: datetime) -> QuerySet[Audit]:
    return Audit.objects.filter(plan=plan, state=Audit.State.LEASED, lease_until__lt=now)


def returned_and_open(auditor: Auditor) -> QuerySet[Audit]:
    """Work that this auditor gave back and could still do."""
    rows = Audit.objects.filter(auditor=auditor, state=Audit.State.RETURNED, item__taken__lt=F("item__wanted"))
    return rows.order_by("sequence")


def open_items(plan: AuditPlan, auditor: Auditor) -> QuerySet[AuditItem]:
    """Items that this auditor may be given: single images before pairs, then those with the fewest auditors, then by
    position.

    Items that they had are left out, and so are images on which they decided a disagreement or that they saw in a pair.
    """
    mine = Audit.objects.filter(auditor=auditor)
    decided = Adjudication.objects.filter(adjudicator=auditor, item__image=OuterRef("image"))
    compared = mine.filter(item__kind=AuditItem.Kind.REPAIR).filter(
        Q(item__image=OuterRef("image")) | Q(item__refined=OuterRef("image"))
    )
    return (
        AuditItem.objects.filter(plan=plan, taken__lt=F("wanted"))
        .filter(~Exists(mine.filter(item=OuterRef("pk"))))
        .exclude(Exists(decided), kind=AuditItem.Kind.CLAIMS)
        .exclude(Exists(compared), kind=AuditItem.Kind.CLAIMS)
        .order_by("kind", "taken", "position")
    )


def may_come_free(plan: AuditPlan, auditor: Auditor) -> bool:
    """Whether others hold items that this auditor has not had, which may still be given back."""
    mine = Audit.objects.filter(item=OuterRef("item"), auditor=auditor)
    return Audit.objects.filter(~Exists(mine), plan=plan, state=Audit.State.LEASED).exists()


def n_claim_audits(auditor: Auditor) -> int:
    return Audit.objects.filter(auditor=auditor, item__kind=AuditItem.Kind.CLAIMS).count()


def n_finished(auditor: Auditor) -> int:
    return Audit.objects.filter(auditor=auditor, state__in=[Audit.State.FINISHED, Audit.State.LATE]).count()


def last_finished(auditor: Auditor, *, before: int | None = None) -> Audit | None:
    """The latest finished work, or the latest before a place in the auditor's sequence."""
    rows = Audit.objects.filter(auditor=auditor, state__in=[Audit.State.FINISHED, Audit.State.LATE])
    if before is not None:
        rows = rows.filter(sequence__lt=before)
    return rows.order_by("-sequence").first()


def held_adjudication(auditor: Auditor) -> Adjudication | None:
    rows = Adjudication.objects.select_related("plan__study", "adjudicator", "item__image__prompt", "claim")
    return rows.filter(adjudicator=auditor, state=Adjudication.State.LEASED).order_by("pk").first()


def waiting_adjudications(plan: AuditPlan, auditor: Auditor) -> QuerySet[Adjudication]:
    """Disagreements about images on which this auditor did not work."""
    worked = Audit.objects.filter(auditor=auditor, item__image=OuterRef("item__image"))
    judged = Verdict.objects.filter(auditor=auditor, claim=OuterRef("claim"))
    rows = Adjudication.objects.filter(plan=plan, state=Adjudication.State.WAITING)
    return rows.filter(~Exists(worked), ~Exists(judged)).order_by("pk")


def finished_verdicts(item: AuditItem) -> dict[int, list[str]]:
    """The current verdicts of finished audits of one item, by claim."""
    rows = Verdict.objects.filter(audit__item=item, audit__state=Audit.State.FINISHED, is_current=True)
    by_claim: dict[int, list[str]] = {}
    for claim, value in rows.order_by("pk").values_list("claim_id", "value"):
        by_claim.setdefault(claim, []).append(value)
    return by_claim


# --- what is settled, and what is open -------------------------------------------------------------------------------
def claims_in_order(ids: Sequence[int]) -> list[Claim]:
    claims = Claim.objects.in_bulk(list(ids))
    return [claims[pk] for pk in ids if pk in claims]


def verdicts_of(audit: Audit) -> dict[int, Verdict]:
    """This auditor's current verdicts on the claims of an audit, by claim."""
    rows = Verdict.objects.filter(audit=audit, is_current=True)
    return {verdict.claim_id: verdict for verdict in rows}


def repairs_of(audit: Audit) -> dict[int, RepairJudgement]:
    return {row.claim_id: row for row in RepairJudgement.objects.filter(audit=audit, is_current=True)}


def checks_of(audit: Audit) -> dict[str, ElementCheck]:
    return {check.element: check for check in ElementCheck.objects.filter(audit=audit, is_current=True)}


def listed_errors(audit: Audit) -> list[MissedError]:
    """The errors on this auditor's list, without withdrawn ones, in the order in which they were listed."""
    return list(MissedError.objects.filter(audit=audit, withdrawn_at=None).order_by("pk"))


def open_questions(audit: Audit) -> list[str]:
    """Names of the fields that keep an audit from being finished, in the order of its page: "seal", "e0", "c2"."""
    if not audit.may_see_claims:
        return ["seal"]
    names = []
    if audit.plan.with_elements:
        answered = checks_of(audit)
        elements = elements_of(audit.item.image.prompt, audit.plan)
        names += [f"e{place}" for place, element in enumerate(elements) if element.id not in answered]
    if audit.item.kind == AuditItem.Kind.REPAIR:
        judged: Iterable[int] = repairs_of(audit)
    else:
        judged = [pk for pk, verdict in verdicts_of(audit).items() if _is_complete(verdict)]
    done = set(judged)
    return names + [f"c{place}" for place, claim in enumerate(audit.claim_order) if claim not in done]


def _is_complete(verdict: Verdict) -> bool:
    """A wrong claim needs its reason."""
    return verdict.value != Verdict.Value.WRONG or verdict.reason != ""
