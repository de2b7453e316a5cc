"""Creates a study, opens it, and lets people join."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from annotations import allocation
from annotations.kinds.registry import frozen_of
from annotations.models import Dimension, Item, ItemImage, Membership, Rater, Study
from annotations.models.participation import plan_of
from annotations.models.webhooks import Event
from annotations.queries.candidates import Candidates, Selection, candidates, has_own_keys, references_of, sampled
from annotations.queries.raters.disputed import JUDGED
from annotations.queries.raters.known import has_exercises
from annotations.questions import MOST_RANKED, RANKING
from annotations.services.activity import Action, note
from annotations.services.hooks.events import emit
from annotations.services.invitations import why_closed
from annotations.services.planning.close_pairs import staged
from annotations.services.taking_part.consents import current_consent
from annotations.services.taking_part.drafts import known_by_question, relink
from generation.models import Image, Prompt

ROWS_AT_ONCE = 2_000


def create_study(
    *,
    study: Study,
    dimensions: Sequence[Dimension],
    selection: Selection,
    budget: int | None = None,
    rows_at_once: int = ROWS_AT_ONCE,
) -> Study:
    """Save a new study, its dimensions in the order given, and its items in their seeded order, all or nothing.

    `study` and `dimensions` are unsaved. The order is `allocation.global_order` with the study's seed: wherever raters
    stop, methods and prompts have been shown equally often. Memory: a few integers per image, and `rows_at_once` rows.
    The selection decides which pairs meet.

    budget  how many cards may be answered in all: as many items in that order as it covers, each with all its raters
    Raises ValidationError if there is no dimension or no image to show, or if the budget covers no item.
    """
    if not dimensions:
        raise ValidationError(_("A study needs at least one question."))
    with transaction.atomic():
        _build(study, dimensions, selection, budget=budget, rows_at_once=rows_at_once)
        note(study=study, actor=study.owner, action=Action.MADE)
    return study


def change_draft(
    *,
    study: Study,
    fields: Sequence[str],
    dimensions: Sequence[Dimension],
    selection: Selection,
    seen: int,
    by: User | None,
) -> Study:
    """Save these fields of a draft, and replace its questions and items, all or nothing.

    `study` holds the new values, `dimensions` are unsaved, `seen` is the revision that the changes were made on. Raises
    ValidationError if somebody opened or changed the study in the meantime: their work is never overwritten.
    """
    if not dimensions:
        raise ValidationError(_("A study needs at least one question."))
    with transaction.atomic():
        # This locks the row: if two people save, or one saves and one opens, the second finds it changed.
        drafts = Study.objects.filter(pk=study.pk, state=Study.State.DRAFT, revision=seen)
        if not drafts.update(revision=F("revision") + 1):
            raise ValidationError(_why_not_changed(study))
        remembered = known_by_question(study)
        ItemImage.objects.filter(item__study=study, item__role=Item.Role.RATED).delete()
        study.items.all().delete()
        study.dimensions.all().delete()
        _build(study, dimensions, selection, fields=fields)
        relink(study=study, remembered=remembered)
        note(study=study, actor=by, action=Action.CHANGED, settings=["design"])
    return study


def _why_not_changed(study: Study) -> str:
    if Study.objects.filter(pk=study.pk, state=Study.State.DRAFT).exists():
        return _(
            "Somebody else changed this study after you had opened this page. Nothing was saved, and what you typed is "
            "still below. Open the study in another window to see what they changed, then reload this page."
        )
    return _(
        "The study was opened in the meantime, so its questions and items stay as they are. Copy it to make another "
        "one with your changes."
    )


def _build(
    study: Study,
    dimensions: Sequence[Dimension],
    selection: Selection,
    *,
    fields: Sequence[str] | None = None,
    budget: int | None = None,
    rows_at_once: int = ROWS_AT_ONCE,
) -> None:
    """Save the study (of one that exists, these fields), its questions, and its items in their order.

    Within the caller's transaction.
    """
    pairing = selection.pairing
    study.pairing, study.pair_baseline_id = pairing.rule, pairing.baseline
    study.pairs_per_prompt = pairing.per_prompt
    orderings = [dimension for dimension in dimensions if dimension.is_ordering]
    if orderings and study.item_kind != Study.ItemKind.PROMPT:
        raise ValidationError(
            _("“%(question)s” puts images in order: show all images of a prompt together, or ask another question.")
            % {"question": orderings[0].question}
        )
    selection = replace(selection, one_per_method=bool(orderings))
    if study.n_prompts:
        selection = sampled(study.item_kind, selection, n_prompts=study.n_prompts, seed=study.seed)
    chosen = candidates(study.item_kind, selection, seed=study.seed)
    if not len(chosen.prompts):
        raise ValidationError(_("There is nothing to show for this selection. Choose other prompt sets or methods."))
    _fit_places(orderings, int(np.diff(chosen.starts).max()))
    if study.most_raters_per_item is not None and not any(one.kind in JUDGED for one in dimensions):
        raise ValidationError(
            {"most_raters_per_item": _("No question has one answer of several levels, so no item can be disputed.")}
        )
    study.full_clean(exclude=["owner"])
    study.save(update_fields=fields)
    for position, dimension in enumerate(dimensions):
        dimension.study, dimension.position = study, position
        dimension.full_clean()
        dimension.save()
    order = allocation.global_order(chosen.methods, chosen.prompt_codes, study.seed)
    if budget is not None:
        order = order[: budget // study.raters_per_item]
        if not len(order):
            raise ValidationError(
                {
                    "budget": _("This budget is too small for a single item: each needs %(n)d answers.")
                    % {"n": study.raters_per_item}
                }
            )
    order, looks = staged(study, dimensions, chosen, order)
    study.n_released = int((looks == 1).sum()) if study.prompt_looks else None
    Study.objects.filter(pk=study.pk).update(n_released=study.n_released)
    prompts = np.unique(chosen.prompts).tolist()
    frozen = frozen_of(dimensions, prompts)
    if study.shows_reference:
        references = references_of(prompts)
        if not references:
            problem = _("None of these prompts has a reference image. Import them first, or leave this out.")
            raise ValidationError({"shows_reference": problem})
        for prompt, reference in references.items():
            frozen.setdefault(prompt, {})["reference"] = reference
    own_keys = has_own_keys(study.item_kind, selection)
    for first in range(0, len(order), rows_at_once):
        some = order[first : first + rows_at_once].tolist()
        at = looks[first : first + rows_at_once].tolist()
        add_items(study, chosen, some, first, selection, own_keys=own_keys, frozen=frozen, looks=at)


def _fit_places(orderings: Sequence[Dimension], n_images: int) -> None:
    """Set as many places as the largest card has images. Raises ValidationError for more than raters can put in
    order."""
    if orderings and n_images > MOST_RANKED:
        raise ValidationError(
            _("A card would show %(n)d images, and people can put %(most)d in order at most. Tick fewer methods.")
            % {"n": n_images, "most": MOST_RANKED}
        )
    for dimension in orderings:
        if dimension.kind == Dimension.Kind.RANKING:
            dimension.levels = RANKING.level_rows()[:n_images]


def add_items(
    study: Study,
    chosen: Candidates,
    indices: list[int],
    first: int,
    selection: Selection,
    *,
    own_keys: bool,
    frozen: dict[int, dict[str, Any]],
    looks: Sequence[int] = (),
) -> None:
    """Make items of these candidates, at the positions from `first` on; `looks`: see `Item.look`, all 1 by default."""
    looks = looks or [1] * len(indices)
    images = [chosen.images[chosen.starts[i] : chosen.starts[i + 1]].tolist() for i in indices]
    prompts = chosen.prompts[np.asarray(indices)].tolist()
    keys = _keys(study, images, prompts, selection, own_keys=own_keys)
    items = Item.objects.bulk_create(
        Item(
            study=study,
            position=first + i,
            key=keys[i],
            prompt_id=prompts[i],
            wanted=study.raters_per_item if looks[i] == 1 else 0,
            look=looks[i],
            frozen=frozen.get(prompts[i], {}),
        )
        for i in range(len(indices))
    )
    ItemImage.objects.bulk_create(
        ItemImage(item=item, image_id=image, slot=slot)
        for item, shown in zip(items, images, strict=True)
        for slot, image in enumerate(shown)
    )


def _keys(
    study: Study, images: list[list[int]], prompts: list[int], selection: Selection, *, own_keys: bool
) -> list[str]:
    """The names of items in exports. Raters never see them."""
    if study.item_kind == Study.ItemKind.PROMPT:
        own = dict(Prompt.objects.filter(pk__in=prompts).values_list("pk", "key")) if own_keys else {}
        if selection.one_per_method and not own_keys:
            return [f"prompt-{prompt}-{shown[0]}" for prompt, shown in zip(prompts, images, strict=True)]
        return [own.get(prompt, f"prompt-{prompt}") for prompt in prompts]
    if study.item_kind == Study.ItemKind.PAIR:
        return [f"pair-{first}-{second}" for first, second in images]
    own = dict(Image.objects.filter(pk__in=[i for (i,) in images]).values_list("pk", "key")) if own_keys else {}
    return [own.get(image, f"image-{image}") for (image,) in images]


def open_study(*, study: Study, by: User | None = None, seen: int | None = None) -> None:
    """Let raters in. Raises ValidationError if there is nothing to ask or nothing to show.

    by    the user who does it, for the record; None for a command on the server
    seen  the revision that they saw: if somebody has changed the draft since, it is not opened
    """
    if not study.dimensions.exists() or not study.items.exists():
        raise ValidationError(_("A study needs a question and an item before it can open."))
    with transaction.atomic():
        # Locked, so that the draft cannot change between this check and the opening.
        now = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        if seen is not None and now.state == Study.State.DRAFT and now.revision != seen:
            raise ValidationError(
                _("Somebody changed this study after you opened this page. Check it again, then open it.")
            )
        _set_state(study, Study.State.OPEN, Action.OPENED, by)


def close_study(*, study: Study, by: User | None = None) -> None:
    """Assign no more items. Answers to items assigned before are still taken."""
    _set_state(study, Study.State.CLOSED, Action.CLOSED, by)


def _set_state(study: Study, state: Study.State, action: Action, by: User | None) -> None:
    with transaction.atomic():
        # `update`, not `save`: it keeps another researcher's changes from the meantime.
        if Study.objects.filter(pk=study.pk).exclude(state=state).update(state=state):
            note(study=study, actor=by, action=action)
    study.state = state


def change_settings(*, study: Study, fields: Sequence[str], by: User | None, action: Action = Action.CHANGED) -> None:
    """Save only these fields of the study: another researcher's changes from the meantime are kept."""
    if fields:
        with transaction.atomic():
            Study.objects.filter(pk=study.pk).update(revision=F("revision") + 1)
            study.save(update_fields=fields)
            note(study=study, actor=by, action=action, settings=list(fields))


