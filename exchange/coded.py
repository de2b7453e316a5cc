"""Whole columns at once, for the analysis of millions of ratings: each distinct text once, and a code per row.

A clean UTF-8 CSV or TSV goes through Arrow's parser; everything else, and everything with a fault in it, through
`read_rows`, so that both ways accept the same files, give the same cells and report the same rejects.
"""

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from .delimited import delimiter_of
from .headers import Columns
from .rejects import BadFile, RejectLog
from .row import JsonValue
from .rows import read_rows
from .text import byte_chunks, encoding_of, opened
from .values import BadValue, parse_number

_LF, _CR, _QUOTE = 10, 13, 34
_LABELS_AT_ONCE = 1 << 14
_PLAIN_NUMBERS = re.compile(r"-?[0-9]{1,17}(?:\.[0-9]{1,17})?(?:\n-?[0-9]{1,17}(?:\.[0-9]{1,17})?)*")


@dataclass(frozen=True)
class CodedColumn:
    """A column of n cells: cell i says labels[codes[i]].

    codes   (n,) int32, 0 ≤ code < len(labels)
    labels  distinct texts in no particular order; "" stands for an empty cell, null, or a missing JSON key
    """

    codes: NDArray[np.int32]
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def numbers(self) -> NDArray[np.float64]:
        """(n,) float64: the cells as numbers, NaN where a cell is not a finite number. Each label is read once."""
        return self.label_numbers()[self.codes]

    def label_numbers(self) -> NDArray[np.float64]:
        """(len(labels),) float64: the labels as numbers, NaN where one is not a finite number."""
        numbers = np.empty(len(self.labels))
        for first in range(0, len(self.labels), _LABELS_AT_ONCE):
            labels = self.labels[first : first + _LABELS_AT_ONCE]
            joined = "\n".join(labels)
            # Plain decimals, which nearly all scores are, need no look at each: together they are ten times as fast.
            plain = joined.count("\n") == len(labels) - 1 and _PLAIN_NUMBERS.fullmatch(joined)
            read = float if plain else _number
            numbers[first : first + len(labels)] = [read(label) for label in labels]
        return numbers

    def texts(self) -> list[str]:
        """The n cells as texts."""
        return [self.labels[code] for code in self.codes.tolist()]


def _number(label: str) -> float:
    try:
        return parse_number(label)
    except BadValue:
        return nan


@dataclass(frozen=True)
class CodedTable:
    """Columns of equal length n, and (n,) int64 `row_numbers`, as in `Row.number`, to report bad cells by."""

    file: str
    columns: dict[str, CodedColumn]
    row_numbers: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.row_numbers)

    def __getitem__(self, name: str) -> CodedColumn:
        return self.columns[name]


def read_columns(source: Path | BinaryIO, *, name: str, columns: Columns, log: RejectLog) -> CodedTable:
    """The columns of a table, cells as text: numbers of JSON and Parquet as JSON writes them (3.0 as "3").

    All columns are held in memory: about 4 bytes a cell and the distinct texts. Optional columns that are absent are
    absent from the result. Refused rows go to the log and are left out. Raises BadFile as `read_rows` does.
    """
    with opened(source, name) as stream:
        begin = stream.tell() if stream.seekable() else None
        if begin is not None:
            data = b"".join(byte_chunks(stream, name))
            table = _parse_clean(data, name, columns)
            del data
            # Arrow keeps what it has freed for its next table, hundreds of megabytes after a million rows.
            pa.default_memory_pool().release_unused()
            if table is not None:
                return table
            stream.seek(begin)
        return _collect(stream, name, columns, log)


def _collect(stream: BinaryIO, name: str, columns: Columns, log: RejectLog) -> CodedTable:
    """By way of `read_rows`: any format, faults reported."""
    coders: dict[str, _Coder] = {}
    numbers: list[int] = []
    for row in read_rows(stream, name=name, columns=columns, log=log):
        for label, value in row.values.items():
            coder = coders.get(label)
            if coder is None:
                coder = coders[label] = _Coder()
            coder.add(value, len(numbers))
        numbers.append(row.number)
    for label in columns.required:
        coders.setdefault(label, _Coder())
    return CodedTable(
        name, {label: coder.column(len(numbers)) for label, coder in coders.items()}, np.array(numbers, dtype=np.int64)
    )


