"""Label Studio's exports: JSON (tasks with annotations), JSON_MIN and CSV (a row for each annotation).

The formats are described in its documentation under "Label Studio Task Format" and "Export annotations".
"""

import ast
import json
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import cast

from exchange.identity import identity
from exchange.tables.headers import folded
from exchange.tables.row import JsonObject, JsonValue, Row
from exchange.tables.values import BadValue, parse_number, text_of

from .references import is_reference
from .shape import Answer, Parts, Shape, Sheet, Skipped

_NUMBERS = {"rating": "rating", "number": "number", "starrating": "rating"}
_TEXTS = frozenset(("textarea", "text", "paragraphs", "hypertext", "datetime"))
_META = frozenset(
    ("annotator", "annotation_id", "id", "created_at", "updated_at", "lead_time", "inner_id", "ground_truth")
)


def recognised(sheet: Sheet) -> Shape | None:
    columns = set(sheet.columns)
    if "data" in columns and columns & {"annotations", "completions"}:
        return Shape("Label Studio, JSON", _Tasks(sheet), references=True, choices=_choices(sheet))
    if {"annotator", "annotation_id"} <= columns:
        flat = _Flat(sheet)
        if flat.questions:
            is_text = all(isinstance(cell, str) for row in sheet.head for cell in row.values.values())
            name = "Label Studio, CSV" if is_text else "Label Studio, JSON_MIN"
            return Shape(name, flat, references=True, choices=frozenset(flat.choices))
    return None


def _choices(sheet: Sheet) -> frozenset[str]:
    """The questions answered by choices."""
    return frozenset(
        str(result.get("from_name"))
        for row in sheet.head
        for annotation in _annotations(row.values)
        for result in _dicts(annotation.get("result"))
        if result.get("type") == "choices"
    )


def _dicts(value: JsonValue) -> list[dict[str, JsonValue]]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _annotations(task: JsonObject) -> list[dict[str, JsonValue]]:
    return _dicts(task.get("annotations") or task.get("completions"))


class _Tasks:
    """A row is a task. The same key of `data` names the image in every task."""

    def __init__(self, sheet: Sheet) -> None:
        self._key = ""
        data = [row.values["data"] for row in sheet.head if isinstance(row.values.get("data"), dict)]
        shown = {
            str(r.get("to_name"))
            for row in sheet.head
            for a in _annotations(row.values)
            for r in _dicts(a.get("result"))
        }
        keys = list(dict.fromkeys(key for one in data for key in cast("JsonObject", one)))
        self._key = item_column(keys, lambda key: [cast("JsonObject", one).get(key) for one in data], preferred=shown)

    def __call__(self, row: Row) -> Parts:
        task = row.values
        data = task.get("data")
        item = text_of(data.get(self._key)) if isinstance(data, dict) else ""
        annotations = _annotations(task)
        if not annotations:
            yield Skipped("a task without an annotation")
        for annotation in annotations:
            yield from self._answers(item, annotation)

    def _answers(self, item: str, annotation: JsonObject) -> Parts:
        results = _dicts(annotation.get("result"))
        if annotation.get("was_cancelled"):
            yield Skipped("an annotation that its annotator cancelled")
            return
        if not results:
            yield Skipped("an annotation without a result")
            return
        rater = annotator(annotation.get("completed_by"))
        more: dict[str, JsonValue] = {"answered_at": annotation.get("created_at")}
        seconds = annotation.get("lead_time")
        if len(results) == 1 and isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds >= 0:
            more["active_ms"] = round(seconds * 1000)
        for result in results:
            question = text_of(result.get("from_name"))
            value = _result(result)
            if isinstance(value, Skipped):
                yield value
            else:
                yield Answer(item, rater, question, value, question, more)