def change_words(*, study: Study, language: str, words: dict[str, str], by: User | None) -> None:
    """Save a draft's translations into one language; others stay unchanged, since somebody may be saving them.

    Raises ValidationError once the study has been open: all raters must have read the same words.
    """
    with transaction.atomic():
        now = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        if now.state != Study.State.DRAFT:
            raise ValidationError(_("The study was opened in the meantime, so its words stay as they are."))
        given = {text: translation for text, translation in words.items() if translation.strip()}
        study.words = {**{other: its for other, its in now.words.items() if other != language}}
        if given:
            study.words[language] = given
        study.save(update_fields=["words"])
        note(study=study, actor=by, action=Action.CHANGED, settings=[f"words ({language})"])


class GroupIsFull(ValidationError):
    """The study has as many raters of this group as it takes."""


def join(*, study: Study, user: User | None, name: str = "", group: str = "") -> Rater:
    """Make this person a rater who has consented, now; an existing rater stays unchanged.

    Without `user`, an account without a password is created for them. A name that another rater has gets a number.
    Raises ValidationError unless the study and its invitation are open, and for its auditors, who know the critic's
    claims; an earlier rater is still let in. The caller checks the code. GroupIsFull is a ValidationError: there are
    enough raters of this group.
    """
    if user is not None and (rater := study.raters.filter(user=user).first()) is not None:
        return rater
    if study.state != Study.State.OPEN:
        raise ValidationError(_("This study does not accept new raters now."))
    if user is not None and (
        study.auditors.filter(user=user).exists()
        or study.memberships.filter(user=user, role=Membership.Role.AUDITOR).exists()
    ):
        raise ValidationError(
            _(
                "You audit this study, so you have seen claims about its images and cannot rate them. Other people do "
                "that."
            )
        )
    wanted_name = Truncator(" ".join(name.split())).chars(190)
    with transaction.atomic():
        # Locked: if two people come for the last place, one is too late.
        study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        if study.state != Study.State.OPEN or why_closed(study) is not None:
            raise ValidationError(_("This study does not accept new raters now."))
        most = plan_of(study).groups.get(group)
        if most is not None and study.raters.filter(group=group, excluded_at=None).count() >= most:
            raise GroupIsFull(_("This study has enough people in your group. Thank you for wanting to help."))
        consent, must_prepare = current_consent(study), has_exercises(study)
        user = user or User.objects.create_user(f"rater-{secrets.token_hex(8)}")
        for _attempt in range(5):
            try:
                with transaction.atomic():
                    rater = Rater.objects.create(
                        study=study,
                        user=user,
                        name=_free_name(study, wanted_name),
                        consented_at=timezone.now(),
                        consent=consent,
                        must_prepare=must_prepare,
                        group=group,
                        came_by_invitation=True,
                    )
                    emit(study=study, event=Event.JOINED, rater=rater.name)
                    return rater
            except IntegrityError:
                # Two arrived at once: under the same name, or the same person in two windows.
                if (rater := study.raters.filter(user=user).first()) is not None:
                    return rater
    raise ValidationError(_("Someone took that name while you were choosing it. Nothing is lost; try again."))


def _free_name(study: Study, name: str) -> str:
    if not name:
        return f"rater-{secrets.token_hex(4)}"
    if not study.raters.filter(name=name).exists():
        return name
    return f"{name} ({secrets.token_hex(2)})"


def add_member(*, study: Study, username: str, role: str, by: User | None = None) -> Membership:
    """Give an account holder a right in this study. Raises ValidationError if there is no such account."""
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise ValidationError(
            _(
                "There is no account with the user name “%(name)s”. Create an invitation on the study’s settings page: "
                "the person creates an account with it and gets the role."
            )
            % {"name": username}
        )
    with transaction.atomic():
        membership, is_new = Membership.objects.get_or_create(study=study, user=user, role=role)
        if is_new:
            note(study=study, actor=by, action=Action.MEMBER_ADDED, person=username, role=role)
    return membership


def remove_member(*, study: Study, membership_id: int, by: User | None = None) -> None:
    """Revoke a right in this study; the person's work in it stays."""
    with transaction.atomic():
        membership = study.memberships.select_related("user").filter(pk=membership_id).first()
        if membership is not None:
            membership.delete()
            person, role = membership.user.get_username(), membership.role
            note(study=study, actor=by, action=Action.MEMBER_REMOVED, person=person, role=role)
