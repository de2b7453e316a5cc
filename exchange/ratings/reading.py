"""The entry point for ratings from outside: it detects how a file is written and returns its answers, one per row."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from exchange.labels import is_in_words, number_in, proposal
from exchange.rejects import BadFile, RejectLog
from exchange.study_tables import RATINGS
from exchange.tables.coded import ROWS_IN_BLOCK, CodedTable, collect_columns, read_blocks, read_columns
from exchange.tables.headers import Columns
from exchange.tables.packed import is_zip_of_tables, tables_in, unpacked
from exchange.tables.row import JsonValue, Row
from exchange.tables.rows import read_rows
from exchange.tables.values import text_of
from exchange.text import opened
from exchange.wording import listed

from . import annotation_tools, benchmarks, columns, crowds, label_studio, other_tables, surveys
from .column_names import is_aside, is_question_like
from .columns import stem
from .mapping import AS_WRITTEN, BY_FILE, Mapping
from .references import names_of
from .shape import Answer, Shape, Sheet, Skipped, is_blank

ROWS_LOOKED_AT = 500
LATE_CELLS_LOOKED_AT = 50
ROWS_SHOWN = 10
MOST_COLUMNS_SHOWN = 60
MOST_WORDS_SHOWN = 20
_PROGRAMS = (
    label_studio.recognised,
    annotation_tools.recognised,
    crowds.recognised,
    surveys.recognised,
    benchmarks.recognised,
)
SHAPED = Columns(
    required=RATINGS.required,
    optional=(*RATINGS.optional, "prompt", "method"),
    names=RATINGS.names,
    extra="drop",
)
"""The rows that a shape gives: those of a table of ratings, and sometimes the item's prompt and method."""


@dataclass
class Tally:
    """What was read from a file: its rows, their answers, and what was left out for a reason that is not a fault."""

    n_rows: int = 0
    n_answers: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def n_skipped(self) -> int:
        return self.skipped.total()


@dataclass
class _Part:
    """One table: its name, its content from `begin` on, and how it is read; without a shape, one answer per row."""

    name: str
    content: BinaryIO
    begin: int
    shape: Shape | None
    names: dict[str, str] = field(default_factory=dict)

    def again(self) -> BinaryIO:
        self.content.seek(self.begin)
        return self.content


