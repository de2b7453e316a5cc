"""A study's current answers as arrays: what every analysis of it starts from."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import numpy as np
from django.db.models import Case, F, IntegerField, QuerySet, Value, When
from django.db.models.functions import Coalesce
from numpy.typing import NDArray

from annotations.models import Assignment, Dimension, ItemImage, Rater, Response, Study
from annotations.presets import names_sides
from annotations.queries.result_units import Units, load_units
from annotations.reports.data import Codes, DimensionData, StudyData, dimension_data

ROWS_AT_ONCE = 10_000
NONE = -1


@dataclass(frozen=True)
class StudyRows:
    """The arrays, and which rows of the database their units are.

    image, item   (n_units,) primary keys; image is 0 for a unit that is a whole item
    rater_kinds   how many raters of each kind gave an answer
    """

    data: StudyData
    image: Codes
    item: Codes
    rater_kinds: dict[str, int]


def study_data(study: Study) -> StudyData:
    """The study's current answers by dimension, with prompts, methods, facets and metric scores of what was rated."""
    return study_rows(study).data


def study_rows(study: Study) -> StudyRows:
    """As `study_data`, with the rows behind the units.

    A unit is an image as one item shows it, for questions about images; the item, for questions about all that is
    shown (an item of one image is that image). Units, raters, prompts, methods and metrics stand in the order of their
    names, as in `annotations.reports.files`, so that the same ratings give the same figures from files as from here.
    Where levels are sides of the screen they are turned back to the item's own images: slot 0 first.

    About ten queries whatever the size; 64 bytes a rating, and names and scores of what was rated.
    """
    dimensions = list(study.dimensions.all())
    answers = _answers(dimensions)
    shown = _integers(
        ItemImage.objects.filter(item__study=study).order_by("item", "slot").values_list("item_id", "image_id", "slot"),
        3,
    )
    image = _image_of(answers.item, answers.image, shown)
    units, unit = load_units(study, item=answers.item, image=image, shown=shown)
    names, rater, kinds = _raters(study, answers.rater)
    # What imported raters did first and how long it took is not known; a place in a file says nothing.
    is_known = (kinds != Rater.Kind.IMPORTED)[rater] if len(rater) else np.zeros(0, bool)
    seconds = np.where(is_known & (answers.active_ms >= 0), answers.active_ms / 1000, np.nan)
    order = np.where(is_known, answers.sequence, np.nan)
    found = [
        _dimension(
            dimension, answers, unit=unit, rater=rater, seconds=seconds, order=order, units=units, rater_names=names
        )
        for dimension in dimensions
    ]
    given = np.unique(rater)
    data = StudyData(
        units=units.names,
        dimensions=[one for one in found if one is not None],
        prompt=units.prompt,
        prompts=units.prompts,
        method=units.method,
        methods=units.methods,
        facets=units.facets,
        metrics=units.metrics,
        scores=units.scores,
    )
    counts = {kind: int((kinds[given] == kind).sum()) for kind in Rater.Kind.values}
    return StudyRows(data, units.image, units.item, {kind: n for kind, n in counts.items() if n})


@dataclass(frozen=True)
class _Answers:
    """One entry an answer; image 0 for "about all that is shown", level −1 for "unable", active_ms −1 for unknown."""

    dimension: Codes
    item: Codes
    image: Codes
    rater: Codes
    level: Codes
    active_ms: Codes
    sequence: Codes
    is_turned: Codes


def current_responses(dimensions: Iterable[Dimension]) -> QuerySet[Response]:
    """What counts: the current revision of every answer of an answered assignment."""
    return Response.objects.filter(
        dimension__in=[dimension.pk for dimension in dimensions],
        is_current=True,
        assignment__state=Assignment.State.ANSWERED,
    )


def is_turned() -> Case:
    """1 where the rater saw the item's second image on the left, 0 otherwise; for items of two images."""
    return Case(
        When(assignment__shown_order__startswith="1", then=Value(1)), default=Value(0), output_field=IntegerField()
    )


