"""Potato, doccano and Argilla: a row for each annotated item, or for each item with all its annotations."""

import re
from collections.abc import Sequence
from typing import cast

from exchange.identity import identity
from exchange.tables.headers import folded
from exchange.tables.row import JsonObject, JsonValue, Row
from exchange.tables.values import text_of

from .columns import stem
from .label_studio import decoded_list, item_column
from .shape import ONLY_QUESTION, Answer, Parts, Shape, Sheet, Skipped

_SEPARATOR = ":::"


def recognised(sheet: Sheet) -> Shape | None:
    columns = set(sheet.columns)
    if "label_annotations" in columns and columns & {"instance_id", "id"}:
        return Shape("Potato, JSON", _potato, choices=_potato_choices(sheet))
    if "instance_id_to_label_to_value" in columns:
        return Shape("Potato, a user's state", _potato_state)
    if "instance_id" in columns and columns & {"user", "user_id", "annotator"} and _potato_columns(sheet):
        return Shape("Potato, CSV or TSV", _PotatoColumns(sheet))
    return _argilla(sheet) or _doccano(sheet)


def _potato(row: Row) -> Parts:
    labels = row.values.get("label_annotations")
    item = text_of(row.values.get("instance_id", row.values.get("id")))
    rater = text_of(row.values.get("user_id", row.values.get("user")))
    if not labels:
        yield Skipped("an instance without a label")
    yield from _potato_answers(item, rater, labels)


def _potato_answers(item: str, rater: str, labels: JsonValue) -> Parts:
    for schema, chosen in _schemas(labels):
        values = [_value(name, value) for name, value in chosen.items() if value not in (None, "", False)]
        if any(folded(name) in ("text_box", "textbox", "text") for name in chosen):
            yield Skipped("a text")
        elif len(values) == 1:
            yield Answer(item, rater, schema, values[0], schema)
        elif values:
            yield Skipped("several choices at once")
        else:
            yield Answer(item, rater, schema, None, schema)


def _schemas(labels: JsonValue) -> list[tuple[str, dict[str, JsonValue]]]:
    """(schema, {label: value}) from {"quality": {"scale_3": "3"}}, from a plain value, or from a list of triples."""
    found: dict[str, dict[str, JsonValue]] = {}
    if isinstance(labels, dict):
        for schema, chosen in labels.items():
            found[schema] = chosen if isinstance(chosen, dict) else {"": chosen}
    for part in labels if isinstance(labels, list) else ():
        if isinstance(part, list) and len(part) == 2 and isinstance(part[0], dict):
            part = {**part[0], "value": part[1]}
        if isinstance(part, dict):
            schema, name = text_of(part.get("schema")), text_of(part.get("name"))
            found.setdefault(schema, {})[name] = part.get("value")
    return list(found.items())


def _value(name: str, value: JsonValue) -> JsonValue:
    """A chosen label: its value, or, if that only means that it is chosen, the number in its name, or the name."""
    if value is True or (isinstance(value, str) and value.casefold() == "true"):
        number = re.fullmatch(r"(?:scale_|likert_)?(\d+)", name)
        return number[1] if number else name
    return value


def _potato_choices(sheet: Sheet) -> frozenset[str]:
    words: set[str] = set()
    for row in sheet.head:
        for schema, chosen in _schemas(row.values.get("label_annotations")):
            values = [_value(name, value) for name, value in chosen.items() if value not in (None, "", False)]
            if any(isinstance(v, str) and not re.fullmatch(r"-?\d+(\.\d+)?", v) for v in values):
                words.add(schema)
    return frozenset(words)


def _potato_state(row: Row) -> Parts:
    state = row.values.get("instance_id_to_label_to_value")
    if isinstance(state, dict):
        for item, labels in state.items():
            yield from _potato_answers(item, text_of(row.values.get("user_id")), labels)


def _potato_columns(sheet: Sheet) -> list[str]:
    return [column for column in sheet.columns if _SEPARATOR in column]


