"""Which images a study could be made of: counts for the design page, arrays for building its items."""

from dataclasses import dataclass

import numpy as np
from django.db.models import Count, F, Q, QuerySet
from numpy.typing import NDArray

from annotations.models import Study
from generation.models import Image, Method, Prompt, PromptSet
from generation.queries.run_images import images_of_run

ROWS_AT_ONCE = 10_000
MOST_EXAMPLES = 12


@dataclass(frozen=True)
class Selection:
    """Where the images come from: of these prompt sets, made by these methods; with `run`, in that run alone."""

    prompt_sets: tuple[int, ...]
    methods: tuple[int, ...]
    run: int | None = None


@dataclass(frozen=True)
class Candidates:
    """The items a selection gives, as arrays of a fixed number of bytes an image.

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
    """What can be shown: an image whose file is held elsewhere cannot."""
    images = Image.objects.filter(
        prompt__prompt_set__in=selection.prompt_sets, method__in=selection.methods, shown__gt=""
    )
    if selection.run is not None:
        images = images.filter(pk__in=images_of_run(selection.run))
    return images.order_by("prompt_id", "pk")


def refined_with_parent(selection: Selection) -> QuerySet[Image]:
    """The second images of pairs: made from an image of the same prompt by another chosen method."""
    return images_with_file(selection).filter(
        parent__method__in=selection.methods, parent__prompt=F("prompt"), parent__shown__gt=""
    )


def n_items(item_kind: str, selection: Selection) -> int:
    """How many items the selection gives, in one query."""
    if item_kind == Study.ItemKind.PAIR:
        return refined_with_parent(selection).count()
    if item_kind == Study.ItemKind.PROMPT:
        return images_with_file(selection).order_by().values("prompt").distinct().count()
    return images_with_file(selection).count()


def candidates(item_kind: str, selection: Selection) -> Candidates:
    """Read the selection once, in chunks; the order of rows is fixed, so that the seed alone decides the study's."""
    if item_kind == Study.ItemKind.PAIR:
        rows = _rows(refined_with_parent(selection), "parent", "pk", "prompt", "parent__method", "method")
        methods = rows[:, 3] * (1 + int(rows[:, 4].max(initial=0))) + rows[:, 4]
        return _arrays(rows[:, :2].ravel(), np.arange(len(rows) + 1) * 2, rows[:, 2], methods)
    rows = _rows(images_with_file(selection), "pk", "prompt", "method")
    if item_kind == Study.ItemKind.PROMPT:
        starts = np.r_[np.flatnonzero(np.diff(rows[:, 1], prepend=-1)), len(rows)]
        return _arrays(rows[:, 0], starts, rows[starts[:-1], 1], np.zeros(len(starts) - 1, np.int64))
    return _arrays(rows[:, 0], np.arange(len(rows) + 1), rows[:, 1], rows[:, 2])


def has_own_keys(item_kind: str, selection: Selection) -> bool:
    """Whether each item has a key of its source's own, no two alike: then people may refer to items by it."""
    if item_kind == Study.ItemKind.PAIR:
        return False
    if item_kind == Study.ItemKind.PROMPT:
        rows: QuerySet[Prompt] | QuerySet[Image] = Prompt.objects.filter(
            pk__in=images_with_file(selection).order_by().values("prompt")
        )
    else:
        rows = images_with_file(selection)
    return not rows.order_by().values("key").annotate(n=Count("pk")).filter(Q(key="") | Q(n__gt=1)).exists()


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


def _arrays(
    images: NDArray[np.int64], starts: NDArray[np.int64], prompts: NDArray[np.int64], methods: NDArray[np.int64]
) -> Candidates:
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
        second = refined_with_parent(selection).select_related("prompt", "parent").first()
        return [second.parent, second] if second is not None and second.parent is not None else []
    first = images_with_file(selection).select_related("prompt").first()
    if first is None or item_kind == Study.ItemKind.IMAGE:
        return [first] if first is not None else []
    return list(images_with_file(selection).select_related("prompt").filter(prompt=first.prompt_id)[:MOST_EXAMPLES])
