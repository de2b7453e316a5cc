"""Workbooks (.xlsx, .xlsm, .xls, .xlsb, .ods) as rows of one of their sheets."""

import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from html import unescape
from typing import Any, BinaryIO

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetVisibleEnum

from exchange.formulas import restore
from exchange.identity import identity
from exchange.rejects import RejectLog, bad_file
from exchange.tables.delimited import FIRST_COLUMN
from exchange.tables.headers import Columns
from exchange.tables.row import JsonValue, Row
from exchange.wording import listed

MOST_BYTES = 1024**3
"""Maximum unpacked size of a workbook in bytes; the sheet that is read passes through memory."""
OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"

_Cells = list[Any]
_Range = tuple[tuple[int, int], tuple[int, int]]
"""((top, left), (bottom, right)), from 0, both ends included."""
_TAG = re.compile(
    rb"<(?:[\w.-]+:)?(table|table-row|table-cell|covered-table-cell)((?:\s+[\w.:-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*)\s*/?>"
)
_ATTRIBUTE = re.compile(rb"(?:[\w.-]+:)?([\w.-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_NO_VALUE = re.compile(rb"</f>(?:<v\s*/>|<v></v>)?</c>")
_KIND = b"application/vnd.oasis.opendocument.spreadsheet"


def read_workbook(
    stream: BinaryIO, *, name: str, columns: Columns | None, sheet: str = "", log: RejectLog
) -> Iterator[Row]:
    """The rows of a sheet under its first row that is not blank. `number` is the sheet's own row number.

    sheet  its name; "": the only one that holds cells, or the only one with the needed columns

    Numbers come as numbers, whole ones as int; dates and times as ISO 8601 text. Raises BadFile for workbooks that
    cannot be read, for a sheet that does not exist, and if several sheets could be meant.
    """
    _check_size(stream, name)
    try:
        workbook = CalamineWorkbook.from_filelike(stream)
        chosen, found = _chosen(workbook, name, columns, sheet, stream, log)
    except (CalamineError, OSError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise bad_file(name, f"the workbook cannot be read ({reason})", "save it again, or as CSV UTF-8") from error
    if n := _formulas_without_value(stream):
        what = "1 cell of the workbook holds" if n == 1 else f"{n:,} cells of the workbook hold"
        log.warn(
            f"{name}: {what} a formula whose value is not stored, and count{'s' * (n == 1)} as empty: open it in a "
            "spreadsheet program, save it, and send it again."
        )
    yield from sheet_rows(
        found, name=name if len(workbook.sheet_names) == 1 else f"{name}, {chosen}", columns=columns, log=log
    )


def _check_size(stream: BinaryIO, name: str) -> None:
    try:
        with zipfile.ZipFile(stream) as archive:
            n_bytes = sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError):
        n_bytes = 0  # an old workbook is not a zip
    stream.seek(0)
    if n_bytes > MOST_BYTES:
        raise bad_file(name, f"the workbook unpacks to {n_bytes:,} bytes, more than {MOST_BYTES:,}", "split it")


def _chosen(
    workbook: CalamineWorkbook, name: str, columns: Columns | None, sheet: str, stream: BinaryIO, log: RejectLog
) -> tuple[str, list[tuple[int, _Cells]]]:
    names = workbook.sheet_names
    if sheet:
        by_name = {identity(own): own for own in names}
        if identity(sheet) not in by_name:
            raise bad_file(name, f'there is no sheet "{sheet}"; there {_are(names)}', "name one of them")
        return sheet, _read(workbook.get_sheet_by_name(by_name[identity(sheet)]), stream, name, log)
    visible = {m.name for m in workbook.sheets_metadata if m.visible == SheetVisibleEnum.Visible} or set(names)
    sheets = {own: workbook.get_sheet_by_name(own) for own in names if own in visible}
    filled = {own: rows for own, one in sheets.items() if (rows := _filled(one.to_python(skip_empty_area=False)))}
    if not filled:
        raise bad_file(name, "no sheet holds any cells", "check that the right file was chosen")
    fitting = list(filled)
    if len(filled) > 1:
        if columns is not None:
            fitting = [own for own, rows in filled.items() if not columns.missing(columns.resolve(_header(rows[0][1])))]
        else:  # a sheet of one column holds a note, or a list
            fitting = [own for own, rows in filled.items() if len(_header(rows[0][1])) > 1]
        fitting = fitting or list(filled)
    if len(fitting) > 1:
        cure = f'name one, such as "{fitting[0]}", by --sheet or as "sheet" in a mapping'
        if _are_alike([filled[own] for own in fitting]):
            cure += "; if each is one rater's, save each as a CSV with the rater's name and pack these into a zip"
        raise bad_file(name, f"{len(fitting)} sheets could be meant: {listed(fitting)}", cure, field="sheet")
    if len(filled) > 1:
        others = [own for own in filled if own != fitting[0]]
        log.warn(f'{name}: the sheet "{fitting[0]}" was read, and {listed(others)} not.')
    return fitting[0], _read(sheets[fitting[0]], stream, name, log)


def _are_alike(sheets: Sequence[list[tuple[int, _Cells]]]) -> bool:
    """Whether all have the same header."""
    return len({tuple(_header(rows[0][1])) for rows in sheets}) == 1


def _are(names: Sequence[str]) -> str:
    return f"{'is' if len(names) == 1 else 'are'} {listed(names)}"


def _read(sheet: CalamineSheet, stream: BinaryIO, name: str, log: RejectLog) -> list[tuple[int, _Cells]]:
    """(row number, cells) of the rows that are not blank; the value of merged cells below the header is in each row."""
    rows = sheet.to_python(skip_empty_area=False)
    header = next((n for n, cells in enumerate(rows) if any(map(_is_filled, cells))), 0)
    filled: list[str] = []
    merged = sheet.merged_cell_ranges or ()
    if _is_opendocument(stream):
        merged = _merged_in_opendocument(stream, sheet.name)
    for (top, left), (bottom, _right) in merged:
        if top > header and bottom > top and left < len(rows[top]):
            for cells in rows[top + 1 : bottom + 1]:
                cells[left] = rows[top][left]
            filled.append(f"{_letters(left)}{top + 1} to {_letters(left)}{bottom + 1}")
    if filled:
        more = f" and {len(filled) - 3:,} more" if len(filled) > 3 else ""
        log.remark(
            f"{name}: cells that are merged over several rows count for each of these rows: "
            f"{', '.join(filled[:3])}{more}."
        )
    return _filled(rows)


def _letters(column: int) -> str:
    """A column as spreadsheets call it: A, B … Z, AA."""
    text = ""
    column += 1
    while column:
        column, place = divmod(column - 1, 26)
        text = chr(65 + place) + text
    return text


def _filled(rows: list[_Cells]) -> list[tuple[int, _Cells]]:
    """(row number, cells) of the rows that are not blank."""
    return [(n, cells) for n, cells in enumerate(rows, start=1) if any(_is_filled(cell) for cell in cells)]


def _is_filled(cell: object) -> bool:
    return cell is not None and (not isinstance(cell, str) or bool(identity(cell)))


def _header(cells: Sequence[object]) -> list[str]:
    header = [identity(str(_plain(cell))) if _is_filled(cell) else "" for cell in cells]
    while header and not header[-1]:
        header.pop()
    return header


def sheet_rows(rows: list[tuple[int, _Cells]], *, name: str, columns: Columns | None, log: RejectLog) -> Iterator[Row]:
    """Rows of cells with their numbers, the first of them the header, as rows by name."""
    number, cells = rows[0]
    found = _header(cells)
    keeps_all, columns = columns is None, columns or Columns()
    begin = 0
    if len(found) > 1 and not found[0] and all(_counts(cells[:1]) for _, cells in rows[1:]):
        begin = 1
        log.remark(f"{name}: the first column has no name and numbers the rows; it is not read.")
    empty = [
        i
        for i, label in enumerate(found)
        if i >= begin and not label and not any(i < len(cells) and _is_filled(cells[i]) for _, cells in rows[1:])
    ]
    places = [i for i in range(begin, len(found)) if i not in empty]
    labels = [found[i] for i in places]
    if labels and not labels[0] and keeps_all:
        labels[0] = FIRST_COLUMN
    resolved = columns.check_header(labels, file=name, row=number)
    columns.warn_of_unused(labels, file=name, log=log)
    kept = [(i, resolved[label]) for i, label in zip(places, labels, strict=True) if label in resolved]
    for number, cells in rows[1:]:
        beyond = next((cell for cell in cells[len(found) :] if _is_filled(cell)), None)
        if beyond is not None:
            log.note(
                name, number, "", str(beyond), "a cell is to the right of the last column", "give the column a name"
            )
            continue
        yield Row(name, number, {ours: _plain(cells[i]) if i < len(cells) else "" for i, ours in kept})


def _counts(cells: Sequence[object]) -> bool:
    return not cells or not _is_filled(cells[0]) or isinstance(_plain(cells[0]), int)


def _plain(cell: Any) -> JsonValue:
    if isinstance(cell, bool) or cell is None:
        return cell
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() and abs(cell) < 2**53 else cell
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return restore(cell) if isinstance(cell, str) and cell.startswith("'") else cell


def _formulas_without_value(stream: BinaryIO) -> int:
    """How many formulas of an .xlsx have no stored value: its program did not calculate. Bounded memory."""
    stream.seek(0)
    n = 0
    try:
        with zipfile.ZipFile(stream) as archive:
            for info in archive.infolist():
                if _SHEET.fullmatch(info.filename):
                    with archive.open(info) as sheet:
                        rest = b""
                        while chunk := sheet.read(1 << 20):
                            *whole, rest = (rest + chunk).rsplit(b"</c>", 1) if b"</c>" in chunk else (rest + chunk,)
                            n += sum(len(_NO_VALUE.findall(part + b"</c>")) for part in whole)
    except (zipfile.BadZipFile, OSError, ValueError):
        return 0  # an old workbook is not a zip
    return n


def _is_opendocument(stream: BinaryIO) -> bool:
    """Whether an archive declares itself a workbook. The stream is at its beginning afterwards."""
    try:
        with zipfile.ZipFile(stream) as archive:
            return archive.read("mimetype").strip() == _KIND
    except (zipfile.BadZipFile, OSError, ValueError, KeyError):
        return False
    finally:
        stream.seek(0)


def _merged_in_opendocument(stream: BinaryIO, sheet: str) -> list[_Range]:
    """The merged cells of a sheet: the library reports them only for Excel's files.

    The stream is at its beginning afterwards.
    """
    with zipfile.ZipFile(stream) as archive:
        content = archive.read("content.xml")
    stream.seek(0)
    found: list[_Range] = []
    is_asked, row, next_row, column = False, 0, 0, 0
    for tag in _TAG.finditer(content):
        kind = tag[1].decode()
        attributes = {name.decode(): (one or other).decode() for name, one, other in _ATTRIBUTE.findall(tag[2])}
        if kind == "table":
            is_asked = unescape(attributes.get("name", "")) == sheet
            next_row = 0
        elif is_asked and kind == "table-row":
            row, column = next_row, 0
            next_row += _count(attributes, "number-rows-repeated")
        elif is_asked:
            rows, columns = _count(attributes, "number-rows-spanned"), _count(attributes, "number-columns-spanned")
            if rows > 1 or columns > 1:
                found.append(((row, column), (row + rows - 1, column + columns - 1)))
            column += _count(attributes, "number-columns-repeated")
    return found


def _count(attributes: dict[str, str], name: str) -> int:
    text = attributes.get(name, "1")
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 9 else 1
