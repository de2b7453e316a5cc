"""A selection of units as a figure: the images, their places, and their captions."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotations.queries.explorer.cards import Card
from annotations.queries.explorer.wall import Measure, Wall
from annotations.reports.explorer.grid import TWO_COLUMNS, Cell, Grid, Layout, arranged
from annotations.reports.numbers import figure
from exchange.images import printed
from generation.models import Image
from generation.queries.stored_files import FileGone, opened

PIXELS = 640
"""With four images in the width of a page this is about 400 dots per inch."""
MOST_SELECTED = 60
WORDS = ("prompt", "method", "rating", "metric")
MEASURES: dict[Measure, str] = {
    "rating": "people {}",
    "rank": "mean rank {} (1 is best)",
    "choice": "mean place {} (1 best, 3 worst)",
}
"""A unit's mean in a caption."""


@dataclass(frozen=True)
class FigureOptions:
    """How a figure is laid out: `words` are the WORDS in captions; `methods` puts a prompt's images in a row with a
    column for each method."""

    layout: Layout = "grid"
    n_columns: int = 4
    words: tuple[str, ...] = ("prompt", "method", "rating")
    width: float = TWO_COLUMNS
    title: str = ""


def figure_of(cards: Sequence[Card], options: FigureOptions, *, wall: Wall, made_at: str) -> Grid:
    """The grid of these units. An image without a file here leaves a tile that says so, with its caption."""
    if options.layout == "methods":
        return _by_method(cards, options, wall=wall, made_at=made_at)
    cells = [_cell(card, image, options.words, wall) for card in cards for image in card.images]
    rows = arranged(cells, min(options.n_columns, max(len(cells), 1)))
    return Grid(rows=rows, title=options.title, made_at=made_at, width=options.width)


def _by_method(cards: Sequence[Card], options: FigureOptions, *, wall: Wall, made_at: str) -> Grid:
    """A row for each prompt in the order of the selection, a column for each method in alphabetical order."""
    methods = sorted({image.method.name for card in cards for image in card.images})
    rows: dict[int, dict[str, Cell]] = {}
    prompts: dict[int, str] = {}
    for card in cards:
        prompts[card.item.prompt_id] = card.item.prompt.text
        row = rows.setdefault(card.item.prompt_id, {})
        for image in card.images:
            words = tuple(word for word in options.words if word not in ("prompt", "method"))
            row.setdefault(image.method.name, _cell(card, image, words, wall))
    empty = Cell(b"")
    return Grid(
        rows=[[row.get(method, empty) for method in methods] for row in rows.values()],
        heads=methods,
        captions=[prompts[key] for key in rows] if "prompt" in options.words else (),
        title=options.title,
        made_at=made_at,
        width=options.width,
    )


def _cell(card: Card, image: Image, words: Sequence[str], wall: Wall) -> Cell:
    picture, reason = _picture(image)
    return Cell(picture, _lines(card, image, words, wall), (image.width or 1, image.height or 1), reason)


def _lines(card: Card, image: Image, words: Sequence[str], wall: Wall) -> list[str]:
    lines = [card.item.prompt.text] if "prompt" in words else []
    figures = [image.method.name] if "method" in words else []
    if "rating" in words and card.mean is not None and card.image:
        figures.append(MEASURES[wall.measure].format(figure(card.mean, digits=2)))
    if "metric" in words and card.score is not None:
        figures.append(f"{wall.chosen.metric} {figure(card.score)}")
    return [*lines, " · ".join(figures)] if figures else lines


def _picture(image: Image) -> tuple[bytes, str]:
    """The picture, or why there is none."""
    name = image.key or f"image {image.pk}"
    if not image.shown:
        return b"", f"File not on this site: {name}"
    try:
        with opened(image.shown) as file:
            content = file.read()
    except FileGone:
        return b"", f"File missing: {name}"
    try:
        return printed(content, PIXELS), ""
    except OSError:  # Pillow's, of a file that is cut off or something else
        return b"", f"File damaged: {name}"
