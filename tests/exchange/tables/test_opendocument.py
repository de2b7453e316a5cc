"""Merged cells of OpenDocument sheets count like those of Excel: for each row that they cover, in the first column."""

import io
import zipfile

from exchange.rejects import RejectLog
from exchange.tables.rows import read_rows
from exchange.text import Dialect

NAMES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
)
KIND = "application/vnd.oasis.opendocument.spreadsheet"


def cell(text: object, **more: int) -> str:
    spans = "".join(f' table:{name}="{n}"' for name, n in more.items()).replace("_", "-")
    if isinstance(text, int):
        return f'<table:table-cell office:value-type="float" office:value="{text}"{spans}/>'
    return f'<table:table-cell office:value-type="string"{spans}><text:p>{text}</text:p></table:table-cell>'


def covered(n: int = 1) -> str:
    return f'<table:covered-table-cell table:number-columns-repeated="{n}"/>'


def row(*cells: str, times: int = 1) -> str:
    return f'<table:table-row table:number-rows-repeated="{times}">{"".join(cells)}</table:table-row>'


def workbook(**sheets: list[str]) -> io.BytesIO:
    tables = "".join(f'<table:table table:name="{name}">{"".join(rows)}</table:table>' for name, rows in sheets.items())
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {NAMES} office:version="1.3"><office:body>'
        f"<office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
    )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("mimetype", KIND)
        archive.writestr("content.xml", content)
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{KIND}"/></manifest:manifest>',
        )
    target.seek(0)
    return target


EMPTY = "<table:table-cell/>"


def test_a_long_and_a_wide_table_with_merged_items() -> None:
    book = workbook(
        notes=[row(cell("not this one", number_rows_spanned=3, number_columns_spanned=1)), row(covered(), times=2)],
        ratings=[
            row(EMPTY, times=2),
            row(cell("item"), cell("rater"), cell("value")),
            row(cell("a.png", number_rows_spanned=3, number_columns_spanned=1), cell("ann"), cell(1)),
            row(covered(), cell("ben"), cell(2)),
            row(covered(), cell("cy"), cell(2)),
            row(cell("b.png"), cell("ann"), cell(4, number_columns_spanned=1, number_rows_spanned=2)),
            row(cell("c.png"), cell("ann"), covered()),
        ],
    )
    log = RejectLog()

    rows = list(read_rows(book, name="r.ods", dialect=Dialect(sheet="ratings"), log=log))

    assert [tuple(one.values.values()) for one in rows] == [
        ("a.png", "ann", 1),
        ("a.png", "ben", 2),
        ("a.png", "cy", 2),
        ("b.png", "ann", 4),
        ("c.png", "ann", 4),
    ]
    assert rows[0].number == 4
    (sentence,) = log.remarks
    assert sentence.endswith("A4 to A6, C7 to C8.")


def test_cells_that_are_merged_over_columns_only_are_not_repeated() -> None:
    book = workbook(
        ratings=[
            row(cell("item"), cell("rater1"), cell("rater2")),
            row(cell("a.png"), cell(3, number_columns_spanned=2, number_rows_spanned=1), covered()),
            row(cell("b.png"), cell(1), cell(2)),
        ]
    )

    rows = list(read_rows(book, name="r.ods", log=RejectLog()))

    assert [[one.values.get(name) or None for name in ("rater1", "rater2")] for one in rows] == [[3, None], [1, 2]]
