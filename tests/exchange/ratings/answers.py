"""The answers that the files of these tests hold, and how they are read."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import pytest

from exchange.ratings.mapping import Mapping
from exchange.ratings.reading import opened_ratings
from exchange.rejects import BadFile, RejectLog

Triple = tuple[str, str, str, str]
ITEMS = ("p1_base.png", "p1_ref.png", "p2_base.png", "p2_ref.png")
VALUES = {
    ("p1_base.png", "ann"): 2,
    ("p1_base.png", "ben"): 3,
    ("p1_ref.png", "ann"): 4,
    ("p1_ref.png", "ben"): 5,
    ("p2_base.png", "ann"): 1,
    ("p2_base.png", "ben"): 2,
    ("p2_ref.png", "ann"): 3,
    ("p2_ref.png", "ben"): 3,
}
ANSWERS = {(item, rater, str(value)) for (item, rater), value in VALUES.items()}


def table(rows: Sequence[Sequence[object]], delimiter: str = ",") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode()


def read(content: bytes, name: str = "f.csv", mapping: Mapping | None = None) -> tuple[list[Triple], Any, RejectLog]:
    log = RejectLog()
    with opened_ratings([(name, io.BytesIO(content))], mapping=mapping, log=log) as given:
        rows = [
            tuple(_text(row.values.get(part)) for part in ("item", "rater", "dimension", "value"))
            for row in given.rows(log)
        ]
        assert given.tally.n_answers == len(rows)
    return rows, given, log  # type: ignore[return-value]


def _text(value: object) -> str:
    return "" if value is None else str(value)


def triples(content: bytes, name: str = "f.csv", mapping: Mapping | None = None) -> set[tuple[str, str, str]]:
    return {(item, rater, value) for item, rater, _, value in read(content, name, mapping)[0]}


def refusal(content: bytes, name: str = "f.csv") -> str:
    with pytest.raises(BadFile) as caught:
        read(content, name)
    return str(caught.value)
