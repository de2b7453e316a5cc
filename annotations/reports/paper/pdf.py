"""The report as a PDF with numbered pages: answers and charts first, the tables after them as an appendix."""

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from math import sqrt

from annotations.reports.paper.figures import PaperFigure
from annotations.reports.paper.manuscript import Manuscript
from annotations.reports.paper.markdown import keys_of
from annotations.reports.paper.methods import CITATION
from annotations.reports.paper.references.bibliography import bibliography
from annotations.reports.paper.typesetting import literal as _string
from annotations.reports.paper.typesetting import pdf
from annotations.reports.pictures.labels import without_emoji
from annotations.reports.rendering import grouped
from annotations.reports.view import Block, Figure, Folded, Paragraph, Section, Table

LONG_CELL = 24
"""With longer cells than this, in characters, a column holds words, which may break, rather than figures."""
MOST_CELL = 160
MOST_UNBROKEN = 15
"""Rows up to which a table stays on one page."""
_SETTINGS = """
#set page(paper: "a4", margin: (x: 20mm, y: 18mm), numbering: "1 / 1")
#set text(font: "Libertinus Serif", size: 10pt, lang: "en", region: "GB")
#set par(justify: true, leading: 0.55em, spacing: 0.9em)
#set heading(numbering: "1.1")
#show heading.where(level: 1): set text(size: 14pt)
#show heading.where(level: 2): set text(size: 11pt)
#show heading: set block(above: 1.4em, below: 0.7em, sticky: true)
#show figure: set block(above: 0.8em, below: 1.2em)
#show figure.caption: set text(size: 8.5pt)
#show figure.caption: set align(left)
#set table(stroke: none, inset: (x: 3pt, y: 2.2pt))
#show table: set text(size: 7.5pt)
#show table: set par(justify: false)
#show table.cell.where(y: 0): strong
"""


def report_pdf(paper: Manuscript) -> bytes:
    """The PDF of a report; the same manuscript gives the same bytes."""
    keys = [reference.key for reference in paper.references]
    files = {f"{figure.name}.svg": without_emoji(figure.wide).encode() for figure in paper.figures}
    files["references.bib"] = bibliography(keys).encode()
    return pdf("\n".join(source(paper)), files, paper.made_at)


def source(paper: Manuscript) -> Iterator[str]:
    """The report in Typst's language; pictures and references are files that it names."""
    yield f"#set document(title: {_string(paper.title)})"
    yield _SETTINGS
    yield f"#text(size: 20pt, weight: 700, {_string(paper.title)})\n"
    for line in paper.warnings:
        yield f"#block(stroke: (left: 2pt), inset: (left: 8pt, y: 3pt), text(weight: 700, {_string(line)}))"
    yield _heading(1, "Summary")
    for line in paper.summary:
        yield f"{_words(line)}\n"
    figures = iter(paper.figures)
    tables: list[tuple[str, Section, list[Folded | Table]]] = []
    for part in paper.parts:
        if part.title:
            yield _heading(1, part.title)
        for line in part.headlines:
            yield f"{_words(line + '.')}\n"
        for section in part.sections:
            leading = _leading(section.blocks)
            behind = [block for block in section.blocks if isinstance(block, Folded | Table) and block not in leading]
            if shown := list(_shown(section.blocks, figures, leading)):
                yield _heading(2, section.title)
                yield from shown
                if behind and not leading and not any(map(_has_figure, section.blocks)):
                    yield "#text(size: 8.5pt)[The table is in the appendix.]\n"
            if behind:
                tables.append((part.title, section, behind))
    yield _heading(1, "Methods")
    yield from (f"{_words(paragraph)}\n" for paragraph in paper.methods)
    for title, lines in (("Registration", paper.registration), ("Limits", paper.limits), ("Notes", paper.notes)):
        if lines:
            yield _heading(1, title)
            yield from (f"- {_words(line)}" for line in lines)
    if paper.references:
        yield '#show bibliography: set text(size: 8.5pt)\n#bibliography("references.bib", style: "apa")'
    yield from _appendix(tables)
    yield f"#block(above: 2em, text(size: 8pt, {_string(paper.provenance)}))"


def _appendix(tables: Sequence[tuple[str, Section, Sequence[Folded | Table]]]) -> Iterator[str]:
    if not tables:
        return
    yield _heading(1, "Appendix: tables")
    of = ""
    for question, section, blocks in tables:
        if question and question != of:
            yield f"#block(above: 1.4em, sticky: true, text(weight: 700, {_string(question)}))"
            of = question
        yield _heading(2, section.title)
        for block in blocks:
            yield from _in_full(block)


def _leading(blocks: Sequence[Block]) -> Sequence[Block]:
    """The short tables that are not folded, of a section without a chart: the section leads with them."""
    if any(map(_has_figure, blocks)):
        return []
    return [block for block in blocks if isinstance(block, Table) and len(block.rows) <= MOST_UNBROKEN]