class _PotatoColumns:
    """A column for each label of each schema, `quality:::scale_3`, that is filled if the label was chosen: with its
    value, or with a sign that is the same in all columns and only means "chosen"."""

    def __init__(self, sheet: Sheet) -> None:
        self._labels: dict[str, list[tuple[str, str]]] = {}
        for column in _potato_columns(sheet):
            schema, _, label = column.partition(_SEPARATOR)
            self._labels.setdefault(schema, []).append((column, label))
        self._marks = {schema: self._mark(sheet, labels) for schema, labels in self._labels.items()}

    @staticmethod
    def _mark(sheet: Sheet, labels: Sequence[tuple[str, str]]) -> JsonValue:
        """The sign that means "chosen" in the columns of a schema; None if cells hold values."""
        used = {label: {text_of(cell) for cell in sheet.values(column)} for column, label in labels}
        found = set().union(*used.values())
        n_used = sum(bool(cells) for cells in used.values())
        return next(iter(found)) if len(found) == 1 and n_used > 1 else None

    def __call__(self, row: Row) -> Parts:
        cells = row.values
        item = text_of(cells.get("instance_id"))
        rater = next((text_of(cells[key]) for key in ("user", "user_id", "annotator") if key in cells), "")
        chosen: dict[str, dict[str, JsonValue]] = {}
        for schema, labels in self._labels.items():
            mark = self._marks[schema]
            given = {label: cells.get(column) for column, label in labels}
            chosen[schema] = {
                label: True if mark is not None and text_of(cell) == mark else cell for label, cell in given.items()
            }
        yield from _potato_answers(item, rater, cast("JsonValue", chosen))


def _argilla(sheet: Sheet) -> Shape | None:
    responses = sheet.values("responses") if "responses" in sheet.columns else []
    if "fields" in sheet.columns and responses:
        choices = frozenset(
            question
            for row in sheet.head
            for question, _, value, _ in _responses(row.values.get("responses"))
            if isinstance(value, str)
        )
        return Shape("Argilla, records", _Records(sheet), references=True, choices=choices)
    flat = [c.removesuffix(".responses") for c in sheet.columns if c.endswith(".responses")]
    if flat:
        return Shape(
            "Argilla, data set", _FlatRecords(sheet, flat), references=True, choices=_flat_choices(sheet, flat)
        )
    old = [c for c in sheet.columns if any(_is_old_response(cell) for cell in sheet.values(c))]
    if old:
        return Shape("Argilla, feedback data set", _OldRecords(sheet, old), references=True)
    return None


_Response = tuple[str, str, JsonValue, str]
"""question, user, value, status"""


def _responses(responses: JsonValue) -> list[_Response]:
    """From {"quality": [{"value": 4, "user_id": "u"}]}, or [{"user_id": "u", "values": {"quality": {"value": 4}}}]."""
    found: list[_Response] = []
    if isinstance(responses, dict):
        for question, given in responses.items():
            for one in given if isinstance(given, list) else [given]:
                if isinstance(one, dict):
                    found.append((question, _user(one), one.get("value"), text_of(one.get("status"))))
    for one in responses if isinstance(responses, list) else ():
        if not isinstance(one, dict):
            continue
        values = one.get("values")
        if isinstance(values, dict):
            for question, value in values.items():
                plain = value.get("value") if isinstance(value, dict) else value
                found.append((question, _user(one), plain, text_of(one.get("status"))))
        elif "question_name" in one:
            found.append((text_of(one["question_name"]), _user(one), one.get("value"), text_of(one.get("status"))))
    return found


def _user(response: JsonObject) -> str:
    return next((text_of(response[key]) for key in ("user_id", "username", "user") if response.get(key)), "")


def _answered(item: str, responses: list[_Response]) -> Parts:
    if not responses:
        yield Skipped("a record without a response")
    for question, user, value, status in responses:
        if status in ("discarded", "draft"):
            yield Skipped(f"a response that is {'discarded' if status == 'discarded' else 'a draft'}")
        elif isinstance(value, list) and len(value) != 1:
            yield Skipped("several choices at once" if value and isinstance(value[0], str) else "a ranking or spans")
        elif isinstance(value, str) and len(value) > 200:
            yield Skipped("a text")
        else:
            yield Answer(item, user, question, value[0] if isinstance(value, list) else value, question)


