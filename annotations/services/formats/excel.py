"""A workbook for people: thumbnails with the figures of each question, the single ratings, and the questions."""

from collections.abc import Iterator
from typing import IO

import numpy as np

from annotations.models import Study
from annotations.services.exports import Rows
from annotations.services.formats.answers import Answered, answered
from exchange.writing.workbook import Book, Column, thumbnail
from generation.models import Image
from generation.queries.stored_files import FileGone, opened

MOST_THUMBNAILS = 5_000
"""Thumbnails stay in memory until the workbook is complete, about 15 KB each."""
IDS_AT_ONCE = 100
RATINGS = (
    Column("item", 24),
    Column("rater", 18),
    Column("rater_kind", 12),
    Column("dimension", 18),
    Column("value", 12),
    Column("label", 30),
    Column("answered_at", 20),
    Column("active_ms", 12),
)
QUESTIONS = (Column("dimension", 18), Column("question", 60), Column("value", 12), Column("label", 40))


def write(study: Study, target: IO[bytes]) -> None:
    """Sheets Items, Ratings and Questions; `--sheet Ratings` reads the ratings again.

    Times are in UTC. Only the first 5,000 images have thumbnails; the column then says so.
    """
    found = answered(study)
    book = Book()
    more = " (of the first 5,000)" if len(found.rows.data.units) > MOST_THUMBNAILS else ""
    asked = [name for one in found.rows.data.dimensions for name in (f"n {one.name}", f"mean {one.name}")]
    columns = [Column(f"image{more}", 28, is_picture=True), Column("item", 24), Column("prompt", 50), Column("method")]
    book.add("Items", [*columns, *map(Column, asked)], _items(found))
    book.add("Ratings", RATINGS, _ratings(found))
    book.add("Questions", QUESTIONS, _questions(found))
    book.save(target)


def _items(found: Answered) -> Rows:
    """Only ordered scales have means; codes of choices have none."""
    data = found.rows.data
    places = zip(found.rows.item.tolist(), found.rows.image.tolist(), strict=True)
    row_of = {place: at for at, place in enumerate(places)}
    n = np.zeros((len(data.units), len(data.dimensions)), np.int64)
    mean = np.full(n.shape, np.nan)
    for column, one in enumerate(data.dimensions):
        unit = np.asarray(one.units)[one.ratings.unit]
        count = np.bincount(unit, minlength=len(data.units))
        n[:, column] = count
        if one.is_ordinal:
            total = np.bincount(unit, one.ratings.values[one.ratings.level], minlength=len(data.units))
            np.divide(total, count, out=mean[:, column], where=count > 0)
    pictures = _thumbnails([one.image for place, one in found.units.items() if place in row_of])
    for place, rated in found.units.items():
        if (at := row_of.get(place)) is None:
            continue
        figures = [
            figure
            for count, average in zip(n[at].tolist(), mean[at].tolist(), strict=True)
            for figure in (count, None if average != average else average)
        ]
        yield next(pictures), rated.name, rated.prompt, rated.method, *figures


def _thumbnails(images: list[int]) -> Iterator[bytes | str | None]:
    """One per image in their order; None for no image, for one held elsewhere, and beyond MOST_THUMBNAILS. Where the
    file is missing it is words that say so."""
    for begin in range(0, len(images), IDS_AT_ONCE):
        part = images[begin : begin + IDS_AT_ONCE]
        known = Image.objects.in_bulk(part) if begin < MOST_THUMBNAILS else {}
        for pk in part:
            image = known.get(pk)
            if image is None or not image.shown:
                yield None
                continue
            try:
                with opened(image.shown) as file:
                    yield thumbnail(file.read())
            except FileGone:
                yield "file missing"


def _ratings(found: Answered) -> Rows:
    for one in found.given():
        yield (
            *(one.unit.name, one.rater, one.rater_kind, one.dimension.name, one.cell),
            *("" if one.value is None else one.words, one.answered_at, one.active_ms),
        )


def _questions(found: Answered) -> Rows:
    for dimension in found.dimensions:
        for level in dimension.levels or [{"value": None, "label": ""}]:
            value = None if level["value"] is None else float(level["value"])
            yield dimension.name, dimension.question, value, level["label"]