def annotator(value: JsonValue) -> str:
    """The annotator: an address or a number, by itself or within an object."""
    if isinstance(value, dict):
        return next((text_of(value[key]) for key in ("email", "username", "id") if value.get(key)), "")
    return text_of(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _result(result: JsonObject) -> "JsonValue | Skipped":
    value = result.get("value")
    kind = str(result.get("type") or "").casefold()
    if not isinstance(value, dict):
        return Skipped(f"a result without a value ({kind})")
    if kind in _TEXTS or ("text" in value and kind not in _NUMBERS and kind != "choices"):
        return Skipped("a text")
    if result.get("parentID") or {"x", "y", "points"} & value.keys():
        return Skipped("an answer about a region")
    if kind == "pairwise":
        return Skipped("a choice between two images")
    if kind in _NUMBERS and _NUMBERS[kind] in value:
        return value[_NUMBERS[kind]]
    if kind == "choices":
        return _one(value.get("choices"))
    return Skipped(f"a result of the kind {kind or 'unknown'}")


def _one(chosen: JsonValue) -> "JsonValue | Skipped":
    if not isinstance(chosen, list):
        return chosen
    if not chosen:
        return None
    return chosen[0] if len(chosen) == 1 else Skipped("several choices at once")


def item_column(
    keys: Sequence[str], values: Callable[[str], Sequence[JsonValue]], *, preferred: AbstractSet[str] = frozenset()
) -> str:
    """The key of the image: a preferred one, one named like an image, otherwise the first that holds references."""
    cells = {key: [cell for cell in values(key) if cell not in (None, "")] for key in keys}
    referring = [key for key in keys if cells[key] and all(isinstance(c, str) and is_reference(c) for c in cells[key])]
    for among in (referring, list(keys)):
        for wanted in (
            preferred,
            {"image", "img", "image_url", "item", "picture", "photo", "url", "file", "file_name"},
        ):
            for key in among:
                if key in wanted or folded(key) in wanted:
                    return key
        if among is referring and referring:
            return referring[0]
    return next((key for key in keys if folded(key) not in ("prompt", "text", "id")), keys[0] if keys else "")


def unpacked(cell: JsonValue) -> JsonValue:
    """A cell's value in JSON_MIN or CSV: [{"rating": 4}] is 4, {"choices": ["a", "b"]} is a list; else the cell."""
    if isinstance(cell, str):
        text = identity(cell)
        if not text.startswith(("[", "{")):
            return cell
        cell = _decoded(text, cell)
    if isinstance(cell, list) and len(cell) == 1:
        return unpacked(cell[0])
    if isinstance(cell, dict):
        for key in ("rating", "number", "choices", "text", "taxonomy", "selected"):
            if key in cell:
                return unpacked(cell[key]) if key in ("rating", "number", "choices") else cell
    return cell


def _decoded(text: str, otherwise: str) -> JsonValue:
    """JSON, or as Python prints it, which is how some versions wrote their CSV."""
    for read in (json.loads, ast.literal_eval):
        try:
            return cast("JsonValue", read(text))
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return otherwise


class _Flat:
    """A row is an annotation; its columns are the task's data, what identifies it, and its answers."""

    def __init__(self, sheet: Sheet) -> None:
        columns = [column for column in sheet.columns if column not in _META and not column.startswith("predictions")]
        self._item = item_column(columns, sheet.values)
        rest = [column for column in columns if column != self._item]
        packed = {c for c in rest if any(unpacked(cell) is not cell for cell in sheet.values(c))}
        order = {column: n for n, column in enumerate(sheet.columns)}
        is_ordered = "id" in order and list(sheet.columns) != sorted(sheet.columns)
        self.questions = [
            column
            for column in rest
            if column in packed
            or (
                (not is_ordered or order["id"] < order[column] < order["annotator"])
                and _is_answer_column(sheet, column, is_ordered=is_ordered)
            )
        ]
        self.choices = [c for c in self.questions if not all(_is_number(unpacked(cell)) for cell in sheet.values(c))]

    def __call__(self, row: Row) -> Parts:
        cells = row.values
        more: dict[str, JsonValue] = {"answered_at": cells.get("created_at")}
        for question in self.questions:
            value: JsonValue | Skipped = unpacked(cells.get(question))
            if isinstance(value, list):
                value = _one(value)
            if isinstance(value, dict):
                value = Skipped("an answer about a region, or a text")
            if isinstance(value, Skipped):
                yield value
                continue
            item, rater = text_of(cells.get(self._item)), annotator(cells.get("annotator"))
            yield Answer(item, rater, question, value, question, more)


def _is_number(value: JsonValue) -> bool:
    try:
        parse_number(value)
    except BadValue:
        return False
    return True


def _is_answer_column(sheet: Sheet, column: str, *, is_ordered: bool) -> bool:
    """Whether a column holds answers and not data of the task; if the order of columns does not show it, by content.

    Data are the same for all annotations of a task. Numbers are still answers, and so are a few short words
    that differ within a task.
    """
    cells = sheet.values(column)
    texts = [text_of(unpacked(cell)) for cell in cells]
    if not texts or any(is_reference(text) or len(text) > 100 for text in texts):
        return False
    if is_ordered or all(_is_number(unpacked(cell)) for cell in cells):
        return True
    by_task: dict[str, set[str]] = {}
    for row in sheet.head:
        by_task.setdefault(text_of(row.values.get("id")), set()).add(text_of(row.values.get(column)))
    return len(set(texts)) <= 12 and any(len(answers) > 1 for answers in by_task.values())


def decoded_list(text: str) -> list[JsonValue]:
    """The list that a cell holds as text; a list of only the text if it is not a list."""
    value = _decoded(text, text)
    return value if isinstance(value, list) else [value]
