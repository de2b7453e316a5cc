"""Whole columns at once, for the analysis of millions of ratings.

A clean UTF-8 CSV or TSV goes through Arrow's parser; everything else, and everything with a fault in it, through
`read_rows`, so that both ways accept the same files, give the same cells and report the same rejects.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from math import nan
from pathlib import Path
from typing import Any, BinaryIO, Self, SupportsIndex

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from exchange.identity import OUTER, identity, near_matches
from exchange.rejects import Reject, RejectLog
from exchange.tables.cells import Cells
from exchange.tables.clean import Header, clean_cells, clean_header, each_line_is_a_row, n_lines, whole_lines
from exchange.tables.delimited import read_delimited
from exchange.tables.headers import Columns
from exchange.tables.packed import unpacked
from exchange.tables.row import JsonValue, Row
from exchange.tables.rows import read_rows
from exchange.tables.values import BadValue, parse_number, text_of
from exchange.text import PLAIN, Dialect, byte_chunks, lines_of, opened

_ASCII_BLANKS = "\t\n\v\f\r\x1c\x1d\x1e\x1f "
_MANY_NAMES = 20_000
BLOCK = 64 * 1024
ROWS_IN_BLOCK = 2_000
_PLAIN_NUMBER = r"^-?[0-9]{1,17}(?:\.[0-9]{1,17})?(?:[eE][+-]?[0-9]{1,2})?$"
"""What Arrow reads as `parse_number` does: correctly rounded, and finite."""


class CodedColumn:
    """A column of n cells: cell i is labels[codes[i]], and "" for an empty cell, null, or a missing JSON key.

    codes   (n,) int32, 0 ≤ code < len(labels)
    labels  distinct texts as `identity` spells them, in the order in which they first occur

    Cells are kept as they were read until their codes are first needed. A column that is only read as numbers or looked
    up among names need not be coded, and coding takes longer than reading the file. A single cell, `column[i]`, is as
    the file has it.
    """

    def __init__(self, cells: pa.ChunkedArray | pa.DictionaryArray) -> None:
        self._cells = cells

    @classmethod
    def of(cls, texts: Sequence[str] | NDArray[np.object_]) -> Self:
        return cls(pa.chunked_array([texts], pa.string()))

    def __len__(self) -> int:
        return len(self._cells)

    def __getitem__(self, row: SupportsIndex) -> str:
        text: str = self._cells[row].as_py()
        return text

    @cached_property
    def codes(self) -> NDArray[np.int32]:
        return np.asarray(self._coded().indices)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        return tuple(self._coded().dictionary.to_pylist())

    def written(self) -> tuple[list[str], list[int]]:
        """The distinct cells as the file has them, in the order in which they first occur, and the code of each cell.

        Call it before the column is coded.
        """
        coded = self._cells.dictionary_encode().combine_chunks()
        return coded.dictionary.to_pylist(), coded.indices.to_pylist()

    def texts(self) -> NDArray[np.object_]:
        """(n,) the cells; equal ones share one text."""
        return np.array(self.labels, object)[self.codes]

    def ranked(self) -> tuple[list[str], NDArray[np.int64]]:
        """The labels that are not blank, sorted, and (n,) the index of each cell among them, −1 for a blank one."""
        labels = self._coded().dictionary
        named = np.flatnonzero(~np.asarray(_blanks(labels)))
        named = named[np.asarray(pc.sort_indices(labels.take(named)))]
        place = np.full(len(labels), -1, np.int64)
        place[named] = np.arange(len(named))
        return labels.take(named).to_pylist(), place[self.codes]

    def index_in(self, names: Sequence[str]) -> NDArray[np.int64]:
        """(n,) the index of each cell's identity in `names`, −1 if it is not among them."""
        among = pa.array(names, pa.string())
        return self._each(lambda texts: _places(texts, among)).astype(np.int64)

    def blanks(self) -> NDArray[np.bool_]:
        """(n,) whether a cell has no visible characters."""
        return self._each(_blanks)

    def near_matches(self) -> list[tuple[str, ...]]:
        """The labels that are nearly the same, in groups: see `identity.near_matches`."""
        labels = self._coded().dictionary
        return near_matches((labels if len(labels) < _MANY_NAMES else _perhaps_alike(labels)).to_pylist())

    def those_among(self, words: Collection[str]) -> list[str]:
        """The labels that are one of these words in lower case."""
        labels = self._coded().dictionary
        return labels.filter(pc.is_in(pc.utf8_lower(labels), value_set=pa.array(sorted(words)))).to_pylist()

    def numbers(self) -> NDArray[np.float64]:
        """(n,) the cells as `parse_number` reads them, NaN if a cell is not a finite number."""
        return self._each(_numbers)

    def _coded(self) -> pa.DictionaryArray:
        if not isinstance(self._cells, pa.DictionaryArray):
            self._cells = _with_identities(self._cells.dictionary_encode().combine_chunks())
        return self._cells

    def _each(self, read: Callable[[pa.Array | pa.ChunkedArray], Any]) -> NDArray[Any]:
        """The result of `read` for each cell; if the cells are coded, it is called once for each label."""
        if isinstance(self._cells, pa.DictionaryArray):
            return np.asarray(read(self._cells.dictionary))[self.codes]
        return np.asarray(read(self._cells))


def _with_identities(cells: pa.DictionaryArray) -> pa.DictionaryArray:
    """The same cells with their labels as `identity` spells them; labels that become the same are joined."""
    spelled = _identities(cells.dictionary)
    if spelled.equals(cells.dictionary):
        return cells
    joined = spelled.dictionary_encode()
    return pa.DictionaryArray.from_arrays(joined.indices.take(cells.indices), joined.dictionary)


def _identities(texts: pa.Array) -> pa.Array:
    spelled = pc.ascii_trim(texts, _ASCII_BLANKS)
    is_odd = pc.invert(pc.string_is_ascii(texts))
    odd = texts.filter(is_odd).to_pylist()
    return pc.replace_with_mask(spelled, is_odd, pa.array(map(identity, odd), pa.string())) if odd else spelled


def _places(texts: pa.Array | pa.ChunkedArray, among: pa.Array) -> NDArray[np.int64]:
    """The index of each text in `among`; looked up as it is first, since nearly all texts are spelled correctly."""
    places = np.asarray(pc.index_in(texts, among).fill_null(-1)).copy()
    if (places < 0).any():
        missed = texts.filter(pa.array(places < 0))
        labels = missed.unique()
        found = np.asarray(pc.index_in(_identities(labels), among).fill_null(-1))
        places[places < 0] = found[np.asarray(pc.index_in(missed, labels))]
    return places


def _blanks(texts: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    return pc.equal(pc.utf8_trim(texts, OUTER), "")


def _perhaps_alike(names: pa.Array) -> pa.Array:
    """The names that may be nearly the same as another one, with some false hits: a fast scan of a million names."""
    if not pc.all(pc.string_is_ascii(names)).as_py():
        return names
    coarse = pc.ascii_lower(names)
    for joint in "_-+" + _ASCII_BLANKS:
        coarse = pc.replace_substring(coarse, joint, "")
    codes = np.asarray(pc.ascii_trim(coarse, "0.").dictionary_encode().indices)
    return names.filter(pa.array(np.bincount(codes)[codes] > 1))


def _numbers(texts: pa.Array | pa.ChunkedArray) -> NDArray[np.float64]:
    is_plain = pc.match_substring_regex(texts, _PLAIN_NUMBER)
    numbers = np.array(pc.if_else(is_plain, texts, None).cast(pa.float64()))
    is_odd = ~np.asarray(is_plain)
    if is_odd.any():
        odd = texts.filter(is_odd)
        labels = odd.unique()
        numbers[is_odd] = np.take([_number(label) for label in labels.to_pylist()], pc.index_in(odd, labels))
    return numbers


def _number(label: str) -> float:
    try:
        return parse_number(label)
    except BadValue:
        return nan


@dataclass(frozen=True)
class CodedTable:
    """Columns of equal length n, and (n,) int64 `row_numbers`, as in `Row.number`, to report bad cells by.

    places  (n,) which of the answers of its row each is, and `fields` what the file calls its value; empty if each
            row of the file is one answer
    refused (n,) which rows were refused by `refuse`
    """

    file: str
    columns: dict[str, CodedColumn]
    row_numbers: NDArray[np.int64]
    places: Sequence[int] = ()
    fields: Sequence[str] = ()
    refused: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))

    def __post_init__(self) -> None:
        if len(self.refused) != len(self.row_numbers):
            object.__setattr__(self, "refused", np.zeros(len(self.row_numbers), bool))

    def refuse(self, log: RejectLog, row: int, field: str, value: object, problem: str, cure: str) -> None:
        """Records a row that is left out, by its number in the file and by the file's name for the cell."""
        self.refused[row] = True
        called = self.fields[row] if field == "value" and self.fields else field
        place = self.places[row] if self.places else 0
        log.note(self.file, int(self.row_numbers[row]), called, value, problem, cure, place=place)

    def __len__(self) -> int:
        return len(self.row_numbers)

    def __getitem__(self, name: str) -> CodedColumn:
        return self.columns[name]


def read_columns(
    source: Path | BinaryIO, *, name: str, columns: Columns, dialect: Dialect = PLAIN, log: RejectLog
) -> CodedTable:
    """The columns of a table, cells as text: numbers of JSON and Parquet as JSON writes them (3.0 as "3").

    All columns are held in memory: of a clean CSV about as much as the file has, else 4 bytes per cell and the distinct
    texts. Optional columns that are absent are absent from the result. Refused rows go to the log and are left out.
    Raises BadFile as `read_rows` does.
    """
    with opened(source, name) as given, unpacked(given, name) as stream:
        begin = stream.tell() if stream.seekable() else None
        if begin is not None and dialect == PLAIN:
            table = _parse_clean(b"".join(byte_chunks(stream, name, size=-1)), name, columns, log)
            release_memory()
            if table is not None:
                return table
            stream.seek(begin)
        rows = read_rows(stream, name=name, columns=columns, dialect=dialect, log=log)
        return collect_columns(rows, name=name, columns=columns, log=log)


def release_memory() -> None:
    """Releases memory that Arrow keeps from freed columns: hundreds of megabytes for a million rows."""
    pa.default_memory_pool().release_unused()


def collect_columns(rows: Iterable[Row], *, name: str, columns: Columns, log: RejectLog) -> CodedTable:
    """Rows as columns; `columns` says which are needed, and which hold names."""
    coders: dict[str, _Coder] = {}
    numbers: list[int] = []
    places: list[int] = []
    fields: list[str] = []
    for row in rows:
        unnamed = next((name for name in columns.names if isinstance(row.values.get(name), bool | dict | list)), None)
        if unnamed is not None:
            Cells(row, log).text(unnamed)  # refused in the same way as in every importer
            continue
        for label, value in row.values.items():
            coder = coders.get(label)
            if coder is None:
                coder = coders[label] = _Coder()
            coder.add(value, len(numbers))
        numbers.append(row.number)
        if row.field or fields:
            fields += ["value"] * (len(numbers) - 1 - len(fields))
            places += [0] * (len(numbers) - 1 - len(places))
            fields.append(row.field or "value")
            places.append(row.place)
    for label in columns.required:
        coders.setdefault(label, _Coder())
    found = {label: coder.column(len(numbers)) for label, coder in coders.items()}
    return CodedTable(name, found, np.array(numbers, dtype=np.int64), places, fields)


