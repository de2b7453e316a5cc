"""Markdown (GitHub's, with pipe tables): the report as text, and single tables."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from annotations.reports.paper.figures import PaperFigure
from annotations.reports.paper.manuscript import Manuscript
from annotations.reports.paper.methods import CITATION
from annotations.reports.paper.references.bibliography import REFERENCES
from annotations.reports.view import Block, Figure, Folded, Paragraph, Table

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~$])")


def plain(text: str) -> str:
    """The text with its citations as author and year, in brackets."""
    return CITATION.sub(lambda found: f" ({'; '.join(REFERENCES[key].short for key in keys_of(found[1]))})", text)


def keys_of(group: str) -> list[str]:
    """The keys of one citation, as CITATION finds it."""
    return [key.strip(" @") for key in group.split(";")]


def literal(text: str) -> str:
    """The text on one line, with every character that Markdown gives a meaning made literal."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The lines of a table, figures as Python writes them (as in the CSV), empty cells for missing ones."""
    yield "| " + " | ".join(map(literal, columns)) + " |\n"
    yield "|" + "---|" * len(columns) + "\n"
    for row in rows:
        yield "| " + " | ".join(literal("" if cell is None else str(cell)) for cell in row) + " |\n"


def markdown(paper: Manuscript) -> str:
    """The whole report, with charts as links to figures/NAME.png."""
    figures = iter(paper.figures)
    lines = [f"# {literal(paper.title)}", *(f"**{literal(line)}**" for line in paper.warnings)]
    lines += ["## Summary", *map(literal, paper.summary)]
    for part in paper.parts:
        lines.append(f"## {literal(part.title)}")
        lines += [f"{literal(line)}." for line in part.headlines]
        for section in part.sections:
            lines += [f"### {literal(section.title)}", *_blocks(section.blocks, figures)]
    lines += ["## Methods", *(literal(plain(paragraph)) for paragraph in paper.methods)]
    if paper.registration:
        lines += ["## Registration", "\n".join(f"- {literal(line)}" for line in paper.registration)]
    if paper.limits:
        lines += ["## Limits", "\n".join(f"- {literal(line)}" for line in paper.limits)]
    lines += ["## Notes", *map(literal, paper.notes), literal(paper.provenance)]
    lines += ["## References", "\n".join(f"- {literal(reference.long)}" for reference in paper.references)]
    return "\n\n".join(line for line in lines if line) + "\n"


def _blocks(blocks: Sequence[Block], figures: Iterator[PaperFigure]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Paragraph):
            yield literal(block.text)
        elif isinstance(block, Figure):
            figure = next(figures)
            yield f"![{literal(figure.caption)}](figures/{figure.name}.png)\n\n*{literal(figure.caption)}*"
        elif isinstance(block, Table):
            yield "".join(markdown_table(block.head, block.rows)).rstrip()
        elif isinstance(block, Folded):
            yield f"**{literal(block.summary)}**"
            yield from _blocks(block.blocks, figures)
