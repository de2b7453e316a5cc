"""Making a study, opening it, and letting people in."""

import secrets
from collections.abc import Sequence

import numpy as np
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from annotations import allocation
from annotations.models import Dimension, Item, ItemImage, Membership, Rater, Study
from annotations.queries.candidates import Candidates, Selection, candidates, has_own_keys
from generation.models import Image, Prompt

ROWS_AT_ONCE = 2_000


def create_study(*, study: Study, dimensions: Sequence[Dimension], selection: Selection) -> Study:
    """Save a new study, its dimensions in the order given, and its items in their seeded order, all or nothing.

    `study` and `dimensions` are unsaved. The order is `allocation.global_order` with the study's seed: wherever raters
    stop, methods and prompts have come equally often. Memory: a few integers an image, and 2,000 rows at a time.
    Raises ValidationError when there is no dimension, or no image to show.
    """
    if not dimensions:
        raise ValidationError(_("A study asks at least one question."))
    with transaction.atomic():
        chosen = candidates(study.item_kind, selection)
        if not len(chosen.prompts):
            raise ValidationError(_("This selection has nothing to show. Choose other prompt sets or methods."))
        study.full_clean(exclude=["owner"])
        study.save()
        for position, dimension in enumerate(dimensions):
            dimension.study, dimension.position = study, position
            dimension.full_clean()
            dimension.save()
        order = allocation.global_order(chosen.methods, chosen.prompt_codes, study.seed)
        own_keys = has_own_keys(study.item_kind, selection)
        for first in range(0, len(order), ROWS_AT_ONCE):
            _add_items(study, chosen, order[first : first + ROWS_AT_ONCE].tolist(), first, own_keys=own_keys)
    return study


def _add_items(study: Study, chosen: Candidates, indices: list[int], first: int, *, own_keys: bool) -> None:
    images = [chosen.images[chosen.starts[i] : chosen.starts[i + 1]].tolist() for i in indices]
    prompts = chosen.prompts[np.asarray(indices)].tolist()
    keys = _keys(study, images, prompts, own_keys=own_keys)
    items = Item.objects.bulk_create(
        Item(study=study, position=first + i, key=keys[i], prompt_id=prompts[i], wanted=study.raters_per_item)
        for i in range(len(indices))
    )
    ItemImage.objects.bulk_create(
        ItemImage(item=item, image_id=image, slot=slot)
        for item, shown in zip(items, images, strict=True)
        for slot, image in enumerate(shown)
    )


def _keys(study: Study, images: list[list[int]], prompts: list[int], *, own_keys: bool) -> list[str]:
    """What exports call an item. Raters never see it."""
    if study.item_kind == Study.ItemKind.PROMPT:
        own = dict(Prompt.objects.filter(pk__in=prompts).values_list("pk", "key")) if own_keys else {}
        return [own.get(prompt, f"prompt-{prompt}") for prompt in prompts]
    if study.item_kind == Study.ItemKind.PAIR:
        return [f"pair-{first}-{second}" for first, second in images]
    own = dict(Image.objects.filter(pk__in=[i for (i,) in images]).values_list("pk", "key")) if own_keys else {}
    return [own.get(image, f"image-{image}") for (image,) in images]


def open_study(*, study: Study) -> None:
    """Let raters in. Raises ValidationError when there is nothing to ask or nothing to show."""
    if not study.dimensions.exists() or not study.items.exists():
        raise ValidationError(_("A study needs a question and an item before it can open."))
    _set_state(study, Study.State.OPEN)


def close_study(*, study: Study) -> None:
    """Give out no more items. Answers to what was given out before are still taken."""
    _set_state(study, Study.State.CLOSED)


def _set_state(study: Study, state: Study.State) -> None:
    # `update`, not `save`: what another researcher changed meanwhile stays.
    Study.objects.filter(pk=study.pk).update(state=state)
    study.state = state


def join(*, study: Study, user: User | None, name: str = "") -> Rater:
    """Make this person a rater who has consented, now; who is one already stays as they are.

    Without `user`, an account without a password is made for them. A name that another rater has gets a number.
    Raises ValidationError unless the study is open, and for its auditors, who know the critic's claims; a rater of
    before is let in all the same.
    """
    if user is not None and (rater := study.raters.filter(user=user).first()) is not None:
        return rater
    if study.state != Study.State.OPEN:
        raise ValidationError(_("This study takes no new raters now."))
    if user is not None and (
        study.auditors.filter(user=user).exists()
        or study.memberships.filter(user=user, role=Membership.Role.AUDITOR).exists()
    ):
        raise ValidationError(_("You audit this study, so you have seen what was said of its images. Others rate it."))
    wanted_name = Truncator(" ".join(name.split())).chars(190)
    with transaction.atomic():
        user = user or User.objects.create_user(f"rater-{secrets.token_hex(8)}")
        for _attempt in range(5):
            try:
                with transaction.atomic():
                    return Rater.objects.create(
                        study=study, user=user, name=_free_name(study, wanted_name), consented_at=timezone.now()
                    )
            except IntegrityError:
                # Two came at once: under the same name, or the same person in two windows.
                if (rater := study.raters.filter(user=user).first()) is not None:
                    return rater
    raise ValidationError(_("That name was taken while you chose it. Nothing is lost: try again."))


def _free_name(study: Study, name: str) -> str:
    if not name:
        return f"rater-{secrets.token_hex(4)}"
    if not study.raters.filter(name=name).exists():
        return name
    return f"{name} ({secrets.token_hex(2)})"


def add_member(*, study: Study, username: str, role: str) -> Membership:
    """Give somebody who has an account a right in this study. Raises ValidationError when there is no such account."""
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise ValidationError(_("Nobody here signs in as “%(name)s”.") % {"name": username})
    return Membership.objects.get_or_create(study=study, user=user, role=role)[0]


def remove_member(*, study: Study, membership_id: int) -> None:
    study.memberships.filter(pk=membership_id).delete()
