"""A report's figures of every unit as columns, made once when the report is frozen."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Count, QuerySet
from numpy.typing import NDArray

from annotations.models import Assignment, Item, ItemImage, Study
from annotations.queries.audits.critic import counted_errors
from annotations.queries.audits.ledger import judged_claims
from annotations.queries.explorer.wall import FLAGS, offered_orders
from annotations.queries.result_units import images_of
from annotations.queries.results import StudyRows
from annotations.reports.explorer.units import changes, margin, unit_figures
from annotations.reports.study.data import DimensionData
from annotations.stats.arrays import IntArray
from generation.models import Critique

ROWS_AT_ONCE = 10_000
MOST_KINDS = 62
"""The most kinds of claims that have their own bit; the rarest beyond these have none."""
WRONG, RIGHT = "wrong", "right"


@dataclass(frozen=True)
class FrozenTable:
    """The units of one question: `names` of the codes, and (n_units,) or (n_units, width) numbers by column."""

    dimension: str
    names: dict[str, Any]
    columns: dict[str, NDArray[Any]]

    @property
    def n_units(self) -> int:
        return len(self.columns["item"])


@dataclass(frozen=True)
class _Beside:
    """Data about images and items other than ratings, by primary key."""

    parent: dict[int, int]
    refined: dict[int, int]
    claims: Counter[int]
    wrong: Counter[int]
    missed: Counter[int]
    flags: Counter[int]
    kinds: list[str]
    kinds_of: dict[int, int]


def frozen_tables(study: Study, rows: StudyRows) -> list[FrozenTable]:
    """A table for every question with answers. Seven queries for any size; 16 bytes per unit and metric."""
    beside = _beside(study)
    return [_table(rows, dimension, beside) for dimension in rows.data.dimensions]


def _table(rows: StudyRows, dimension: DimensionData, beside: _Beside) -> FrozenTable:
    data, figures = rows.data, unit_figures(rows.data, dimension)
    item, image = rows.item[dimension.units], rows.image[dimension.units]
    parent = _looked_up(beside.parent, image)
    if dimension.kind == "preference":
        change = margin(figures.counts, _looked_up(beside.refined, item, default=-1))
    else:
        change = changes(figures.better, image, parent)
    categories, category = _coded(data.facets.get("category"), dimension.units)
    unable = Counter(unit for unit, _rater in rows.unable.get(dimension.name, ()))
    columns: dict[str, NDArray[Any]] = {
        "item": item,
        "image": image,
        "method": data.method[dimension.units].astype(np.int32),
        "category": category,
        "mean": figures.mean,
        "distance": figures.distance.astype(np.float32),
        "change": change,
        "counts": figures.counts.astype(np.int32),
        "unable": _looked_up(unable, dimension.units).astype(np.int32),
        "claims": _looked_up(beside.claims, image).astype(np.int32),
        "wrong": _looked_up(beside.wrong, image).astype(np.int32),
        "missed": _looked_up(beside.missed, image).astype(np.int32),
        "flags": _looked_up(beside.flags, item).astype(np.int32),
        "kinds": _looked_up(beside.kinds_of, image),
    }
    for name in data.metrics:
        columns[f"score:{name}"] = figures.scores[name]
        columns[f"gap:{name}"] = figures.gaps[name]
    metrics = [name for name in data.metrics if np.isfinite(figures.gaps[name]).any()]
    names = {
        "methods": list(data.methods),
        "categories": categories,
        "metrics": metrics,
        "orders": offered_orders(columns, metrics),
        "flags": [name for name in FLAGS if (columns["flags" if name == "flagged" else name] > 0).any()],
        "kinds": beside.kinds,
        "kind": dimension.kind,
        "values": [float(value) for value in dimension.ratings.values],
        "labels": list(dimension.labels),
        "question": dimension.question,
        "allows_unable": bool(dimension.n_unable),
    }
    return FrozenTable(dimension.name, names, columns)


def _beside(study: Study) -> _Beside:
    parents: QuerySet[Any, Any] = images_of(study).filter(parent__isnull=False).values_list("pk", "parent_id")
    parent = dict(parents.iterator(chunk_size=ROWS_AT_ONCE))
    claims, wrong, kinds = Counter[int](), Counter[int](), Counter[str]()
    images_of_kind: dict[str, list[int]] = {}
    judged: QuerySet[Any, Any] = judged_claims(study).filter(critique__source=Critique.Source.CRITIC)
    for image, kind, settled in judged.values_list("critique__image_id", "kind", "settled"):
        claims[image] += 1
        wrong[image] += settled == WRONG
        if kind:
            kinds[kind] += 1
            images_of_kind.setdefault(kind, []).append(image)
    most = [kind for kind, _n in kinds.most_common(MOST_KINDS)]
    kinds_of: dict[int, int] = {}
    for bit, kind in enumerate(most):
        for image in images_of_kind[kind]:
            kinds_of[image] = kinds_of.get(image, 0) | 1 << bit
    missed = counted_errors(study).filter(group__claims=None).order_by().values_list("image_id").annotate(n=Count("pk"))
    flagged = Assignment.objects.filter(study=study).exclude(flag="").order_by()
    return _Beside(
        parent=parent,
        refined=_refined(study, parent),
        claims=claims,
        wrong=wrong,
        missed=Counter(dict(missed)),
        flags=Counter(dict(flagged.values_list("item_id").annotate(n=Count("pk")))),
        kinds=most,
        kinds_of=kinds_of,
    )


def _refined(study: Study, parent: dict[int, int]) -> dict[int, int]:
    """For items of two images of which one was made from the other: the slot of the refined one, by item."""
    if study.item_kind != Study.ItemKind.PAIR or not parent:
        return {}
    shown: dict[int, list[int]] = {}
    rows = (
        ItemImage.objects.filter(item__study=study, item__role=Item.Role.RATED)
        .order_by("item", "slot")
        .values_list("item_id", "image_id")
    )
    for item, image in rows.iterator(chunk_size=ROWS_AT_ONCE):
        shown.setdefault(item, []).append(image)
    found = {}
    for item, images in shown.items():
        if len(images) == 2:
            first, second = images
            if parent.get(second) == first:
                found[item] = 1
            elif parent.get(first) == second:
                found[item] = 0
    return found


def _looked_up(known: Mapping[int, int], keys: IntArray, *, default: int = 0) -> IntArray:
    """(n,) the known value of each key."""
    found = np.full(len(keys), default, np.int64)
    if known:
        pairs = np.array(sorted(known.items()), np.int64)
        at = np.minimum(np.searchsorted(pairs[:, 0], keys), len(pairs) - 1)
        is_known = pairs[at, 0] == keys
        found[is_known] = pairs[at[is_known], 1]
    return found


def _coded(texts: Sequence[Any] | NDArray[np.object_] | None, units: IntArray) -> tuple[list[str], NDArray[np.int32]]:
    """(sorted distinct texts, (n_units,) index of each; −1 for an empty one)."""
    if texts is None:
        return [], np.full(len(units), -1, np.int32)
    own = [str(texts[unit]) for unit in units.tolist()]
    names = sorted({text for text in own if text})
    place = {name: code for code, name in enumerate(names)}
    return names, np.fromiter((place.get(text, -1) for text in own), np.int32)
