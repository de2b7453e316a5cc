"""Reads for studies to which methods are added later."""

from collections.abc import Sequence

import numpy as np
from django.db.models import QuerySet

from annotations import allocation
from annotations.models import Extension, Item, Study
from annotations.queries.candidates import Candidates, Selection, arranged, images_with_file
from annotations.queries.pairs import Pairing, pairs
from generation.models import Image, Method


def methods_of(study: Study) -> QuerySet[Method]:
    """The methods whose images the study shows."""
    return Method.objects.filter(images__items__study=study).distinct().order_by("name")


def tries_of(study: Study) -> list[Extension]:
    """Every addition of methods to the study, the oldest first, with `methods` and who added them, in two queries."""
    return list(study.extensions.select_related("added_by", "results_before").prefetch_related("methods"))


def methods_that_may_join(study: Study) -> QuerySet[Method]:
    """Methods that are not in the study and have images of its prompts that can be shown."""
    images = _images(study, Image.objects.filter(shown__gt="").exclude(method__in=methods_of(study).order_by()))
    return Method.objects.filter(pk__in=images.order_by().values("method")).order_by("name")


def further_candidates(study: Study, new: Sequence[int], pairing: Pairing, *, seed: int) -> Candidates:
    """The items that methods would add to the study: only of its prompts, and each with a new method."""
    sets = tuple(study.items.values_list("prompt__prompt_set", flat=True).distinct())
    if study.item_kind == Study.ItemKind.IMAGE:
        images = _images(study, images_with_file(Selection(sets, tuple(new))))
        rows = np.array(list(images.values_list("pk", "prompt", "method")), np.int64).reshape(-1, 3)
        return arranged(rows[:, 0], np.arange(len(rows) + 1), rows[:, 1], rows[:, 2])
    methods = (*methods_of(study).values_list("pk", flat=True), *new)
    images = _images(study, images_with_file(Selection(sets, methods)))
    if pairing.rule == Study.Pairing.REFINED:
        made = images.filter(parent__prompt__in=study.items.values("prompt"), parent__shown__gt="")
        found = list(made.values_list("parent", "pk", "prompt", "parent__method", "method"))
        rows = np.array(found, np.int64).reshape(-1, 5)
        rows = rows[np.isin(rows[:, 3], methods)]
    else:
        every = Pairing(Study.Pairing.ALL) if pairing.rule == Study.Pairing.SAMPLE else pairing
        rows = pairs(images, methods, every, seed=seed)
    rows = rows[np.isin(rows[:, 3:], list(new)).any(axis=1)]
    if pairing.rule == Study.Pairing.SAMPLE and len(rows):
        kinds = np.unique(rows[:, 3:], axis=0, return_inverse=True)[1].ravel()
        prompts = np.unique(rows[:, 2], return_inverse=True)[1]
        rows = rows[allocation.sample_pairs(kinds, prompts, per_prompt=pairing.per_prompt, seed=seed)]
    kinds = rows[:, 3] * (1 + int(rows[:, 4].max(initial=0))) + rows[:, 4]
    return arranged(rows[:, :2].ravel(), np.arange(len(rows) + 1) * 2, rows[:, 2], kinds)


def _images(study: Study, images: QuerySet[Image]) -> QuerySet[Image]:
    """The images of the study's prompts."""
    return images.filter(prompt__in=Item.objects.filter(study=study).order_by().values("prompt"))
