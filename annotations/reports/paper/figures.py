"""Every chart of a report under its own name, with its caption, for a page and for one column."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from annotations.reports.anchors import slug
from annotations.reports.paper.standalone import COLUMN_INCHES, PAGE_INCHES, alone
from annotations.reports.parts import Part
from annotations.reports.view import Block, Figure, Folded, Section


@dataclass(frozen=True)
class PaperFigure:
    """One picture. name: of its files, without ending; wide, narrow: self-contained SVG files."""

    name: str
    caption: str
    wide: str
    narrow: str


def paper_figures(parts: Sequence[Part]) -> list[PaperFigure]:
    """All pictures in reading order, as self-contained files."""
    titles = {section.id: part.title for part in parts for section in part.sections}
    return [
        PaperFigure(
            name,
            caption(figure, section.title if section.comparison else "", titles[section.id]),
            alone(figure.pictures[0], PAGE_INCHES),
            alone(figure.pictures[1], COLUMN_INCHES),
        )
        for name, section, figure in named_figures([section for part in parts for section in part.sections])
    ]


def named_figures(sections: Sequence[Section]) -> list[tuple[str, Section, Figure]]:
    """All pictures in reading order, each by a name made of its section and its title, with its section."""
    found = []
    taken: set[str] = set()
    for section in sections:
        for figure in _figures(section.blocks):
            found.append((_free(f"{section.id}-{slug(figure.title, 'figure')}"[:80], taken), section, figure))
    return found


def caption(figure: Figure, pair: str, question: str) -> str:
    """What is shown, for which pair of methods and which question, and what the axis shows, in whole sentences."""
    said = [sentence(f"{figure.title}: {pair}" if pair else figure.title), sentence(question)]
    if figure.axis:
        said.append(sentence(figure.axis[0].upper() + figure.axis[1:]))
    return " ".join(text for text in said if text)


def sentence(text: str) -> str:
    """The text with a full stop, unless it already ends a sentence or is empty."""
    return text if not text or text.endswith((".", "?", "!")) else f"{text}."


def _figures(blocks: Sequence[Block]) -> Iterator[Figure]:
    for block in blocks:
        if isinstance(block, Figure):
            yield block
        elif isinstance(block, Folded):
            yield from _figures(block.blocks)


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    taken.add(free)
    return free
