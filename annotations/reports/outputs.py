"""All files of a report, made one after another: the same for the command, for the page's zip and for a release."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from annotations.reports.critic.tables import CRITIC_TABLES, OF_VERDICTS
from annotations.reports.documents.conversion import Document, to_text
from annotations.reports.documents.critic import CriticDocument
from annotations.reports.documents.preferences import PreferenceDocument
from annotations.reports.documents.study import StudyDocument
from annotations.reports.page import page
from annotations.reports.paper.checklists.written import checklist_files
from annotations.reports.paper.figures import PaperFigure
from annotations.reports.paper.manuscript import Manuscript, manuscript
from annotations.reports.paper.markdown import markdown, markdown_table
from annotations.reports.paper.pdf import report_pdf
from annotations.reports.paper.references.bibliography import bibliography
from annotations.reports.paper.tex_files import figures_tex, methods_tex
from annotations.reports.paper.typesetting import picture_pdf, picture_png
from annotations.reports.study.latex import latex
from annotations.reports.study.tables import TABLES
from annotations.reports.votes.latex import preference_latex
from annotations.reports.votes.tables import PREFERENCE_TABLES
from exchange.export import csv_chunks


def report_files(
    document: Document, excluded: Sequence[str] = (), *, is_quick: bool = False
) -> Iterator[tuple[str, bytes]]:
    """(name, content) of each file of a report, folders in the name, one in memory at a time.

    Every table as CSV, the report as JSON and HTML, and tables as LaTeX (in full and short). A table without data (no
    metrics, no comparison) has only its header, so that a script that reads it finds a file.

    Unless quick, also the files that need typesetting: the tables as Markdown under tables/; the report as PDF, Word
    and Markdown; methods and references for LaTeX; every picture as SVG, PDF and PNG at 300 dots per inch, for the
    width of a page and, named -column, for one column of two; a study's checklists. `excluded`: see `page.page`.
    """
    tables = tables_of(document)
    for name, (columns, rows) in tables.items():
        yield f"{name}.csv", "".join(csv_chunks(columns, rows(document))).encode()
    yield "report.json", to_text(document).encode()
    yield "report.html", page(document, excluded).encode()
    if not isinstance(document, CriticDocument):
        yield "report.tex", tex_tables(document).encode()
        yield "report-short.tex", tex_tables(document, is_short=True).encode()
    if is_quick:
        return
    yield from _markdown_tables(document)
    yield from _typeset(document)
    if isinstance(document, StudyDocument):
        yield from checklist_files(document)


def text_files(document: Document) -> Iterator[tuple[str, bytes]]:
    """The files of a report that the same document and version reproduce byte for byte on any machine."""
    yield from report_files(document, is_quick=True)
    yield from _markdown_tables(document)
    paper = manuscript(document)
    yield from _paper_texts(document, paper)
    for figure in paper.figures:
        for is_wide in (True, False):
            name = file_name(figure, "svg", is_wide=is_wide)
            yield f"figures/{name}", picture(figure, "svg", paper.made_at, is_wide=is_wide)
    yield CAPTIONS, _captions(paper)
    if isinstance(document, StudyDocument):
        yield from checklist_files(document)


def _markdown_tables(document: Document) -> Iterator[tuple[str, bytes]]:
    for name, (columns, rows) in tables_of(document).items():
        yield f"tables/{name}.md", "".join(markdown_table(columns, rows(document))).encode()


def tables_of(document: Document) -> Mapping[str, tuple[Sequence[str], Callable[[Any], Iterator[Sequence[Any]]]]]:
    """Name → columns, and the function that makes the rows; for critics, the tables that need only verdicts."""
    if isinstance(document, StudyDocument):
        return TABLES
    if isinstance(document, PreferenceDocument):
        return PREFERENCE_TABLES | {"excluded_raters": TABLES["excluded_raters"]}
    return {name: CRITIC_TABLES[name] for name in OF_VERDICTS}


def tex_tables(document: StudyDocument | PreferenceDocument, *, is_short: bool = False) -> str:
    if isinstance(document, StudyDocument):
        return latex(document, is_short=is_short)
    return preference_latex(document, is_short=is_short)


def _typeset(document: Document) -> Iterator[tuple[str, bytes]]:
    from annotations.reports.paper.word import report_docx  # python-docx is slow to import: the site starts without

    paper = manuscript(document)
    yield "report.pdf", report_pdf(paper)
    yield "report.docx", report_docx(paper)
    yield from _paper_texts(document, paper)
    yield from figure_files(paper)


def _paper_texts(document: Document, paper: Manuscript) -> Iterator[tuple[str, bytes]]:
    label = "" if isinstance(document, CriticDocument) else document.key
    yield "report.md", markdown(paper).encode()
    yield "methods.tex", methods_tex(paper).encode()
    yield "figures.tex", figures_tex(paper, label or "study").encode()
    yield "references.bib", bibliography(reference.key for reference in paper.references).encode()


def figure_files(paper: Manuscript) -> Iterator[tuple[str, bytes]]:
    """Every picture in three formats and two widths, and their captions."""
    for figure in paper.figures:
        for ending in FORMATS:
            for is_wide in (True, False):
                yield (
                    f"figures/{file_name(figure, ending, is_wide=is_wide)}",
                    picture(figure, ending, paper.made_at, is_wide=is_wide),
                )
    yield CAPTIONS, _captions(paper)


def _captions(paper: Manuscript) -> bytes:
    return "".join(f"**{figure.name}.** {figure.caption}\n\n" for figure in paper.figures).encode()


CAPTIONS = "figures/captions.md"
FORMATS = ("svg", "pdf", "png")


def file_name(figure: PaperFigure, ending: str, *, is_wide: bool) -> str:
    return f"{figure.name}{'' if is_wide else '-column'}.{ending}"


def picture(figure: PaperFigure, ending: str, made_at: str, *, is_wide: bool) -> bytes:
    """One picture as "svg", "pdf" or "png", for a page or for one column. Raises KeyError for another ending."""
    svg = figure.wide if is_wide else figure.narrow
    if ending == "svg":
        return svg.encode()
    return {"pdf": lambda: picture_pdf(svg, made_at), "png": lambda: picture_png(svg)}[ending]()
