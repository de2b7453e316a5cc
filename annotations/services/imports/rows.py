"""Existing human ratings in the form of external tables, one answer per row."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

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


@dataclass(slots=True)
class Ratings:
    """Answers of a file by columns: entry i of every list is about answer i. Values are judged later, since that needs
    the questions.

    cell        the file's text in place of the value
    is_unable, is_missing  there is no value, because the rater could not answer, or because there is no answer
    given       the row as it is in the file, if it contains more than these columns
    """

    file: list[str] = field(default_factory=list)
    number: list[int] = field(default_factory=list)
    item: list[str] = field(default_factory=list)
    rater: list[str] = field(default_factory=list)
    dimension: list[str] = field(default_factory=list)
    cell: list[JsonValue] = field(default_factory=list)
    answered_at: list[datetime | None] = field(default_factory=list)
    active_ms: list[int | None] = field(default_factory=list)
    is_unable: list[bool] = field(default_factory=list)
    is_missing: list[bool] = field(default_factory=list)
    given: list[Row | None] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.number)

    def row(self, i: int) -> Row:
        """The row of the file that has answer i, to report it by."""
        given = self.given[i]
        if given is not None:
            return given
        values = {"item": self.item[i], "rater": self.rater[i], "dimension": self.dimension[i], "value": self.cell[i]}
        return Row(self.file[i], self.number[i], values)

    def extend(self, other: Self) -> None:
        for name in self.__slots__:
            getattr(self, name).extend(getattr(other, name))

    def part(self, begin: int, end: int) -> "Ratings":
        return Ratings(*(getattr(self, name)[begin:end] for name in self.__slots__))

    def only(self, places: Sequence[int]) -> "Ratings":
        """The answers at these places."""
        return Ratings(*([column[i] for i in places] for column in (getattr(self, name) for name in self.__slots__)))


def read_ratings(given: RatingsFile, log: RejectLog, size: int) -> Iterator[Ratings]:
    """The ratings of a file in any form, `size` at a time and the rest at the end."""
    held = Ratings()
    for block in given.blocks(log):
        held.extend(_from_columns(block, log) if isinstance(block, CodedTable) else _from_rows(block, log))
        begin = 0
        while len(held) - begin >= size:
            yield held.part(begin, begin + size)
            begin += size
        held = held.part(begin, len(held))
    if len(held):
        yield held


def _from_rows(rows: Iterable[Row], log: RejectLog) -> Ratings:
    ratings = Ratings()
    for row in rows:
        cells = Cells(row, log)
        has_value = cells.has("value")
        is_unable = not has_value and "is_unable" in row.values and cells.boolean("is_unable", default=False)
        item = cells.known_text("item", max_length=MAX_NAME)
        rater = cells.name("rater", max_length=MAX_NAME)
        dimension = cells.name("dimension", max_length=MAX_NAME) if "dimension" in row.values else ONE_DIMENSION
        answered_at = cells.timestamp("answered_at") if "answered_at" in row.values else None
        active_ms = None
        if "active_ms" in row.values:
            active_ms = cells.optional_integer("active_ms", low=0, high=MAX_ACTIVE_MS)
        if not cells.ok:
            continue
        ratings.file.append(row.file)
        ratings.number.append(row.number)
        ratings.item.append(item)
        ratings.rater.append(rater)
        ratings.dimension.append(dimension)
        ratings.cell.append(row.values.get("value"))
        ratings.answered_at.append(answered_at)
        ratings.active_ms.append(active_ms)
        ratings.is_unable.append(is_unable)
        ratings.is_missing.append(not has_value and not is_unable)
        ratings.given.append(row)
    return ratings


class _Refused:
    """Takes the place of a cell that cannot be used."""


def _from_columns(block: CodedTable, log: RejectLog) -> Ratings:
    """The same of a block of columns: every distinct cell is checked once; rows with an error are read one by one."""
    n = len(block)
    written = {name: column.written() for name, column in block.columns.items()}
    read: dict[str, Callable[[str], Any]] = {
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
    is_odd = np.zeros(n, bool)
    for name, found in parsed.items():
        refused = np.array([value is _Refused for value in found])
        if refused.any():
            is_odd |= refused[np.array(written[name][1])]
    if "is_unable" in written and any(gaps):
        is_odd |= np.array(gaps)[np.array(codes)]

    def column(name: str, default: Any) -> list[Any]:
        if name not in parsed:
            return [default] * n
        found = parsed[name]
        return [found[code] for code in written[name][1]]

    ratings = Ratings(
        file=[block.file] * n,
        number=block.row_numbers.tolist(),
        item=column("item", None),
        rater=column("rater", None),
        dimension=column("dimension", ONE_DIMENSION),
        cell=[cells[code] for code in codes],
        answered_at=column("answered_at", None),
        active_ms=column("active_ms", None),
        is_unable=[False] * n,
        is_missing=[gaps[code] for code in codes] if any(gaps) else [False] * n,
        given=[None] * n,
    )
    if not is_odd.any():
        return ratings
    in_order, begin = Ratings(), 0
    for i in np.flatnonzero(is_odd).tolist():
        in_order.extend(ratings.part(begin, i))
        values: dict[str, JsonValue] = {name: texts[places[i]] for name, (texts, places) in written.items()}
        in_order.extend(_from_rows([Row(block.file, ratings.number[i], values)], log))
        begin = i + 1
    in_order.extend(ratings.part(begin, n))
    return in_order


def _name(cell: str) -> str:
    return parse_text(cell, max_length=MAX_NAME)


def _each(cells: Sequence[str], read: Callable[[str], Any]) -> list[Any]:
    """The result of `read` for each cell, `_Refused` where it raises BadValue."""
    found: list[Any] = []
    for cell in cells:
        try:
            found.append(read(cell))
        except BadValue:
            found.append(_Refused)
    return found


class FirstLook:
    """What a first reading of the file finds: the items that it names, and the words that answer its questions.

    Errors are ignored here: the second reading reports them.
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
