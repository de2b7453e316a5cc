"""Exports: what is written can be read back, and a spreadsheet runs none of it."""

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from math import inf, nan
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.export import Column, TwoFiles, csv_chunks, data_dictionary, json_line_chunks, write_parquet
from exchange.formulas import neutralise, restore
from exchange.rejects import RejectLog
from exchange.tables.rows import read_rows

NAMES = ["item", "value"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "'=1", "''-x"])
def test_texts_that_a_spreadsheet_would_run(text: str) -> None:
    safe = neutralise(text)
    assert safe == "'" + text
    assert restore(safe) == text


@pytest.mark.parametrize("text", ["", "a=b", "'tis", " =1", "3", "a fox"])
def test_other_texts_stay(text: str) -> None:
    assert neutralise(text) == text
    assert restore(text) == text


@given(st.text(alphabet="'=+-@\t\r\nax＝", max_size=6))
def test_every_text_can_be_restored(text: str) -> None:
    safe = neutralise(text)
    assert restore(safe) == text
    assert not safe.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def test_numbers_stay_numbers() -> None:
    content = "".join(csv_chunks(["a"] * 7, [[-1, -0.5, Decimal("-2.50"), np.float64(-3), np.int64(-4), "-1", "=x"]]))
    assert content.splitlines()[1] == "-1,-0.5,-2.50,-3.0,-4,'-1,'=x"


def test_what_is_missing_and_what_is_not_text() -> None:
    row = [None, nan, np.nan, inf, True, np.bool_(False), datetime(2025, 1, 2, tzinfo=UTC), {"a": [1, nan]}]
    content = "".join(csv_chunks(list("abcdefgh"), [row]))
    assert next(csv.reader([content.splitlines()[1]])) == [
        "", "", "", "inf", "true", "false", "2025-01-02T00:00:00+00:00", '{"a": [1, null]}',
    ]  # fmt: skip
    line = "".join(json_line_chunks(list("abcdefgh"), [row]))
    assert list(json.loads(line).values()) == [
        None, None, None, "inf", True, False, "2025-01-02T00:00:00+00:00", {"a": [1, None]},
    ]  # fmt: skip


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@given(st.lists(st.tuples(cells, cells), max_size=5), st.booleans())
def test_csv_round_trip(rows: list[tuple[str, str]], mark: bool) -> None:
    content = "".join(csv_chunks(NAMES, rows, byte_order_mark=mark)).encode()
    log = RejectLog()
    read = list(read_rows(io.BytesIO(content), name="f", log=log))
    assert not log, log.first
    assert [tuple(row.values.values()) for row in read] == rows


@given(
    st.lists(st.tuples(cells, st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)), max_size=5)
)
def test_json_lines_round_trip(rows: list[tuple[str, float | None]]) -> None:
    content = "".join(json_line_chunks(NAMES, rows)).encode()
    if rows:
        read = list(read_rows(io.BytesIO(content), name="f", log=RejectLog()))
        assert [tuple(row.values.values()) for row in read] == [(text or None, value) for text, value in rows]
    else:
        assert content == b""


def test_chunks_come_while_rows_are_still_being_made() -> None:
    taken = 0

    def rows() -> object:
        nonlocal taken
        for taken in range(1, 10_001):
            yield [taken, "x"]

    for chunks in (csv_chunks(NAMES, rows()), json_line_chunks(NAMES, rows())):  # type: ignore[arg-type]
        next(chunks)
        assert taken <= 1_001


def test_a_missing_text_is_null_and_an_empty_cell(tmp_path: Path) -> None:
    columns = [Column("a", "text", "", ""), Column("b", "json", "", "")]
    row = ["", {"inner": ""}]
    assert json.loads("".join(json_line_chunks(["a", "b"], [row]))) == {"a": None, "b": {"inner": ""}}
    assert "".join(csv_chunks(["a", "b"], [row])).splitlines()[1] == ',"{""inner"": """"}"'
    write_parquet(tmp_path / "t.parquet", columns, [row])
    assert pq.read_table(tmp_path / "t.parquet").to_pylist() == [{"a": None, "b": '{"inner": ""}'}]


def test_no_rows() -> None:
    assert "".join(csv_chunks(NAMES, [])) == "item,value\r\n"
    assert "".join(csv_chunks(NAMES, [], byte_order_mark=True)) == "\ufeffitem,value\r\n"
    assert "".join(json_line_chunks(NAMES, [])) == ""


