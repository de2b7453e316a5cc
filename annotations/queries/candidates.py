"""The images from which a study could be made: counts for the design page, arrays for building its items."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from django.db.models import Count, F, Q, QuerySet
from numpy.typing import NDArray

from annotations import allocation
from annotations.models import Study
from annotations.queries.pairs import Pairing, first_pair, n_pairs, n_sets, pairs, sets
from generation.models import Image, Method, Prompt, PromptSet, Reference
from generation.queries.runs.images import images_of_run

ROWS_AT_ONCE = 10_000
MOST_EXAMPLES = 12


@dataclass(frozen=True)
class Selection:
    """Where the images come from: of these prompt sets, made by these methods; with `run`, only in that run.

    `pairing` says which of them meet if two are shown at once. With `one_per_method` a card of all images shows one per
    method, as a ranking of methods needs, and a prompt with several seeds gives several cards.
    """

    prompt_sets: tuple[int, ...]
    methods: tuple[int, ...]
    run: int | None = None
    pairing: Pairing = field(default_factory=Pairing)
    one_per_method: bool = False
    prompts: tuple[int, ...] | None = None
    """Only these prompts; None: all prompts of the sets. See `sampled`."""


@dataclass(frozen=True)
class Candidates:
    """The items a selection gives, as arrays of a fixed number of bytes per image.

    images: (n_images,) row ids, item after item, in the order of slots. starts: (n_items + 1,) where each item begins.
    prompts: (n_items,) row ids. methods, prompt_codes: (n_items,) codes from 0 for `allocation.global_order`; a pair's
    method is the two methods together, and all images of a prompt have one code.
    """

    images: NDArray[np.int64]
    starts: NDArray[np.int64]
    prompts: NDArray[np.int64]
    methods: NDArray[np.int64]
    prompt_codes: NDArray[np.int64]


def images_with_file(selection: Selection) -> QuerySet[Image]:
    """Images that can be shown: those whose file is held here."""
    images = Image.objects.filter(
        prompt__prompt_set__in=selection.prompt_sets, method__in=selection.methods, shown__gt=""
    )
    if selection.prompts is not None:
        images = images.filter(prompt__in=selection.prompts)
    if selection.run is not None:
        images = images.filter(pk__in=images_of_run(selection.run))
    return images.order_by("prompt_id", "pk")


def refined_with_parent(selection: Selection) -> QuerySet[Image]:
    """The second images of refined pairs: made from an image of the same prompt by another chosen method."""
    return images_with_file(selection).filter(
        parent__method__in=selection.methods, parent__prompt=F("prompt"), parent__shown__gt=""
    )


def n_items(item_kind: str, selection: Selection) -> int:
    """How many items the selection gives, in one query."""
    if item_kind == Study.ItemKind.PAIR:
        if selection.pairing.rule == Study.Pairing.REFINED:
            return refined_with_parent(selection).count()
        return n_pairs(images_with_file(selection), selection.methods, selection.pairing)
    if item_kind == Study.ItemKind.PROMPT:
        if selection.one_per_method:
            return n_sets(images_with_file(selection))
        return n_prompts(selection)
    return images_with_file(selection).count()


def candidates(item_kind: str, selection: Selection, *, seed: int = 0) -> Candidates:
    """Read the selection once, in chunks; the order of rows is fixed, so that only the seed decides the study's order.

    seed: of a balanced sample of pairs
    """
    if item_kind == Study.ItemKind.PAIR:
        if selection.pairing.rule == Study.Pairing.REFINED:
            rows = _rows(refined_with_parent(selection), "parent", "pk", "prompt", "parent__method", "method")
        else:
            rows = pairs(images_with_file(selection), selection.methods, selection.pairing, seed=seed)
        methods = rows[:, 3] * (1 + int(rows[:, 4].max(initial=0))) + rows[:, 4]
        return arranged(rows[:, :2].ravel(), np.arange(len(rows) + 1) * 2, rows[:, 2], methods)
    if item_kind == Study.ItemKind.PROMPT and selection.one_per_method:
        return _of_sets(list(sets(images_with_file(selection))))
    rows = _rows(images_with_file(selection), "pk", "prompt", "method")
    if item_kind == Study.ItemKind.PROMPT:
        starts = np.r_[np.flatnonzero(np.diff(rows[:, 1], prepend=-1)), len(rows)]
        return arranged(rows[:, 0], starts, rows[starts[:-1], 1], np.zeros(len(starts) - 1, np.int64))
    return arranged(rows[:, 0], np.arange(len(rows) + 1), rows[:, 1], rows[:, 2])


def has_own_keys(item_kind: str, selection: Selection) -> bool:
    """Whether each item has a unique key from its source, by which people may refer to it."""
    if item_kind == Study.ItemKind.PAIR:
        return False
    if item_kind == Study.ItemKind.PROMPT:
        if selection.one_per_method and n_items(item_kind, selection) > n_prompts(selection):
            return False
        rows: QuerySet[Prompt] | QuerySet[Image] = Prompt.objects.filter(
            pk__in=images_with_file(selection).order_by().values("prompt")
        )
    else:
        rows = images_with_file(selection)
    return not rows.order_by().values("key").annotate(n=Count("pk")).filter(Q(key="") | Q(n__gt=1)).exists()


def n_prompts(selection: Selection) -> int:
    return images_with_file(selection).order_by().values("prompt").distinct().count()


def sampled(item_kind: str, selection: Selection, *, n_prompts: int, seed: int) -> Selection:
    """The selection with a sample of its prompts: equally many per category, if there are enough.

    The same seed draws the same prompts from the same images. Only prompts that give an item are drawn: if methods are
    compared on a card, those with images by two of them (by the baseline and another, if there is a baseline).
    """
    images = images_with_file(selection).order_by()
    prompts = Prompt.objects.filter(pk__in=images.values("prompt"))
    if item_kind == Study.ItemKind.PAIR or selection.one_per_method:
        compared = images.values("prompt").annotate(n=Count("method", distinct=True)).filter(n__gte=2)
        prompts = prompts.filter(pk__in=compared.values("prompt"))
    if item_kind == Study.ItemKind.PAIR and selection.pairing.rule == Study.Pairing.BASELINE:
        prompts = prompts.filter(pk__in=images.filter(method=selection.pairing.baseline).values("prompt"))
    elif item_kind == Study.ItemKind.PAIR and selection.pairing.rule == Study.Pairing.REFINED:
        prompts = prompts.filter(pk__in=refined_with_parent(selection).order_by().values("prompt"))
    rows = prompts.order_by("pk").values_list("pk", "category")
    found = list(rows.iterator(chunk_size=ROWS_AT_ONCE))
    categories = np.unique([category for _pk, category in found], return_inverse=True)[1] if found else ()
    drawn = allocation.sample_of_kinds(np.asarray(categories, np.int64), n_prompts, seed=seed)
    return replace(selection, prompts=tuple(found[place][0] for place in drawn.tolist()))


def references_of(prompts: Sequence[int]) -> dict[int, dict[str, Any]]:
    """For each prompt, what items store about its reference image: see `Item.frozen`."""
    found: dict[int, dict[str, Any]] = {}
    for first in range(0, len(prompts), ROWS_AT_ONCE):
        rows = Reference.objects.filter(prompt__in=prompts[first : first + ROWS_AT_ONCE])
        for prompt, *kept in rows.values_list("prompt", "pk", "width", "height", "sha256"):
            found[prompt] = dict(zip(("id", "width", "height", "sha256"), kept, strict=True))
    return found


def prompt_sets_with_counts() -> QuerySet[PromptSet]:
    """Prompt sets that have images to show, with `n_images`."""
    shown = Count("prompts__images", filter=Q(prompts__images__shown__gt=""))
    return PromptSet.objects.annotate(n_images=shown).filter(n_images__gt=0)


def methods_with_counts() -> QuerySet[Method]:
    """Methods that have images to show, with `n_images`."""
    return Method.objects.annotate(n_images=Count("images", filter=Q(images__shown__gt=""))).filter(n_images__gt=0)


def _rows(images: QuerySet[Image], *columns: str) -> NDArray[np.int64]:
    """(n, len(columns)) integers."""
    rows = images.values_list(*columns).iterator(chunk_size=ROWS_AT_ONCE)
    return np.fromiter(rows, np.dtype((np.int64, len(columns))))


def arranged(
    images: NDArray[np.int64], starts: NDArray[np.int64], prompts: NDArray[np.int64], methods: NDArray[np.int64]
) -> Candidates:
    """Candidates with codes from 0 for methods and prompts."""
    return Candidates(
        images=images,
        starts=starts,
        prompts=prompts,
        methods=np.unique(methods, return_inverse=True)[1],
        prompt_codes=np.unique(prompts, return_inverse=True)[1],
    )


def example(item_kind: str, selection: Selection) -> list[Image]:
    """The images of one item that the selection gives, with their prompt; empty when it gives none."""
    if item_kind == Study.ItemKind.PAIR:
        return _example_pair(selection)
    if item_kind == Study.ItemKind.PROMPT and selection.one_per_method:
        return _in_order(next(sets(images_with_file(selection)), (0, []))[1][:MOST_EXAMPLES])
    first = images_with_file(selection).select_related("prompt").first()
    if first is None or item_kind == Study.ItemKind.IMAGE:
        return [first] if first is not None else []
    return list(images_with_file(selection).select_related("prompt").filter(prompt=first.prompt_id)[:MOST_EXAMPLES])


def _example_pair(selection: Selection) -> list[Image]:
    if selection.pairing.rule == Study.Pairing.REFINED:
        second = refined_with_parent(selection).select_related("prompt", "parent").first()
        return [second.parent, second] if second is not None and second.parent is not None else []
    found = first_pair(images_with_file(selection), selection.methods, selection.pairing)
    return _in_order(found or ())


def _in_order(images: Sequence[int]) -> list[Image]:
    by_pk = Image.objects.select_related("prompt").in_bulk(images)
    return [by_pk[pk] for pk in images]


def _of_sets(found: Sequence[tuple[int, list[int]]]) -> Candidates:
    sizes = np.array([0, *(len(images) for _prompt, images in found)], np.int64)
    images = np.array([image for _prompt, images in found for image in images], np.int64)
    prompts = np.array([prompt for prompt, _images in found], np.int64)
    return arranged(images, np.cumsum(sizes), prompts, np.zeros(len(found), np.int64))
