"""The parts of an import, as plain data: each app describes its own imports with these types."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar

from django.contrib.auth.models import User
from django.utils.functional import Promise

from exchange.rejects import RejectLog
from exchange.tables.packed import PACKED_ENDINGS, TABLE_ENDINGS
from generation.models import Activity, ImportRun, PromptSet

T = TypeVar("T")
TABLES = ",".join((*TABLE_ENDINGS, *PACKED_ENDINGS))
"""The endings of tables, for file dialogues."""
Text = str | Promise


class Source(NamedTuple):
    """A file to import: the user's name for it, and a path or a seekable binary stream."""

    name: str
    content: Path | BinaryIO


class Touched(NamedTuple):
    """The target of an import: a study by its token or a prompt set by its number, with its name."""

    subject: Activity.Subject
    key: str
    name: str


@dataclass
class Counts:
    """The progress of an import.

    n_created    rows of the file that added something
    n_unchanged  rows that existed already and are identical
    n_missing    rows that say that there is no value
    skipped      answers left out for reasons that are not faults, by reason
    made         what was added, by its plural name: {"prompts": 10, "variants": 30}
    touched      rows added, by what they were added to; also with zero rows, where all were there
    keys         in a dry run, keys of the images that would have been made, for the steps that build on them
    """

    n_created: int = 0
    n_unchanged: int = 0
    n_missing: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    made: Counter[str] = field(default_factory=Counter)
    touched: Counter[Touched] = field(default_factory=Counter, compare=False)
    keys: set[str] = field(default_factory=set)

    def touch(self, prompt_set: PromptSet, n: int) -> None:
        """Note that n rows were added to a set."""
        if prompt_set.pk is not None:
            self.touched[Touched(Activity.Subject.PROMPT_SET, str(prompt_set.pk), prompt_set.name)] += n

    def add(self, other: "Counts") -> None:
        self.n_created += other.n_created
        self.n_unchanged += other.n_unchanged
        self.n_missing += other.n_missing
        self.skipped.update(other.skipped)
        self.made.update(other.made)
        self.touched.update(other.touched)
        self.keys |= other.keys


Progress = Callable[[Counts], None]
"""Called inside every batch's transaction. An error that it raises ends the import and undoes only that batch."""


def no_progress(counts: Counts) -> None:
    """For callers that do not need the progress."""


@dataclass(frozen=True)
class Job:
    """One import, ready to run.

    owner, import_run   whose it is, and its row; see `services.origin` for what follows from them
    known               the keys that earlier steps of the same dry run would have made
    """

    source: Source
    options: Mapping[str, str]
    owner: User | None
    log: RejectLog
    import_run: ImportRun | None = None
    dry_run: bool = False
    progress: Progress = no_progress
    known: AbstractSet[str] = frozenset()


@dataclass(frozen=True)
class FileRole:
    """A file that an import takes: `accepts` are endings that a file dialogue offers. Content decides, not names.

    example  the static file of a small one that can be imported as it is
    """

    name: str
    title: Text
    help: Text
    required: bool = True
    accepts: str = TABLES
    example: str = ""


@dataclass(frozen=True)
class Option:
    """A text option of an import; if it holds `several`, they are one per line.

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
    writes_into     name of the option that names the prompt set it adds to, if it has one
    before, after   file name → kind: those other importers, with the same options, run before or after the main one
    check           raises ValidationError ({option: message}) for options that cannot be taken
    derive          further files, by role, that the given ones hold within them
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
    writes_into: str = ""
    derive: Callable[[Mapping[str, Source], Mapping[str, str]], AbstractContextManager[Mapping[str, Source]]] = (
        lambda files, options: nullcontext({})
    )
    complete: Callable[[Mapping[str, str]], Mapping[str, str]] = lambda options: options
    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    position: int = 100


def batches(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """The rows in lists of `size`, the last one shorter."""
    remaining = iter(rows)
    while batch := list(islice(remaining, size)):
        yield batch
