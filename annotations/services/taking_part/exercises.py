"""Examples, practice, quiz, gold items and attention checks: creating them, and the steps to the first card."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotations import allocation
from annotations.kinds.base import Answer
from annotations.models import Assignment, Item, ItemImage, KnownAnswer, Rater, Study, Trial
from annotations.models.participation import RaterPlan, plan_of
from annotations.queries.raters import known as queries
from annotations.queries.rating import may_show_rated

Accepted = Mapping[tuple[int, int | None], Sequence[int]]
"""(dimension, image or None) → indices of the levels that are right."""
StepKind = Literal["warning", "examples", "practice", "quiz", "failed", "screened_out", "ready"]


@dataclass(frozen=True)
class Step:
    """The next step before the first card. `place` of `total` exercises of this kind, from 1."""

    kind: StepKind
    trial: Trial | None = None
    place: int = 0
    total: int = 0
    n_right: int = 0
    tries_left: int = 0


# --- making them ----------------------------------------------------------------------------------------------------
def add_exercise(
    *,
    study: Study,
    role: str,
    prompt_id: int,
    images: Sequence[int],
    accepted: Accepted,
    reason: str,
    frozen: Mapping[str, Any] | None = None,
) -> Item:
    """A new item that prepares or checks raters; `frozen` as in `Item.frozen`.

    Raises ValidationError if no answer to it is known.
    """
    if not any(accepted.values()):
        raise ValidationError(_("Mark at least one answer as right."))
    with transaction.atomic():
        Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        last = Item.with_checks.filter(study=study, role=role).aggregate(last=Max("position"))["last"]
        position = 0 if last is None else last + 1
        item = Item.with_checks.create(
            study=study,
            role=role,
            position=position,
            key=f"{role}-{position + 1}",
            frozen=dict(frozen or {}),
            prompt_id=prompt_id,
            wanted=0,
            reason=reason.strip(),
        )
        ItemImage.objects.bulk_create(
            ItemImage(item=item, image_id=image, slot=slot) for slot, image in enumerate(images)
        )
        KnownAnswer.objects.bulk_create(
            KnownAnswer(item=item, dimension_id=dimension, image_id=image, accepted=sorted(set(levels)))
            for (dimension, image), levels in accepted.items()
            if levels
        )
        Study.objects.filter(pk=study.pk).update(n_items_ready=0)  # its smaller images are made ahead, too
    return item


def use_as_exercise(*, item: Item, role: str, images: Sequence[int], accepted: Accepted, reason: str) -> bool:
    """Give a rated item another role; returns whether it is no longer rated.

    An item that has been assigned stays among the rated ones. It becomes a gold item or a check only if raters leave
    enough items to others, so that nobody meets it twice. Otherwise, and if no answer to it is known, raises
    ValidationError.
    """
    with transaction.atomic():
        add_exercise(
            study=item.study,
            role=role,
            prompt_id=item.prompt_id,
            images=images,
            accepted=accepted,
            reason=reason,
            frozen=item.frozen,
        )
        if remove_from_rated(item=item):
            return True
        if role in (Item.Role.GOLD, Item.Role.CHECK) and not may_show_rated(item.study):
            raise ValidationError(
                _(
                    "This item has been given out before, so raters continue to rate it. In this study a rater may "
                    "rate more than half of the items, and would then see this one twice. Choose an item that nobody "
                    "has seen yet."
                )
            )
    return False


def remove_from_rated(*, item: Item) -> bool:
    """Remove an item that nobody has seen yet from the rated ones, so that no rater meets it twice; returns whether it
    was removed.

    The last item of the study's order takes its place, so that positions have no gaps. If items are assigned look by
    look, the last item of its look takes its place, and so on to the last look.
    """
    with transaction.atomic():
        study = Study.objects.select_for_update(no_key=True).get(pk=item.study_id)
        later = Item.objects.filter(study=study, look__gte=item.look).order_by("look", "position")
        last = dict(later.values_list("look", "pk"))
        if Assignment.with_checks.filter(item__in=[item.pk, *last.values()]).exists():
            return False
        free = item.position
        ItemImage.objects.filter(item=item).delete()
        item.delete()
        for moved in Item.objects.filter(pk__in=last.values()).order_by("look"):
            if moved.position > free:
                Item.objects.filter(pk=moved.pk).update(position=free)
                free = moved.position
        if item.look == 1 and study.n_released is not None:
            Study.objects.filter(pk=study.pk).update(n_released=study.n_released - 1)
    return True


def remove_exercise(*, item: Item) -> bool:
    """Remove a preparation item that no rater has met; returns whether it was removed."""
    with transaction.atomic():
        is_used = Assignment.with_checks.filter(item=item).exists() or Trial.objects.filter(item=item).exists()
        if not is_used and item.role != Item.Role.RATED:
            ItemImage.objects.filter(item=item).delete()
            item.delete()
            return True
    return False


# --- before the first card ------------------------------------------------------------------------------------------
def next_step(*, rater: Rater, now: datetime) -> Step:
    """This rater's next step; if nothing is left, they may go on to the first card."""
    study, plan = rater.study, plan_of(rater.study)
    if rater.screened_out_at is not None:
        return Step("screened_out")
    if plan.content_warning and rater.warning_seen_at is None:
        return Step("warning")
    if not rater.must_prepare:
        return Step("ready")
    if rater.examples_seen_at is None and queries.exercises(study, Item.Role.EXAMPLE):
        return Step("examples")
    return _practice(rater) or _quiz(rater, plan, now) or _let_through(rater)


