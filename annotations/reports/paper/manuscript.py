"""Everything that a report says on paper, in any format: the formats differ only in markup."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from annotations.reports.documents.conversion import Document
from annotations.reports.documents.critic import CriticDocument
from annotations.reports.documents.study import StudyDocument
from annotations.reports.paper.figures import PaperFigure, paper_figures, sentence
from annotations.reports.paper.limits import limits
from annotations.reports.paper.methods import CRITICS, cited, methods
from annotations.reports.paper.preference_methods import preference_methods
from annotations.reports.paper.references.bibliography import REFERENCES
from annotations.reports.paper.references.reference import Reference
from annotations.reports.paper.registered import registration_lines
from annotations.reports.paper.summary import summary
from annotations.reports.parts import Part, notices_of, parts_of, provenance
from annotations.reports.view import Block, Folded, Paragraph, Section, Table

MOST_ROWS = 120
"""The most rows of a table on paper; the CSV has all."""


@dataclass(frozen=True)
class Manuscript:
    """A report on paper.

    warnings    warnings to read before any figure
    summary     the answer to each question, one sentence each
    parts       one per question, with its sections
    figures     all pictures of the parts, in the same order
    methods     paragraphs with citations as [@key]; references: of all keys, in alphabetical order
    notes       further qualifications of the figures
    registration  when the plan was frozen, and the deviations from it; empty without a registration
    """

    title: str
    made_at: str
    warnings: Sequence[str]
    summary: Sequence[str]
    parts: Sequence[Part]
    figures: Sequence[PaperFigure]
    methods: Sequence[str]
    limits: Sequence[str]
    notes: Sequence[str]
    registration: Sequence[str]
    references: Sequence[Reference]
    provenance: str


def manuscript(document: Document) -> Manuscript:
    """The report of a study's document, of one about critics, or of one about votes or rankings."""
    said, described = notices_of(document), _methods(document)
    parts = [replace(part, sections=list(map(_for_paper, part.sections))) for part in parts_of(document)]
    if isinstance(document, StudyDocument):
        answers, limited = summary(document), limits(document)
    else:
        answers = [sentence(line) for part in parts for line in part.headlines]
        limited, parts = [], [replace(part, headlines=[]) for part in parts]
    return Manuscript(
        title=document.title,
        made_at=document.made.at,
        warnings=[notice.text for notice in said if notice.kind in ("simulated", "first")],
        summary=answers,
        parts=parts,
        figures=paper_figures(parts),
        methods=described,
        limits=limited,
        notes=[notice.text for notice in said if notice.kind in ("check", "note")],
        registration=registration_lines(document) if isinstance(document, StudyDocument) else [],
        references=[REFERENCES[key] for key in sorted(cited(described))],
        provenance=provenance(document.made),
    )


def _methods(document: Document) -> list[str]:
    if isinstance(document, StudyDocument):
        return methods(document)
    return [CRITICS] if isinstance(document, CriticDocument) else [preference_methods(document.preferences)]


def _for_paper(section: Section) -> Section:
    return replace(section, blocks=_cut(section.blocks, section.table))


def _cut(blocks: Sequence[Block], table: str) -> list[Block]:
    """The blocks with the first rows of long tables."""
    out: list[Block] = []
    for block in blocks:
        if isinstance(block, Folded):
            out.append(Folded(block.summary, _cut(block.blocks, table)))
        elif isinstance(block, Table) and len(block.rows) > MOST_ROWS:
            out.append(replace(block, rows=block.rows[:MOST_ROWS]))
            out.append(Paragraph(f"The first {MOST_ROWS} of {len(block.rows):,} rows; all are in {table}.csv.", "note"))
        else:
            out.append(block)
    return out
