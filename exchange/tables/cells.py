"""Reads the cells of one row with the parsers of `values`, logging what cannot be taken."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from math import nan
from typing import TypeVar

from exchange.rejects import RejectLog
from exchange.tables.row import JsonValue, Row
from exchange.tables.values import BadValue, is_missing

from . import values

T = TypeVar("T")


class Cells:
    """The cells of one row, read one by one; `ok` turns False with the first that is refused.

    Every method logs a reject for a cell that cannot be taken and then returns a placeholder of its type, so that all
    faults of a row are reported at once. Look at `ok` before using what was read.
    """

    def __init__(self, row: Row, log: RejectLog) -> None:
        self.row = row
        self.ok = True
        self._log = log

    def reject(self, field: str, problem: str, cure: str) -> None:
        """Refuses the row for a reason that only the caller knows."""
        self.ok = False
        self._note(field, self.row.values.get(field) or "", problem, cure)

    def has(self, field: str) -> bool:
        return not is_missing(self.row.values.get(field))

    def text(self, field: str, *, max_length: int = values.MAX_TEXT, required: bool = True) -> str:
        """Text; "" if an optional one is missing."""
        return self._read(field, lambda cell: values.parse_text(cell, max_length=max_length), "", required)

    def known_text(self, field: str, *, max_length: int, required: bool = True) -> str:
        """A text that is likely to occur again in other rows."""
        value = self.row.values.get(field)
        if isinstance(value, str) and value:
            if (
                len(value) <= max_length
                and value.isascii()
                and value.isprintable()
                and " " not in (value[0], value[-1])
            ):
                return value  # every text is valid here
            with suppress(BadValue):  # what is wrong with it is logged below
                return values.parse_known_text(value, max_length)
        return self.text(field, max_length=max_length, required=required)

    def name(self, field: str, *, max_length: int, required: bool = True) -> str:
        """A text that names something: names that are nearly the same are among the log's warnings."""
        name = self.known_text(field, max_length=max_length, required=required)
        if name:
            self._log.spellings.meet(self.row.file, field, (name,))
        return name

    def slug(self, field: str, *, required: bool = True) -> str:
        """An identifier; "" if an optional one is missing."""
        return self._read(field, values.parse_slug, "", required)

    def number(self, field: str, *, low: float | None = None, high: float | None = None) -> float:
        return self._read(field, lambda cell: values.parse_number(cell, low=low, high=high), nan, True)

    def optional_number(self, field: str, *, low: float | None = None, high: float | None = None) -> float | None:
        return self.number(field, low=low, high=high) if self.has(field) else None

    def integer(self, field: str, *, low: int | None = None, high: int | None = None) -> int:
        return self._read(field, lambda cell: values.parse_integer(cell, low=low, high=high), 0, True)

    def optional_integer(self, field: str, *, low: int | None = None, high: int | None = None) -> int | None:
        return self.integer(field, low=low, high=high) if self.has(field) else None

    def answer(self, field: str, scale: Sequence[float], words: Mapping[str, float] | None = None) -> float | None:
        """A value of `scale`, or None for "unable to answer"; `words` are labels and their values."""
        return self._read(field, lambda cell: values.parse_answer(cell, scale, words), None, True)

    def boolean(self, field: str, *, default: bool | None = None) -> bool:
        """True or false; `default` if the cell is missing (None: the cell is required)."""
        return self._read(field, values.parse_boolean, bool(default), default is None)

    def timestamp(self, field: str) -> datetime | None:
        """A moment with its zone (UTC if none is given); None if the cell is missing."""
        return self._read(field, values.parse_timestamp, None, False)

    def _read(self, field: str, parse: Callable[[JsonValue], T], placeholder: T, required: bool) -> T:
        value = self.row.values.get(field)
        if not required and is_missing(value):
            return placeholder
        try:
            return parse(value)
        except BadValue as bad:
            self.ok = False
            self._note(field, "" if value is None else value, bad.problem, bad.cure)
            return placeholder

    def _note(self, field: str, value: object, problem: str, cure: str) -> None:
        called = self.row.field if field == "value" and self.row.field else field
        self._log.note(self.row.file, self.row.number, called, value, problem, cure, place=self.row.place)
