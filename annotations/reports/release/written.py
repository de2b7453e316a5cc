"""Does a bundle's written report match its figures? Its tables and texts are written again and compared."""

import csv
import io
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from annotations.reports.documents.study import StudyDocument
from annotations.reports.outputs import text_files
from annotations.reports.release.recompute import REPORT

FOLDER = "report/"
MOST_SHOWN = 80
"""Characters of a line."""


def differing(folder: Path, document: StudyDocument, *, is_same_version: bool) -> Iterator[tuple[str, str]]:
    """(file, what differs in it) for tables and texts that do not match the document.

    For a table that is the row and column, for another text the first line. Missing files are found through the
    manifest. PDF, Word and PNG are not compared: their bytes depend on the machine's fonts. Another version of evalsite
    may word texts differently: then only tables with the same columns are compared.
    """
    for name, content in text_files(document):
        path = folder / FOLDER / name
        if FOLDER + name == REPORT or not path.is_file():
            continue
        is_table = name.endswith(".csv")
        if not (is_same_version or is_table):
            continue
        found = path.read_bytes()
        if found == content:
            continue
        compared = _cells if is_table else _lines
        said, meant = found.decode("utf-8", "replace"), content.decode("utf-8")
        if is_table and not is_same_version and said.splitlines()[:1] != meant.splitlines()[:1]:
            continue
        for words in compared(said, meant):
            yield FOLDER + name, words


def _cells(said: str, meant: str) -> Iterator[str]:
    rows, other_rows = (list(csv.reader(io.StringIO(text, newline=""))) for text in (said, meant))
    head = other_rows[0] if other_rows else []
    nothing: list[str] = []
    for number, (row, other) in enumerate(zip_longest(rows, other_rows, fillvalue=nothing), start=1):
        columns = zip_longest(head, row, other, fillvalue="")
        moved = [f"{column} {_short(one)} → {_short(two)}" for column, one, two in columns if one != two]
        if moved:
            yield f"row {number}: {', '.join(moved)}"


def _lines(said: str, meant: str) -> Iterator[str]:
    """The first line that differs, from shortly before the first character that differs."""
    for number, (one, other) in enumerate(zip_longest(said.split("\n"), meant.split("\n"), fillvalue=""), start=1):
        if one != other:
            alike = min(len(one), len(other))
            at = next((place for place in range(alike) if one[place] != other[place]), alike)
            start = max(at - MOST_SHOWN // 4, 0)
            yield f"line {number}: {_short(one[start:])} → {_short(other[start:])}"
            return


def _short(text: str) -> str:
    return (text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…") or "nothing"
