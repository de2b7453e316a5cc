"""Where a report's scores and critiques came from: in sentences, and row by row."""

from collections.abc import Iterator, Sequence
from typing import Any

from annotations.reports.documents.critic import CriticDocument
from annotations.reports.documents.provenance import Source
from annotations.reports.documents.study import StudyDocument
from annotations.reports.numbers import counted
from annotations.reports.view import Notice

MOST_NAMED = 12
COLUMNS = ("what", "name", "n", "added_by", "is_outsider", "way", "number", "file", "at")


def source_rows(document: StudyDocument | CriticDocument) -> Iterator[Sequence[Any]]:
    for source in document.sources:
        yield tuple(getattr(source, column) for column in COLUMNS)


def source_notices(document: StudyDocument | CriticDocument) -> list[Notice]:
    """A notice of scores and critiques from outside the study leads the report; a notice of all sources ends it."""
    sources = document.sources
    outside = [
        Notice(f"{_what(source)} {_were(source)} added by {source.added_by}, who does not run this study.", "first")
        for source in sources
        if source.is_outsider
    ]
    by_origin: dict[tuple[Any, ...], list[Source]] = {}
    for source in sources:
        origin = tuple(getattr(source, column) for column in ("added_by", "way", "number", "file"))
        by_origin.setdefault(origin, []).append(source)
    said = [Notice(_sentence(group)) for group in by_origin.values()]
    if len(said) > MOST_NAMED:
        more = f"{len(said) - MOST_NAMED:,} more sources of scores and critiques are listed in sources.csv."
        said = [*said[:MOST_NAMED], Notice(more)]
    return [*outside, *said]


def _sentence(group: Sequence[Source]) -> str:
    first = group[0]
    what = ", ".join(_what(source) for source in group)
    by = f" by {first.added_by}" if first.added_by else ""
    on = f" on {max(source.at for source in group)[:10]}"
    number = f" ({'run' if first.way == 'run' else 'import'} {first.number})" if first.number else ""
    way = {
        "import": f"imported{by} from {first.file}{on}{number}",
        "command": f"imported on the server{by} from {first.file}{on}{number}",
        "run": f"made by a run of the generator{by}{on}{number}",
        "": f"added{by}{on}",
    }[first.way]
    return f"{what}: {way}."


def _what(source: Source) -> str:
    return f"{counted(source.n, source.what)} of {source.name}"


def _were(source: Source) -> str:
    return "was" if source.n == 1 else "were"