def _has_figure(block: Block) -> bool:
    return isinstance(block, Figure) or (isinstance(block, Folded) and any(map(_has_figure, block.blocks)))


def _shown(blocks: Sequence[Block], figures: Iterator[PaperFigure], leading: Sequence[Block] = ()) -> Iterator[str]:
    """Sentences, charts and leading tables of a section; charts that a page folds are shown in place."""
    for block, following in zip_longest(blocks, blocks[1:]):
        if isinstance(block, Paragraph):
            # A sentence that introduces a chart or a table stays with it.
            stays = isinstance(following, Figure) or following in leading
            yield f"#block(sticky: true)[{_paragraph(block)}]" if stays else f"{_paragraph(block)}\n"
        elif isinstance(block, Figure):
            figure = next(figures)
            picture = f"image({_string(figure.name + '.svg')}, {_size(figure.wide)}, alt: {_string(figure.caption)})"
            yield f"#figure({picture}, caption: [{_words(figure.caption)}])"
        elif block in leading:
            yield from _in_full(block)
        elif isinstance(block, Folded):
            yield from _shown([inner for inner in block.blocks if isinstance(inner, Figure)], figures)


def _size(svg: str) -> str:
    """As wide as the page, or, of a picture that would be taller than it, as high."""
    found = _BOX.search(svg)
    return "height: 600pt" if found and float(found[2]) > _TALLEST * float(found[1]) else "width: 100%"


_BOX = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
_TALLEST = 1.2
"""Height over width of a picture that fits a page with its heading and caption."""


def _in_full(block: Block) -> Iterator[str]:
    if isinstance(block, Folded):
        if block.summary != "All figures":
            yield f"#block(sticky: true, strong({_string(block.summary)}))"
        for inner in block.blocks:
            if isinstance(inner, Paragraph):
                yield f"{_paragraph(inner)}\n"
            else:
                yield from _in_full(inner)
    elif isinstance(block, Table):
        yield _table(block)


def _paragraph(block: Paragraph) -> str:
    if block.kind == "note":
        return f"#text(size: 8.5pt, {_string(block.text)})"
    return f"#text(weight: 700, {_string(block.text)})" if block.kind in ("said", "warning") else _words(block.text)


def _table(block: Table) -> str:
    """A table that may span pages, with its heading on each; columns of words share the room that figures leave."""
    cells = [[str(grouped(cell)) for cell in row] for row in block.rows]
    longest = [max((len(row[at]) for row in cells), default=0) for at in range(len(block.head))]
    is_words = [at not in block.numeric and longest[at] >= LONG_CELL for at in range(len(block.head))]
    widths = ", ".join(
        _share(longest[at]) if is_words[at] else _room(block.head[at], longest[at]) for at in range(len(block.head))
    )
    aligned = ", ".join("right" if at in block.numeric else "left" for at in range(len(block.head)))
    lines = [f"#table(columns: ({widths},), align: ({aligned},),"]
    head = ", ".join(f"[{_words(name)}]" for name in block.head)
    lines.append(f"table.hline(stroke: 0.8pt), table.header({head}), table.hline(stroke: 0.4pt),")
    lines += [", ".join(f"[{_words(_breakable(cell))}]" for cell in row) + "," for row in cells]
    set_table = "\n".join([*lines, "table.hline(stroke: 0.8pt))\n"])
    return f"#block(breakable: false)[\n{set_table}]\n" if len(cells) <= MOST_UNBROKEN else set_table


def _breakable(cell: str) -> str:
    """Lets a line end after every eighth letter of a word that is too long for a column, by a zero-width space."""
    return _LONG_WORD.sub(lambda found: "\u200b".join(re.findall(".{1,8}", found[0])), cell)


_LONG_WORD = re.compile(r"[^\s\-–−]{20,}")


def _room(head: str, longest: int) -> str:
    """The width of a column of figures: its heading may break between words."""
    word = max(map(len, head.split()), default=0)
    return f"{0.48 * max(longest, word) + 1:.1f}em"


def _share(longest: int) -> str:
    """A column of words gets room in proportion to the square root of its longest cell: names stay on one line, reasons
    take several."""
    return f"{sqrt(min(longest, MOST_CELL)):.1f}fr"


def _heading(level: int, text: str) -> str:
    return f"\n{'=' * level} {_words(text)}\n"


def _words(text: str) -> str:
    """Text in markup: literal except for its citations."""
    parts, at = [], 0
    for found in CITATION.finditer(text):
        cites = "".join(f"#cite(<{key}>)" for key in keys_of(found[1]))
        parts += [f"#{_string(text[at : found.start()])};", " ", cites]
        at = found.end()
    return "".join([*parts, f"#{_string(text[at:])};" if text[at:] else ""])