def _practice(rater: Rater) -> Step | None:
    items = queries.exercises(rater.study, Item.Role.PRACTICE)
    done = {trial.item_id: trial for trial in queries.trials(rater, Item.Role.PRACTICE)}
    for place, item in enumerate(items, start=1):
        if item.pk not in done or done[item.pk].answered_at is None:
            return Step("practice", _trial(rater, item, 1), place, len(items))
    return None


def _quiz(rater: Rater, plan: RaterPlan, now: datetime) -> Step | None:
    items = queries.exercises(rater.study, Item.Role.QUIZ)
    if not items:
        return None
    trials = queries.trials(rater, Item.Role.QUIZ)
    attempt = max((trial.attempt for trial in trials), default=1)
    mine = {trial.item_id: trial for trial in trials if trial.attempt == attempt}
    order = np.random.default_rng([rater.study.seed, 8, rater.pk, attempt]).permutation(len(items)).tolist()
    for place, index in enumerate(order, start=1):
        item = items[index]
        if item.pk not in mine or mine[item.pk].answered_at is None:
            return Step("quiz", _trial(rater, item, attempt), place, len(items))
    n_right = sum(bool(trial.is_right) for trial in mine.values())
    needed = min(plan.quiz_pass_mark or len(items), len(items))
    if n_right >= needed:
        return None
    if attempt < plan.quiz_tries:
        return Step("failed", total=len(items), n_right=n_right, tries_left=plan.quiz_tries - attempt)
    text = ngettext(
        "%(n)d right answer of %(total)d in the quiz; %(needed)d were needed",
        "%(n)d right answers of %(total)d in the quiz; %(needed)d were needed",
        n_right,
    )
    screen_out(rater=rater, reason=text % {"n": n_right, "total": len(items), "needed": needed}, now=now)
    return Step("screened_out", total=len(items), n_right=n_right)


def try_again(*, rater: Rater) -> None:
    """Begin the next attempt at the quiz, if one is left after a completed attempt."""
    step = next_step(rater=rater, now=rater.created_at)
    if step.kind == "failed":
        attempt = max(trial.attempt for trial in queries.trials(rater, Item.Role.QUIZ)) + 1
        _trial(rater, queries.exercises(rater.study, Item.Role.QUIZ)[0], attempt)


def screen_out(*, rater: Rater, reason: str, now: datetime) -> None:
    """End a rater's participation before it began; the reason is kept and shown to them."""
    rater.screened_out_at, rater.screened_out_reason = now, reason
    rater.save(update_fields=["screened_out_at", "screened_out_reason"])


def _let_through(rater: Rater) -> Step:
    rater.must_prepare = False
    rater.save(update_fields=["must_prepare"])
    return Step("ready")


def _trial(rater: Rater, item: Item, attempt: int) -> Trial:
    found = Trial.objects.filter(rater=rater, item=item, attempt=attempt).select_related("item__prompt").first()
    if found is not None:
        return found
    n = ItemImage.objects.filter(item=item).count()
    order = allocation.shown_order(n, seed=rater.study.seed, rater=rater.pk, item=item.pk) if n > 1 else []
    try:
        with transaction.atomic():
            return Trial.objects.create(rater=rater, item=item, attempt=attempt, shown_order=",".join(map(str, order)))
    except IntegrityError:  # the same page was opened twice at once
        return Trial.objects.get(rater=rater, item=item, attempt=attempt)


def answer_trial(*, trial: Trial, answers: Sequence[Answer], now: datetime) -> Trial:
    """Save the answers to one exercise and whether they are right. The first answers count."""
    with transaction.atomic():
        trial = Trial.objects.select_for_update(of=("self",)).select_related("item__prompt").get(pk=trial.pk)
        if trial.answered_at is None:
            known = queries.known_answers([trial.item_id]).get(trial.item_id, [])
            given = {(one.dimension_id, one.image_id): one.level for one in answers}
            trial.answers = [
                {"dimension": one.dimension_id, "image": one.image_id, "level": one.level, "answer": one.answer}
                for one in answers
            ]
            trial.is_right = all(queries.verdicts(known, given, trial.shown_order))
            trial.answered_at = now
            trial.save(update_fields=["answers", "is_right", "answered_at"])
    return trial
