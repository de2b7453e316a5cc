"""The rated units of a study: names, prompts, methods, facets and metric scores."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import F, Q, QuerySet
from numpy.typing import NDArray

from annotations.models import Item, ItemImage, Study
from annotations.reports.documents.study import BETWEEN_METHODS, FIRST_AND_SECOND
from annotations.stats.arrays import IntArray
from generation.models import Image, Method, MetricScore, Prompt

ROWS_AT_ONCE = 10_000
OWN_PROMPT_NOTES = {"text_is_unknown"}
"""Notes that imports store with a prompt for their own use; they are not properties of it."""


@dataclass(frozen=True)
class Units:
    """The rated units in the order of their names; arrays as in `StudyData`.

    image, item   (n_units,) primary keys; image is 0 for a unit that is a whole item
    facets_of_prompts   the facets that are their prompts': name → prompt's primary key → text
    slot_names    names of an item's first and second image: their methods, if all items have the same two
    """

    names: list[str]
    image: IntArray
    item: IntArray
    prompt: IntArray
    prompts: list[str]
    method: IntArray
    methods: list[str]
    facets: dict[str, NDArray[np.object_]]
    metrics: list[str]
    scores: NDArray[np.float64]
    facets_of_prompts: dict[str, dict[int, str]]
    slot_names: list[str]


def load_units(study: Study, *, item: IntArray, image: IntArray, shown: Sequence[IntArray]) -> tuple[Units, IntArray]:
    """The units that occur, and (n_answers,) the index of each answer's unit.

    item, image  (n_answers,) primary keys of the subject of each answer; image 0 for everything that the item shows
    shown        item, image and slot of everything that the study shows, by item and slot
    """
    items, item_code = np.unique(item, return_inverse=True)
    images, image_code = np.unique(image, return_inverse=True)
    cells, unit = np.unique(item_code * np.int64(len(images)) + image_code, return_inverse=True)
    unit_item, unit_image = items[cells // max(len(images), 1)], images[cells % max(len(images), 1)]
    known = _Images(study, unit_image, needs_all=bool((unit_image == 0).any()))
    item_rows = _items(study, unit_item, unit_image)
    names = _names(unit_item, unit_image, known, item_rows)
    order = sorted(range(len(names)), key=names.__getitem__)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    unit_item, unit_image = unit_item[order], unit_image[order]
    groups, slot_names = _method_groups(known, shown) if (unit_image == 0).any() else ({}, list(FIRST_AND_SECOND))
    method_texts = [
        known.methods[known.method[pk]] if pk else groups.get(own, "")
        for pk, own in zip(unit_image.tolist(), unit_item.tolist(), strict=True)
    ]
    methods, method = _coded(method_texts)
    prompt_of = [
        known.prompt[pk] if pk else item_rows[own].prompt
        for pk, own in zip(unit_image.tolist(), unit_item.tolist(), strict=True)
    ]
    prompts = _Prompts(study)
    prompt_names, prompt = _coded([prompts.names[pk] for pk in prompt_of])
    facets = {name: np.array([of.get(pk, "") for pk in prompt_of], object) for name, of in prompts.facets.items()}
    for name in sorted(known.facets):
        facets.setdefault(name, np.array([known.facets[name].get(pk, "") for pk in unit_image.tolist()], object))
    metrics, scores = _scores(study, unit_image)
    found = Units(
        names=[names[i] for i in order],
        image=unit_image,
        item=unit_item,
        prompt=prompt,
        prompts=prompt_names,
        method=method,
        methods=methods,
        facets={name: column for name, column in facets.items() if any(column)},
        metrics=metrics,
        scores=scores,
        facets_of_prompts=prompts.facets,
        slot_names=slot_names,
    )
    return found, place[unit]


def images_of(study: Study) -> QuerySet[Image]:
    """Every image that an item of the study shows, once."""
    return Image.objects.filter(pk__in=_keys_of_images(study)).order_by()


def scores_of(study: Study) -> QuerySet[MetricScore]:
    """The metric scores of those images."""
    return MetricScore.objects.filter(image__in=_keys_of_images(study)).order_by()


def _keys_of_images(study: Study) -> QuerySet[ItemImage, Any]:
    return ItemImage.objects.filter(item__study=study, item__role=Item.Role.RATED).values("image_id")


class _Images:
    """Key, prompt, method and facets of images, by primary key; of the rated ones, or with `needs_all` of all shown."""

    def __init__(self, study: Study, rated: IntArray, *, needs_all: bool) -> None:
        wanted = None if needs_all else frozenset(rated.tolist())
        self.key: dict[int, str] = {}
        self.prompt: dict[int, int] = {}
        self.method: dict[int, int] = {}
        self.facets: dict[str, dict[int, str]] = defaultdict(dict)
        texts: dict[str, str] = {}  # each distinct text once in memory
        notes = F("provenance__facets"), F(f"provenance__{Image.METHOD_IS_UNKNOWN}")
        rows = images_of(study).values_list("pk", "key", "prompt_id", "method_id", *notes)
        for pk, key, prompt, method, facets, is_unknown in rows.iterator(chunk_size=ROWS_AT_ONCE):
            if wanted is not None and pk not in wanted:
                continue
            self.key[pk], self.prompt[pk], self.method[pk] = key, prompt, 0 if is_unknown else method
            for name, text in _scalars(facets).items():
                self.facets[name][pk] = texts.setdefault(text, text)
        self.methods: dict[int, str] = dict(
            Method.objects.filter(pk__in=set(self.method.values())).values_list("pk", "name")
        )
        self.methods[0] = ""  # for images whose table left the method out


class _Prompts:
    """Names and facets of the study's prompts. A name is the prompt's key, or else its text, made distinct."""

    def __init__(self, study: Study) -> None:
        self.names: dict[int, str] = {}
        category: dict[int, str] = {}
        sub_category: dict[int, str] = {}
        further: dict[str, dict[int, str]] = defaultdict(dict)
        rows = Prompt.objects.filter(pk__in=study.items.order_by().values("prompt_id")).order_by()
        for pk, key, text, one, two, metadata in rows.values_list(
            "pk", "key", "text", "category", "sub_category", "metadata"
        ).iterator(chunk_size=ROWS_AT_ONCE):
            self.names[pk], category[pk], sub_category[pk] = key or text, one, two
            for name, value in _scalars(metadata).items():
                if name not in OWN_PROMPT_NOTES:
                    further[name][pk] = value
        _make_distinct(self.names, "prompt")
        self.facets = {"category": category, "sub_category": sub_category, **dict(sorted(further.items()))}


@dataclass(frozen=True)
class _ItemRow:
    key: str
    prompt: int


def _items(study: Study, unit_item: IntArray, unit_image: IntArray) -> dict[int, _ItemRow]:
    """Key and prompt of the items that a unit's name or prompt needs: none if every image is in one item."""
    is_once = len(np.unique(unit_image)) == len(unit_image)
    if is_once and not (unit_image == 0).any():
        return {}
    wanted = frozenset(unit_item.tolist())
    rows = Item.objects.filter(study=study).order_by().values_list("pk", "key", "prompt_id")
    return {pk: _ItemRow(key, prompt) for pk, key, prompt in rows.iterator(chunk_size=ROWS_AT_ONCE) if pk in wanted}


