"""What qualifies a report's figures, in sentences: the same on the page, in the file and in the LaTeX tables."""

from collections.abc import Iterator

from annotations.reports.documents.study import StudyDocument
from annotations.reports.notices import of_files, simulated
from annotations.reports.numbers import counted
from annotations.reports.sources import source_notices
from annotations.reports.study.sections.exclusion_notes import exclusion_notes
from annotations.reports.view import Notice


def notices(document: StudyDocument, *, with_facets: bool = True) -> list[Notice]:
    """First the notices that lead the report, then those that end it.

    with_facets  also say by which facets metrics are not shown; LaTeX tables show metrics by no facet
    """
    kinds = document.raters_by_kind
    first = simulated(kinds.get("simulated", 0), sum(kinds.values()), who="raters", what="answers")
    excluded = (Notice(line, "first") for line in exclusion_notes(document))
    notes = [*_notes(document), *(_facets(document) if with_facets else ())]
    return [*first, *excluded, *source_notices(document), *of_files(document), *map(Notice, notes)]


def _notes(document: StudyDocument) -> Iterator[str]:
    late = document.n_late
    if late == 1:
        yield "1 card was answered too late, after others had answered its item in full: kept, but not counted."
    elif late:
        yield (
            f"{late:,} cards were answered too late, after others had answered their items in full: kept, but not "
            "counted."
        )
    for dimension in document.dimensions:
        if n_gold := dimension.n_gold:
            about = dimension.asked
            yield f"{counted(n_gold, 'item')} with a known right answer (gold) count in all figures of “{about}”."


def _facets(document: StudyDocument) -> Iterator[str]:
    if not any(dimension.board for dimension in document.dimensions):
        return  # there are none to show
    for facet, reason in sorted(document.facets_left_out.items()):
        yield f"Metrics are not shown by {facet}: {reason}."