class RatingsFile:
    """Ratings from one file or several, which can be read more than once while it is open.

    says  sentences on how it is read
    """

    def __init__(self, parts: Sequence[_Part], mapping: Mapping) -> None:
        self._parts, self.mapping = parts, mapping
        self.tally = Tally()

    @property
    def name(self) -> str:
        return (
            self._parts[0].name if len(self._parts) == 1 else f"{self._parts[0].name} and {len(self._parts) - 1} more"
        )

    @property
    def says(self) -> list[str]:
        return [f"{part.name}: read as {part.shape.name}." for part in self._parts if part.shape is not None]

    @property
    def format(self) -> str:
        """The format of the first table; "" for a table with one answer per row."""
        return next((part.shape.name for part in self._parts if part.shape is not None), "")

    @property
    def proposal(self) -> dict[str, JsonValue]:
        """The mapping by which the file is read, in the form of a mapping file."""
        shape = self._parts[0].shape
        return {**(dict(shape.mapping) if shape is not None else {}), **self.mapping.to_json()}

    @property
    def choices(self) -> frozenset[str]:
        """Questions that are answered by choosing from a list."""
        return frozenset(question for part in self._parts if part.shape for question in part.shape.choices)

    @property
    def questions(self) -> dict[str, str]:
        """Question → its wording, if a file has it."""
        return {name: words for part in self._parts if part.shape for name, words in part.shape.questions.items()}

    @property
    def is_paired(self) -> bool:
        """Whether items have no names of their own: each is a prompt's image by a method."""
        return any(part.shape is not None and part.shape.is_paired for part in self._parts)

    @property
    def says_items(self) -> bool:
        """Whether the answers contain the prompts of their items, so that no table of items is needed."""
        return any(
            part.shape is not None and (part.shape.is_paired or "prompt" in part.shape.mapping) for part in self._parts
        )

    def shown(self) -> dict[str, JsonValue]:
        """How the file is read, for a page: its format, columns and mapping, and the first rows as they are read."""
        nowhere = RejectLog(keep=0)
        names = ("item", "rater", "dimension", "value")
        try:
            rows = [[text_of(row.values.get(n)) for n in names] for row in islice(self.rows(nowhere), ROWS_LOOKED_AT)]
        except BadFile:
            rows = []  # reading the rows reports what is wrong
        part = self._parts[0]
        return _shown(look_at(part.name, part.again(), self.mapping), self.format, self.proposal, rows)

    def name_by(self, items: Sequence[str]) -> None:
        """Calls the images of prompts by methods as `items` does: p1_base is p1_base.png, or base/p1.png."""
        known = Counter(_joined(item) for item in items)
        unique = {_joined(item): item for item in items if known[_joined(item)] == 1}
        nowhere = RejectLog(keep=0)
        for part in self._parts:
            if part.shape is None or not part.shape.is_paired:
                continue
            for row in read_rows(part.again(), name=part.name, dialect=self.mapping.dialect, log=nowhere):
                for answer in part.shape.parts(row):
                    if isinstance(answer, Answer) and answer.item not in part.names:
                        turned = f"{answer.more.get('method', '')}_{stem(str(answer.more.get('prompt', '')))}"
                        name = unique.get(_joined(answer.item)) or unique.get(_joined(turned))
                        part.names[answer.item] = name or answer.item

    def rows(self, log: RejectLog) -> Iterator[Row]:
        """Every answer as a row with item, rater, dimension, value, and possibly more; the tally is counted again."""
        self.tally = Tally()
        for part in self._parts:
            yield from self._long(part, log) if part.shape is None else self._shaped(part, part.shape, log)

    def blocks(self, log: RejectLog) -> Iterator[CodedTable | list[Row]]:
        """The same answers in blocks: of columns where the file is plain CSV, of rows elsewhere."""
        self.tally = Tally()
        dialect = self.mapping.dialect
        for part in self._parts:
            if part.shape is not None:
                rows = self._shaped(part, part.shape, log)
                while some := list(islice(rows, ROWS_IN_BLOCK)):
                    yield some
                continue
            for block in read_blocks(part.again(), name=part.name, columns=RATINGS, dialect=dialect, log=log):
                self.tally.n_rows += len(block)
                self.tally.n_answers += len(block)
                yield block

    def _long(self, part: _Part, log: RejectLog) -> Iterator[Row]:
        dialect = self.mapping.dialect
        for row in read_rows(part.again(), name=part.name, columns=RATINGS, dialect=dialect, log=log):
            self.tally.n_rows += 1
            self.tally.n_answers += 1
            yield row

    def _shaped(self, part: _Part, shape: Shape, log: RejectLog) -> Iterator[Row]:
        if shape.unused:
            log.warn(f"{part.name}: {listed(shape.unused)} {'is' if len(shape.unused) == 1 else 'are'} not read.")
        rows = read_rows(part.again(), name=part.name, dialect=self.mapping.dialect, log=log)
        for row in islice(rows, shape.header_rows, None):
            self.tally.n_rows += 1
            for place, answer in enumerate(shape.parts(row)):
                if isinstance(answer, Skipped):
                    self.tally.skipped[answer.reason] += answer.n
                    continue
                self.tally.n_answers += 1
                yield _row(row, place, answer, part.names)

    def table(self, log: RejectLog) -> CodedTable:
        """All answers in columns."""
        if len(self._parts) == 1 and self._parts[0].shape is None:
            part = self._parts[0]
            table = read_columns(part.again(), name=part.name, columns=RATINGS, dialect=self.mapping.dialect, log=log)
            self.tally = Tally(len(table), len(table))
            return table
        return collect_columns(self.rows(log), name=self.name, columns=SHAPED, log=log)


