"""The report as a Word file, for reviewers who want to write into it."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from io import BytesIO

from docx import Document
from docx.document import Document as WordFile
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Inches, Pt
from docx.table import _Row

from annotations.reports.paper.figures import PaperFigure
from annotations.reports.paper.manuscript import Manuscript
from annotations.reports.paper.markdown import plain
from annotations.reports.paper.standalone import PAGE_INCHES
from annotations.reports.paper.typesetting import picture_png
from annotations.reports.pictures.svg import without_controls
from annotations.reports.rendering import grouped
from annotations.reports.view import Block, Figure, Folded, Paragraph, Table

MARGIN = Inches(0.75)
SMALL, CELL = Pt(8.5), Pt(7.5)


def report_docx(paper: Manuscript) -> bytes:
    """The report as .docx, with Word's own headings, captions, tables and alternative texts."""
    file = Document()
    for page in file.sections:
        page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = MARGIN
    file.core_properties.title = without_controls(paper.title)[:255]
    file.core_properties.author = ""
    file.core_properties.comments = ""
    file.core_properties.created = file.core_properties.modified = _moment(paper.made_at)
    file.add_heading(without_controls(paper.title), 0)
    for line in paper.warnings:
        file.add_paragraph().add_run(without_controls(line)).bold = True
    file.add_heading("Summary", 1)
    for line in paper.summary:
        file.add_paragraph(without_controls(line))
    figures = iter(paper.figures)
    for part in paper.parts:
        if part.title:
            file.add_heading(without_controls(part.title), 1)
        for line in part.headlines:
            file.add_paragraph(without_controls(f"{line}."))
        for section in part.sections:
            file.add_heading(without_controls(section.title), 2)
            _add(file, section.blocks, figures)
    _add_lists(file, paper)
    held = BytesIO()
    file.save(held)
    return held.getvalue()


def _add_lists(file: WordFile, paper: Manuscript) -> None:
    file.add_heading("Methods", 1)
    for paragraph in paper.methods:
        file.add_paragraph(without_controls(plain(paragraph)))
    for title, lines in (
        ("Registration", paper.registration),
        ("Limits", paper.limits),
        ("Notes", paper.notes),
        ("References", [reference.long for reference in paper.references]),
    ):
        if lines:
            file.add_heading(title, 1)
        for line in lines:
            file.add_paragraph(without_controls(line), style="List Bullet")
    _small(file, paper.provenance)


def _add(file: WordFile, blocks: Sequence[Block], figures: Iterator[PaperFigure]) -> None:
    for block in blocks:
        if isinstance(block, Paragraph):
            _add_paragraph(file, block)
        elif isinstance(block, Figure):
            _add_figure(file, next(figures))
        elif isinstance(block, Table):
            _add_table(file, block)
        elif isinstance(block, Folded):
            file.add_paragraph().add_run(without_controls(block.summary)).bold = True
            _add(file, block.blocks, figures)


def _add_paragraph(file: WordFile, block: Paragraph) -> None:
    if block.kind == "note":
        _small(file, block.text)
        return
    run = file.add_paragraph().add_run(without_controls(block.text))
    run.bold = block.kind in ("said", "warning")


def _small(file: WordFile, text: str) -> None:
    file.add_paragraph().add_run(without_controls(text)).font.size = SMALL


def _add_figure(file: WordFile, figure: PaperFigure) -> None:
    shape = file.add_picture(BytesIO(picture_png(figure.wide)), width=Inches(PAGE_INCHES))
    # The alternative text: python-docx has no name for it.
    shape._inline.docPr.set("descr", without_controls(figure.caption))
    file.paragraphs[-1].paragraph_format.keep_with_next = True
    file.add_paragraph(without_controls(figure.caption), style="Caption")


def _add_table(file: WordFile, block: Table) -> None:
    table = file.add_table(rows=1, cols=len(block.head), style="Light List")
    head = table.rows[0]
    _fill(head, block.head, block)
    # The heading is repeated on each page that the table spans.
    repeated = OxmlElement("w:tblHeader")
    repeated.set(qn("w:val"), "true")
    head._tr.get_or_add_trPr().append(repeated)
    for row in block.rows:
        _fill(table.add_row(), [str(grouped(cell)) for cell in row], block)
    file.add_paragraph()


def _fill(row: _Row, texts: Sequence[str], block: Table) -> None:
    for at, (cell, text) in enumerate(zip(row.cells, texts, strict=True)):
        paragraph = cell.paragraphs[0]
        paragraph.add_run(without_controls(text)).font.size = CELL
        if at in block.numeric:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)
