"""Excel workbooks written row by row, with pictures in cells. Text is text: no cell is ever a formula."""

import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import IO, NamedTuple

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.drawing.image import Image as Picture
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
from openpyxl.worksheet.properties import PageSetupProperties
from PIL import Image

MOST_ROWS = 1_000_000
"""Maximum rows of one sheet below its header; Excel has 1,048,576 in all. Further rows go to another sheet."""
MOST_LETTERS = 32_767
CUT = " […]"
PIXELS_HIGH = 96
POINTS_PER_PIXEL = 0.75
NOT_XML = "�"


class Column(NamedTuple):
    """One column of a sheet. letters: its width; is_picture: its cells are PNG or JPEG files, text in place
    of one, or None."""

    name: str
    letters: int = 14
    is_picture: bool = False


class Book:
    """A workbook that is being written. Rows are written to disk at once; pictures stay in memory until it is saved."""

    def __init__(self) -> None:
        self._book = Workbook(write_only=True)

    def add(self, title: str, columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> int:
        """Writes a sheet of this title, and "title 2" if there are more than MOST_ROWS; returns the number of rows."""
        sheet = self._sheet(title, columns)
        n = 0
        for row in rows:
            if n and n % MOST_ROWS == 0:
                sheet = self._sheet(f"{title} {n // MOST_ROWS + 1}", columns)
            n += 1
            at = (n - 1) % MOST_ROWS + 2
            if any(column.is_picture for column in columns):
                sheet.row_dimensions[at].height = (PIXELS_HIGH + 6) * POINTS_PER_PIXEL
            cells: list[WriteOnlyCell | None] = []
            for place, (column, cell) in enumerate(zip(columns, row, strict=True), start=1):
                if column.is_picture:
                    if isinstance(cell, bytes):
                        picture = Picture(io.BytesIO(cell))
                        picture.anchor = f"{get_column_letter(place)}{at}"
                        sheet.add_image(picture)
                    cells.append(_cell(sheet, cell) if isinstance(cell, str) else None)
                else:
                    cells.append(_cell(sheet, cell))
            sheet.append(cells)
        return n

    def save(self, target: IO[bytes]) -> None:
        self._book.save(target)

    def _sheet(self, title: str, columns: Sequence[Column]) -> WriteOnlyWorksheet:
        sheet = self._book.create_sheet(title)
        sheet.freeze_panes = "A2"
        # Printed, all columns fit on the width of a page, and every page has the header.
        sheet.page_setup.orientation = "landscape"
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        sheet.page_setup.fitToHeight = 0
        sheet.print_title_rows = "1:1"
        for place, column in enumerate(columns, start=1):
            sheet.column_dimensions[get_column_letter(place)].width = column.letters
        header = []
        for column in columns:
            cell = _cell(sheet, column.name)
            cell.font = Font(bold=True)
            header.append(cell)
        sheet.append(header)
        return sheet


def thumbnail(content: bytes) -> bytes:
    """The picture as a PNG at most PIXELS_HIGH high and twice as wide, in opaque colours."""
    with Image.open(io.BytesIO(content)) as image:
        small = image.convert("RGB")
        small.thumbnail((2 * PIXELS_HIGH, PIXELS_HIGH))
        target = io.BytesIO()
        small.save(target, "PNG")
    return target.getvalue()


def _cell(sheet: WriteOnlyWorksheet, value: object) -> WriteOnlyCell:
    """Numbers, booleans and times as such, anything else as text; Excel takes at most 32,767 characters."""
    if value is None or isinstance(value, bool | int | float | Decimal):
        return WriteOnlyCell(sheet, value)
    if isinstance(value, datetime):
        return WriteOnlyCell(sheet, value.replace(tzinfo=None))
    if isinstance(value, date):
        return WriteOnlyCell(sheet, value)
    text = ILLEGAL_CHARACTERS_RE.sub(NOT_XML, str(value))
    if len(text) > MOST_LETTERS:
        text = text[: MOST_LETTERS - len(CUT)] + CUT
    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"  # even if it begins like a formula
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell
