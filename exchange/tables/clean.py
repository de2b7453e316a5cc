"""UTF-8 CSV and TSV without any fault, parsed by Arrow: a whole file, or block after block.

Anything that is not clearly faultless is left to `delimited`, which says what is wrong with it.
"""

import csv
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from exchange.formulas import may_be_harmless
from exchange.identity import identity
from exchange.rejects import BadFile
from exchange.tables.delimited import delimiter_of
from exchange.tables.headers import Columns
from exchange.text import MAX_LINE, encoding_of

_LF, _CR, _QUOTE = 10, 13, 34


class Header(NamedTuple):
    """The first line of a file.

    found      the columns' names, resolved  those that are wanted by the names to use
    delimiter  between cells, end  the place behind the line, line  its text
    """

    found: list[str]
    resolved: dict[str, str]
    delimiter: str
    end: int
    line: str


def clean_header(data: bytes, name: str, columns: Columns) -> Header | None:
    """The header with which `data` begins, if there is nothing unusual about it."""
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
    end = data.find(b"\n") + 1
    if end == 0 or b"\0" in data[:end] or not _is_utf8(data[:end]) or may_be_harmless(data[:end]):
        return None
    line = data[mark:end].decode()
    if "\r" in line.removesuffix("\r\n") or line.startswith("#") or line[:4].lower() == "sep=":
        return None
    delimiter = delimiter_of(line, columns)
    try:
        header = next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    found = [identity(cell) for cell in header]
    if not all(found):
        return None
    try:
        resolved = columns.check_header(found, file=name, row=1)
    except BadFile:
        return None
    return Header(found, resolved, delimiter, end, line)


def clean_cells(data: bytes, begin: int, header: Header) -> pa.Table | None:
    """The wanted columns of the lines from `begin` on; None if any line is unusual: `delimited` then says which."""
    if b"\0" in data or not _is_utf8(data) or may_be_harmless(data):
        return None
    if not _has_plain_lines(data, begin, header.delimiter):
        return None
    wanted = [label for label in header.found if label in header.resolved]
    cells = _parse(memoryview(data)[begin:], header.found, wanted, header.delimiter)
    if cells is None or cells.num_rows != n_lines(data, begin):
        return None
    if any((pc.max(pc.utf8_length(column)).as_py() or 0) > csv.field_size_limit() for column in cells.itercolumns()):
        return None  # refused there, so refused here
    return cells


def n_lines(data: bytes, begin: int = 0) -> int:
    """How many lines there are from `begin` on; the last may lack its end."""
    return data.count(b"\n", begin) + (len(data) > begin and not data.endswith(b"\n"))


def whole_lines(stream: BinaryIO, begun: bytes, size: int) -> Iterator[bytes]:
    """The bytes already read and the rest of a stream, in pieces of about `size` bytes that end with a line.

    Ends early, before a line that is longer than any line may be.
    """
    rest = begun
    while True:
        chunk = stream.read(size)
        cut = (rest + chunk).rfind(b"\n") + 1 if chunk else len(rest)
        rest += chunk
        if cut:
            yield rest[:cut]
        rest = rest[cut:]
        if not chunk or len(rest) > MAX_LINE:
            return


def each_line_is_a_row(data: bytes) -> bool:
    """Whether no cell can continue in the next line, so that lines with faults can be read by themselves."""
    return b'"' not in data and b"\0" not in data and data.count(b"\r") == data.count(b"\r\n") and _is_utf8(data)


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _has_plain_lines(data: bytes, begin: int, delimiter: str) -> bool:
    """True if each line from `begin` on is one row by the strict rules, which Arrow alone does not enforce.

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
    """Arrow's table of texts; None if Arrow finds a fault."""
    try:
        return pyarrow.csv.read_csv(
            pa.BufferReader(pa.py_buffer(body)),
            read_options=pyarrow.csv.ReadOptions(column_names=list(found), block_size=2 * 1024 * 1024),
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=list(wanted),
                column_types=dict.fromkeys(wanted, pa.string()),
                null_values=[],
                strings_can_be_null=False,
            ),
        )
    except (pa.ArrowException, OSError, ValueError):
        return None
