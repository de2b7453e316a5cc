"""Tables with a column for each rater, question, image or method, and tables with columns of any name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from exchange.identity import identity
from exchange.labels import are_of_one_order, count_in, number_in
from exchange.rejects import BadFile, bad_file
from exchange.study_tables import RATINGS
from exchange.tables.delimited import FIRST_COLUMN
from exchange.tables.headers import folded
from exchange.tables.row import JsonValue, Row
from exchange.tables.values import UNABLE_WORDS, BadValue, parse_number, text_of
from exchange.wording import listed

from . import column_names as names
from .mapping import Mapping as Given
from .references import image_in, is_reference
from .shape import ONLY_QUESTION, Answer, Parts, Shape, Sheet

_MISSING_WORDS = frozenset(("na", "n/a", "nan", "none", "null", "-", "–", "—", "?"))
MOST_LABELS = 30


@dataclass
class _Found:
    """The columns that are known, by the part of an answer that they hold."""

    columns: dict[str, str] = field(default_factory=dict)

    def get(self, part: str) -> str:
        return self.columns.get(part, "")

    def text(self, part: str, row: Row) -> str:
        column = self.columns.get(part)
        return plain_text(row.values.get(column)) if column is not None else ""

    def more(self, row: Row) -> dict[str, JsonValue]:
        parts = ("answered_at", "active_ms", "prompt", "method")
        return {part: row.values.get(self.columns[part]) for part in parts if part in self.columns}


def plain_text(value: JsonValue) -> str:
    """A cell as the text of a name; lists and objects as JSON."""
    return text_of(value)


def mapped(sheet: Sheet, given: Given) -> Shape:
    """The table as a mapping says it is. Raises BadFile for columns that are not there, and for what is missing."""
    _check(sheet, given)
    found = _Found(dict(given.columns))
    _fill(found, sheet, given)
    if not given.spread:
        missing = [part for part in ("item", "rater", "value") if part not in found.columns]
        if missing:
            raise _incomplete(sheet, missing)
        return _long(found)
    part, columns = next(iter(given.spread.items()))
    needed = {"raters": ["item"], "questions": ["item", "rater"], "items": ["rater"], "methods": ["prompt", "rater"]}
    missing = [need for need in needed[part] if need not in found.columns]
    if part == "questions" and missing == ["rater"]:
        return _by_question(found, sheet, columns, rater=stem(sheet.file))
    if missing:
        raise _incomplete(sheet, missing)
    return _SPREAD[part](found, sheet, columns)


def _check(sheet: Sheet, given: Given) -> None:
    wanted = [*given.columns.values(), *(column for columns in given.spread.values() for column in columns)]
    absent = [column for column in wanted if column not in sheet.columns]
    if absent:
        raise bad_file(
            sheet.file,
            f"the mapping names {listed(absent)}, which the file does not have; it has {listed(list(sheet.columns))}",
            "correct the mapping",
            field=absent[0],
        )


def _incomplete(sheet: Sheet, missing: Sequence[str]) -> BadFile:
    return bad_file(
        sheet.file,
        f"no column is known to hold the {' and the '.join(missing)}; found {listed(list(sheet.columns), 40)}",
        f'say which, for example --columns "{missing[0]}=NAME", or "{missing[0]}": "NAME" in the mapping',
        field=missing[0],
    )


def _fill(found: _Found, sheet: Sheet, given: Given) -> None:
    """Finds the parts that the mapping leaves open, by name."""
    spread = {column for columns in given.spread.values() for column in columns}
    parts = {
        "item": names.ITEM,
        "rater": names.RATER,
        "dimension": names.DIMENSION,
        "value": () if given.spread else names.VALUE,
        "answered_at": names.ANSWERED_AT,
        "active_ms": names.ACTIVE_MS,
        "prompt": names.PROMPT,
        "method": names.METHOD,
    }
    for part, known in parts.items():
        if part not in found.columns:
            free = [c for c in sheet.columns if c not in spread and c not in found.columns.values()]
            column = names.role(known, free)
            if column is not None:
                found.columns[part] = column


def recognised(sheet: Sheet) -> Shape | None:
    """The table as its columns' names and contents describe it; None if this is not a table of ratings.

    Raises BadFile if columns hold answers but could be raters as well as questions.
    """
    found = _Found()
    _fill(found, sheet, Given())
    item, rater = found.get("item"), found.get("rater")
    if not item:
        item = _item_by_content(found, sheet)
    value = found.get("value")
    if value and not holds_answers(sheet, value):
        del found.columns["value"]
        value = ""
    if (item or "item" in found.columns) and rater and value and "dimension" in found.columns:
        return _long(found)
    taken = {column for part, column in found.columns.items() if part not in ("value", "dimension")}
    free = [column for column in sheet.columns if column not in taken and not names.is_aside(column)]
    answers = [column for column in free if holds_answers(sheet, column)]
    by_image = {column: image_in(column) for column in answers if image_in(column)}
    if rater and "item" not in found.columns and len(by_image) > 1:
        return _by_item(found, sheet, list(by_image))
    if not answers:
        return None
    if "item" not in found.columns:
        return _without_item(found, sheet, answers) if rater else None
    if rater:
        return _long(found) if value and answers == [value] else _by_question(found, sheet, answers)
    return _without_rater(found, sheet, answers)


def _item_by_content(found: _Found, sheet: Sheet) -> str:
    """The column that names items although its name does not say so: references, a nameless first column, or an id."""
    free = [column for column in sheet.columns if column not in found.columns.values()]
    holders = [column for column in free if (cells := sheet.values(column)) and all(map(_refers, cells))]
    if len(holders) != 1:
        holders = [FIRST_COLUMN] if FIRST_COLUMN in sheet.columns else []
    if not holders and (column := names.role(("id", "name"), free)) is not None:
        holders = [column]
    if not holders:
        return ""
    found.columns["item"] = holders[0]
    return holders[0]


def _refers(cell: JsonValue) -> bool:
    return isinstance(cell, str) and is_reference(cell)


def _without_rater(found: _Found, sheet: Sheet, answers: list[str]) -> Shape | None:
    crossing = names.crossed(answers) if len(answers) > 2 else None
    if crossing is not None:
        return _crossed(found, crossing[0])
    if all(names.is_rater_like(column) for column in answers) and len(answers) > 1:
        return _by_rater(found, sheet, answers)
    if all(names.is_question_like(column) for column in answers):
        return _by_question(found, sheet, answers, rater=stem(sheet.file))
    lists = [column for column in answers if all(isinstance(cell, list) for cell in sheet.values(column))]
    if lists == answers:
        return _lists(found, lists)
    if len(answers) == 1:
        return None
    called = ",".join(answers[:40])
    raise bad_file(
        sheet.file,
        f"{listed(answers)} hold answers, and nothing says whether these are raters or questions",
        f'say so: --columns "raters={called}", or --columns "questions={called}"; in a mapping, {{"raters": […]}}',
        field=answers[0],
    )


def _without_item(found: _Found, sheet: Sheet, answers: list[str]) -> Shape | None:
    if "prompt" not in found.columns:
        return None
    called = ",".join(answers[:40])
    raise bad_file(
        sheet.file,
        f"no column names the image; {listed(answers)} hold answers about a prompt",
        f'if these are methods, one image of each per prompt: --columns "methods={called}"; if the prompt names the '
        f'image: --columns "item={found.get("prompt")}"',
        field=answers[0],
    )


def holds_answers(sheet: Sheet, column: str) -> bool:
    """Whether the cells of a column look like answers: numbers, labels with numbers, words of a known scale."""
    cells = sheet.values(column)
    if not cells:
        return False
    words: set[str] = set()
    for cell in cells:
        if isinstance(cell, list):
            if not cell or not all(isinstance(part, int | float) or _is_number(text_of(part)) for part in cell):
                return False
        elif isinstance(cell, bool | dict):
            return False
        elif not _is_number(text := text_of(cell)) and folded(text) not in _MISSING_WORDS:
            words.add(text)
    words = {word for word in words if not number_in(word) and identity(word).casefold() not in UNABLE_WORDS}
    return not words or are_of_one_order(words) or all(count_in(word) for word in words)


def _is_number(text: str) -> bool:
    try:
        parse_number(text.replace(",", ".", 1))
    except BadValue:
        return False
    return True


def stem(file: str) -> str:
    """The name of a file without folders and endings: the rater, if each rater has a file."""
    path = PurePath(file.replace("\\", "/")).name
    while (shorter := PurePath(path).stem) != path:
        path = shorter
    return path


def _long(found: _Found) -> Shape:
    item, rater, value = (found.columns[part] for part in ("item", "rater", "value"))
    dimension = found.columns.get("dimension")

    def parts(row: Row) -> Iterator[Answer]:
        question = plain_text(row.values.get(dimension)) if dimension is not None else ONLY_QUESTION
        cell = row.values.get(value)
        name, who = plain_text(row.values.get(item)), plain_text(row.values.get(rater))
        yield Answer(name, who, question, cell, value, found.more(row))

    return Shape("one answer per row", parts, _said(found))


def _by_rater(found: _Found, sheet: Sheet, columns: Sequence[str]) -> Shape:
    def parts(row: Row) -> Iterator[Answer]:
        question = found.text("dimension", row) if found.get("dimension") else ONLY_QUESTION
        for column in columns:
            yield Answer(found.text("item", row), column, question, row.values.get(column), column, found.more(row))

    return Shape(
        f"a column for each rater ({listed(columns, 6)})",
        parts,
        _said(found) | {"raters": list(columns)},
        unused=_unused(sheet, found, columns),
    )


def _by_question(found: _Found, sheet: Sheet, columns: Sequence[str], *, rater: str = "") -> Shape:
    def parts(row: Row) -> Iterator[Answer]:
        who = rater or found.text("rater", row)
        for column in columns:
            yield Answer(found.text("item", row), who, column, row.values.get(column), column, found.more(row))

    one = f", by one rater, {rater}" if rater else ""
    return Shape(
        f"a column for each question ({listed(columns, 6)}){one}",
        parts,
        _said(found) | {"questions": list(columns)},
        unused=_unused(sheet, found, columns),
    )


def _by_item(found: _Found, sheet: Sheet, columns: Sequence[str]) -> Shape:
    items = {column: image_in(column) or column for column in columns}

    def parts(row: Row) -> Iterator[Answer]:
        question = found.text("dimension", row) if found.get("dimension") else ONLY_QUESTION
        for column, item in items.items():
            yield Answer(item, found.text("rater", row), question, row.values.get(column), column, found.more(row))

    return Shape(
        f"a column for each image ({listed(columns, 6)})",
        parts,
        _said(found) | {"items": list(columns)},
        unused=_unused(sheet, found, columns),
    )


def _by_method(found: _Found, sheet: Sheet, columns: Sequence[str]) -> Shape:
    def parts(row: Row) -> Iterator[Answer]:
        question = found.text("dimension", row) if found.get("dimension") else ONLY_QUESTION
        prompt = found.text("prompt", row)
        for method in columns:
            more = {**found.more(row), "prompt": prompt, "method": method}
            who = found.text("rater", row)
            yield Answer(pair_name(prompt, method), who, question, row.values.get(method), method, more)

    return Shape(
        f"a column for each method ({listed(columns, 6)})",
        parts,
        _said(found) | {"methods": list(columns)},
        unused=_unused(sheet, found, columns),
        is_paired=True,
    )


def _crossed(found: _Found, columns: Mapping[str, tuple[str, str]]) -> Shape:
    def parts(row: Row) -> Iterator[Answer]:
        item, more = found.text("item", row), found.more(row)
        for column, (rater, question) in columns.items():
            yield Answer(item, rater, question, row.values.get(column), column, more)

    return Shape(f"a column for each rater and question ({listed(list(columns), 6)})", parts)


def _lists(found: _Found, columns: Sequence[str]) -> Shape:
    def parts(row: Row) -> Parts:
        for column in columns:
            question = column if len(columns) > 1 else ONLY_QUESTION
            cell = row.values.get(column)
            for place, value in enumerate(cell if isinstance(cell, list) else [cell], start=1):
                yield Answer(found.text("item", row), f"rater {place}", question, value, column, found.more(row))

    return Shape(f"a list of ratings in each cell ({listed(columns, 6)}), by raters without names", parts)


def pair_name(prompt: str, method: str) -> str:
    """The name of a prompt's image by a method, if a file names only these two."""
    name = image_in(prompt)
    return f"{stem(prompt) if name == prompt else prompt}_{method}"


