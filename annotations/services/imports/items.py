"""The items that imported ratings are about: found in the study, or made of images known by key."""

from array import array
from collections.abc import Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

import numpy as np
from django.db import transaction
from django.db.models import Max

from annotations import allocation
from annotations.models import Item, ItemImage, Study
from exchange.spellings import Spellings
from generation.models import Image
from generation.models.among import among
from generation.models.bulk import Same, insert_columns, new_ids
from generation.queries.images import images_by_reference
from generation.queries.importers import Counts, Progress, batches

KEYS_AT_ONCE = 5_000


class Found(NamedTuple):
    """An item and its images by slot. `pk` is its key if a dry run would have created it."""

    pk: int | str
    images: tuple[int, ...]


def items_of(study: Study, keys: Collection[str], prompt_set: str) -> dict[str, Found]:
    """Key → item of the study: by the item's own key, or else by the name of its only image."""
    if study.pk is None:
        return {}
    # The role is checked here: with the role in the query, SQLite scans all items of the study.
    rows = ItemImage.objects.filter(among("item__key", keys), item__study=study).order_by("item", "slot")
    found: dict[str, Found] = {}
    for key, role, pk, image in rows.values_list("item__key", "item__role", "item", "image"):
        if role != Item.Role.RATED:
            continue
        before = found.get(key)
        found[key] = Found(pk, (*(before.images if before else ()), image))
    rest = set(keys) - set(found)
    if rest and study.item_kind == Study.ItemKind.IMAGE:
        named = {ids[0]: key for key, ids in images_by_reference(rest, prompt_set).items() if len(ids) == 1}
        rated = ItemImage.objects.filter(item__study=study, item__role=Item.Role.RATED)
        shown = rated.filter(among("image_id", named)).values_list("item", "image") if named else ()
        found |= {named[image]: Found(item, (image,)) for item, image in shown}
    return found


class NewItems:
    """Creates the items that a file of ratings names and the study does not have, in the study's seeded order.

    The whole file is read before the first rating is saved, so that methods and prompts stay balanced if raters
    continue later. Memory: about 400 bytes per item, none per rating.
    """

    def __init__(self, study: Study, prompt_set: str, known: AbstractSet[str]) -> None:
        self._study, self._prompt_set, self._known = study, prompt_set, known
        self._keys: list[str] = []
        self._images = array("q")
        self._prompts = array("q")
        self._methods = array("q")
        self.dry: set[str] = set()

    def look_through(
        self, blocks: Iterable[list[str]], progress: Progress, *, dry_run: bool, file: str, spellings: Spellings
    ) -> None:
        """Note the items to create, from the names in each block of rows. In a dry run `dry` holds their keys."""
        seen: set[int] = set()
        for some in blocks:
            fresh = {key for key in some if hash(key) not in seen}
            seen.update(map(hash, fresh))
            spellings.meet(file, "item", sorted(fresh))
            for part in batches(sorted(fresh), KEYS_AT_ONCE):
                self._note(part, dry_run=dry_run)
            progress(Counts())

    def _note(self, keys: list[str], *, dry_run: bool) -> None:
        if self._study.item_kind != Study.ItemKind.IMAGE:
            return
        missing = set(keys) - set(items_of(self._study, keys, self._prompt_set))
        found = {ids[0]: key for key, ids in images_by_reference(missing, self._prompt_set).items() if len(ids) == 1}
        if dry_run:
            self.dry |= set(found.values()) | (missing & self._known)
            return
        for image, prompt, method in Image.objects.filter(among("pk", found)).values_list("pk", "prompt", "method"):
            self._keys.append(found[image])
            self._images.append(image)
            self._prompts.append(prompt)
            self._methods.append(method)

    def save(self) -> int:
        """Create them after the items that the study has, and return their number."""
        methods, prompts = (np.unique(codes, return_inverse=True)[1] for codes in (self._methods, self._prompts))
        order = allocation.global_order(methods, prompts, self._study.seed).tolist()
        last = self._study.items.aggregate(last=Max("position"))["last"]
        first = 0 if last is None else last + 1
        for places in batches(enumerate(order, start=first), KEYS_AT_ONCE):
            chosen = [i for _at, i in places]
            with transaction.atomic():
                ids = new_ids(Item, len(places))
                items: dict[str, Sequence[Any] | Same] = {
                    "id": ids,
                    "study_id": Same(self._study.pk),
                    "position": [at for at, _i in places],
                    "key": [self._keys[i] for i in chosen],
                    "prompt_id": [self._prompts[i] for i in chosen],
                    "wanted": Same(0),
                }
                insert_columns(Item, items, len(ids))
                shown: dict[str, Sequence[Any] | Same] = {
                    "item_id": ids,
                    "image_id": [self._images[i] for i in chosen],
                    "slot": Same(0),
                }
                insert_columns(ItemImage, shown, len(ids))
        return len(order)
