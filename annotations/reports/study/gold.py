"""Right answers given with items, against which raters are tested."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from annotations.reports.study.data import DimensionData
from annotations.reports.study.scales import Scales
from annotations.stats.arrays import IntArray
from exchange.rejects import RejectLog, bad_file
from exchange.tables.values import BadValue, parse_on_scale
from exchange.wording import listed

GOLD = "gold"


def is_gold(column: str) -> bool:
    """Whether a column of the items file holds right answers: `gold`, or `gold:DIMENSION`."""
    return column.partition(":")[0].strip().casefold() == GOLD


def take_gold(
    columns: dict[str, NDArray[np.object_]],
    dimensions: Sequence[DimensionData],
    scales: Scales,
    *,
    file: str,
    row_numbers: IntArray,
    log: RejectLog,
) -> list[DimensionData]:
    """The dimensions with their gold from the items file; its columns are removed from `columns`.

    columns      (n_units,) texts by column, of the study's units; `gold:DIMENSION`, or `gold` where one question is
                 asked; an empty cell is an item without gold
    row_numbers  (n_units,) the row of `file` in which each unit is: a value off the scale goes to the log
    Raises BadFile for gold of a dimension that nobody answered, and if it is not clear which one is meant.
    """
    names = [dimension.name for dimension in dimensions]
    found: dict[str, str] = {}
    for column in filter(is_gold, list(columns)):
        name = column.partition(":")[2].strip()
        if not name and len(names) > 1:
            problem = f"the right answers to which question are these? The ratings have {listed(names)}"
            raise bad_file(file, problem, f'name the column "gold:{names[0]}", one for each question', field=column)
        name = name or names[0]
        if name not in names:
            problem, cure = f"the ratings have no dimension {name!r}", f"name the column after one of {listed(names)}"
            raise bad_file(file, problem, cure, field=column)
        if name in found:
            problem = f'"{found[name]}" has the right answers to {name!r} already'
            raise bad_file(file, problem, "remove one of the two columns", field=column)
        found[name] = column
    result = list(dimensions)
    for i, dimension in enumerate(dimensions):
        if (header := found.get(dimension.name)) is not None:
            scale = [float(value) for value in scales.of(dimension.name).values]
            levels = _levels(columns.pop(header), scale, header, file, row_numbers, log)
            result[i] = replace(dimension, gold=levels[dimension.units])
    return result


def _levels(
    texts: NDArray[np.object_], scale: Sequence[float], column: str, file: str, row_numbers: IntArray, log: RejectLog
) -> IntArray:
    """(n_units,) levels, −1 where there is no gold."""
    levels = np.full(len(texts), -1, np.int64)
    for i, text in enumerate(texts):
        if text.strip():
            try:
                levels[i] = scale.index(parse_on_scale(text, scale))
            except BadValue as bad:
                log.note(file, int(row_numbers[i]), column, text, bad.problem, bad.cure)
    return levels
