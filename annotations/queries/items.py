"""Reads for a study's gallery: items with their images and the answers about them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Exists, F, OuterRef, Prefetch, QuerySet, Subquery, Variance

from annotations.kinds.registry import kind_of
from annotations.models import Dimension, Item, ItemImage, Response, Study
from annotations.queries.studies import complete_items, current_responses
from annotations.questions import names_sides
from generation.models import Method, Prompt

COMPLETE, INCOMPLETE = "complete", "incomplete"
BY_POSITION, BY_DISAGREEMENT = "position", "disagreement"


@dataclass(frozen=True)
class ItemFilter:
    """Which of a study's items are wanted; empty means all."""

    method: int | None = None
    category: str = ""
    progress: str = ""
    text: str = ""
    sort: str = BY_POSITION


def gallery(study: Study, chosen: ItemFilter, dimension: Dimension | None) -> QuerySet[Item]:
    """Items with prompt, images and methods, in two queries for any number of items."""
    items = study.items.all()
    if chosen.progress == COMPLETE:
        items = complete_items(study)
    elif chosen.progress == INCOMPLETE:
        items = items.exclude(pk__in=complete_items(study).values("pk"))
    if chosen.method is not None:
        items = items.filter(Exists(ItemImage.objects.filter(item=OuterRef("pk"), image__method=chosen.method)))
    if chosen.category:
        items = items.filter(prompt__category=chosen.category)
    if chosen.text:
        items = items.filter(prompt__text__icontains=chosen.text)
    if chosen.sort == BY_DISAGREEMENT and dimension is not None and can_sort(study, dimension):
        items = items.annotate(spread=Subquery(_spread(dimension))).order_by(
            F("spread").desc(nulls_last=True), "position"
        )
    else:
        items = items.order_by("position")
    images = ItemImage.objects.select_related("image__method").order_by("slot")
    return items.select_related("prompt").prefetch_related(Prefetch("item_images", queryset=images))


def can_sort(study: Study, dimension: Dimension) -> bool:
    """Disagreement is the variance of the levels' ranks: it needs ordered levels, and a single rated unit per item."""
    is_one = study.item_kind == Study.ItemKind.IMAGE or dimension.about == Dimension.About.ITEM
    return is_one and kind_of(dimension).is_ordered


def _spread(dimension: Dimension) -> QuerySet[Response, float]:
    return (
        current_responses([dimension])
        .filter(assignment__item=OuterRef("pk"))
        .order_by()
        .values("assignment__item")
        .annotate(spread=Variance("level"))
        .values_list("spread", flat=True)
    )


@dataclass(frozen=True)
class Histogram:
    """How often each bar's answer was given, and separately how often "unable to answer".

    n: answers that are not "unable to answer"; one answer of several choices counts in several bars.
    """

    counts: tuple[int, ...]
    n_unable: int
    n: int


def histograms(items: Iterable[Item], dimension: Dimension) -> dict[tuple[int, int | None], Histogram]:
    """By (item, image), or (item, None) for questions about everything shown; one query. No entry without answers.

    If the first two levels are sides of the screen, they are turned back to the item's own first and second image: each
    rater's sides were drawn separately.
    """
    rows = (
        current_responses([dimension], with_further=True)
        .filter(assignment__item__in=items)
        .order_by()
        .values_list("assignment__item", "image", "level", "answer", "assignment__shown_order")
        .annotate(n=Count("pk"))
    )
    kind = kind_of(dimension)
    has_sides = names_sides(dimension)
    counts: dict[tuple[int, int | None], Counter[int | str]] = {}
    for item, image, level, answer, shown_order, n in rows:
        if has_sides and shown_order == "1,0" and level in (0, 1):
            level = 1 - level
        found = counts.setdefault((item, image), Counter())
        found["unable" if level is None and answer is None else "answered"] += n
        for bar in kind.in_bars(dimension, level, answer):
            found[bar] += n
    bars = range(len(kind.bars(dimension)))
    return {
        key: Histogram(tuple(found[bar] for bar in bars), found["unable"], found["answered"])
        for key, found in counts.items()
    }


def methods_of(study: Study) -> QuerySet[Method]:
    shown = ItemImage.objects.filter(item__study=study, item__role=Item.Role.RATED, image__method=OuterRef("pk"))
    return Method.objects.filter(Exists(shown))


def categories_of(study: Study) -> list[str]:
    """The categories of the study's prompts, in alphabetical order, without the empty one."""
    in_study = Exists(Item.objects.filter(study=study, prompt=OuterRef("pk")))
    rows = Prompt.objects.filter(in_study).exclude(category="").order_by("category")
    return list(rows.values_list("category", flat=True).distinct())