class _Records:
    def __init__(self, sheet: Sheet) -> None:
        fields = [cast("JsonObject", f) for row in sheet.head if isinstance(f := row.values.get("fields"), dict)]
        keys = list(dict.fromkeys(key for one in fields for key in one))
        self._key = item_column(keys, lambda key: [one.get(key) for one in fields])

    def __call__(self, row: Row) -> Parts:
        fields = row.values.get("fields")
        item = text_of(fields.get(self._key)) if isinstance(fields, dict) else ""
        yield from _answered(item, _responses(row.values.get("responses")))


def _is_data(column: str) -> bool:
    return (
        "." not in column
        and not column.endswith("-suggestion")
        and folded(column) not in ("id", "status", "_server_id")
    )


class _FlatRecords:
    """`quality.responses` holds the values, `quality.responses.users` their raters, `….status` whether they count."""

    def __init__(self, sheet: Sheet, questions: list[str]) -> None:
        self._questions = questions
        self._item = item_column([c for c in sheet.columns if _is_data(c)], sheet.values)

    def __call__(self, row: Row) -> Parts:
        found: list[_Response] = []
        for question in self._questions:
            name = f"{question}.responses"
            values, users, status = (
                _list(row.values.get(column)) for column in (name, f"{name}.users", f"{name}.status")
            )
            for n, value in enumerate(values):
                user = text_of(users[n]) if n < len(users) else f"rater {n + 1}"
                found.append((question, user, value, text_of(status[n]) if n < len(status) else ""))
        yield from _answered(text_of(row.values.get(self._item)), found)


def _list(cell: JsonValue) -> list[JsonValue]:
    if isinstance(cell, str) and identity(cell).startswith("["):
        return decoded_list(identity(cell))
    return cell if isinstance(cell, list) else [] if cell in (None, "") else [cell]


def _flat_choices(sheet: Sheet, questions: list[str]) -> frozenset[str]:
    return frozenset(
        question
        for question in questions
        for cell in sheet.values(f"{question}.responses")
        for value in _list(cell)
        if isinstance(value, str) and not re.fullmatch(r"-?\d+(\.\d+)?", value)
    )


def _is_old_response(cell: JsonValue) -> bool:
    return isinstance(cell, list) and any(isinstance(p, dict) and {"user_id", "value"} <= p.keys() for p in cell)


class _OldRecords:
    """Each question's column holds a list of {"user_id", "value", "status"}."""

    def __init__(self, sheet: Sheet, questions: list[str]) -> None:
        self._questions = questions
        rest = [c for c in sheet.columns if c not in questions and _is_data(c)]
        self._item = item_column(rest, sheet.values)

    def __call__(self, row: Row) -> Parts:
        given = {question: row.values.get(question) or [] for question in self._questions}
        yield from _answered(text_of(row.values.get(self._item)), _responses(cast("JsonValue", given)))


def _doccano(sheet: Sheet) -> Shape | None:
    """doccano writes a file for each annotator, or one for all of them without their names."""
    columns = {folded(column): column for column in sheet.columns}
    item = columns.get("filename") or columns.get("image") or columns.get("text") or columns.get("data")
    label = columns.get("label") or columns.get("labels") or columns.get("categories")
    if item is None or label is None or ("comments" not in columns and "id" not in columns):
        return None
    if set(columns) - {folded(item), folded(label), "id", "comments", "metadata", "meta", "annotator", "username"}:
        return None
    if "annotator" in columns or "username" in columns or not sheet.values(label):
        return None
    if not all(isinstance(cell, list | str | int) for cell in sheet.values(label)):
        return None
    rater, item_key, label_key = stem(sheet.file), item, label

    def parts(row: Row) -> Parts:
        cell = row.values.get(label_key)
        labels = cell if isinstance(cell, list) else [cell]
        if isinstance(cell, str):
            labels = cast("list[JsonValue]", cell.split("#"))
        name = text_of(row.values.get(item_key))
        if any(isinstance(one, list | dict) for one in labels):
            yield Skipped("spans or regions")
        elif len(labels) > 1:
            yield Skipped("several choices at once")
        else:
            yield Answer(name, rater, ONLY_QUESTION, labels[0] if labels else None, label_key)

    words = any(
        isinstance(p, str) and not re.fullmatch(r"-?\d+(\.\d+)?", p) for c in sheet.values(label) for p in _list(c)
    )
    choices = frozenset((ONLY_QUESTION,)) if words else frozenset()
    return Shape(f"doccano, by one annotator, {rater}", parts, references=True, choices=choices)
