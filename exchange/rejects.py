"""What was refused, where, and how to fix it: the form in which every importer reports."""

import csv
from collections import Counter
from dataclasses import dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from exchange.formulas import neutralise
from exchange.spellings import Spellings

MAX_SHOWN = 200
"""How many characters of a refused value a report repeats."""

MAX_PRINTED = 80
"""How many of its characters a printed line repeats."""

MAX_COUNTED_FIELDS = 1_000
"""Distinct fields counted by name; a file with more columns than that is counted under "(other)"."""


@dataclass(frozen=True, slots=True)
class Reject:
    """One refused cell, row or file.

    file     the name the user knows it by
    row      1-based: the line in CSV, TSV and JSON lines, the record in Parquet and JSON arrays; None: the whole file
    field    the column; "" where the row or the file as a whole is meant
    value    the cell's text, shortened to MAX_SHOWN characters
    problem  what is wrong, cure  what to do about it: both are plain sentences without a full stop
    """

    file: str
    row: int | None
    field: str
    value: str
    problem: str
    cure: str

    def __str__(self) -> str:
        where = self.file if self.row is None else f"{self.file}, row {self.row}"
        if self.field:
            where += f", {self.field}"
        value = " ".join(self.value.split())
        if value and f'"{value}"' not in self.problem and not self.problem.startswith(f"{value} "):
            where += f' "{value[:MAX_PRINTED]}{"…" if len(value) > MAX_PRINTED else ""}"'
        return f"{where}: {self.problem}. {_as_sentence(self.cure)}."


def _as_sentence(cure: str) -> str:
    """The cure with a capital, unless its first word is not a plain word but a name."""
    first = cure.split(maxsplit=1)[0] if cure.strip() else ""
    return cure[:1].upper() + cure[1:] if first.rstrip(",:;").isalpha() else cure


class BadFile(Exception):
    """A file that cannot be read any further. `reject` says what is wrong, where, and what to do.

    Rows that were returned before it was raised were good; the importer's transaction decides whether they count.
    """

    def __init__(self, reject: Reject) -> None:
        super().__init__(str(reject))
        self.reject = reject
        self.reading: dict[str, Any] = {}


def shown(value: object) -> str:
    """A value as a report repeats it: printable, and at most MAX_SHOWN characters."""
    text = value if isinstance(value, str) else repr(value)
    if len(text) > MAX_SHOWN:
        text = text[: MAX_SHOWN - 1] + "…"
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() or letter == "\n" else ascii(letter)[1:-1] for letter in text)


def bad_file(
    file: str, problem: str, cure: str, *, row: int | None = None, field: str = "", value: object = ""
) -> BadFile:
    """The exception for a whole-file problem, ready to raise."""
    return BadFile(Reject(file, row, field, shown(value), problem, cure))


class RejectLog:
    """Collects rejects in bounded memory: counts of all, the first `keep` in full, all of them in a CSV file.

    `to` is a path (opened here, closed by `close` or the `with` block) or a text stream (left open). Without it,
    rejects after the first `keep` are only counted. The CSV's text cells are safe to open in a spreadsheet.
    `reading` is how the main file was understood, for a page to show: see `RatingsFile.shown`.
    """

    def __init__(self, to: Path | TextIO | None = None, *, keep: int = 100) -> None:
        self.total = 0
        self.place = 0
        self.reading: dict[str, Any] = {}
        self.by_field: Counter[str] = Counter()
        self.first: list[Reject] = []
        self.spellings = Spellings()
        self._warnings: list[str] = []
        self._remarks: list[str] = []
        self._keep = keep
        self._own = to.open("w", encoding="utf-8", newline="") if isinstance(to, Path) else None
        stream = self._own if isinstance(to, Path) else to
        self._writer = csv.writer(stream, lineterminator="\r\n") if stream is not None else None
        if self._writer is not None:
            self._writer.writerow([column.name for column in fields(Reject)])

    def add(self, reject: Reject) -> None:
        self.total += 1
        known = reject.field in self.by_field or len(self.by_field) < MAX_COUNTED_FIELDS
        self.by_field[reject.field if known else "(other)"] += 1
        if len(self.first) < self._keep:
            self.first.append(reject)
        if self._writer is not None:
            texts = (reject.field, reject.value, reject.problem, reject.cure)
            self._writer.writerow([neutralise(reject.file), reject.row, *map(neutralise, texts)])

    def note(
        self, file: str, row: int | None, field: str, value: object, problem: str, cure: str, *, place: int = 0
    ) -> None:
        """Adds one reject from its parts; the value may be anything and is shortened.

        place  which of the answers of its row is refused, where one row holds several
        """
        self.place = place
        self.add(Reject(file, row, field, shown(value), problem, cure))

    def remark(self, sentence: str) -> None:
        """Adds a sentence on how the file was read, once. It is information: the user need not check anything."""
        if sentence not in self._remarks and len(self._remarks) < self._keep:
            self._remarks.append(sentence)

    @property
    def remarks(self) -> list[str]:
        """Whole sentences on how files were read, at most `keep` of them."""
        return list(self._remarks)

    def warn(self, sentence: str) -> None:
        """Adds a warning, once."""
        if sentence not in self._warnings and len(self._warnings) < self._keep:
            self._warnings.append(sentence)

    @property
    def warnings(self) -> list[str]:
        """Whole sentences on values that were accepted but may not be intended, at most `keep` of them."""
        return [*self._warnings, *self.spellings.warnings()][: self._keep]

    @property
    def n_left_off(self) -> int:
        """Rejects that are counted but not in `first`."""
        return self.total - len(self.first)

    def close(self) -> None:
        if self._own is not None:
            self._own.close()

    def __bool__(self) -> bool:
        """True where anything was rejected."""
        return self.total > 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
