"""CSV and TSV (RFC 4180, read strictly) as rows in bounded memory."""

import csv
from collections.abc import Iterator, Sequence
from itertools import chain

from .headers import Columns, folded
from .rejects import RejectLog, bad_file
from .row import Row

DELIMITERS = ",\t;"

_QUOTE_CURE = 'put the cell in double quotes and write each double quote inside it twice ("")'


def delimiter_of(header: str, columns: Columns | None) -> str:
    """The delimiter of a header line: the one that yields most known columns, then most columns; comma in a tie."""
    known = {folded(name) for name in (*columns.required, *columns.optional, *columns.aliases)} if columns else set()

    def merit(delimiter: str) -> tuple[int, int]:
        try:
            cells = next(csv.reader([header], delimiter=delimiter))
        except csv.Error:
            return 0, 0
        return sum(folded(cell) in known for cell in cells), len(cells)

    return max(DELIMITERS, key=merit)


def read_delimited(lines: Iterator[str], *, name: str, columns: Columns | None, log: RejectLog) -> Iterator[Row]:
    """Rows under the first line that is not blank, which is the header. `number` is the line a row begins on.

    Blank lines are skipped. Rows with too few or too many cells, or with a stray quote, go to the log.
    Raises BadFile for a faulty header and for a quote that never closes.
    """
    n_blank = 0
    header_line = ""
    for line in lines:
        if line.strip():
            header_line = line
            break
        n_blank += 1
    if not header_line:
        raise bad_file(name, "the file holds nothing but blank lines", "check that the right file was chosen")
    reader = _Records(chain([header_line], lines), delimiter_of(header_line, columns), n_blank, name, log)
    header = next(reader, None)
    if header is None:
        raise bad_file(name, "the header cannot be read", _QUOTE_CURE, row=n_blank + 1, value=header_line)
    n_cells = len(header.cells)
    found = [cell.strip().removeprefix("\ufeff") for cell in header.cells]
    while len(found) > 1 and not found[-1]:
        found.pop()  # spreadsheets leave empty columns at the right
    resolved = (columns or Columns()).check_header(found, file=name, row=header.line)
    kept = [(position, resolved[label]) for position, label in enumerate(found) if label in resolved]
    whole = len(kept) == n_cells
    labels = [label for _, label in kept]
    for record in reader:
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
        elif whole:
            yield Row(name, record.line, dict(zip(labels, cells, strict=True)))
        else:
            surplus = [cell for cell in cells[len(found) :] if cell]
            if surplus:
                log.note(name, record.line, "", surplus[0], "a cell stands under no column", "name its column")
            else:
                yield Row(name, record.line, {label: cells[position] for position, label in kept})


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
                return _Record(cells, begins_on)
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
            self._name, begins_on, "", "", f"a double quote stands inside a quoted cell ({lines} skipped)", _QUOTE_CURE
        )
