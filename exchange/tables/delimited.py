"""CSV and TSV (RFC 4180, read strictly) as rows in bounded memory."""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain

from exchange.formulas import restore
from exchange.identity import identity
from exchange.rejects import RejectLog, bad_file
from exchange.tables.headers import Columns, folded
from exchange.tables.row import Row

DELIMITERS = ",\t;|"
FIRST_COLUMN = "(first column)"
"""The name of a first column without a name if all columns are wanted."""

_SEPARATOR = re.compile(r"[Ss][Ee][Pp]=(.)")
_QUOTE_CURE = 'put the cell in double quotes and write each double quote inside it twice ("")'


def delimiter_of(header: str, columns: Columns | None) -> str:
    """The delimiter of a header line: the one with most known columns, then most columns; comma in a tie."""
    return max(DELIMITERS, key=lambda delimiter: _merit(header, delimiter, columns))


def looks_like_header(line: str, columns: Columns) -> bool:
    """Whether at least half of a line's cells, by some delimiter, are names of the columns."""
    merits = (_merit(line, delimiter, columns) for delimiter in DELIMITERS)
    return any(n_known and 2 * n_known >= n_cells for n_known, n_cells in merits)


def _merit(header: str, delimiter: str, columns: Columns | None) -> tuple[int, int]:
    """(known columns, columns) of a header line."""
    known = {folded(name) for name in (*columns.required, *columns.optional, *columns.aliases)} if columns else set()
    try:
        cells = next(csv.reader([header], delimiter=delimiter))
    except csv.Error:
        return 0, 0
    return sum(folded(cell) in known for cell in cells), len(cells)


def read_delimited(
    lines: Iterator[str],
    *,
    name: str,
    columns: Columns | None,
    delimiter: str = "",
    n_skipped: int = 0,
    log: RejectLog,
) -> Iterator[Row]:
    """Rows under the first line that is not blank, which is the header. `number` is the line a row begins on.

    delimiter  "": found in the header
    n_skipped  number of the file's lines between its header and the rest of `lines`

    Blank lines are skipped, and before the header comments and Excel's `sep=;`. A first column without a name is left
    out if it holds only whole numbers, as pandas and R write the numbers of rows. An apostrophe that exports put
    before a formula's sign is removed.
    Rows with too few or too many cells, or with a stray quote, go to the log.
    Raises BadFile for a faulty header and for a quote that never closes.
    """
    n_before, header_line, lines, separator = _header_line(lines, name, columns, delimiter, log)
    reader = _Records(chain([header_line], lines), separator, n_before, name, log)
    header = next(reader, None)
    if header is None:
        raise bad_file(name, "the header cannot be read", _QUOTE_CURE, row=n_before + 1, value=header_line)
    reader.skip(n_skipped)
    n_cells = len(header.cells)
    found = [identity(cell) for cell in header.cells]
    while len(found) > 1 and not found[-1]:
        found.pop()  # spreadsheets leave empty columns at the right
    records: Iterator[_Record] = reader
    is_numbered = False
    if len(found) > 1 and not found[0]:
        first = next(reader, None)
        records = chain([] if first is None else [first], reader)
        is_numbered = first is not None and first.cells[0].strip().isdecimal()
        if is_numbered:
            log.remark(f"{name}: the first column has no name and numbers the rows; it is not read.")
        elif columns is None:
            found[0] = FIRST_COLUMN
    begin = int(is_numbered)
    columns = columns or Columns()
    resolved = columns.check_header(found[begin:], file=name, row=header.line)
    columns.warn_of_unused(found[begin:], file=name, log=log)
    kept = [(position, resolved[label]) for position, label in enumerate(found[begin:], begin) if label in resolved]
    whole = len(kept) == n_cells
    labels = [label for _, label in kept]
    for record in records:
        cells = record.cells
        if len(cells) != n_cells:
            log.note(
                name,
                record.line,
                "",
                " | ".join(cells),
                f"the row has {len(cells)} cells, the header has {n_cells}",
                'add the missing cells, or put cells that contain the delimiter in double quotes ("like, this")',
            )
        elif is_numbered and not cells[0].strip().isdecimal():
            raise bad_file(
                name,
                f'column 1 has no name, and "{cells[0][:60]}" is not a number of a row',
                "give the column a name or remove it",
                row=record.line,
                value=cells[0],
            )
        elif whole:
            yield Row(name, record.line, dict(zip(labels, cells, strict=True)))
        else:
            surplus = [cell for cell in cells[len(found) :] if cell]
            if surplus:
                log.note(name, record.line, "", surplus[0], "a cell is under no column", "name its column")
            else:
                yield Row(name, record.line, {label: cells[position] for position, label in kept})


