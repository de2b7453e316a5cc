"""What qualifies the figures about critics, in sentences: the same on the page and in the file."""

from annotations.reports.documents.critic import CriticDocument
from annotations.reports.notices import of_files, simulated
from annotations.reports.sources import source_notices
from annotations.reports.view import Notice


def critic_notices(document: CriticDocument) -> list[Notice]:
    """First the notices that lead the report, then those that end it."""
    counts = document.counts
    notes = [f"Not grouped by {facet}: {reason}." for facet, reason in sorted(document.facets_left_out.items())]
    first = simulated(counts.simulated_auditors, counts.auditors, who="auditors", what="verdicts")
    return [*first, *source_notices(document), *of_files(document), *map(Notice, notes)]
