"""A study's preferences: raters' choices between two images and their orders of images, by method."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Case, Expression, IntegerField, QuerySet, Value, When
from numpy.typing import NDArray

from annotations.models import Dimension, Item, ItemImage, Response, Study
from annotations.queries.columns import ROWS_AT_ONCE, integers
from annotations.queries.studies import current_responses, n_rows
from annotations.questions import BEST, WORST, names_sides
from annotations.reports.votes.answers import rankings_of_answers, votes_of_answers
from annotations.reports.votes.files import written
from annotations.stats.arrays import IntArray
from annotations.stats.preferences.rankings import Rankings
from annotations.stats.preferences.votes import Facet, Votes
from exchange.export import Column
from generation.models import Method, Prompt

Rows = Iterator[Sequence[object]]
Code = Callable[[IntArray], IntArray]

VOTES = (
    Column("question", "text", "", "Short name of the question."),
    Column("prompt", "text", "", "The prompt's identifier in its source, else its text."),
    Column("rater", "text", "", "The rater's name in this study."),
    Column("seed", "text", "", "Name of the card: distinguishes pairs of the same prompt."),
    Column("method_a", "text", "", "What made the pair's first image."),
    Column("method_b", "text", "", "What made the pair's second image."),
    Column(
        "winner",
        "text",
        "",
        "The method that was chosen, or both good, both bad or tie. If a method has such a word for its name, model_a "
        "and model_b say which method was chosen, and a tie may be called draw, tie (both good) or tie (bothbad).",
    ),
    Column("side", "text", "left, right", "Where the rater saw method_a."),
    Column("category", "text", "", "The prompt's category."),
    Column("sub_category", "text", "", "The prompt's sub-category."),
)
RANKINGS = (
    Column("question", "text", "", "Short name of the question."),
    Column("prompt", "text", "", "The prompt's identifier in its source, else its text."),
    Column("rater", "text", "", "The rater's name in this study."),
    Column("seed", "text", "", "Name of the card: distinguishes cards of the same prompt."),
    Column("method", "text", "", "What made the image."),
    Column("rank", "integer", "≥ 1", "1 is the best; images that tie have the same, without gaps."),
    Column("screen_position", "integer", "≥ 1", "The image's place on the rater's screen; 1 is the first."),
    Column("category", "text", "", "The prompt's category."),
    Column("sub_category", "text", "", "The prompt's sub-category."),
)
BEST_WORST = (
    Column("question", "text", "", "Short name of the question."),
    Column("prompt", "text", "", "The prompt's identifier in its source, else its text."),
    Column("rater", "text", "", "The rater's name in this study."),
    Column("seed", "text", "", "Name of the card: distinguishes cards of the same prompt."),
    Column("best", "text", "", "The method of the best image."),
    Column("worst", "text", "", "The method of the worst image."),
    Column("shown", "text", "", "The methods of all images on the card."),
    Column("screen_order", "text", "", "The same in the order in which the rater saw them."),
    Column("category", "text", "", "The prompt's category."),
    Column("sub_category", "text", "", "The prompt's sub-category."),
)


@dataclass(frozen=True)
class Shown:
    """What the study's items show, with an entry per image in the order of items and slots; everything by primary key.

    item, image, method   (n_images,) int64
    names                 method → its name
    """

    item: IntArray
    image: IntArray
    method: IntArray
    names: dict[int, str]

    def pairs(self, items: IntArray) -> tuple[IntArray, IntArray]:
        """The methods of each item's first and second image; 0 if it does not have exactly two."""
        found, first, count = np.unique(self.item, return_index=True, return_counts=True)
        at, is_there = _places(items, found)
        is_pair = is_there
        is_pair[is_there] = count[at[is_there]] == 2
        start = first[at[is_pair]]
        pair = np.zeros((2, len(items)), np.int64)
        pair[:, is_pair] = self.method[start], self.method[start + 1]
        return pair[0], pair[1]

    def methods_of(self, images: IntArray) -> IntArray:
        """The method of each image; 0 for an image that no item shows."""
        found, first = np.unique(self.image, return_index=True)
        at, is_there = _places(images, found)
        methods = np.zeros(len(images), np.int64)
        methods[is_there] = self.method[first[at[is_there]]]
        return methods

    def slots(self) -> dict[tuple[int, int], int]:
        """(item, image) → the image's slot, counted from 0."""
        first = np.flatnonzero(np.r_[True, self.item[1:] != self.item[:-1]]) if len(self.item) else np.zeros(0, int)
        slot = np.arange(len(self.item)) - np.repeat(first, np.diff(np.r_[first, len(self.item)]))
        cells = zip(self.item.tolist(), self.image.tolist(), slot.tolist(), strict=True)
        return {(item, image): place for item, image, place in cells}

    def places_of(self, items: IntArray, images: IntArray, groups: IntArray, orders: Mapping[int, str]) -> IntArray:
        """The place on the screen of each image, as the card of its group showed it; 0 for all images if it is
        unknown."""
        slot_of = self.slots()
        known = {text: places_on_screen(text) for text in set(orders.values())}
        cells = zip(items.tolist(), images.tolist(), groups.tolist(), strict=True)
        places = [known[orders[group]].get(slot_of.get((item, image), -1), 0) for item, image, group in cells]
        return np.array(places, np.int64)


def places_on_screen(shown_order: str) -> dict[int, int]:
    """Slot → its place on the screen, 0 first; empty if the order is unknown."""
    slots = [int(slot) for slot in shown_order.split(",") if slot]
    return {slot: place for place, slot in enumerate(slots)}


def _places(keys: IntArray, known: IntArray) -> tuple[IntArray, NDArray[np.bool_]]:
    """Each key's place among the known ones, which are ascending, and whether it is one of them."""
    if not len(known):
        return np.zeros(len(keys), np.int64), np.zeros(len(keys), bool)
    at = np.searchsorted(known, keys) % len(known)
    return at, known[at] == keys


def has_preferences(dimension: Dimension) -> bool:
    """Whether answers to this question say which method is preferred."""
    return dimension.is_ordering or names_sides(dimension)


def preferences(
    study: Study, dimensions: Sequence[Dimension], facets: Mapping[str, Mapping[int, str]] | None = None
) -> dict[int, Votes | Rankings]:
    """For each question's key, the answers that count as votes or rankings of methods; four queries, one more per
    question, and another per ranking.

    facets  of prompts: name → prompt's key → category; "" or no entry without a category
    Methods are in the order of their names. "Unable to answer" is neither a vote nor a ranking.
    """
    asked = [dimension for dimension in dimensions if has_preferences(dimension)]
    if not asked:
        return {}
    shown = shown_methods(study)
    by_key = np.array(sorted(shown.names), np.int64)
    by_name = sorted(shown.names, key=lambda key: shown.names[key])
    names = [shown.names[key] for key in by_name]
    place = np.empty(len(by_key), np.int64)
    place[np.searchsorted(by_key, by_name)] = np.arange(len(by_key))

    def code(methods: IntArray) -> IntArray:
        """Places among the names; −1 for no method."""
        at, is_there = _places(methods, by_key)
        codes = np.full(len(methods), -1, np.int64)
        codes[is_there] = place[at[is_there]]
        return codes

    known = _Known(
        names, {"raters": dict(study.raters.values_list("pk", "name")), "prompts": _prompt_names(study)}, facets or {}
    )
    return {
        dimension.pk: _rankings(dimension, shown, code, known)
        if dimension.is_ordering
        else _votes(dimension, shown, code, known)
        for dimension in asked
    }


@dataclass(frozen=True)
class _Known:
    """What a study's answers have in common: methods by code, the names of raters and prompts by key, and facets of
    prompts."""

    methods: list[str]
    names: Mapping[str, Mapping[int, str]]
    facets: Mapping[str, Mapping[int, str]]


def _facets(prompt: IntArray, facets: Mapping[str, Mapping[int, str]]) -> dict[str, Facet]:
    """The categories of answers about these prompts."""
    keys, index = np.unique(prompt, return_inverse=True)
    found = {}
    for name, of_prompt in facets.items():
        texts = [of_prompt.get(key, "") for key in keys.tolist()]
        names = sorted({text for text in texts if text})
        place = {text: at for at, text in enumerate(names)}
        if names:
            found[name] = Facet(names, np.array([place.get(text, -1) for text in texts], np.int64)[index])
    return found