def test_rows_of_another_length_are_our_own_mistake() -> None:
    for write in (csv_chunks, json_line_chunks):
        with pytest.raises(ValueError, match="3 cells for 2 columns"):
            list(write(NAMES, [[1, 2, 3]]))


COLUMNS = [
    Column("item", "text", "", "what was rated"),
    Column("value", "number", "1–5", "the answer | higher is better"),
    Column("n", "integer", "≥ 0", "count"),
    Column("ok", "boolean", "", "flag"),
    Column("at", "timestamp", "UTC", "when"),
    Column("more", "json", "", "the rest"),
]


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    moment = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
    rows = [["a", 1.5, 2, True, moment, {"k": "é"}], ["=b", nan, None, None, None, None]] * 3
    assert write_parquet(path, COLUMNS, rows, batch_rows=4) == 6
    table = pq.read_table(path)
    assert pq.ParquetFile(path).num_row_groups == 2
    assert [str(kind) for kind in table.schema.types] == [
        "string", "double", "int64", "bool", "timestamp[us, tz=UTC]", "string",
    ]  # fmt: skip
    assert table.slice(0, 1).to_pylist() == [
        {"item": "a", "value": 1.5, "n": 2, "ok": True, "at": moment, "more": '{"k": "é"}'}
    ]
    assert table.slice(1, 1).to_pylist() == [
        {"item": "=b", "value": None, "n": None, "ok": None, "at": None, "more": None}
    ]
    log = RejectLog()
    assert len(list(read_rows(path, name="x", log=log))) == 6
    assert not log


def test_parquet_without_rows_and_to_a_stream() -> None:
    stream = io.BytesIO()
    assert write_parquet(stream, COLUMNS, []) == 0
    assert pq.read_table(io.BytesIO(stream.getvalue())).num_rows == 0


def test_half_a_parquet_file_is_not_left_behind(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    with pytest.raises(pa.ArrowInvalid):
        write_parquet(path, COLUMNS[2:3], [["not a number"]])
    assert not path.exists()


@pytest.mark.parametrize("n_rows", [0, 3, 4, 9])
def test_both_files_at_once_are_those_of_each_alone(tmp_path: Path, n_rows: int) -> None:
    moment = datetime(2026, 5, 1, 12, tzinfo=UTC)
    rows: list[list[object]] = [
        [f"=item {i}", (None, float("nan"), 1, 2.5)[i % 4], i or None, i % 2 == 0, moment, [i] if i % 3 else None]
        for i in range(n_rows)
    ]
    with (
        (tmp_path / "both.csv").open("w", encoding="utf-8", newline="") as file,
        TwoFiles(file, tmp_path / "both.parquet", COLUMNS, batch_rows=4) as both,
    ):
        for row in rows:
            both.add(row)
    write_parquet(tmp_path / "alone.parquet", COLUMNS, rows, batch_rows=4)
    names = [column.name for column in COLUMNS]
    assert (tmp_path / "both.csv").read_bytes().decode() == "".join(csv_chunks(names, rows))
    assert (tmp_path / "both.parquet").read_bytes() == (tmp_path / "alone.parquet").read_bytes()


def test_cells_of_any_type_have_their_columns_type_in_parquet(tmp_path: Path) -> None:
    """A column of one type takes a shorter way than a mixed one; both lead to the same cells."""
    noon, naive = datetime(2026, 5, 1, 12, tzinfo=UTC), datetime(2026, 5, 1, 12)  # noqa: DTZ001 (a naive one is meant)
    columns = [
        Column("text", "text", "", ""),
        Column("number", "number", "", ""),
        Column("at", "timestamp", "", ""),
    ]
    plain: list[list[object]] = [[Decimal("1.50"), 2.5, naive], ["", float("nan"), noon], [None, 3, None]]
    mixed: list[list[object]] = [*plain, [np.str_("x"), np.float64("nan"), noon]]
    for rows in (plain, mixed):
        write_parquet(tmp_path / "t.parquet", columns, rows)
        assert pq.read_table(tmp_path / "t.parquet").to_pylist()[:3] == [
            {"text": "1.50", "number": 2.5, "at": noon},
            {"text": None, "number": None, "at": noon},
            {"text": None, "number": 3.0, "at": None},
        ]


def test_data_dictionary() -> None:
    text = data_dictionary(COLUMNS, title="Ratings", notes=["Simulated raters"])
    assert text.startswith("# Ratings\n\n| column | type | unit or range | meaning |\n|---|---|---|---|\n")
    assert "| value | number | 1–5 | the answer \\| higher is better |" in text
    assert "- Simulated raters\n" in text
    assert "remove the first apostrophe" in text