def _row(row: Row, place: int, answer: Answer, names: dict[str, str]) -> Row:
    values: dict[str, JsonValue] = {
        "item": names.get(answer.item, answer.item),
        "rater": answer.rater,
        "dimension": answer.dimension,
        "value": answer.value,
        **answer.more,
    }
    return Row(row.file, row.number, values, place, answer.field)


def _joined(item: str) -> str:
    """An item's name without its ending, and with one sign for all signs that join its parts."""
    return re.sub(r"[_/\\\-. ]+", "_", re.sub(r"\.[A-Za-z0-9]{1,5}$", "", item)).casefold()


@contextmanager
def opened_ratings(
    sources: Sequence[tuple[str, Path | BinaryIO]],
    *,
    mapping: Mapping | None = None,
    log: RejectLog,
    declared: Collection[str] = (),
) -> Iterator[RatingsFile]:
    """The ratings in files, each of which may be packed, or a zip of tables, such as one for each rater.

    declared: questions whose scale is known; without it, a question called after ranks is taken for a ranking

    Raises BadFile if a file cannot be read, clearly does not hold ratings, or could be read in two ways. The message
    says how to decide.
    """
    mapping = mapping or Mapping()
    with ExitStack() as stack:
        parts: list[_Part] = []
        for name, source in sources:
            stream = stack.enter_context(opened(source, name))
            if is_zip_of_tables(stream):
                entries = stack.enter_context(tables_in(stream, name))
                for entry, content in entries:
                    rater = stem(entry) if len(entries) > 1 else ""
                    shape = _shape(entry, content, 0, mapping, log, declared, rater=rater)
                    parts.append(_Part(entry, content, 0, shape))
                continue
            content = stack.enter_context(unpacked(stream, name))
            begin = content.tell()
            parts.append(_Part(name, content, begin, _shape(name, content, begin, mapping, log, declared)))
        for part in parts:
            _name_items(part, mapping, log)
        yield RatingsFile(parts, mapping)


def _shape(
    name: str,
    content: BinaryIO,
    begin: int,
    mapping: Mapping,
    log: RejectLog,
    declared: Collection[str],
    *,
    rater: str = "",
) -> Shape | None:
    """rater: whose answers a table holds if it does not say so; "" if unknown"""
    content.seek(begin)
    sheet = look_at(name, content, mapping)
    if not sheet.head:
        return None  # the reading says what is wrong
    try:
        shape = _recognised(sheet, mapping, rater, declared)
    except BadFile as bad:
        bad.reading = _shown(sheet, "", mapping.to_json(), [])
        raise
    if shape is not None and (aside := _left_aside(sheet, shape)):
        log.remark(
            f"{name}: going by {'its name' if len(aside) == 1 else 'their names'}, {listed(aside)} "
            f"{'is' if len(aside) == 1 else 'are'} not read as answers. To read a column as a question or a rater, "
            "name it by --columns or in the mapping."
        )
    return shape


def _left_aside(sheet: Sheet, shape: Shape) -> list[str]:
    """Columns whose content could be answers, but whose names are usual for data that accompany answers."""
    taken = set(shape.unused)
    for used in shape.mapping.values():
        taken |= {str(column) for column in used} if isinstance(used, list) else {str(used)}
    if not shape.mapping:
        return []
    free = [column for column in sheet.columns if column not in taken and is_aside(column)]
    return [column for column in free if columns.holds_answers(sheet, column)]


def _recognised(sheet: Sheet, mapping: Mapping, rater: str, declared: Collection[str]) -> Shape | None:
    if mapping.says_columns:
        return columns.mapped(sheet, mapping)
    for program in _PROGRAMS:
        shape = program(sheet)
        if shape is not None:
            return shape
    other_tables.refuse_other(sheet, declared)
    if rater and (shape := columns.of_one_rater(sheet, rater)) is not None:
        return shape
    if not RATINGS.missing(RATINGS.resolve(sheet.columns)) and not _has_more_questions(sheet):
        return None
    return columns.recognised(sheet)


