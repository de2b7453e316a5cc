"""Existing human ratings as outside tables write them, one answer a row."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from exchange.cells import Cells
from exchange.headers import Columns
from exchange.tables import RejectLog, Row, read_rows
from generation.queries.importers import Source

MAX_NAME = 200
COLUMNS = Columns(
    ("item", "rater", "dimension", "value"),
    ("answered_at", "active_ms"),
    {
        "image": "item",
        "item_key": "item",
        "annotator": "rater",
        "worker": "rater",
        "rater_id": "rater",
        "question": "dimension",
        "rating": "value",
        "score": "value",
        "timestamp": "answered_at",
    },
    extra="drop",
)
MAX_ACTIVE_MS = 2**31 - 1


class RatingRow(NamedTuple):
    """One answer of the file. `row` is kept because the value can be judged only once its dimension is known."""

    row: Row
    item: str
    rater: str
    dimension: str
    answered_at: datetime | None
    active_ms: int | None


def read_ratings(source: Source, log: RejectLog) -> Iterator[RatingRow]:
    """The ratings of a table with item, rater, dimension, value and perhaps answered_at and active_ms."""
    for row in read_rows(source.content, name=source.name, columns=COLUMNS, log=log):
        cells = Cells(row, log)
        rating = RatingRow(
            row,
            cells.text("item", max_length=MAX_NAME),
            cells.text("rater", max_length=MAX_NAME),
            cells.text("dimension", max_length=MAX_NAME),
            cells.timestamp("answered_at") if "answered_at" in row.values else None,
            cells.optional_integer("active_ms", low=0, high=MAX_ACTIVE_MS) if "active_ms" in row.values else None,
        )
        if cells.ok:
            yield rating


def item_keys(source: Source) -> Iterator[str]:
    """The items that the rows name, in their order. Faults are passed over: the real reading reports them."""
    nowhere = RejectLog(keep=0)
    for row in read_rows(source.content, name=source.name, columns=COLUMNS, log=nowhere):
        cells = Cells(row, nowhere)
        key = cells.text("item", max_length=MAX_NAME)
        if cells.ok:
            yield key


@dataclass(frozen=True)
class SeekedSource:
    """A source that is read several times: each reading begins where the first did."""

    source: Source
    start: int

    @classmethod
    def of(cls, source: Source) -> "SeekedSource":
        content = source.content
        return cls(source, content.tell() if hasattr(content, "tell") else 0)

    def again(self) -> Source:
        if hasattr(self.source.content, "seek"):
            self.source.content.seek(self.start)
        return self.source
