"""Parquet files as rows in bounded memory."""

from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from math import isfinite
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from exchange.rejects import BadFile, RejectLog, bad_file
from exchange.tables.headers import Columns
from exchange.tables.row import JsonValue, Row
from exchange.text import MAX_LINE
from exchange.wording import listed

BATCH_ROWS = 4096
MAX_GROUP_BYTES = 2 * 1024**3
"""Unpacked size of one row group, which has to pass through memory."""
MAX_BATCH_TEXT = 256 * 1024 * 1024
"""Maximum bytes of text of one column in BATCH_ROWS records. A dictionary lets a small file declare far more."""
MAX_DECLARED_COLUMNS = 10_000
MAX_ROWS = 20_000_000
FREE_ROWS = 100_000
MAX_ROWS_PER_BYTE = 20
"""Rows that a byte of the file may represent, beyond FREE_ROWS: equal rows take no space, but just as long to read."""

_REWRITE = "write the file again, for example with pandas.DataFrame.to_parquet"


def open_parquet(stream: BinaryIO, name: str) -> pq.ParquetFile:
    """The open file, its size checked. Raises BadFile if it is not a complete Parquet file or would not fit."""
    try:
        n_bytes = stream.seek(0, 2)
        stream.seek(0)
        file = pq.ParquetFile(stream, pre_buffer=False)
        texts = [part.name for part in file.schema_arrow if _is_text(part.type)]
        if texts:
            # Texts stay coded until their sizes have been checked.
            stream.seek(0)
            file = pq.ParquetFile(stream, pre_buffer=False, read_dictionary=texts)
        n_rows = file.metadata.num_rows
        groups = [file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups)]
    except Exception as error:  # the library raises many kinds of errors for damaged bytes
        raise bad_file(name, f"the Parquet file cannot be read ({_first_line(error)})", _REWRITE) from error
    if n_rows > MAX_ROWS or n_rows > FREE_ROWS + MAX_ROWS_PER_BYTE * n_bytes:
        most = min(MAX_ROWS, FREE_ROWS + MAX_ROWS_PER_BYTE * n_bytes)
        problem = f"it has {n_rows:,} rows, more than {most:,}, which is the most for a file of {n_bytes:,} bytes"
        raise bad_file(name, problem, "split it, or leave out rows that say the same")
    if max(groups, default=0) > MAX_GROUP_BYTES:
        raise bad_file(
            name,
            f"a row group unpacks to {max(groups)} bytes, more than {MAX_GROUP_BYTES}",
            "write smaller row groups (row_group_size=100_000)",
        )
    if len(file.schema_arrow.names) > MAX_DECLARED_COLUMNS:
        raise bad_file(name, f"it has more than {MAX_DECLARED_COLUMNS} columns", "keep the columns that are needed")
    return file


def read_parquet(stream: BinaryIO, *, name: str, columns: Columns | None, log: RejectLog) -> Iterator[Row]:
    """One row per record, numbered from 1. Null stays None; dates and times become ISO 8601 text, decimals text.

    Records with NaN, infinite or binary values go to the log. Raises BadFile for damaged files and faulty columns.
    """
    file = open_parquet(stream, name)
    columns = columns or Columns()
    resolved = columns.check_header(file.schema_arrow.names, file=name, row=None)
    columns.warn_of_unused(file.schema_arrow.names, file=name, log=log)
    wanted = [label for label in file.schema_arrow.names if label in resolved]
    names = [resolved[label] for label in wanted]
    number = 0
    try:
        for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=wanted, use_threads=False):
            parts = [_values(batch.column(batch.schema.get_field_index(label)), label, name) for label in wanted]
            for cells in zip(*parts, strict=True):
                number += 1
                wrong = next((label for label, cell in zip(names, cells, strict=True) if isinstance(cell, _Bad)), None)
                if wrong is None:
                    yield Row(name, number, dict(zip(names, cells, strict=True)))
                    continue
                bad: _Bad = cells[names.index(wrong)]
                log.note(name, number, wrong, bad.value, bad.problem, bad.cure)
    except BadFile:
        raise
    except (pa.ArrowException, OSError, UnicodeDecodeError, ValueError, OverflowError) as error:
        problem = f"the Parquet file cannot be read after record {number} ({_first_line(error)})"
        raise bad_file(name, problem, _REWRITE, row=number + 1) from error


class _Bad:
    """Replaces a value that cannot be accepted."""

    def __init__(self, value: object, problem: str, cure: str) -> None:
        self.value = value
        self.problem = problem
        self.cure = cure


def _values(column: pa.Array, label: str, name: str) -> list[Any]:
    """A column's values as JSON values, `_Bad` for a value that has none. Raises BadFile if texts are too long."""
    kind = column.type
    if pa.types.is_dictionary(kind) and _is_text(kind.value_type):
        return _texts(column, label, name)
    values = column.to_pylist()
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return values
    return [_plain(value) for value in values]


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _texts(column: pa.DictionaryArray, label: str, name: str) -> list[Any]:
    """A coded column's texts, None for null. Raises BadFile if they are too long, individually or in total."""
    lengths = pc.binary_length(column.dictionary)
    longest = pc.max(lengths).as_py() or 0
    if longest > MAX_LINE:
        raise bad_file(name, f"a text has {longest} bytes, more than {MAX_LINE}", "shorten it", field=label)
    total = pc.sum(pc.take(lengths, column.indices).cast(pa.int64())).as_py() or 0
    if total > MAX_BATCH_TEXT:
        problem = f"{len(column)} records hold {total} bytes of text, more than {MAX_BATCH_TEXT}"
        raise bad_file(name, problem, "shorten the texts", field=label)
    labels = [_plain(text) for text in column.dictionary.to_pylist()]
    return [None if code is None else labels[code] for code in column.indices.to_pylist()]


def _plain(value: object) -> "JsonValue | _Bad":
    """A value of any Parquet type as a JSON value."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return _Bad(value, "a text holds a NUL character", "remove it") if "\0" in value else value
    if isinstance(value, float):
        return value if isfinite(value) else _Bad(value, f"{value} is not a number", "leave the cell null")
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, list):
        return _plain_parts(value)
    if isinstance(value, dict):
        parts = _plain_parts(list(value.values()))
        return parts if isinstance(parts, _Bad) else dict(zip(map(str, value), parts, strict=True))
    return _Bad(value, f"a value of type {type(value).__name__} cannot be taken", f"use {listed(['text', 'number'])}")


def _plain_parts(values: list[object]) -> "list[JsonValue] | _Bad":
    parts: list[JsonValue] = []
    for value in values:
        part = _plain(value)
        if isinstance(part, _Bad):
            return part
        parts.append(part)
    return parts


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