def _header_line(
    lines: Iterator[str], name: str, columns: Columns | None, delimiter: str, log: RejectLog
) -> tuple[int, str, Iterator[str], str]:
    """(lines before the header, the header, the lines after it, the delimiter).

    It skips blank lines, `sep=;`, by which Excel knows the delimiter, and comments: lines that begin with "#"
    and have a different number of cells from the first line that does not.
    """
    n_before, said = 0, ""
    comments: list[str] = []
    for line in lines:
        excel = _SEPARATOR.fullmatch(line.strip("\r\n"))
        if not line.strip() or (excel and not comments and not said):
            said = excel[1] if excel else said
            n_before += 1
        elif line.startswith("#"):
            comments.append(line)
        else:
            break
    else:
        line = ""
    separator = delimiter or said or delimiter_of(line, columns)
    n_cells = _n_cells(line, separator)
    header = next((at for at, comment in enumerate(comments) if _n_cells(comment, separator) == n_cells > 1), None)
    if comments and (header is not None or not line):
        at = header or 0
        lines = chain(comments[at + 1 :], [line] if line else [], lines)
        line, comments = comments[at], comments[:at]
    if not line:
        raise bad_file(name, "the file holds nothing but blank lines", "check that the right file was chosen")
    if comments:
        log.remark(f'{name}: lines before the header that begin with "#" are not read ({len(comments)}).')
    return n_before + len(comments), line, lines, separator


def _n_cells(line: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=delimiter)))
    except csv.Error:
        return 0


class _Record:
    """The cells of one record and the line it begins on."""

    __slots__ = ("cells", "line")

    def __init__(self, cells: Sequence[str], line: int) -> None:
        self.cells = cells
        self.line = line


class _Records:
    """Iterates over records that are not blank; logs those with stray quotes, raises BadFile for an open quote."""

    def __init__(self, lines: Iterator[str], delimiter: str, n_before: int, name: str, log: RejectLog) -> None:
        self._reader = csv.reader(lines, delimiter=delimiter, strict=True)
        self._n_before = n_before
        self._name = name
        self._log = log
        self._at_end = False

    def skip(self, n: int) -> None:
        """Counts lines that were read elsewhere."""
        self._n_before += n

    def __iter__(self) -> "_Records":
        return self

    def __next__(self) -> _Record:
        while not self._at_end:
            begins_on = self._n_before + self._reader.line_num + 1
            try:
                cells = next(self._reader)
            except csv.Error as error:
                self._report(error, begins_on)
                continue
            if cells:
                return _Record([restore(cell) if cell.startswith("'") else cell for cell in cells], begins_on)
        raise StopIteration

    def _report(self, error: csv.Error, begins_on: int) -> None:
        reason = str(error)
        ends_on = self._n_before + self._reader.line_num
        if "unexpected end" in reason:
            raise bad_file(
                self._name,
                "a double quote opens in this row and never closes",
                _QUOTE_CURE,
                row=begins_on,
            ) from error
        if "field limit" in reason:
            raise bad_file(
                self._name,
                f"a cell is longer than {csv.field_size_limit()} characters; most often a double quote opens in this "
                f"row and never closes",
                _QUOTE_CURE,
                row=begins_on,
            ) from error
        lines = f"line {begins_on}" if ends_on <= begins_on else f"lines {begins_on} to {ends_on}"
        self._log.note(
            self._name, begins_on, "", "", f"a double quote is inside a quoted cell ({lines} skipped)", _QUOTE_CURE
        )
