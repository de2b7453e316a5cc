"""A query's rows as arrays, one per column."""

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

import numpy as np
from django.db.models import QuerySet

from annotations.stats.arrays import IntArray

ROWS_AT_ONCE = 10_000


def integers(rows: QuerySet[Any, Any], n_columns: int) -> list[IntArray]:
    """The rows' columns as int64 arrays, (n_rows,) each; never more than a batch of rows as Python objects."""
    parts = [np.empty((0, n_columns), np.int64)]
    for batch in _batches(rows.iterator(chunk_size=ROWS_AT_ONCE)):
        count = len(batch) * n_columns
        parts.append(np.fromiter(chain.from_iterable(batch), np.int64, count).reshape(-1, n_columns))
    return [np.concatenate([part[:, column] for part in parts]) for column in range(n_columns)]


def _batches(rows: Iterator[tuple[int, ...]]) -> Iterator[list[tuple[int, ...]]]:
    while batch := list(islice(rows, ROWS_AT_ONCE)):
        yield batch
