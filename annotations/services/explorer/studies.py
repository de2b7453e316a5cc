"""A new study of images that were selected from another one."""

import secrets
from collections.abc import Sequence

import numpy as np
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotations import allocation
from annotations.models import Item, ItemImage, Study
from annotations.services.activity import Action, note

LARGEST_SEED = 2**32
COPIED = (
    "language",
    "main_language",
    "words",
    "title",
    "consent",
    "instructions",
    "item_kind",
    "pairing",
    "pair_baseline",
    "pairs_per_prompt",
    "raters_per_item",
    "most_raters_per_item",
    "disputed_rule",
    "disputed_distance",
    "undisputed_percent",
    "items_per_rater",
    "shows_reference",
    "exclusion_rule",
    "order",
    "batch_size",
    "lease_minutes",
)
"""The fields that the new study copies from the old one; rights, raters and answers are not copied."""


def study_of_items(*, study: Study, item_ids: Sequence[int], owner: User) -> Study:
    """A draft that asks the same questions about these items of a study, in a newly drawn order.

    Raises ValidationError if none of them belongs to the study.
    """
    items = list(study.items.filter(pk__in=item_ids).prefetch_related("item_images__image"))
    if not items:
        raise ValidationError(_("Choose at least one image of this study."))
    with transaction.atomic():
        fields = {name: getattr(study, name) for name in COPIED}
        fields["title"] = _("%(title)s (selection)") % {"title": Truncator(study.title).chars(180)}
        made = Study.objects.create(
            **fields,
            owner=owner,
            seed=secrets.randbelow(LARGEST_SEED),
            is_simulated=study.is_simulated,
            notes=ngettext(
                "%(n)d item chosen from the study “%(title)s”.",
                "%(n)d items chosen from the study “%(title)s”.",
                len(items),
            )
            % {"n": len(items), "title": study.title},
        )
        for dimension in study.dimensions.all():
            dimension.pk, dimension.study = None, made
            dimension._state.adding = True
            dimension.save()
        shown = [list(item.item_images.all()) for item in items]
        methods = np.unique(
            ["-".join(str(place.image.method_id) for place in places) for places in shown], return_inverse=True
        )[1]
        prompts = np.unique([item.prompt_id for item in items], return_inverse=True)[1]
        for position, at in enumerate(allocation.global_order(methods, prompts, made.seed).tolist()):
            item = Item.objects.create(
                study=made,
                position=position,
                key=items[at].key,
                prompt_id=items[at].prompt_id,
                wanted=made.raters_per_item,
                frozen=items[at].frozen,
            )
            ItemImage.objects.bulk_create(
                ItemImage(item=item, image_id=place.image_id, slot=place.slot) for place in shown[at]
            )
        note(study=made, actor=owner, action=Action.MADE)
    return made
