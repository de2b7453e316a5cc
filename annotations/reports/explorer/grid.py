"""A selection of images as a figure for a paper: a grid with captions, as PDF, PNG and LaTeX."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from annotations.reports.paper.typesetting import literal, pdf, png
from annotations.reports.tex import escape, guarded

ONE_COLUMN, TWO_COLUMNS = 84.0, 174.0
"""Widths in mm, from the CVPR and ACL templates: of one column, and of a page with two."""
GAP = 1.5


@dataclass(frozen=True)
class Cell:
    """One image, as JPEG, with the lines of its caption; an empty picture leaves its place empty.

    size    width and height, in any unit
    reason  why there is no picture: the place is then a framed tile with these words, and the caption below it
    """

    picture: bytes
    lines: Sequence[str] = ()
    size: tuple[int, int] = (1, 1)
    reason: str = ""


@dataclass(frozen=True)
class Grid:
    """Rows of equally many cells.

    heads     a line above each column, or none
    captions  a line below each row, or none
    title     what the figure shows, for its caption in LaTeX and for the PDF's title
    made_at   ISO 8601; equal inputs give an equal file
    """

    rows: Sequence[Sequence[Cell]]
    heads: Sequence[str] = ()
    captions: Sequence[str] = ()
    title: str = ""
    made_at: str = ""
    width: float = TWO_COLUMNS

    @property
    def n_columns(self) -> int:
        return max((len(row) for row in self.rows), default=1)


def arranged(cells: Sequence[Cell], n_columns: int) -> list[list[Cell]]:
    """The cells row by row; the last row is filled with empty cells."""
    filled = [*cells, *[Cell(b"")] * (-len(cells) % n_columns)]
    return [filled[start : start + n_columns] for start in range(0, len(filled), n_columns)]


def missing_tiles(grid: Grid) -> list[str]:
    """The places without a picture, each with its reason."""
    return [
        f"row {row}, column {column}: {cell.reason}"
        for row, cells in enumerate(grid.rows, start=1)
        for column, cell in enumerate(cells, start=1)
        if cell.reason
    ]


def grid_pdf(grid: Grid) -> bytes:
    return pdf("\n".join(_source(grid)), _wrapped(grid), grid.made_at)


def grid_png(grid: Grid) -> bytes:
    """At 300 dots per inch."""
    return png("\n".join(_source(grid)), _wrapped(grid))


def grid_tex(grid: Grid, *, folder: str = "images", label: str = "examples") -> Iterator[tuple[str, bytes]]:
    """(name, content) of the files of a LaTeX figure: `figure.tex`, to be read by \\input, and its images; and the list
    of images that are missing, if any is.

    It needs only graphicx, and takes the width of the page if it is wider than one column.
    """
    for name, content in _pictures(grid).items():
        yield f"{folder}/{name}", content
    if missing := missing_tiles(grid):
        yield "missing-images.txt", "\n".join([*missing, ""]).encode()
    yield "figure.tex", guarded("\n".join(_tex(grid, folder, label))).encode()


def _pictures(grid: Grid) -> dict[str, bytes]:
    return {
        _name(row, column): cell.picture
        for row, cells in enumerate(grid.rows, start=1)
        for column, cell in enumerate(cells, start=1)
        if cell.picture
    }


def _wrapped(grid: Grid) -> dict[str, bytes]:
    """The pictures as SVG files, which hold the JPEG as it is: Typst reads no other kind of file from memory."""
    sizes = {
        _name(row, column): cell.size
        for row, cells in enumerate(grid.rows, start=1)
        for column, cell in enumerate(cells, start=1)
    }
    found = {}
    for name, content in _pictures(grid).items():
        width, height = sizes[name]
        data = base64.b64encode(content).decode()
        found[f"{name}.svg"] = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
            f'<image width="{width}" height="{height}" href="data:image/jpeg;base64,{data}"/></svg>'
        ).encode()
    return found


def _name(row: int, column: int) -> str:
    return f"row-{row}-column-{column}.jpg"


def _source(grid: Grid) -> Iterator[str]:
    n = grid.n_columns
    if grid.title:
        yield f"#set document(title: {literal(grid.title)})"
    yield f"#set page(width: {grid.width}mm, height: auto, margin: 1mm)"
    yield '#set text(font: "Libertinus Serif", size: 7.5pt, lang: "en")'
    yield "#set par(leading: 0.4em)"
    yield f"#grid(columns: (1fr,) * {n}, column-gutter: {GAP}mm, row-gutter: {GAP}mm,"
    for head in grid.heads:
        yield f"align(center, strong({literal(head)})),"
    for number, cells in enumerate(grid.rows, start=1):
        for column, cell in enumerate(cells, start=1):
            yield _cell(cell, _name(number, column))
        if number <= len(grid.captions):
            yield f"grid.cell(colspan: {n}, inset: (bottom: 1mm), emph({literal(grid.captions[number - 1])})),"
    yield ")"


def _cell(cell: Cell, name: str) -> str:
    if not (cell.picture or cell.reason):
        return "[],"
    lines = "".join(f" + linebreak() + {literal(line)}" for line in cell.lines[1:])
    words = f", {literal(cell.lines[0])}{lines}" if cell.lines else ""
    if cell.reason:
        said = f"align(center + horizon, text(size: 6pt, {literal(cell.reason)}))"
        # A layout knows the width of its column: the tile has the shape that the image would have.
        share = cell.size[1] / cell.size[0]
        shown = f"layout(at => rect(width: at.width, height: at.width * {share:.4f}, stroke: 0.4pt + gray, {said}))"
    else:
        alt = f", alt: {literal(' '.join(cell.lines))}" if cell.lines else ""
        shown = f"image({literal(name + '.svg')}, width: 100%{alt})"
    return f"stack(spacing: 0.8mm, {shown}{words}),"


def _tex(grid: Grid, folder: str, label: str) -> Iterator[str]:
    n, kind = grid.n_columns, "figure*" if grid.width > ONE_COLUMN else "figure"
    # A little room is left: n minipages of exactly 1/n with blanks between them would be overfull.
    share = f"{(0.995 - 0.01 * (n - 1)) / n:.4f}"
    yield f"\\begin{{{kind}}}[t]"
    yield "\\centering"
    if grid.heads:
        yield "\\hfill\n".join(
            f"\\begin{{minipage}}[t]{{{share}\\linewidth}}\\centering\\footnotesize\\textbf{{{escape(head)}}}"
            "\\end{minipage}"
            for head in grid.heads
        )
        yield "\n\\vspace{2pt}"
    for number, cells in enumerate(grid.rows, start=1):
        yield "\\hfill\n".join(
            _tex_cell(cell, f"{folder}/{_name(number, column)}", share) for column, cell in enumerate(cells, start=1)
        )
        if number <= len(grid.captions):
            yield f"\n\\smallskip{{\\footnotesize\\emph{{{escape(grid.captions[number - 1])}}}\\par}}"
        yield "\n\\vspace{3pt}"
    yield f"\\caption{{{escape(grid.title)}}}"
    yield f"\\label{{fig:{label}}}"
    yield f"\\end{{{kind}}}\n"


def _tex_cell(cell: Cell, name: str, share: str) -> str:
    if not (cell.picture or cell.reason):
        return f"\\begin{{minipage}}[t]{{{share}\\linewidth}}\\mbox{{}}\\end{{minipage}}"
    words = "\\\\ ".join(escape(line) for line in cell.lines)
    below = f"\\\\[1pt]{{\\scriptsize\\raggedright {words}\\par}}" if words else ""
    shown = f"\\includegraphics[width=\\linewidth]{{{name}}}"
    if cell.reason:
        shown = (
            "\\fbox{\\parbox{\\dimexpr\\linewidth-2\\fboxsep-2\\fboxrule}"
            f"{{\\centering\\scriptsize\\vspace{{6ex}}{escape(cell.reason)}\\vspace{{6ex}}}}}}"
        )
    return f"\\begin{{minipage}}[t]{{{share}\\linewidth}}{shown}{below}\\end{{minipage}}"


Layout = Literal["grid", "methods"]
LAYOUTS: tuple[Layout, ...] = ("grid", "methods")