def shown_methods(study: Study) -> Shown:
    rows = ItemImage.objects.filter(item__study=study, item__role=Item.Role.RATED).order_by("item", "slot")
    item, image, method = integers(rows.values_list("item_id", "image_id", "image__method_id"), 3)
    names = dict(Method.objects.filter(pk__in=np.unique(method).tolist()).values_list("pk", "name"))
    return Shown(item, image, method, names)


def is_turned() -> Case:
    """1 where the rater saw the item's second image on the left, 0 otherwise; for items of two images."""
    return Case(
        When(assignment__shown_order__startswith="1", then=Value(1)), default=Value(0), output_field=IntegerField()
    )


def _given(dimension: Dimension, *columns: str | Expression) -> QuerySet[Response, Any]:
    rows = current_responses([dimension]).filter(level__isnull=False)
    return rows.order_by("assignment", "pk").values_list("assignment__item", "level", *columns)


def _votes(dimension: Dimension, shown: Shown, code: Code, known: _Known) -> Votes:
    rows = _given(dimension, is_turned(), "assignment__rater", "assignment__item__prompt")
    item, answer, turned, rater, prompt = integers(rows, 5)
    first, second = map(code, shown.pairs(item))
    ties = [level["label"] for level in dimension.levels[2:]]
    return votes_of_answers(
        known.methods,
        left=np.where(turned == 1, second, first),
        right=np.where(turned == 1, first, second),
        answer=answer,
        tie_kinds=ties,
        rater=rater,
        prompt=prompt,
        facets=_facets(prompt, known.facets),
        names=known.names,
    )


def _rankings(dimension: Dimension, shown: Shown, code: Code, known: _Known) -> Rankings:
    rows = _given(dimension, "assignment", "image", "assignment__rater", "assignment__item__prompt")
    item, level, group, image, rater, prompt = integers(rows.filter(image__isnull=False), 6)
    is_best_worst = dimension.kind == Dimension.Kind.BEST_WORST
    return rankings_of_answers(
        known.methods,
        group=group,
        method=code(shown.methods_of(image)),
        rank=level + 1,
        shown=shown.places_of(item, image, group, _orders(dimension)),
        rater=rater,
        prompt=prompt,
        is_best_worst=is_best_worst,
        facets=_facets(prompt, known.facets),
        names=known.names,
    )


def _orders(dimension: Dimension) -> dict[int, str]:
    """Assignment → the order in which its slots were on the screen, as stored."""
    rows = _given(dimension).order_by().values_list("assignment", "assignment__shown_order").distinct()
    return dict(rows.iterator(chunk_size=ROWS_AT_ONCE))


# --- as files -------------------------------------------------------------------------------------------------------
def vote_rows(study: Study) -> Rows:
    """One row per vote, as `analyze --votes` reads them."""
    asked = [dimension for dimension in study.dimensions.all() if names_sides(dimension)]
    if not asked:
        return
    pair_of = _pair_names(shown_methods(study))
    for dimension in asked:
        labels = [level["label"] for level in dimension.levels]
        columns = ("assignment__item__key", is_turned(), "assignment__rater__name")
        prompts, categories = _prompt_names(study), _categories(study)
        for item, level, key, turned, rater, prompt in _given(dimension, *columns, "assignment__item__prompt").iterator(
            chunk_size=ROWS_AT_ONCE
        ):
            methods = pair_of.get(item, ("", ""))
            if methods[0] == methods[1]:
                continue
            words = written(*methods)
            # Files of votes keep the names of these ties; any other tie is "tie".
            tie = words.ties.get(labels[level].casefold(), words.ties["tie"])
            winner = words.winners[1 - level if turned else level] if level < 2 else tie
            yield (
                *(dimension.name, prompts[prompt], rater, key),
                *(*methods, winner, words.first_side[turned]),
                *categories[prompt],
            )


def _pair_names(shown: Shown) -> dict[int, tuple[str, str]]:
    """Item → the names of its two methods, by slot; items of more or fewer images are left out."""
    items = np.unique(shown.item)
    pairs = zip(items.tolist(), *(methods.tolist() for methods in shown.pairs(items)), strict=True)
    return {item: (shown.names[first], shown.names[second]) for item, first, second in pairs if first and second}