def _has_more_questions(sheet: Sheet) -> bool:
    """Whether a table that could be read as one answer per row has further questions' answers in other columns."""
    resolved = RATINGS.resolve(sheet.columns)
    if "dimension" in resolved.values():
        return False
    free = [column for column in sheet.columns if column not in resolved and is_question_like(column)]
    return any(columns.holds_answers(sheet, column) for column in free)


def _shown(
    sheet: Sheet, recognised_as: str, mapping: dict[str, JsonValue], rows: Sequence[Sequence[str]]
) -> dict[str, JsonValue]:
    words = {row[3] for row in rows if is_in_words(row[3]) and not number_in(row[3])}
    proposed: dict[str, JsonValue] = {**proposal(sorted(words))} if len(words) <= MOST_WORDS_SHOWN else {}
    unknown: dict[str, JsonValue] = dict.fromkeys(sorted(words)) if len(words) <= MOST_WORDS_SHOWN else {}
    return {
        "format": recognised_as,
        "columns": [column[:200] for column in sheet.columns[:MOST_COLUMNS_SHOWN]],
        "mapping": mapping,
        "words": proposed or unknown,
        "rows": [[cell[:200] for cell in row] for row in rows[:ROWS_SHOWN]],
    }


def look_at(name: str, content: BinaryIO, mapping: Mapping) -> Sheet:
    """The first rows of a table, and later rows that show the content of columns that are empty in the first ones.

    Raises BadFile if not even the first rows can be read.
    """
    head: list[Row] = []
    rows = read_rows(content, name=name, dialect=mapping.dialect, log=RejectLog(keep=0))
    try:
        head.extend(islice(rows, ROWS_LOOKED_AT))
        head.extend(_late_rows(head, rows, has_keys=_has_keys(name, head)))
    except BadFile:
        if not head:
            raise
    found = list(dict.fromkeys(column for row in head for column in row.values))
    return Sheet(name, found, head)


def _late_rows(head: Sequence[Row], rows: Iterator[Row], *, has_keys: bool) -> Iterator[Row]:
    """Rows with cells of columns that had few so far. The rest of the file is read only if there may be such rows."""
    seen = Counter(column for row in head for column, cell in row.values.items() if not is_blank(cell))
    if not has_keys and all(seen[column] for row in head[:1] for column in row.values):
        return
    late = {column for row in head for column in row.values} - seen.keys()
    known = set(seen)
    for row in rows:
        if has_keys:
            late |= row.values.keys() - known
        shown = [column for column in late if not is_blank(row.values.get(column))]
        if shown:
            seen.update(shown)
            late -= {column for column in shown if seen[column] >= LATE_CELLS_LOOKED_AT}
            known |= {column for column in shown if seen[column] >= LATE_CELLS_LOOKED_AT}
            yield row


def _has_keys(name: str, head: Sequence[Row]) -> bool:
    """Whether each row brings its own columns, as objects of JSON do."""
    return ".json" in name.casefold() or ".ndjson" in name.casefold() or len({tuple(row.values) for row in head}) > 1


def _name_items(part: _Part, mapping: Mapping, log: RejectLog) -> None:
    """Names the items of a file that has references by their files."""
    shape = part.shape
    if shape is None or mapping.names == AS_WRITTEN or not (shape.references or mapping.names == BY_FILE):
        return
    nowhere = RejectLog(keep=0)
    found: dict[str, None] = {}
    for row in read_rows(part.again(), name=part.name, dialect=mapping.dialect, log=nowhere):
        found |= {answer.item: None for answer in shape.parts(row) if isinstance(answer, Answer)}
    part.names = names_of(found)
    shortened = [reference for reference, name in part.names.items() if name != reference]
    if shortened:
        log.remark(f'{part.name}: items are named by their files, such as "{part.names[shortened[0]]}".')
