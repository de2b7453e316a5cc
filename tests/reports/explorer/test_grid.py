"""A selection as a figure: PDF, PNG and LaTeX."""

import io

from PIL import Image

from annotations.reports.explorer.grid import ONE_COLUMN, Cell, Grid, arranged, grid_pdf, grid_png, grid_tex
from exchange.images import printed
from tests.factories import tiny_png

PICTURE = printed(tiny_png(3, (64, 48)), 640)


def test_images_are_arranged_row_after_row_and_the_last_row_is_filled() -> None:
    cells = [Cell(PICTURE), Cell(PICTURE), Cell(PICTURE)]
    rows = arranged(cells, 2)
    assert [len(row) for row in rows] == [2, 2]
    assert rows[1][1].picture == b""


def test_a_figure_is_one_page_at_300_dots_per_inch() -> None:
    grid = Grid(arranged([Cell(PICTURE, ["A fox", 'says "\\hi" # $x$']), Cell(PICTURE)], 2), width=ONE_COLUMN)
    with Image.open(io.BytesIO(grid_png(grid))) as image:
        assert round(image.width / 300 * 25.4) == ONE_COLUMN
    assert grid_pdf(grid).startswith(b"%PDF")
    assert grid_pdf(grid) == grid_pdf(grid)


def test_latex_names_every_image_and_takes_prompts_literally() -> None:
    grid = Grid(
        rows=[[Cell(PICTURE), Cell(b"")]], heads=["base_line", "refined"], captions=["50% of a $ & more"], title="T"
    )
    files = dict(grid_tex(grid))
    assert set(files) == {"images/row-1-column-1.jpg", "figure.tex"}
    text = files["figure.tex"].decode()
    assert r"\includegraphics[width=\linewidth]{images/row-1-column-1.jpg}" in text
    assert r"50\% of a \$ \& more" in text
    assert r"base\_line" in text
    assert text.count(r"\begin{minipage}") == text.count(r"\end{minipage}") == 4
    assert text.count("\\end{minipage}\\hfill\n") == 2
