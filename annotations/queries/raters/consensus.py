"""What most raters say about each item, further raters included: rows for export."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby
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


def consensus_rows(study: Study) -> Iterator[Sequence[object]]:
    """One row for each question about each item or image that anybody answered, in the study's order.

    Questions with one level each; answers that count, with those of further raters. Two queries whatever the size.
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
    for (item, taken, image, key, pk), given in groupby(
        fields.iterator(chunk_size=ROWS_AT_ONCE), key=lambda row: row[:5]
    ):
        yield (
            item,
            "" if image is None else key or f"image {image}",
            *_summed_up(dimensions[pk], list(given), left=max(0, most - taken)),
        )


def counts(study: Study, *, is_counted: bool = True) -> dict[str, int | None]:
    """How many rows there are; see `queries.studies.n_rows`."""
    rows = current_responses(judged_dimensions(study), with_further=True).order_by()
    units = rows.values("assignment__item", "image", "dimension").distinct()
    return {"consensus": n_rows(units if is_counted else rows, is_counted=is_counted)}


def _summed_up(dimension: Dimension, given: list[tuple[Any, ...]], *, left: int) -> tuple[object, ...]:
    kind, has_sides = consensus_of(dimension), names_sides(dimension)
    values, labels = dimension.values, dimension.labels
    counts = np.zeros((1, len(values)), np.int64)
    for *_unit, level, shown_order, _is_further in given:
        if level is not None:
            counts[0, unturned(level, shown_order) if has_sides else level] += 1
    found = float(consensus(counts, kind)[0])
    value: Decimal | None = None
    label = ""
    if np.isfinite(found):
        low, high = int(np.floor(found)), int(np.ceil(found))
        value = (values[low] + values[high]) / 2
        label = labels[low] if low == high else ""
    n_further = sum(is_further for *_rest, is_further in given)
    return (
        *(dimension.name, kind, value, label, len(given) - n_further, n_further),
        *(len(given) - int(counts.sum()), bool(is_open(counts, np.array([left]), kind)[0])),
    )