class _Coder:
    """Collects one column's cells as codes."""

    def __init__(self) -> None:
        self._code_of: dict[str, int] = {}
        self._codes: list[int] = []

    def add(self, value: JsonValue, at: int) -> None:
        """Cell `at`; rows that were skipped did not have this key and are empty."""
        self._pad(at)
        text = value if isinstance(value, str) else text_of(value)
        self._codes.append(self._code_of.setdefault(text, len(self._code_of)))

    def column(self, n_rows: int) -> CodedColumn:
        self._pad(n_rows)
        codes, labels = pa.array(self._codes, pa.int32()), pa.array(self._code_of, pa.string())
        return CodedColumn(_with_identities(pa.DictionaryArray.from_arrays(codes, labels)))

    def _pad(self, n_rows: int) -> None:
        if len(self._codes) < n_rows:
            empty = self._code_of.setdefault("", len(self._code_of))
            self._codes.extend([empty] * (n_rows - len(self._codes)))


def _parse_clean(data: bytes, name: str, columns: Columns, log: RejectLog) -> CodedTable | None:
    """The table if `data` is a faultless UTF-8 CSV or TSV without line breaks in cells; None: read it by rows."""
    header = clean_header(data, name, columns)
    if header is None or header.end == len(data):
        return None
    cells = clean_cells(data, header.end, header)
    if cells is None:
        return None
    columns.warn_of_unused(header.found, file=name, log=log)
    return _table(name, header, cells, 2)


def _table(name: str, header: Header, cells: pa.Table, first_row: int) -> CodedTable:
    found = {header.resolved[label]: CodedColumn(cells.column(label)) for label in cells.column_names}
    return CodedTable(name, found, np.arange(first_row, first_row + cells.num_rows, dtype=np.int64))


def read_blocks(
    stream: BinaryIO, *, name: str, columns: Columns, dialect: Dialect = PLAIN, log: RejectLog, size: int = BLOCK
) -> Iterator[CodedTable | list[Row]]:
    """The rows that `read_rows` gives, with the same rejects, a block at a time.

    A block is a table of columns if its lines are faultless CSV or TSV, otherwise a list of rows. Memory: a few times
    `size`, the bytes in a block. Raises BadFile as `read_rows` does.
    """
    begin = stream.tell() if stream.seekable() else None
    n_read = 0
    if begin is not None and dialect == PLAIN:
        data = stream.read(size)
        header = clean_header(data, name, columns)
        if header is not None and header.end < len(data):
            columns.warn_of_unused(header.found, file=name, log=log)
            n_read, is_whole = 1, True
            for lines in whole_lines(stream, data[header.end :], size):
                cells = clean_cells(lines, 0, header)
                is_whole = cells is not None or each_line_is_a_row(lines)
                if not is_whole:
                    break
                if cells is not None:
                    yield _table(name, header, cells, n_read + 1)
                else:
                    texts = lines_of(iter([header.line + lines.decode()]), name)
                    yield list(
                        read_delimited(
                            texts, name=name, columns=columns, delimiter=header.delimiter, n_skipped=n_read - 1, log=log
                        )
                    )
                n_read += n_lines(lines)
            is_whole = is_whole and not stream.read(1)
            release_memory()
            if is_whole:
                return
        stream.seek(begin)
    rows = read_rows(stream, name=name, columns=columns, dialect=dialect, log=_Later(log, n_read) if n_read else log)
    later = (row for row in rows if row.number > n_read)
    while block := list(islice(later, ROWS_IN_BLOCK)):
        yield block


class _Later(RejectLog):
    """Passes on rejects of rows after the first `n_read`, which were read before."""

    def __init__(self, log: RejectLog, n_read: int) -> None:
        super().__init__(keep=0)
        self._to, self._n_read = log, n_read

    def add(self, reject: Reject) -> None:
        if reject.row is None or reject.row > self._n_read:
            self._to.place = self.place
            self._to.add(reject)

    def warn(self, sentence: str) -> None:
        self._to.warn(sentence)

    def remark(self, sentence: str) -> None:
        self._to.remark(sentence)
