"""Files to download, written as streams: CSV, JSON lines, Parquet, and the dictionary that explains them."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from math import isinf, isnan
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple, Self, TextIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from exchange.formulas import MAY_BE_RISKY, UNDO_NOTE, neutralise

CHUNK_ROWS = 1_000
GROUP_ROWS = 20_000
"""Of a row group in Parquet."""
ColumnType = Literal["text", "integer", "number", "boolean", "timestamp", "json"]

_ARROW: dict[str, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "json": pa.string(),
}


_AS_THEY_ARE = frozenset((int, Decimal, type(None)))
"""Types of cells that the CSV writer already writes correctly; None is an empty cell."""
_PLAIN: dict[ColumnType, type] = {"text": str, "integer": int, "boolean": bool}
"""If a column has only one of these types, and None, its cells need no check. Floats may be NaN, times naive."""
_WORDS = {True: "true", False: "false"}


class Column(NamedTuple):
    """One column of an export: its name, its type, its unit or range, and what it means in a sentence."""

    name: str
    type: ColumnType
    unit: str
    meaning: str


Cells = Sequence[object]


def csv_chunks(
    names: Sequence[str], rows: Iterable[Cells], *, byte_order_mark: bool = False, has_header: bool = True
) -> Iterator[str]:
    """The rows as CSV (RFC 4180) in pieces of CHUNK_ROWS rows; encode as UTF-8.

    names  the header; each row has one cell for each of them, otherwise ValueError
    has_header  whether the names come first
    byte_order_mark  begins with U+FEFF, which makes Excel read the file as UTF-8

    Text cells that a spreadsheet would run get an apostrophe in front (`formulas`); numbers stay numbers. None and
    NaN are empty, infinity is "inf", booleans are true and false, times ISO 8601, lists and dictionaries JSON.
    """
    buffer = io.StringIO(newline="")
    # CRLF, as RFC 4180 requires: with LF only, Python 3.11 would not quote a cell that holds a CR.
    writer = csv.writer(buffer, lineterminator="\r\n")
    if has_header:
        writer.writerow([neutralise(name) for name in names])
    lead = "\ufeff" if byte_order_mark else ""
    remaining = iter(rows)
    while batch := list(islice(remaining, CHUNK_ROWS)):
        for row in batch if {*map(len, batch)} != {len(names)} else ():
            _checked(row, names)
        writer.writerows(zip(*map(_csv_column, zip(*batch, strict=True)), strict=True))
        yield lead + _taken(buffer)
        lead = ""
    if rest := lead + _taken(buffer):
        yield rest


def json_line_chunks(names: Sequence[str], rows: Iterable[Cells]) -> Iterator[str]:
    """The rows as JSON lines in pieces of CHUNK_ROWS rows. None, NaN and "" are null, infinity is the text "inf"."""
    remaining = iter(rows)
    while batch := list(islice(remaining, CHUNK_ROWS)):
        yield "".join(
            json.dumps(
                {name: _json_cell(_plain(cell)) for name, cell in zip(names, _checked(row, names), strict=True)},
                ensure_ascii=False,
                allow_nan=False,
            )
            + "\n"
            for row in batch
        )


def write_parquet(
    target: Path | BinaryIO, columns: Sequence[Column], rows: Iterable[Cells], *, batch_rows: int = GROUP_ROWS
) -> int:
    """Writes the rows as Parquet in row groups of `batch_rows`; returns the number of rows.

    Types come from the columns: text and json are strings, integer int64, number float64, timestamp microseconds UTC
    (a naive one is taken as UTC). None is null, and so are NaN and the empty text. Raises ValueError or
    pyarrow.ArrowInvalid for a cell that is not of its column's type; a path that was begun is then removed.
    """
    schema = _schema(columns)
    n_rows = 0
    remaining = iter(rows)
    try:
        with pq.ParquetWriter(target, schema, compression="zstd") as writer:
            while batch := list(islice(remaining, batch_rows)):
                writer.write_table(_arrow_table(columns, schema, batch))
                n_rows += len(batch)
    except BaseException:
        if isinstance(target, Path):
            target.unlink(missing_ok=True)
        raise
    return n_rows


class TwoFiles:
    """A table that is written as CSV and as Parquet at the same time, so that its rows are read and built once.

    The files are those that `csv_chunks` and `write_parquet` make of the same rows. `with` closes both; after an
    error, the caller removes incomplete files.
    """

    def __init__(self, csv_file: TextIO, parquet: Path, columns: Sequence[Column], *, batch_rows: int = GROUP_ROWS):
        self._csv, self._columns, self._batch_rows = csv_file, columns, batch_rows
        self._names = [column.name for column in columns]
        self._schema = _schema(columns)
        self._parquet = pq.ParquetWriter(parquet, self._schema, compression="zstd")
        self._rows: list[Cells] = []
        self._csv.writelines(csv_chunks(self._names, ()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._parquet:
            if kind is None:
                self._flush()

    def add(self, row: Cells) -> None:
        self._rows.append(row)
        if len(self._rows) == self._batch_rows:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._csv.writelines(csv_chunks(self._names, self._rows, has_header=False))
            self._parquet.write_table(_arrow_table(self._columns, self._schema, self._rows))
            self._rows = []


def _schema(columns: Sequence[Column]) -> pa.Schema:
    return pa.schema([pa.field(column.name, _ARROW[column.type]) for column in columns])


def _arrow_table(columns: Sequence[Column], schema: pa.Schema, batch: Sequence[Cells]) -> pa.Table:
    cells = zip(*(_checked(row, columns) for row in batch), strict=True)
    arrays = [
        pa.array(_arrow_column(part, column.type), type=_ARROW[column.type])
        for part, column in zip(cells, columns, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def data_dictionary(columns: Sequence[tuple[str, str, str, str]], *, title: str, notes: Sequence[str] = ()) -> str:
    """The dictionary of a file as Markdown: a table of (name, type, unit or range, meaning), then the notes.

    The note on apostrophes before formulas is always included.
    """
    lines = [f"# {title}", "", "| column | type | unit or range | meaning |", "|---|---|---|---|"]
    lines += ["| " + " | ".join(_markdown_cell(part) for part in column) + " |" for column in columns]
    general = (
        "CSV: UTF-8, comma, CRLF; a double quote inside a cell is written twice; an empty cell is a missing value",
        "CSV: infinity is inf; times are ISO 8601 with their zone",
        "JSON lines: UTF-8, one object per line; null is a missing value, also in Parquet",
        UNDO_NOTE.replace("Text cells", "In CSV, text cells", 1),
    )
    lines += ["", "## Notes", "", *(f"- {note}" for note in (*notes, *general)), ""]
    return "\n".join(lines)


def _taken(buffer: io.StringIO) -> str:
    """The text written so far; the buffer is empty afterwards."""
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def _checked(row: Cells, columns: Sequence[object]) -> Cells:
    if len(row) != len(columns):
        raise ValueError(f"a row has {len(row)} cells for {len(columns)} columns: {row!r}")
    return row


def _plain(cell: object) -> object:
    """A cell as it is written: NumPy scalars as Python's own, NaN and the empty text as None, which means "missing"."""
    value = _python(cell)
    return None if value == "" else value


