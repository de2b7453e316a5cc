"""Existing human ratings as outside tables write them, one answer per row."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from annotations.reports.study.files.answers import MOST_CATEGORIES
from exchange.identity import identity
from exchange.ratings.reading import RatingsFile
from exchange.rejects import RejectLog
from exchange.study_tables import ONE_DIMENSION
from exchange.tables.cells import Cells
from exchange.tables.coded import CodedTable
from exchange.tables.row import JsonValue, Row
from exchange.tables.values import BadValue, is_missing, parse_integer, parse_text, parse_timestamp, text_of

MAX_NAME = 200
MAX_ACTIVE_MS = 2**31 - 1


class RatingRow(NamedTuple):
    """One answer of the file. `row` is kept because the value can be judged only once its dimension is known.

    is_unable, is_missing  there is no value, because the rater could not answer, or because there is no answer
    """

    row: Row
    item: str
    rater: str
    dimension: str
    answered_at: datetime | None
    active_ms: int | None
    is_unable: bool
    is_missing: bool


def read_ratings(given: RatingsFile, log: RejectLog) -> Iterator[RatingRow]:
    """The ratings of a file, whatever form it came in."""
    for block in given.blocks(log):
        yield from _from_columns(block, log) if isinstance(block, CodedTable) else _from_rows(block, log)


def _from_rows(rows: Iterable[Row], log: RejectLog) -> Iterator[RatingRow]:
    for row in rows:
        cells = Cells(row, log)
        has_value = cells.has("value")
        is_unable = not has_value and "is_unable" in row.values and cells.boolean("is_unable", default=False)
        rating = RatingRow(
            row,
            cells.known_text("item", max_length=MAX_NAME),
            cells.name("rater", max_length=MAX_NAME),
            cells.name("dimension", max_length=MAX_NAME) if "dimension" in row.values else ONE_DIMENSION,
            cells.timestamp("answered_at") if "answered_at" in row.values else None,
            cells.optional_integer("active_ms", low=0, high=MAX_ACTIVE_MS) if "active_ms" in row.values else None,
            is_unable,
            not has_value and not is_unable,
        )
        if cells.ok:
            yield rating


class _Refused:
    """In the place of a cell that cannot be taken."""


def _from_columns(block: CodedTable, log: RejectLog) -> Iterator[RatingRow]:
    """The same of a block of columns: every distinct cell is judged once; rows with a fault go the other way."""
    written = {name: column.written() for name, column in block.columns.items()}
    read = {
        "item": _name,
        "rater": _name,
        "dimension": _name,
        "answered_at": lambda cell: None if is_missing(cell) else parse_timestamp(cell),
        "active_ms": lambda cell: None if is_missing(cell) else parse_integer(cell, low=0, high=MAX_ACTIVE_MS),
    }
    parsed = {name: _each(cells, read[name]) for name, (cells, _codes) in written.items() if name in read}
    for name in ("rater", "dimension"):
        if name in parsed:
            log.spellings.meet(block.file, name, (text for text in parsed[name] if text is not _Refused))
    cells, codes = written["value"]
    gaps = [is_missing(cell) for cell in cells]
    is_odd = np.zeros(len(block), bool)
    for name, found in parsed.items():
        refused = np.array([value is _Refused for value in found])
        if refused.any():
            is_odd |= refused[np.array(written[name][1])]
    if "is_unable" in written and any(gaps):
        is_odd |= np.array(gaps)[np.array(codes)]
    columns: list[Sequence[Any]] = []
    for name in ("item", "rater", "dimension", "answered_at", "active_ms"):
        if name in parsed:
            found = parsed[name]
            columns.append([found[code] for code in written[name][1]])
        else:
            columns.append([ONE_DIMENSION if name == "dimension" else None] * len(block))
    numbers = block.row_numbers.tolist()
    for i, (number, code, odd, item, rater, dimension, at, active_ms) in enumerate(
        zip(numbers, codes, is_odd.tolist(), *columns, strict=True)
    ):
        if odd:
            values: dict[str, JsonValue] = {name: texts[places[i]] for name, (texts, places) in written.items()}
            yield from _from_rows([Row(block.file, number, values)], log)
            continue
        row = Row(block.file, number, {"item": item, "rater": rater, "dimension": dimension, "value": cells[code]})
        yield RatingRow(row, item, rater, dimension, at, active_ms, False, gaps[code])


def _name(cell: str) -> str:
    return parse_text(cell, max_length=MAX_NAME)


def _each(cells: Sequence[str], read: Callable[[str], Any]) -> list[Any]:
    """What `read` makes of each cell, `_Refused` where it raises BadValue."""
    found: list[Any] = []
    for cell in cells:
        try:
            found.append(read(cell))
        except BadValue:
            found.append(_Refused)
    return found


class FirstLook:
    """What a first reading of the file finds: the items that it names, and the words that answer its questions.

    Faults are passed over: the real reading reports them.
    """

    def __init__(self, given: RatingsFile) -> None:
        self._given = given
        self._nowhere = RejectLog(keep=0)
        self.labels: dict[str, set[str]] = {}

    def items(self) -> Iterator[list[str]]:
        """The items of each block of rows in the order in which it first names them."""
        for block in self._given.blocks(self._nowhere):
            yield self._of_columns(block) if isinstance(block, CodedTable) else self._of_rows(block)

    def _of_columns(self, block: CodedTable) -> list[str]:
        values, codes = block["value"].written()
        dimensions, places = ([ONE_DIMENSION], None)
        pairs = np.array(codes)
        if "dimension" in block.columns:
            dimensions, places = block["dimension"].written()
            pairs = pairs + np.array(places) * len(values)
        for pair in np.unique(pairs).tolist():
            dimension, value = divmod(pair, len(values))
            self._meet(dimensions[dimension], values[value])
        return [name for name in _each(block["item"].written()[0], _name) if name is not _Refused]

    def _of_rows(self, rows: Iterable[Row]) -> list[str]:
        names: dict[str, None] = {}
        for row in rows:
            cells = Cells(row, self._nowhere)
            key = cells.known_text("item", max_length=MAX_NAME)
            self._meet(text_of(row.values.get("dimension", ONE_DIMENSION)), row.values.get("value"))
            if cells.ok:
                names[key] = None
        return list(names)

    def _meet(self, dimension: str, value: JsonValue) -> None:
        labels = self.labels.setdefault(dimension, set())
        if len(labels) <= MOST_CATEGORIES and value not in labels:
            labels.add(identity(text_of(value)))
