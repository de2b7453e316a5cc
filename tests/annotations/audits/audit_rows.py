"""Rows for tests of auditing: a study whose images have critiques, controls and decompositions, and its auditors."""

from typing import Any

from django.contrib.auth.models import User

from annotations.models import Audit, Auditor, AuditPlan, Membership, Study, Verdict
from annotations.queries.audits import work as queries
from annotations.services.audits import answers, make_plan, work
from generation.models import Claim, Critique, Image, Prompt
from generation.models.digests import digest
from tests.factories import make_member, make_study

DECOMPOSITION = {
    "entities": [{"id": "e1", "name": "red circle"}, {"id": "e2", "name": "blue square"}],
    "relations": [{"id": "r1", "subject": "e1", "relation": "above", "object": "e2"}],
}
CRITIC = "critic Zephyr-7"
OTHER_CRITIC = "critic Quasar-2"


def make_critique(
    image: Image, texts: list[str], *, critic: str = CRITIC, source: str = "critic", **fields: Any
) -> Critique:
    critique = Critique.objects.create(
        image=image,
        critic=critic,
        source=source,
        text="\n".join(f"{i}. {text}" for i, text in enumerate(texts, start=1)),
        digest=digest("test critique", image.pk, critic, source, texts),
        **fields,
    )
    Claim.objects.bulk_create(
        Claim(critique=critique, rank=i, text=text, kind="relation", about="r1")
        for i, text in enumerate(texts, start=1)
    )
    return critique


def make_audited_study(*, n_images: int = 2, n_claims: int = 2, with_controls: bool = False, **fields: Any) -> Study:
    """A study of single images, each with a critique of `n_claims` claims; with two controls per image if wanted."""
    study = make_study(n_items=n_images, n_methods=1, **fields)
    images = list(queries.study_images(study).order_by("pk"))
    Prompt.objects.filter(images__in=images).update(metadata={"decomposition": DECOMPOSITION})
    for i, image in enumerate(images):
        make_critique(image, [f"Claim {place} about picture {i}." for place in range(n_claims)])
        if with_controls:
            shown = images[(i + 1) % len(images)]
            make_critique(
                image,
                [f"Another claim about picture {i}."],
                critic=f"{CRITIC} blindfolded",
                source="wrong_image",
                shown_image=shown,
            )
            make_critique(image, [f"A further claim about picture {i}."], critic="planted by hand", source="planted")
    return study


def make_open_plan(study: Study, **fields: Any) -> AuditPlan:
    return make_plan(study=study, **{"state": AuditPlan.State.OPEN, "lists_first_share": 0.0} | fields)


def make_auditor(study: Study, username: str = "") -> Auditor:
    from tests.factories import make_user

    user = make_member(study, make_user(username), role=Membership.Role.AUDITOR)
    return work.auditor_for(study=study, user=user)


def user_of(auditor: Auditor) -> User:
    assert auditor.user is not None
    return auditor.user


def do_audit(audit: Audit, *, value: str = "right", values: dict[int, str] | None = None) -> str:
    """Answer everything of an audit of claims, and finish it. `values`: verdicts by claim, where they differ."""
    from django.utils import timezone

    now = timezone.now()
    if audit.lists_first:
        work.seal(audit=audit, now=now)
    for element in queries.elements_of(audit.item.image.prompt, audit.plan):
        given = answers.ElementGiven(element.id, element.text, "both" if audit.item.refined_id else "present")
        answers.save_answer(audit=audit, given=given, answered_at=now)
    for claim in audit.claim_order:
        if audit.item.refined_id:
            answers.save_answer(audit=audit, given=answers.RepairGiven(claim, "baseline"), answered_at=now)
            continue
        said = (values or {}).get(claim, value)
        reason = Verdict.Reason.MISREAD if said == "wrong" else ""
        answers.save_answer(audit=audit, given=answers.VerdictGiven(claim, said, reason=reason), answered_at=now)
    return work.finish(audit=audit, now=now)
