"""Known prompt files, each mapped to one neutral shape by what its columns are called."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import BinaryIO

from exchange.rejects import RejectLog, bad_file
from exchange.tables.cells import Cells
from exchange.tables.headers import Columns, folded
from exchange.tables.row import JsonValue, Row
from exchange.tables.rows import read_rows
from exchange.tables.values import MAX_TEXT
from exchange.wording import listed

MAX_NAME = 200
"""Characters of a category, sub-category, topic or key."""

_NONE: Mapping[str, str] = MappingProxyType({})
_VARIANT_COLUMN = re.compile(r"variant:([a-z0-9][a-z0-9_-]*)|([a-z0-9][a-z0-9_-]*)_prompt")
_NOT_VARIANTS = frozenset(("negative_prompt", "system_prompt"))
"""Columns that other programs name like this, and that hold something other than a wording of the prompt."""


@dataclass(frozen=True)
class PromptRow:
    """One prompt of an outside file.

    number    its row in the file
    category, sub_category, topic, key   "" where the file has none; a topic is not a key: two prompts may share one
    metadata  every further column that is filled in
    variants  kind → text: other wordings of the same prompt ("spatial", "temporal", "emotional", "rewritten"…)
    """

    number: int
    text: str
    category: str = ""
    sub_category: str = ""
    topic: str = ""
    key: str = ""
    metadata: dict[str, JsonValue] = field(default_factory=dict)
    variants: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Preset:
    """How one kind of prompt file is read.

    name        what the preset is called in reports and on the command line
    recognised  the columns by which it is recognised; all must be present
    columns     our names prompt, category, sub_category, topic, key ← the file's names; the rest is metadata
    variants    kind ← the file's column, for files whose variant columns have names of their own
    categories  words that, at the beginning of the file's name, are its category
    """

    name: str
    recognised: tuple[str, ...]
    columns: Columns
    variants: Mapping[str, str] = field(default_factory=lambda: _NONE)
    categories: tuple[str, ...] = ()


def _prompt_columns(text: tuple[str, ...], key: tuple[str, ...]) -> Columns:
    aliases = {
        **dict.fromkeys(text, "prompt"),
        **dict.fromkeys(key, "key"),
        "subcategory": "sub_category",
        "sub_categories": "sub_category",
        "categories": "category",
    }
    return Columns(("prompt",), ("category", "sub_category", "topic", "key"), aliases)


PRESETS = (
    Preset(
        "act2i-sample",
        ("phrase", "spatial", "temporal", "emotional"),
        _prompt_columns(("phrase",), ("id",)),
        MappingProxyType({"spatial": "spatial", "temporal": "temporal", "emotional": "emotional"}),
    ),
    Preset(
        "act2i-published",
        ("base_prompt", "spatial_prompt", "temporal_prompt", "emotional_prompt"),
        _prompt_columns(("base_prompt",), ("id", "prompt_id")),
    ),
    Preset(
        "interacting",
        ("topic", "prompt"),
        _prompt_columns((), ("id", "prompt_id")),
        categories=("functional", "multi_subject", "compositional"),
    ),
    Preset("columns", (), _prompt_columns(("prompts", "text", "caption"), ("id", "prompt_id"))),
)
"""Tried in this order; the last takes any table that has a column `prompt` or `text`."""
_ANY_COLUMN = Columns(
    ("prompt",),
    ("category", "sub_category", "topic", "key", "phrase", "base_prompt"),
    dict.fromkeys(("prompts", "text", "caption"), "prompt"),
)
"""Words that occur in the header of a table of prompts, but not in a prompt."""


def preset_of(columns: list[str], name: str = "") -> Preset:
    """The first preset whose columns are all present. Raises BadFile, for the file `name`, without a text column."""
    found = {folded(column) for column in columns}
    for preset in PRESETS:
        if preset.recognised and found.issuperset(preset.recognised):
            return preset
    generic = PRESETS[-1]
    if generic.columns.missing(generic.columns.resolve(columns)):
        raise bad_file(
            name,
            f"no column holds the prompts; found {listed(columns)}",
            'name the column "prompt"; a plain list, one prompt per line, needs a name that ends in .txt; '
            'an AcT2I file needs "phrase" with "spatial", "temporal" and "emotional", '
            'or "base_prompt" with "spatial_prompt", "temporal_prompt" and "emotional_prompt"',
            field="prompt",
        )
    return generic


def read_prompts(
    source: Path | BinaryIO, *, name: str, log: RejectLog, category: str = "", preset: Preset | None = None
) -> Iterator[PromptRow]:
    """The prompts of a file, one at a time; the preset is recognised by the first row's columns unless it is given.

    A file whose name ends in `.txt` may be a plain list, one prompt per line.

    category  used for rows without one; "": taken from InterActing's own file names (`functional_600.jsonl`)

    Rows without text go to the log, and so does a key that an earlier row gave to another prompt. Rows that repeat an
    earlier one are returned again: the importer decides whether the same prompt is wanted twice.
    Memory: about 100 bytes for every row that has a key. Raises BadFile as `read_rows` does.
    """
    # A first line without a known column may be a prompt or an unknown header: only the file's ending decides.
    unless_list = _ANY_COLUMN if name.casefold().endswith(".txt") else None
    rows = read_rows(source, name=name, unless_list=unless_list, log=log)
    first = next(rows, None)
    if first is None:
        if not log:
            raise bad_file(name, "the file has a header and no rows", "check that the right file was chosen")
        return
    chosen = preset or preset_of(list(first.values), name)
    default = category or _category_of(name, chosen)
    layouts: dict[tuple[str, ...], _Layout] = {}
    seen: dict[str, tuple[int, int]] = {}
    for row in chain([first], rows):
        keys = tuple(row.values)
        layout = layouts.get(keys)
        if layout is None:
            layout = _Layout.of(keys, chosen)
            if len(layouts) < 1_000:
                layouts[keys] = layout
        prompt = layout.prompt(row, default, log)
        if prompt is None:
            continue
        if prompt.key:
            number, content = seen.setdefault(prompt.key, (row.number, hash(prompt.text)))
            if content != hash(prompt.text):
                problem = f'the key "{prompt.key}" belongs to another prompt in row {number}'
                log.note(row.file, row.number, "key", prompt.key, problem, "give each prompt a key of its own")
                continue
        yield prompt


def _category_of(name: str, preset: Preset) -> str:
    stem = PurePath(name.replace("\\", "/")).name.casefold()
    return next((category for category in preset.categories if stem.startswith(category)), "")


@dataclass(frozen=True)
class _Layout:
    """What each column of a row is for: ours → theirs, variant column → kind, and the rest."""

    named: dict[str, str]
    variants: dict[str, str]
    metadata: tuple[str, ...]

    @classmethod
    def of(cls, found: tuple[str, ...], preset: Preset) -> "_Layout":
        ours = {*preset.columns.required, *preset.columns.optional}
        resolved = preset.columns.resolve(found)
        named = {mine: theirs for theirs, mine in resolved.items() if mine in ours}
        rest = [column for column in found if column not in named.values()]
        variants = {column: kind for column in rest if (kind := _variant_kind(column, preset))}
        return cls(named, variants, tuple(column for column in rest if column not in variants))

    def prompt(self, row: Row, category: str, log: RejectLog) -> PromptRow | None:
        cells = Cells(row, log)
        if "prompt" not in self.named:
            found = listed(list(row.values))
            log.note(row.file, row.number, "prompt", "", f"no prompt here; found {found}", 'add the key "prompt"')
            return None
        result = PromptRow(
            number=row.number,
            text=cells.name(self.named["prompt"], max_length=MAX_TEXT),
            category=self._label(cells, "category") or category,
            sub_category=self._label(cells, "sub_category"),
            topic=self._label(cells, "topic"),
            key=self._label(cells, "key"),
            metadata={column: row.values[column] for column in self.metadata if cells.has(column)},
            variants={kind: cells.text(column) for column, kind in self.variants.items() if cells.has(column)},
        )
        return result if cells.ok else None

    def _label(self, cells: Cells, ours: str) -> str:
        return cells.name(self.named[ours], max_length=MAX_NAME, required=False) if ours in self.named else ""


def _variant_kind(column: str, preset: Preset) -> str:
    """The kind of variant a column holds, "" for none."""
    name = folded(column)
    if name in preset.variants:
        return preset.variants[name]
    match = _VARIANT_COLUMN.fullmatch(name)
    return "" if match is None or name in _NOT_VARIANTS else match[1] or match[2]
