"""All sources by their keys."""

from collections.abc import Iterable

from annotations.reports.paper.references.entries import ENTRIES
from annotations.reports.paper.references.preferences import OF_PREFERENCES

REFERENCES = {reference.key: reference for reference in (*ENTRIES, *OF_PREFERENCES)}


def bibliography(keys: Iterable[str]) -> str:
    """The entries of these keys, each once, in the order of their keys. Raises KeyError for an unknown one."""
    return "\n".join(REFERENCES[key].bibtex() for key in sorted(set(keys)))