def _answers(dimensions: Sequence[Dimension]) -> _Answers:
    rows = current_responses(dimensions).order_by()
    table = _integers(
        rows.values_list(
            "dimension_id",
            F("assignment__item_id"),
            Coalesce("image_id", Value(0)),
            F("assignment__rater_id"),
            Coalesce("level", Value(NONE), output_field=IntegerField()),
            Coalesce("active_ms", Value(NONE), output_field=IntegerField()),
            F("assignment__sequence"),
            is_turned() if any(map(names_sides, dimensions)) else Value(0),
        ),
        8,
    )
    return _Answers(*table)


def _integers(rows: QuerySet[Any, Any], n_columns: int) -> list[Codes]:
    """The rows' columns as int64 arrays, (n_rows,) each; at no time more than a batch of rows as Python objects."""
    parts = [np.empty((0, n_columns), np.int64)]
    for batch in _batches(rows.iterator(chunk_size=ROWS_AT_ONCE)):
        count = len(batch) * n_columns
        parts.append(np.fromiter(chain.from_iterable(batch), np.int64, count).reshape(-1, n_columns))
    columns = []
    for column in range(n_columns):
        columns.append(np.concatenate([part[:, column] for part in parts]))
    return columns


def _batches(rows: Iterator[tuple[int, ...]]) -> Iterator[list[tuple[int, ...]]]:
    while batch := list(islice(rows, ROWS_AT_ONCE)):
        yield batch


def _image_of(item: Codes, image: Codes, shown: Sequence[Codes]) -> Codes:
    """The image that each answer is about; that of an item of one image also where the answer names none."""
    items, first, count = np.unique(shown[0], return_index=True, return_counts=True)
    if not len(items):
        return image
    at = np.minimum(np.searchsorted(items, item), len(items) - 1)
    return np.where((image == 0) & (count[at] == 1), shown[1][first[at]], image)


def _raters(study: Study, rater: Codes) -> tuple[list[str], Codes, NDArray[np.str_]]:
    """(names in order, code of each answer's rater, (n_raters,) kinds)."""
    rows = sorted(study.raters.values_list("name", "pk", "kind").order_by())
    keys = np.array([pk for _name, pk, _kind in rows], np.int64)
    kinds = np.array([kind for _name, _pk, kind in rows], np.str_)
    by_key = np.argsort(keys)
    code = by_key[np.searchsorted(keys, rater, sorter=by_key)] if len(rater) else np.empty(0, np.int64)
    return [name for name, _pk, _kind in rows], code.astype(np.int64), kinds


def _dimension(
    dimension: Dimension,
    answers: _Answers,
    *,
    unit: Codes,
    rater: Codes,
    seconds: NDArray[np.float64],
    order: NDArray[np.float64],
    units: Units,
    rater_names: Sequence[str],
) -> DimensionData | None:
    """One question's answers; None where there is none."""
    rows = np.flatnonzero(answers.dimension == dimension.pk)
    if not len(rows):
        return None
    level = answers.level[rows]
    labels = [level["label"] for level in dimension.levels]
    if names_sides(dimension):
        turned = (answers.is_turned[rows] == 1) & (level >= 0) & (level < 2)
        level = np.where(turned, 1 - level, level)
        labels[:2] = units.slot_names
    given = level >= 0
    rows, level = rows[given], level[given]
    return dimension_data(
        dimension.name,
        unit=unit[rows],
        rater=rater[rows],
        level=level,
        values=_values(dimension),
        rater_names=rater_names,
        n_units=len(units.names),
        n_unable=int((~given).sum()),
        question=dimension.question,
        labels=labels,
        seconds=_or_none(seconds[rows]),
        order=_or_none(order[rows]),
        is_ordinal=dimension.kind == Dimension.Kind.ORDINAL,
    )


def _values(dimension: Dimension) -> list[float]:
    """The scale. A nominal question's values are only codes, which need not ascend."""
    values = [float(value) for value in dimension.values]
    if dimension.kind == Dimension.Kind.NOMINAL and values != sorted(set(values)):
        return [float(code) for code in range(len(values))]
    return values


def _or_none(values: NDArray[np.float64]) -> NDArray[np.float64] | None:
    return values if np.isfinite(values).any() else None