def ranking_rows(study: Study) -> Rows:
    """One row per image of a ranking, as `analyze --rankings` reads them."""
    for card in _cards(study, Dimension.Kind.RANKING):
        for image in card.images:
            place = "" if image.place is None else image.place + 1
            yield (*card.names, image.method, image.level + 1, place, *card.categories)


def best_worst_rows(study: Study) -> Rows:
    """One row per card, as `analyze --rankings` reads them."""
    for card in _cards(study, Dimension.Kind.BEST_WORST):
        by_level = {image.level: image.method for image in card.images}
        if {BEST, WORST} <= set(by_level):
            shown = "; ".join(image.method for image in card.images)
            placed = [(image.place, image.method) for image in card.images if image.place is not None]
            order = "; ".join(method for _place, method in sorted(placed)) if len(placed) == len(card.images) else ""
            yield (*card.names, by_level[BEST], by_level[WORST], shown, order, *card.categories)


@dataclass(frozen=True)
class _CardImage:
    """method, level; place on the screen, 0 first, None if unknown."""

    method: str
    level: int
    place: int | None


@dataclass(frozen=True)
class _Card:
    """names: of the question, prompt, rater and item; categories: of the prompt."""

    names: tuple[str, str, str, str]
    images: list[_CardImage]
    categories: tuple[str, str]


def _cards(study: Study, kind: str) -> Iterator[_Card]:
    """Each card of such a question, with its images as answered."""
    asked = list(study.dimensions.filter(kind=kind))
    if not asked:
        return
    shown, prompts, categories = shown_methods(study), _prompt_names(study), _categories(study)
    made_by = dict(zip(shown.image.tolist(), (shown.names[key] for key in shown.method.tolist()), strict=True))
    slot_of = shown.slots()
    for dimension in asked:
        columns = ("assignment", "image", "assignment__item__key", "assignment__rater__name")
        more = ("assignment__item__prompt", "assignment__shown_order")
        before: int | None = None
        card: _Card | None = None
        rows = _given(dimension, *columns, *more).iterator(chunk_size=ROWS_AT_ONCE)
        for item, level, group, image, key, rater, prompt, order in rows:
            if card is None or group != before:
                if card is not None:
                    yield card
                before = group
                card = _Card((dimension.name, prompts[prompt], rater, key), [], categories[prompt])
            place = places_on_screen(order).get(slot_of.get((item, image), -1))
            card.images.append(_CardImage(made_by[image], level, place))
        if card is not None:
            yield card


def _categories(study: Study) -> dict[int, tuple[str, str]]:
    """Category and sub-category of each prompt."""
    rows = Prompt.objects.filter(pk__in=study.items.order_by().values("prompt_id")).order_by()
    return {pk: (one, two) for pk, one, two in rows.values_list("pk", "category", "sub_category")}


def _prompt_names(study: Study) -> dict[int, str]:
    """A unique name for each prompt: its key, or else its text."""
    rows = Prompt.objects.filter(pk__in=study.items.order_by().values("prompt_id")).order_by("pk")
    found: dict[int, str] = {}
    taken: set[str] = set()
    for pk, key, text in rows.values_list("pk", "key", "text").iterator(chunk_size=ROWS_AT_ONCE):
        name = key or text
        found[pk] = name if name not in taken else f"{name} (prompt {pk})"
        taken.add(name)
    return found


def counts(study: Study, *, is_counted: bool = True) -> dict[str, int | None]:
    """The most rows that the files can have: best–worst cards are counted by their best images.

    See `queries.studies.n_rows`.
    """
    dimensions = list(study.dimensions.all())

    def n(kinds: list[Dimension], **only: int) -> int | None:
        rows = current_responses(kinds).filter(level__isnull=False, **only)
        return n_rows(rows, is_counted=is_counted) if kinds else 0

    return {
        "votes": n([one for one in dimensions if names_sides(one)]),
        "rankings": n([one for one in dimensions if one.kind == Dimension.Kind.RANKING]),
        "best-worst": n([one for one in dimensions if one.kind == Dimension.Kind.BEST_WORST], level=BEST),
    }
