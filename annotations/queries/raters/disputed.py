"""Which items need a further rater, and the rule that decides it in words."""

from collections.abc import Collection

import numpy as np
from django.db.models import Count

from annotations.kinds.registry import KINDS, kind_of
from annotations.models import Assignment, Dimension, Item, Study
from annotations.queries.studies import current_responses
from annotations.questions import names_sides
from annotations.stats.adaptive.consensus import Consensus, is_disputed

JUDGED = tuple(key for key, kind in KINDS.items() if kind.measured_as not in (None, "ranking"))
"""Kinds of question whose answers can be disputed: one level each."""


def rule_text(study: Study) -> str:
    """The rule for further raters in one sentence, in English like plans and reports; "" without a rule."""
    most = study.most_raters_per_item
    if most is None:
        return ""
    if study.disputed_rule == Study.Disputed.OPEN:
        return f"up to {most} raters per item while those still to come could change its majority or median"
    levels = "1 level" if study.disputed_distance == 1 else f"{study.disputed_distance} levels"
    text = f"{most} raters per item where the first {study.raters_per_item} differ by {levels} or more"
    chance = study.undisputed_percent
    return f"{text}, and with probability {chance}% where they do not" if chance else text


def consensus_of(dimension: Dimension) -> Consensus:
    """How raters' levels are summarised: by the majority if unordered, by the median if ordered."""
    return "median" if kind_of(dimension).is_ordered else "majority"


def judged_dimensions(study: Study) -> list[Dimension]:
    """The questions that an item can be disputed on."""
    return [dimension for dimension in study.dimensions.all() if dimension.kind in JUDGED]


def level_counts(item: Item, dimensions: Collection[Dimension]) -> dict[tuple[int, int | None], np.ndarray]:
    """By question and image, (n_levels,) how many of the item's raters chose each level; one query.

    Levels that name a side of the screen are turned back to the item's own first and second image.
    """
    by_pk = {dimension.pk: dimension for dimension in dimensions}
    sizes = {pk: len(dimension.values) for pk, dimension in by_pk.items()}
    with_sides = {pk for pk, dimension in by_pk.items() if names_sides(dimension)}
    counts: dict[tuple[int, int | None], np.ndarray] = {}
    rows = current_responses(dimensions, with_further=True).filter(assignment__item=item)
    for pk, image, level, shown in rows.values_list("dimension_id", "image_id", "level", "assignment__shown_order"):
        of_unit = counts.setdefault((pk, image), np.zeros(sizes[pk], np.int64))
        if level is not None:
            of_unit[unturned(level, shown) if pk in with_sides else level] += 1
    return counts


def unturned(level: int, shown_order: str) -> int:
    """A level that may name a side of the screen, as if the item's first image had been on the left."""
    return 1 - level if level < 2 and shown_order.startswith("1") else level


def has_dispute(study: Study, item: Item, *, most: int) -> bool:
    """Whether an item is disputed by the study's rule, on any question and about any image; two queries.

    item  with all its places answered
    most  the most raters that it may have
    """
    dimensions = judged_dimensions(study)
    kinds = {dimension.pk: consensus_of(dimension) for dimension in dimensions}
    left = np.array([most - item.taken])
    return any(
        bool(
            is_disputed(
                counts[np.newaxis],
                left,
                rule="open" if study.disputed_rule == Study.Disputed.OPEN else "differ",
                kind=kinds[dimension],
                distance=1 if kinds[dimension] == "majority" else study.disputed_distance,
            )[0]
        )
        for (dimension, _image), counts in level_counts(item, dimensions).items()
    )


def n_base_places(items: Collection[int]) -> dict[int, int]:
    """By item, how many of its places base raters hold or have used; one query."""
    held = Assignment.objects.filter(item__in=items, is_further=False, rater__excluded_at=None).exclude(
        state=Assignment.State.RETURNED
    )
    return dict(held.order_by().values_list("item").annotate(n=Count("pk")))
