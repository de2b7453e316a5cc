"""What a report shows, before it is markup: sections of blocks. `rendering` turns them into HTML."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from annotations.reports.pictures.readings import READINGS
from annotations.reports.pictures.svg import PAGE, PHONE


@dataclass(frozen=True)
class Paragraph:
    """A sentence or two. `kind`: "said" for the answer itself, "note" for small print, "warning"."""

    text: str
    kind: str = ""


@dataclass(frozen=True)
class Figure:
    """One picture, drawn once for each layout (page, phone), as SVG, with its title, its axis and how to read it."""

    pictures: Sequence[str]
    title: str = ""
    axis: str = ""

    @property
    def reading(self) -> str:
        return READINGS.get(self.title, "")


@dataclass(frozen=True)
class Table:
    """The first cell of a row is its heading; columns in `numeric` are aligned to the right.

    Every row has as many cells as the head, and `numeric` names columns that exist; else ValueError.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str | int]]
    numeric: frozenset[int]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.head):
                raise ValueError(f"a row of {len(row)} cells in a table of {len(self.head)} columns: {list(row)}")
        if any(not 0 <= at < len(self.head) for at in self.numeric):
            raise ValueError(f"column {max(self.numeric)} of a table of {len(self.head)} columns")


@dataclass(frozen=True)
class Folded:
    """Content that is shown on demand, and always on paper."""

    summary: str
    blocks: "Sequence[Block]"


Block = Paragraph | Figure | Table | Folded


@dataclass(frozen=True)
class Section:
    """A part of a report.

    id          once in the whole report, for links
    question    the name of the question that the section is about; "" in a report without questions
    table       the table that holds exactly the figures shown; `facet` and `comparison` (from 1) select a part of it
    """

    id: str
    title: str
    blocks: Sequence[Block]
    table: str = ""
    question: str = ""
    facet: str = ""
    comparison: int = 0


@dataclass(frozen=True)
class Notice:
    """A sentence that qualifies every figure of a report.

    kind: "simulated" and "first" lead the report; "check" is about the files that were read; "note" ends it
    """

    text: str
    kind: Literal["simulated", "first", "check", "note"] = "note"


def figure(draw: Callable[..., str], *data: Any, **options: Any) -> list[Block]:
    """The picture that a function of `charts` draws, for a page and for a phone; an empty list if it draws nothing."""
    pictures = [draw(*data, **options, layout=layout) for layout in (PAGE, PHONE)]
    axis = options.get("axis", "")
    return [Figure(pictures, options.get("title", ""), axis)] if pictures[0] else []


def table(head: Sequence[str], rows: Sequence[Sequence[Any]], *, numeric: Iterable[int]) -> Table:
    cells = [[cell if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    return Table(head, cells, frozenset(numeric))


def all_figures(head: Sequence[str], rows: Sequence[Sequence[Any]], *, numeric: Iterable[int]) -> Folded:
    """The table behind a picture."""
    return Folded("All figures", [table(head, rows, numeric=numeric)])
