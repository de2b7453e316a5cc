"""What an import is made of, as plain data: each app describes its own imports in these words."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar

from django.contrib.auth.models import User
from django.utils.functional import Promise

from exchange.tables import RejectLog

T = TypeVar("T")
Text = str | Promise


class Source(NamedTuple):
    """A file on its way in: what the user calls it, and a path or a seekable binary stream."""

    name: str
    content: Path | BinaryIO


@dataclass
class Counts:
    """How far an import is.

    n_created    rows of the file that added something
    n_unchanged  rows that were there already, exactly so
    made         what was added, by its plural name: {"prompts": 10, "variants": 30}
    keys         in a dry run, keys of the images that would have been made, for the steps that build on them
    """

    n_created: int = 0
    n_unchanged: int = 0
    made: Counter[str] = field(default_factory=Counter)
    keys: set[str] = field(default_factory=set)

    def add(self, other: "Counts") -> None:
        self.n_created += other.n_created
        self.n_unchanged += other.n_unchanged
        self.made.update(other.made)
        self.keys |= other.keys


Progress = Callable[[Counts], None]
"""Called inside every batch's transaction. What it raises ends the import and undoes that one batch."""


def no_progress(counts: Counts) -> None:
    """For callers who do not want to know."""


@dataclass(frozen=True)
class Job:
    """One import, ready to run. `known` holds the keys that earlier steps of the same dry run would have made."""

    source: Source
    options: Mapping[str, str]
    owner: User | None
    log: RejectLog
    dry_run: bool = False
    progress: Progress = no_progress
    known: AbstractSet[str] = frozenset()


@dataclass(frozen=True)
class FileRole:
    """A file that an import takes: `accepts` are endings that a file dialogue offers; content decides, not names."""

    name: str
    title: Text
    help: Text
    required: bool = True
    accepts: str = ".csv,.tsv,.jsonl,.json,.parquet"


@dataclass(frozen=True)
class Option:
    """A word that an import takes besides its files; `several` of them stand on a line each.

    `suggest` lists values that a form offers.
    """

    name: str
    title: Text
    help: Text
    required: bool = False
    max_length: int = 200
    several: bool = False
    suggest: Callable[[User | None], Sequence[str]] | None = None


@dataclass(frozen=True)
class Importer:
    """One kind of import, the same by command, by web upload and by API.

    files           the first is the main one; each of the others is handed to the importer of another kind
    before, after   file name → kind: those other importers, with the same options, run before or after the main one
    check           raises ValidationError ({option: message}) for options that cannot be taken
    complete        the options with what is missing filled in
    run             imports the main file
    """

    kind: str
    title: Text
    help: Text
    files: tuple[FileRole, ...]
    options: tuple[Option, ...]
    run: Callable[[Job], Counts]
    check: Callable[[Mapping[str, str], User | None], None] = lambda options, owner: None
    complete: Callable[[Mapping[str, str]], Mapping[str, str]] = lambda options: options
    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    position: int = 100


def batches(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """The rows in lists of `size`, the last one shorter."""
    remaining = iter(rows)
    while batch := list(islice(remaining, size)):
        yield batch