def _names(unit_item: IntArray, unit_image: IntArray, known: _Images, items: Mapping[int, _ItemRow]) -> list[str]:
    """A stable name for every unit: the image's key or number, the item's key for a whole item."""
    of_image = {pk: key or f"image {pk}" for pk, key in known.key.items()}
    _make_distinct(of_image, "image")
    times = Counter(unit_image.tolist())
    names = []
    for own, pk in zip(unit_item.tolist(), unit_image.tolist(), strict=True):
        if pk == 0:
            names.append(items[own].key)
        else:
            names.append(of_image[pk] if times[pk] == 1 else f"{of_image[pk]} in {items[own].key}")
    return names


def _make_distinct(names: dict[int, str], kind: str) -> None:
    """Add its number to every name that several rows have."""
    times = Counter(names.values())
    for pk, name in names.items():
        if times[name] > 1:
            names[pk] = f"{name} ({kind} {pk})"


def _method_groups(known: _Images, shown: Sequence[IntArray]) -> tuple[dict[int, str], list[str]]:
    """(item → its images' methods by slot as one text, names of the first two slots)."""
    by_item: dict[int, list[str]] = defaultdict(list)
    for item, image in zip(shown[0].tolist(), shown[1].tolist(), strict=True):
        by_item[item].append(known.methods[known.method[image]])
    groups = {item: BETWEEN_METHODS.join(methods) for item, methods in by_item.items()}
    first_two = {tuple(methods[:2]) for methods in by_item.values() if len(methods) > 1}
    if len(first_two) == 1 and len(set(names := next(iter(first_two)))) == 2:
        return groups, list(names)
    return groups, list(FIRST_AND_SECOND)