def _python(cell: object) -> object:
    """NumPy scalars as Python's own, NaN as None."""
    value = cell.item() if isinstance(cell, np.generic) else cell
    return None if isinstance(value, float) and isnan(value) else value


def _csv_column(cells: Cells) -> Cells:
    """Some cells of a column as the CSV writer takes them. Nearly all columns have one type, and there are millions
    of cells, so their types are checked once for all of them."""
    kinds = set(map(type, cells)) - _AS_THEY_ARE
    if not kinds:
        return cells
    if kinds == {str} and MAY_BE_RISKY.isdisjoint({cell[:1] for cell in cells if type(cell) is str}):
        return cells
    if kinds == {bool}:
        return [_WORDS.get(cell, cell) if type(cell) is bool else cell for cell in cells]
    if kinds == {float}:
        return [None if cell != cell else cell for cell in cells]
    if kinds == {datetime}:
        return [cell.isoformat() if type(cell) is datetime else cell for cell in cells]
    return [cell if type(cell) in _AS_THEY_ARE else _csv_cell(cell) for cell in cells]


def _csv_cell(cell: object) -> object:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, str):
        return neutralise(cell)
    if isinstance(cell, datetime):
        return cell.isoformat()
    value = _plain(cell)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | dict | tuple):
        return json.dumps(_json_cell(value), ensure_ascii=False)
    return neutralise(str(value))


def _json_cell(cell: object) -> object:
    value = _python(cell)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return str(value) if isinf(value) else value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): _json_cell(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_json_cell(part) for part in value]
    return str(value)


def _arrow_column(cells: Cells, kind: ColumnType) -> Cells:
    kinds = set(map(type, cells)) - {type(None)}
    if kinds <= {_PLAIN.get(kind)}:
        return [cell or None for cell in cells] if kind == "text" else cells
    if kind == "text" and kinds <= {str, Decimal}:
        return [None if cell is None or cell == "" else str(cell) for cell in cells]
    if kind == "number" and kinds <= {float, int}:
        return [None if cell != cell else cell for cell in cells]
    if kind == "timestamp" and kinds == {datetime}:
        return [cell.replace(tzinfo=UTC) if isinstance(cell, datetime) and not cell.tzinfo else cell for cell in cells]
    return [_arrow_cell(cell, kind) for cell in cells]


def _arrow_cell(cell: object, kind: ColumnType) -> object:
    value = _plain(cell)
    if value is None:
        return None
    if kind == "json":
        return json.dumps(_json_cell(value), ensure_ascii=False)
    if kind == "text":
        return value if isinstance(value, str) else str(value)
    if kind == "timestamp" and isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return value


def _markdown_cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
