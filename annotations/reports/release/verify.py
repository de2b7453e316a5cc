"""Is a bundle complete, and do its rows still reproduce its figures?"""

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from annotations.reports.documents.conversion import from_json
from annotations.reports.documents.study import StudyDocument
from annotations.reports.release.recompute import IMAGES, MANIFEST, REPORT, BadBundle, Settings, recompute
from annotations.reports.release.written import differing
from annotations.reports.study.tables import TABLES

BLOCK = 1 << 20
EVERY_DIGIT = 1e-12
"""Relative difference below which two figures are equal: the last digits may depend on the processor."""
NOT_FIGURES = frozenset({"sources"})


@dataclass(frozen=True)
class Difference:
    """One figure that differs: its table, its row in words, its column, the bundle's value and the recomputed one."""

    table: str
    row: str
    column: str
    expected: Any
    found: Any

    def __str__(self) -> str:
        return f"{self.column} {_shown(self.expected)} → {_shown(self.found)}"


@dataclass(frozen=True)
class Verified:
    """Everything that does not agree.

    changed, missing  files whose content differs from the manifest, and files that are missing
    differences       figures of the report that the rows do not reproduce; n_figures: how many were compared
    written           (file, what differs in it): tables and texts that do not match the report's figures, and images
                      that are not those of the rows
    """

    changed: Sequence[str]
    missing: Sequence[str]
    differences: Sequence[Difference]
    written: Sequence[tuple[str, str]]
    n_figures: int
    made_by: str
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def is_equal(self) -> bool:
        return not (self.changed or self.missing or self.differences or self.written)

    def lines(self) -> list[str]:
        """The differences in words, those of one row of a table in one line."""
        by_row: dict[tuple[str, str], list[str]] = {}
        for one in self.differences:
            by_row.setdefault((one.table, one.row), []).append(str(one))
        figures = [f"{table}: {row}: {', '.join(found)}" for (table, row), found in by_row.items()]
        return figures + [f"{name}: {words}" for name, words in self.written]


def manifest(files: Iterable[tuple[str, bytes]]) -> str:
    """Lines as sha256sum writes and checks them."""
    return "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files)


def verify(folder: Path, *, code_version: str) -> Verified:
    """Compare every file with the manifest, and every figure with its recomputed value. Raises BadBundle."""
    settings = Settings.read(folder)
    listed = _listed(folder)
    missing = [name for name in listed if not (folder / name).is_file()]
    changed = [name for name, digest in listed.items() if name not in missing and _digest(folder / name) != digest]
    try:
        expected = from_json(StudyDocument, json.loads((folder / REPORT).read_text(encoding="utf-8")))
    except (OSError, ValueError) as problem:
        raise BadBundle(f"{REPORT} cannot be read ({problem}): unpack the whole bundle") from None
    found = recompute(folder, settings, code_version=code_version)
    notes = []
    if settings.code_version != code_version:
        notes.append(f"The bundle was made by evalsite {settings.code_version}; this is {code_version}.")
    if expected.made.stats_version != found.made.stats_version:
        notes.append("The statistics have another version: figures may differ for that reason alone.")
    notes += [f"not a file of this bundle: {name}" for name in _others(folder, listed)]
    differences, n_figures = compare(expected, found)
    is_same_version = settings.code_version == code_version
    written = [*_other_images(folder, listed), *differing(folder, expected, is_same_version=is_same_version)]
    return Verified(changed, missing, differences, written, n_figures, settings.code_version, notes)


def compare(expected: StudyDocument, found: StudyDocument) -> tuple[list[Difference], int]:
    """The figures of two documents' tables that differ, in the order of the tables, and how many were compared."""
    differences: list[Difference] = []
    n_figures = 0
    for table, (columns, rows) in TABLES.items():
        if table in NOT_FIGURES:
            continue
        before, after = _keyed(columns, rows(expected)), _keyed(columns, rows(found))
        for row in dict.fromkeys([*before, *after]):
            ours, theirs = before.get(row, {}), after.get(row, {})
            for column in dict.fromkeys([*ours, *theirs]):
                n_figures += 1
                if not _is_same(ours.get(column), theirs.get(column)):
                    said = ", ".join(part for part in row if part)
                    differences.append(Difference(table, said, column, ours.get(column), theirs.get(column)))
    return differences, n_figures


KEYS = frozenset(
    {
        *("dimension", "statistic", "metric", "method", "baseline", "refined", "exclusion", "aggregation", "subset"),
        *("half_width", "raters_per_prompt", "n_raters", "metric_a", "metric_b", "rater", "facet", "question"),
        *("method_a", "method_b", "category"),
    }
)
"""Columns that say which row it is, where they come before the first figure."""


def _keyed(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> dict[tuple[str, ...], dict[str, Any]]:
    """Rows by the leading columns that name them; rows with equal names are numbered."""
    n_keys = next((at for at, name in enumerate(columns) if name not in KEYS), len(columns))
    keyed: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in rows:
        names = tuple(str(cell) for cell in row[:n_keys])
        key, number = names, 1
        while key in keyed:
            number += 1
            key = (*names, f"row {number}")
        keyed[key] = dict(zip(columns[n_keys:], row[n_keys:], strict=True))
    return keyed


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float | int) and not isinstance(other, bool):
        return abs(one - other) <= EVERY_DIGIT * max(abs(one), abs(other))
    return bool(one == other)


def _shown(value: Any) -> str:
    return "nothing" if value is None else str(value)


def _listed(folder: Path) -> dict[str, str]:
    """The hash of each file by the manifest. Raises BadBundle."""
    try:
        lines = (folder / MANIFEST).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as problem:
        raise BadBundle(f"{MANIFEST} cannot be read ({problem}): unpack the whole bundle") from None
    found = {}
    for line in lines:
        digest, _, name = line.partition("  ")
        if not (folder / name).resolve().is_relative_to(folder.resolve()):
            raise BadBundle(f"{MANIFEST} names a file outside the bundle: {name}")
        found[name] = digest
    return found


def _others(folder: Path, listed: Mapping[str, str]) -> list[str]:
    """Files that lie in the folder and are not in the manifest."""
    there = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in there if name != MANIFEST and name not in listed)


def _other_images(folder: Path, listed: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Images whose hash in the manifest differs from the one in the table of images."""
    try:
        with (folder / IMAGES).open(encoding="utf-8", newline="") as file:
            stated = {row["file"]: row["sha256"] for row in csv.DictReader(file)}
    except (OSError, ValueError, KeyError):
        return  # missing or damaged: the manifest says so
    for name, digest in listed.items():
        if name.startswith("images/") and stated.get(name, "") != digest:
            yield name, f"its hash is {digest}, and {stated.get(name) or 'nothing'} in {IMAGES}"


def _digest(path: Path) -> str:
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            hasher.update(block)
    return hasher.hexdigest()