def _said(found: _Found) -> dict[str, JsonValue]:
    return dict(found.columns)


def _unused(sheet: Sheet, found: _Found, columns: Sequence[str]) -> list[str]:
    """Columns that hold answers but are not read."""
    taken = {*columns, *found.columns.values()}
    free = [column for column in sheet.columns if column not in taken and not names.is_aside(column)]
    return [column for column in free if not any(is_reference(text_of(cell)) for cell in sheet.values(column)[:1])]


_SPREAD = {"raters": _by_rater, "questions": _by_question, "items": _by_item, "methods": _by_method}


def of_one_rater(sheet: Sheet, rater: str) -> Shape | None:
    """One answer per row, all of them by a rater whom the table does not name; None for any other table."""
    resolved = RATINGS.resolve(sheet.columns)
    if RATINGS.missing(resolved) != ["rater"]:
        return None
    found = {ours: name for name, ours in resolved.items()}
    further = {ours: found[ours] for ours in ("answered_at", "active_ms", "is_unable") if ours in found}

    def parts(row: Row) -> Parts:
        cells = row.values
        yield Answer(
            text_of(cells.get(found["item"])),
            rater,
            text_of(cells.get(found["dimension"])) if "dimension" in found else ONLY_QUESTION,
            cells.get(found["value"]),
            found["value"],
            {ours: cells.get(name) for ours, name in further.items()},
        )

    return Shape(f"one answer per row, all by {rater}, as the file is called", parts)
