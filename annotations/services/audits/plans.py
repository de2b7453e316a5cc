"""Planning an audit: which images, which claims and controls, and how many auditors look at each."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from annotations import allocation
from annotations.models import Audit, AuditItem, AuditPlan, ItemImage, Study
from annotations.queries.audits import work as queries
from annotations.services.activity import Action, note
from annotations.services.audits import order
from generation.models import Activity, Claim, Critique, Image
from generation.models.digests import digest

ROWS_AT_ONCE = 2_000
PLANTED = "planted"


class AlreadyJudged(Exception):
    """Auditors have been given these claims: replacing them would leave verdicts without their claims."""


def make_plan(
    *,
    study: Study,
    created_by: User | None = None,
    state: str = AuditPlan.State.DRAFT,
    auditors_per_image: int = 2,
    lists_first_share: float = 0.5,
    seed: int = 0,
    critics: Sequence[str] = (),
    with_elements: bool = True,
    with_wrong_image: bool = True,
    with_planted: bool = True,
    with_repair: bool = False,
    lease_minutes: int = 60,
    images: Collection[int] | None = None,
    clean: Collection[int] = (),
    defects: Mapping[int, list[dict[str, Any]]] | None = None,
    pairs: Iterable[tuple[int, int]] | None = None,
    placebo_pairs: Iterable[tuple[int, int]] | None = None,
    placebo_share: float = 0.1,
) -> AuditPlan:
    """Save a study's audit plan with its items in their seeded order, all or nothing.

    critics        names of the critics on trial; none named: all that have a critique of the images
    images         ids of the images to audit; None: all of the study that a chosen critic was shown, those without
                   a claim included. Only images whose file is held can be audited
    clean          ids among them known to have no errors
    defects        image id → what was planted in it, dicts with "text" and, if known, "kind", "about", "x", "y",
                   "width", "height" (shares of the image)
    pairs          (baseline id, refined id) for the repair audit; None: each audited image and those of the study's
                   images that were refined from it. Unused without `with_repair`
    placebo_pairs  pairs whose two images are the same; None: a `placebo_share` of the baselines against themselves

    Claims are read when an auditor is given an image, not here. Raises ValidationError when there is nothing to audit
    or the study has a plan.
    """
    if AuditPlan.objects.filter(study=study).exists():
        raise ValidationError(_("This study already has an audit."))
    plan = AuditPlan(
        study=study,
        created_by=created_by,
        state=state,
        auditors_per_image=auditors_per_image,
        lists_first_share=lists_first_share,
        seed=seed,
        critics=list(critics),
        with_elements=with_elements,
        with_wrong_image=with_wrong_image,
        with_planted=with_planted,
        with_repair=with_repair,
        lease_minutes=lease_minutes,
    )
    plan.full_clean(exclude=["study", "created_by"])
    with transaction.atomic():
        chosen = queries.auditable_images(study, critics=critics, images=images)
        if not chosen:
            raise ValidationError(_("No image of this study has a critique by the chosen critics. Import some first."))
        plan.save()
        items = _claim_items(plan, chosen, set(clean), defects or {})
        if with_repair:
            items += _repair_items(plan, [image.pk for image in chosen], pairs, placebo_pairs, placebo_share)
        for position, item in enumerate(items):
            item.position, item.wanted = position, auditors_per_image
        AuditItem.objects.bulk_create(items, batch_size=ROWS_AT_ONCE)
        note(study=study, actor=created_by, action=Action.MADE, part="audit")
    return plan


def _claim_items(
    plan: AuditPlan, images: Sequence[Image], clean: set[int], defects: Mapping[int, list[dict[str, Any]]]
) -> list[AuditItem]:
    """One item per image, ordered so that methods and prompts are balanced wherever auditors stop."""
    methods = {method: code for code, method in enumerate(dict.fromkeys(image.method_id for image in images))}
    prompts = {prompt: code for code, prompt in enumerate(dict.fromkeys(image.prompt_id for image in images))}
    places = allocation.global_order(
        [methods[image.method_id] for image in images], [prompts[image.prompt_id] for image in images], plan.seed
    )
    items = []
    for image in (images[int(place)] for place in places):
        control = AuditItem.Control.DEFECT if image.pk in defects else AuditItem.Control.NONE
        if image.pk in clean:
            control = AuditItem.Control.CLEAN
        known = defects.get(image.pk, [])
        items.append(AuditItem(plan=plan, image=image, control=control, known_defects=known))
    return items


def _repair_items(
    plan: AuditPlan,
    images: Sequence[int],
    pairs: Iterable[tuple[int, int]] | None,
    placebo_pairs: Iterable[tuple[int, int]] | None,
    placebo_share: float,
) -> list[AuditItem]:
    """One item per pair, with placebos among the others in seeded order."""
    real = list(queries.refined_pairs(plan.study, images) if pairs is None else pairs)
    if placebo_pairs is None:
        baselines = list(dict.fromkeys(baseline for baseline, _refined in real))
        chosen = order.placebo_choice(len(baselines), share=placebo_share, seed=plan.seed)
        placebo_pairs = [(baselines[i], baselines[i]) for i in chosen]
    rows = [(*pair, AuditItem.Control.NONE) for pair in real]
    rows += [(*pair, AuditItem.Control.PLACEBO) for pair in placebo_pairs]
    places = order.claim_order(range(len(rows)), seed=plan.seed, auditor=0, item=0)
    return [
        AuditItem(plan=plan, kind=AuditItem.Kind.REPAIR, image_id=rows[i][0], refined_id=rows[i][1], control=rows[i][2])
        for i in places
    ]


def set_state(*, plan: AuditPlan, state: str, by: User | None = None) -> None:
    """Open or close the plan. Answers to what an auditor holds when it closes are still taken."""
    action = Action.OPENED if state == AuditPlan.State.OPEN else Action.CLOSED
    with transaction.atomic():
        if AuditPlan.objects.filter(pk=plan.pk).exclude(state=state).update(state=state):
            note(study=plan.study, actor=by, action=action, part="audit")
    plan.state = state


def may_change_claims(*, study: Study, user: User, image: Image) -> bool:
    """Whether a researcher of this study may change the claims about an image, which other studies' audits use, too.

    They may if they or the study's owner may add to the image's prompt set. If the set has no owner, they may unless
    somebody else's study shows the image.
    """
    prompt_set = image.prompt.prompt_set
    if prompt_set.may_be_changed_by(user) or prompt_set.may_be_changed_by(study.owner):
        return True
    is_shown_elsewhere = ItemImage.objects.filter(image=image).exclude(item__study__owner=study.owner_id).exists()
    return prompt_set.owner_id is None and not is_shown_elsewhere


def replace_split(*, critique: Critique, texts: Sequence[str], by: User | None = None) -> None:
    """Split a critique by hand: one claim per text. The critic's statements about a claim (kind, about, confidence…)
    stay with its text.

    Raises AlreadyJudged when an auditor has been given the image or a verdict on one of its claims exists.
    """
    if Audit.objects.filter(item__image=critique.image_id).exists():
        raise AlreadyJudged
    said = {claim.text: claim for claim in critique.claims.all()}
    kept = ("kind", "about", "severity", "confidence")
    fields = [
        {"text": text, **{name: getattr(said[text], name) for name in kept if text in said}} for text in texts if text
    ]
    try:
        with transaction.atomic():
            critique.replace_claims(fields, split=Critique.Split.HAND)
            _note_claims(critique.image, by, "claims split by hand", len(fields))
    except ProtectedError as error:
        raise AlreadyJudged from error


def plant_claims(*, image: Image, texts: Sequence[str], by: User | None = None) -> Critique:
    """Add claims known to be false to those about an image; the same ones again change nothing.

    Raises AlreadyJudged when an auditor has been given the image: auditors would then have judged different claims.
    """
    if Audit.objects.filter(item__image=image).exists():
        raise AlreadyJudged
    with transaction.atomic():
        critique, _created = Critique.objects.get_or_create(
            digest=digest(PLANTED, image.pk),
            defaults={
                "image": image,
                "critic": PLANTED,
                "source": Critique.Source.PLANTED,
                "split": Critique.Split.HAND,
                "added_by": by,
            },
        )
        there = {claim.text: claim.rank for claim in critique.claims.all()}
        new = [text for text in dict.fromkeys(texts) if text and text not in there]
        first = max(there.values(), default=0) + 1
        Claim.objects.bulk_create(Claim(critique=critique, rank=first + i, text=text) for i, text in enumerate(new))
        if new:
            _note_claims(image, by, "planted claims", len(new))
    return critique


def _note_claims(image: Image, by: User | None, kind: str, n: int) -> None:
    prompt_set = image.prompt.prompt_set
    Activity.note(
        actor=by,
        action=Activity.Action.ADDED,
        subject=Activity.Subject.PROMPT_SET,
        key=prompt_set.pk,
        name=prompt_set.name,
        kind=kind,
        rows=n,
        image=image.pk,
    )
