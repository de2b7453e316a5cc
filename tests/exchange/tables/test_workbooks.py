"""Which sheet of a workbook is read, and what is said where that is not clear."""

import io

import pytest
from openpyxl import Workbook

from exchange.rejects import BadFile, RejectLog
from exchange.study_tables import RATINGS
from exchange.tables.headers import Columns
from exchange.tables.rows import read_rows

HEADER = ["item", "rater", "value"]


def workbook(**sheets: list[list[object]]) -> io.BytesIO:
    book, stream = Workbook(), io.BytesIO()
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    del book["Sheet"]
    book.save(stream)
    stream.seek(0)
    return stream


def refusal(stream: io.BytesIO, columns: Columns | None = None) -> str:
    with RejectLog() as log, pytest.raises(BadFile) as refused:
        list(read_rows(stream, name="book.xlsx", columns=columns, log=log))
    return str(refused.value)


def test_a_sheet_of_notes_is_not_meant() -> None:
    book = workbook(Notes=[["How to rate"], ["1 is bad"]], Answers=[["item", "ann"], ["a.png", 3]])
    with RejectLog() as log:
        rows = list(read_rows(book, name="book.xlsx", columns=None, log=log))
    assert [row.values for row in rows] == [{"item": "a.png", "ann": 3}]
    assert log.warnings == ['book.xlsx: the sheet "Answers" was read, and "Notes" not.']


def test_a_sheet_for_each_rater_is_refused_with_what_to_do() -> None:
    sheets: dict[str, list[list[object]]] = {name: [["item", "value"], ["a.png", 3]] for name in ("ann", "ben")}
    said = refusal(workbook(**sheets))
    assert 'could be meant: "ann", "ben"' in said
    assert "--sheet" in said
    assert "pack these into a zip" in said
    others = workbook(ann=[["item", "value"], ["a.png", 3]], items=[["item", "prompt"], ["a.png", "a fox"]])
    assert "zip" not in refusal(others)


def test_a_title_above_the_header_is_named() -> None:
    said = refusal(workbook(ann=[["Results of May"], [], HEADER, ["a.png", "ann", 3]]), RATINGS)
    assert 'if "Results of May" is a title, delete the rows above' in said
    assert "title" not in refusal(workbook(ann=[["item", "ann"], ["a.png", 3]]), RATINGS)


def test_formulas_that_nobody_calculated_are_named() -> None:
    rows: list[list[object]] = [HEADER, *([f"{n}.png", "ann", f"={n}+0" if n < 3 else n] for n in range(1, 5))]
    with RejectLog() as log:
        read = list(read_rows(workbook(ann=rows), name="book.xlsx", columns=RATINGS, log=log))
    assert [row.values["value"] for row in read] == ["", "", 3, 4]
    (said,) = log.warnings
    assert said.startswith("book.xlsx: 2 cells of the workbook hold a formula whose value is not stored")
