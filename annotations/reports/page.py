"""A report as one self-contained HTML file: it needs no server, script or network, and prints well."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from annotations.reports.documents.conversion import Document
from annotations.reports.documents.study import StudyDocument
from annotations.reports.paper.limits import limits
from annotations.reports.paper.markdown import plain
from annotations.reports.paper.methods import cited, methods
from annotations.reports.paper.references.bibliography import REFERENCES
from annotations.reports.paper.registered import registration_lines
from annotations.reports.paper.summary import summary
from annotations.reports.parts import Part, notices_of, parts_of, provenance
from annotations.reports.rendering import rendered
from annotations.reports.view import Notice

STYLE = Path(__file__).resolve().parent.parent / "static" / "annotations" / "report.css"
MOST_EXCLUDED_SHOWN = 20


@dataclass(frozen=True)
class Page:
    """What the template shows. `left_out`: the first rows that were left out, each in one line.

    summary, methods, limits, references   of a study; a report about critics begins with its headlines
    """

    title: str
    notices: Sequence[Notice]
    summary: Sequence[str]
    parts: Sequence[Part]
    methods: Sequence[str]
    limits: Sequence[str]
    registration: Sequence[str]
    references: Sequence[str]
    checks: Sequence[str]
    left_out: Sequence[str]
    n_left_out: int
    provenance: str


def page(document: Document, excluded: Sequence[str] = ()) -> str:
    """The whole file's text, of a study's document, of one about critics, or of one about votes or rankings.

    `excluded` are the rows that were left out, each described in one line.
    """
    said = notices_of(document)
    study = document if isinstance(document, StudyDocument) else None
    described = methods(study) if study else []
    shown = Page(
        title=document.title,
        notices=said,
        summary=summary(study) if study else [],
        methods=[plain(paragraph) for paragraph in described],
        limits=limits(study) if study else [],
        registration=registration_lines(study) if study else [],
        references=[REFERENCES[key].long for key in sorted(cited(described))],
        checks=[notice.text for notice in said if notice.kind == "check"],
        parts=parts_of(document),
        left_out=excluded[:MOST_EXCLUDED_SHOWN],
        n_left_out=document.n_excluded,
        provenance=provenance(document.made),
    )
    return rendered("report.html", report=shown, style=STYLE.read_text(encoding="utf-8"))