class _Coder:
    """Collects one column's cells as codes."""

    def __init__(self) -> None:
        self._code_of: dict[str, int] = {}
        self._codes: list[int] = []

    def add(self, value: JsonValue, at: int) -> None:
        """Cell `at`; rows that were passed over had no such key and are empty."""
        self._pad(at)
        text = value if isinstance(value, str) else _as_text(value)
        self._codes.append(self._code_of.setdefault(text, len(self._code_of)))

    def column(self, n_rows: int) -> CodedColumn:
        self._pad(n_rows)
        return CodedColumn(np.array(self._codes, dtype=np.int32), tuple(self._code_of))

    def _pad(self, n_rows: int) -> None:
        if len(self._codes) < n_rows:
            empty = self._code_of.setdefault("", len(self._code_of))
            self._codes.extend([empty] * (n_rows - len(self._codes)))


def _as_text(value: JsonValue) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and isfinite(value) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)


def _parse_clean(data: bytes, name: str, columns: Columns) -> CodedTable | None:
    """The table where `data` is a faultless UTF-8 CSV or TSV without line breaks in cells; None: take the other way."""
    try:
        codec, mark = encoding_of(data[:4096], name)
    except BadFile:
        return None
    if (
        codec != "utf-8"
        or data[mark : mark + 1] in (b"[", b"{", b" ", b"\t", b"\n", b"\r", b"")
        or data.startswith(b"PAR1")
    ):
        return None
    if b"\0" in data or not _is_utf8(data):
        return None
    header_end = data.find(b"\n") + 1
    header_line = data[mark:header_end].decode()
    if header_end in (0, len(data)) or "\r" in header_line.removesuffix("\r\n"):
        return None
    delimiter = delimiter_of(header_line, columns)
    try:
        header = next(csv.reader([header_line], delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    found = [cell.strip() for cell in header]
    if not all(found):
        return None
    resolved = columns.check_header(found, file=name, row=1)
    if not _has_plain_lines(data, header_end, delimiter):
        return None
    n_rows = data.count(b"\n", header_end) + (not data.endswith(b"\n"))
    arrow = _parse(memoryview(data)[header_end:], found, [label for label in found if label in resolved], delimiter)
    if arrow is None or arrow.num_rows != n_rows:
        return None  # faulty or blank lines: the other way tells which
    parsed = {resolved[label]: _coded(arrow.column(label)) for label in arrow.column_names}
    if max((max(map(len, column.labels)) for column in parsed.values()), default=0) > csv.field_size_limit():
        return None  # refused there, so refused here
    return CodedTable(name, parsed, np.arange(2, n_rows + 2, dtype=np.int64))


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _has_plain_lines(data: bytes, begin: int, delimiter: str) -> bool:
    """True where each line from `begin` on is one row by the strict rules, which Arrow alone does not hold.

    That is: lines end in LF or CRLF, and quotes come in pairs that enclose whole cells without quotes or line breaks.
    """
    if b"\r" in data and data.count(b"\r", begin) != data.count(b"\r\n", begin):
        return False
    if data.find(b'"', begin) < 0:
        return True
    body = np.frombuffer(data, dtype=np.uint8, offset=begin)
    quotes = np.flatnonzero(body == _QUOTE)
    if len(quotes) % 2:
        return False
    opening, closing = quotes[0::2], quotes[1::2]
    before = np.where(opening == 0, _LF, body[opening - 1])
    after = np.where(closing == len(body) - 1, _LF, body[np.minimum(closing + 1, len(body) - 1)])
    if not np.isin(before, (ord(delimiter), _LF)).all() or not np.isin(after, (ord(delimiter), _LF, _CR)).all():
        return False
    ends = np.flatnonzero(body == _LF)
    return np.array_equal(np.searchsorted(ends, opening), np.searchsorted(ends, closing))


def _parse(body: memoryview, found: Sequence[str], wanted: Sequence[str], delimiter: str) -> pa.Table | None:
    """Arrow's table of dictionary columns; None where Arrow finds a fault."""
    try:
        return pyarrow.csv.read_csv(
            pa.BufferReader(pa.py_buffer(body)),
            read_options=pyarrow.csv.ReadOptions(column_names=list(found), block_size=8 * 1024 * 1024),
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=list(wanted),
                column_types={label: pa.dictionary(pa.int32(), pa.string()) for label in wanted},
                null_values=[],
                strings_can_be_null=False,
            ),
        )
    except (pa.ArrowException, OSError, ValueError):
        return None


def _coded(column: pa.ChunkedArray) -> CodedColumn:
    whole = column.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):  # older Arrow keeps a single chunk wrapped
        whole = whole.chunk(0)
    codes = whole.indices.to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
    return CodedColumn(codes, tuple(whole.dictionary.to_pylist()))
