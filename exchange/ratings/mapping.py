"""What a user says about a file of ratings: what each column is, what words mean, how the file is written.

It is a small JSON file that the commands take (`--mapping`) and the import page proposes, shows and keeps.
"""

import codecs
import json
from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from exchange.identity import identity
from exchange.labels import same_label
from exchange.rejects import bad_file
from exchange.tables.row import JsonValue
from exchange.tables.strictjson import StrictDecoder
from exchange.tables.values import parse_number
from exchange.text import Dialect
from exchange.wording import listed

SINGLE = ("item", "rater", "dimension", "value", "prompt", "method", "answered_at", "active_ms")
"""Parts of an answer that one column holds."""
SPREAD = ("raters", "questions", "items", "methods")
"""Columns that are themselves named after a part of an answer, and hold its value."""
_DIALECT = ("encoding", "sheet", "delimiter", "decimal")
AS_WRITTEN, BY_FILE = "as written", "file"
MOST_CHARACTERS = 100_000


class BadMapping(ValueError):
    """A mapping that cannot be used; the message says why, and what to do."""


@dataclass(frozen=True)
class Mapping:
    """What the user says; everything left empty is detected.

    columns   part of an answer (SINGLE) → the file's column
    spread    a part (SPREAD) → the columns that are named after it
    labels    question → {word: number}; "" holds for all questions
    names     "file": items are named by their files, without folders; "as written": as the file has them
    """

    columns: Dictionary[str, str] = field(default_factory=dict)
    spread: Dictionary[str, Sequence[str]] = field(default_factory=dict)
    labels: Dictionary[str, Dictionary[str, float]] = field(default_factory=dict)
    names: str = ""
    encoding: str = ""
    sheet: str = ""
    delimiter: str = ""
    decimal: str = ""

    @property
    def dialect(self) -> Dialect:
        return Dialect(**{name: getattr(self, name) for name in _DIALECT})

    @property
    def says_columns(self) -> bool:
        return bool(self.columns or self.spread)

    def to_json(self) -> dict[str, JsonValue]:
        """In the form that `parse_mapping` reads, without empty parts."""
        plain: dict[str, Any] = {**self.columns, **{part: list(names) for part, names in self.spread.items()}}
        if self.labels:
            only = self.labels.get("") if set(self.labels) == {""} else None
            plain["labels"] = dict(only) if only is not None else {q: dict(words) for q, words in self.labels.items()}
        return plain | {name: getattr(self, name) for name in ("names", *_DIALECT) if getattr(self, name)}

    def with_columns(self, declarations: Sequence[str]) -> "Mapping":
        """With `item=image` or `raters=Ann,Ben` added, as a command line says it. Raises BadMapping."""
        columns, spread = dict(self.columns), dict(self.spread)
        for declaration in declarations:
            part, equals, text = declaration.partition("=")
            part = identity(part)
            if not equals or not identity(text):
                raise BadMapping(f"{declaration!r}: write PART=COLUMN, such as item=image or raters=Ann,Ben")
            if part in SINGLE:
                columns[part] = identity(text)
            elif part in SPREAD:
                spread[part] = [identity(name) for name in text.split(",") if identity(name)]
            else:
                raise BadMapping(f"{part!r} is not part of an answer; use one of {', '.join((*SINGLE, *SPREAD))}")
        return replace(self, columns=columns, spread=spread)

    def with_labels(self, declarations: Sequence[str]) -> "Mapping":
        """With `Poor=1,Fair=2` added, for one question `quality: Poor=1,Fair=2`. Raises BadMapping."""
        labels = {question: dict(words) for question, words in self.labels.items()}
        for declaration in declarations:
            question, colon, text = declaration.partition(":")
            if not colon or "=" in question:
                question, text = "", declaration
            labels.setdefault(identity(question), {}).update(_words(text))
        return replace(self, labels=labels)

    def words_of(self, question: str) -> dict[str, float]:
        """Label, as labels are compared, → number, for one question."""
        words = {**self.labels.get("", {}), **self.labels.get(question, {})}
        return {same_label(word): number for word, number in words.items()}