def _coded(texts: Sequence[str]) -> tuple[list[str], IntArray]:
    """(sorted distinct texts, (n,) index of each; −1 for an empty one)."""
    names = sorted({text for text in texts if text})
    position = {name: i for i, name in enumerate(names)}
    return names, np.fromiter((position.get(text, -1) for text in texts), np.int64, len(texts))


def _scalars(values: Any) -> dict[str, str]:
    """The texts, numbers and truth values of a JSON object, as texts."""
    if not isinstance(values, dict):
        return {}
    return {
        str(name): ("true" if value else "false") if isinstance(value, bool) else str(value)
        for name, value in values.items()
        if isinstance(value, str | int | float) and str(value).strip()
    }


def _scores(study: Study, unit_image: IntArray) -> tuple[list[str], NDArray[np.float64]]:
    """(names, (n_metrics, n_units) scores). A metric with several versions is one metric per version."""
    # An image may be in several items: its score is that of each of those units.
    order = np.argsort(unit_image, kind="stable")
    images, counts = np.unique(unit_image, return_counts=True)
    column_of = {pk: i for i, pk in enumerate(images.tolist()) if pk}
    by_kind: dict[tuple[str, str], NDArray[np.float64]] = {}
    rows = scores_of(study).values_list("image_id", "metric", "version", "value")
    for pk, metric, version, value in rows.iterator(chunk_size=ROWS_AT_ONCE):
        if (metric, version) not in by_kind:
            by_kind[metric, version] = np.full(len(images), np.nan)
        if (column := column_of.get(pk)) is not None:
            by_kind[metric, version][column] = value
    versions = Counter(metric for metric, _version in by_kind)
    named = {
        metric if versions[metric] == 1 else f"{metric} {version}".strip(): by_image
        for (metric, version), by_image in by_kind.items()
        if np.isfinite(by_image).any()
    }
    metrics = sorted(named)
    scores = np.empty((len(metrics), len(unit_image)))
    for row, metric in zip(scores, metrics, strict=True):
        row[order] = np.repeat(named[metric], counts)
    return metrics, scores


def study_methods(study: Study) -> list[str]:
    """The names of the methods whose images the study shows."""
    shown = ItemImage.objects.filter(item__study=study, item__role=Item.Role.RATED)
    return list(
        Method.objects.filter(pk__in=shown.values("image__method_id")).order_by("name").values_list("name", flat=True)
    )


def linked_methods(study: Study) -> list[tuple[str, str]]:
    """(baseline, refined) names of every pair of shown methods in which one's images were made from the other's."""
    ours = images_of(study).values("pk")
    pairs = Image.objects.filter(Q(pk__in=ours), Q(parent__in=ours)).exclude(method=F("parent__method"))
    return sorted(pairs.order_by().values_list("parent__method__name", "method__name").distinct())
