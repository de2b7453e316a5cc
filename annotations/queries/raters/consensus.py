"""The consensus of raters on each item, including further raters: rows for export."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby, islice
from math import ceil, floor, isfinite
from typing import Any

import numpy as np
from django.db.models import F

from annotations.models import Dimension, Study
from annotations.queries.columns import ROWS_AT_ONCE
from annotations.queries.raters.disputed import consensus_of, judged_dimensions, unturned
from annotations.queries.studies import current_responses, n_rows
from annotations.questions import names_sides
from annotations.stats.adaptive.consensus import consensus, is_open
from exchange.export import Column

UNITS_AT_ONCE = 1_000
CONSENSUS = (
    Column("item", "text", "", "Name of what was shown."),
    Column("image", "text", "", "Name of the image that the answers are about; empty: about all that was shown."),
    Column("dimension", "text", "", "Short name of the question."),
    Column("kind", "text", "majority, median", "How levels are summed up: of unordered ones, of ordered ones."),
    Column("value", "text", "on the question's scale", "What the raters agree on; empty: two levels lead, or none."),
    Column("label", "text", "", "Its words; a side is the item's own: left for its first image."),
    Column("n_first", "integer", "≥ 0", "Raters who came whatever was answered, those unable to answer included."),
    Column("n_further", "integer", "≥ 0", "Raters who came because of earlier answers."),
    Column("n_unable", "integer", "≥ 0", "Raters who could not answer."),
    Column("may_change", "boolean", "", "Whether raters who may still come could change it."),
)


def consensus_rows(study: Study, *, units_at_once: int = UNITS_AT_ONCE) -> Iterator[Sequence[object]]:
    """One row for each question about each item or image that anybody answered, in the study's order.

    Only questions answered by one level, and answers that count, including those of further raters. Two queries for any
    size.
    """
    dimensions = {dimension.pk: dimension for dimension in judged_dimensions(study)}
    rows = current_responses(dimensions.values(), with_further=True).order_by(
        "assignment__item__position", "dimension__position", "image", "pk"
    )
    fields = rows.values_list(
        *("assignment__item__key", "assignment__item__taken", "image_id", "image__key", "dimension_id", "level"),
        *("assignment__shown_order", F("assignment__is_further")),
    )
    most = study.most_raters_per_item or 0
    units = (
        (unit, list(given))
        for unit, given in groupby(fields.iterator(chunk_size=ROWS_AT_ONCE), key=lambda row: row[:5])
    )
    while batch := list(islice(units, units_at_once)):
        cells: dict[int, Iterator[tuple[object, ...]]] = {}
        for pk, dimension in dimensions.items():
            these = [(given, max(0, most - unit[1])) for unit, given in batch if unit[4] == pk]
            cells[pk] = iter(_summed_up(dimension, *zip(*these, strict=True)) if these else ())
        for (item, _taken, image, key, pk), _given in batch:
            yield item, "" if image is None else key or f"image {image}", *next(cells[pk])


def counts(study: Study, *, is_counted: bool = True) -> dict[str, int | None]:
    """The number of rows; see `queries.studies.n_rows`."""
    rows = current_responses(judged_dimensions(study), with_further=True).order_by()
    units = rows.values("assignment__item", "image", "dimension").distinct()
    return {"consensus": n_rows(units if is_counted else rows, is_counted=is_counted)}


def _summed_up(
    dimension: Dimension, given: Sequence[Sequence[tuple[Any, ...]]], left: Sequence[int]
) -> Iterator[tuple[object, ...]]:
    """The cells of each unit after its name.

    given  for each unit its rows: …, level, shown_order, is_further;  left  how many raters may still come per unit
    """
    kind, has_sides = consensus_of(dimension), names_sides(dimension)
    values, labels = dimension.values, dimension.labels
    unit, level = [], []
    for i, rows in enumerate(given):
        for *_unit, chosen, shown_order, _is_further in rows:
            if chosen is not None:
                unit.append(i)
                level.append(unturned(chosen, shown_order) if has_sides else chosen)
    places = np.array(unit, np.int64) * len(values) + np.array(level, np.int64)
    counts = np.bincount(places, minlength=len(given) * len(values)).reshape(len(given), len(values))
    found = consensus(counts, kind).tolist()
    may_change = is_open(counts, np.array(left), kind).tolist()
    for i, (rows, n_chosen) in enumerate(zip(given, counts.sum(axis=1).tolist(), strict=True)):
        value: Decimal | None = None
        label = ""
        if isfinite(found[i]):
            low, high = floor(found[i]), ceil(found[i])
            value = (values[low] + values[high]) / 2
            label = labels[low] if low == high else ""
        n_further = sum(is_further for *_rest, is_further in rows)
        yield (
            *(dimension.name, kind, value, label, len(rows) - n_further, n_further),
            *(len(rows) - n_chosen, may_change[i]),
        )