def _words(text: str) -> dict[str, float]:
    words: dict[str, float] = {}
    for part in text.split(","):
        word, equals, number = part.rpartition("=")
        try:
            if not equals or not identity(word):
                raise ValueError
            words[identity(word)] = parse_number(number)
        except ValueError:
            raise BadMapping(f'{part.strip()!r}: write WORD=NUMBER, such as "Poor=1,Fair=2,Good=3"') from None
    return words


def parse_mapping(text: str, *, file: str = "the mapping") -> Mapping:
    """The mapping that a small JSON file is. Raises BadFile with the field and the cure."""
    cure = 'write a JSON object such as {"item": "image", "rater": "worker", "questions": ["alignment", "quality"]}'
    if len(text) > MOST_CHARACTERS:
        raise bad_file(file, f"it has {len(text):,} characters", f"shorten it to {MOST_CHARACTERS:,}")
    stripped = text.removeprefix("\ufeff").strip()
    decoder = StrictDecoder()
    try:
        value, end = decoder.decode(stripped, 0)
    except (json.JSONDecodeError, RecursionError) as error:
        raise bad_file(file, f"this is not JSON ({error})", cure) from None
    if end != len(stripped) or not isinstance(value, dict):
        raise bad_file(file, "this is not one JSON object", cure)
    if decoder.faults:
        raise bad_file(file, decoder.faults[0].problem, decoder.faults[0].cure)
    mapping = Mapping()
    known = {*SINGLE, *SPREAD, *(part.name for part in fields(Mapping))} - {"columns", "spread"}
    for name, content in value.items():
        if name not in known:
            raise bad_file(file, f'"{name}" is not understood', f"use {listed(sorted(known), 20)}", field=name)
        try:
            mapping = _with(mapping, name, content)
        except BadMapping as bad:
            raise bad_file(file, str(bad), "correct it", field=name, value=json.dumps(content)) from None
    if len(mapping.spread) > 1:
        raise bad_file(
            file, f"{listed(list(mapping.spread))} cannot be used together for one table", "keep one of them"
        )
    return mapping


def _with(mapping: Mapping, name: str, content: JsonValue) -> Mapping:
    if name in SPREAD:
        if not isinstance(content, list) or not content or not all(isinstance(part, str) for part in content):
            raise BadMapping("a list of column names is needed")
        return replace(mapping, spread={**mapping.spread, name: [identity(str(part)) for part in content]})
    if name == "labels":
        return replace(mapping, labels=_labels(content))
    if not isinstance(content, str):
        raise BadMapping("a text is needed")
    if name in SINGLE:
        return replace(mapping, columns={**mapping.columns, name: identity(content)})
    if name == "names" and content not in (AS_WRITTEN, BY_FILE):
        raise BadMapping(f'write "{AS_WRITTEN}" or "{BY_FILE}"')
    if name == "encoding":
        check_encoding(content)
    if name == "delimiter" and len(content) != 1:
        raise BadMapping("the delimiter must be one character")
    if name == "decimal" and content not in (".", ","):
        raise BadMapping('the decimal sign must be "." or ","')
    changed: dict[str, Any] = {name: content}
    return replace(mapping, **changed)


def check_encoding(name: str) -> None:
    """Raises BadMapping if Python does not know a text encoding of this name."""
    try:
        if not codecs.lookup(name)._is_text_encoding:
            raise LookupError
    except (LookupError, ValueError):
        raise BadMapping(f"{name!r} is not an encoding; write windows-1252, iso-8859-1, shift_jis, gb18030 …") from None


def _labels(content: JsonValue) -> dict[str, dict[str, float]]:
    if not isinstance(content, dict) or not content:
        raise BadMapping('an object is needed, such as {"Poor": 1, "Fair": 2}')
    nested = all(isinstance(words, dict) for words in content.values())
    labels: dict[str, dict[str, float]] = {}
    for question, words in content.items() if nested else [("", content)]:
        if not isinstance(words, dict):
            raise BadMapping("give labels for each question, or one set of labels for all")
        for word, number in words.items():
            if isinstance(number, bool) or not isinstance(number, int | float):
                raise BadMapping(f'the number of "{word}" is needed')
            labels.setdefault(identity(question), {})[identity(word)] = float(number)
    return labels
