"""Existing human ratings as outside tables write them, one answer per row."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from annotations.reports.study.files.answers import MOST_CATEGORIES
from exchange.identity import identity
from exchange.ratings.reading import RatingsFile
from exchange.rejects import RejectLog
from exchange.study_tables import ONE_DIMENSION
from exchange.tables.cells import Cells
from exchange.tables.row import Row
from exchange.tables.values import text_of

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
    for row in given.rows(log):
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


class FirstLook:
    """What a first reading of the file finds: the items that it names, and the words that answer its questions.

    Faults are passed over: the real reading reports them.
    """

    def __init__(self, given: RatingsFile) -> None:
        self._given = given
        self._nowhere = RejectLog(keep=0)
        self.labels: dict[str, set[str]] = {}

    def items(self) -> Iterator[str]:
        """The items in the order of the rows."""
        for row in self._given.rows(self._nowhere):
            cells = Cells(row, self._nowhere)
            key = cells.known_text("item", max_length=MAX_NAME)
            labels = self.labels.setdefault(text_of(row.values.get("dimension", ONE_DIMENSION)), set())
            value = row.values.get("value")
            if len(labels) <= MOST_CATEGORIES and value not in labels:
                labels.add(identity(text_of(value)))
            if cells.ok:
                yield key
