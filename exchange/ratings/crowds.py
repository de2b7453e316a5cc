"""MTurk's batch results: a row for each assignment, with what was shown in `Input.…` and the answers in `Answer.…`."""

import json
import re
from collections.abc import Mapping
from typing import cast

from exchange.identity import identity
from exchange.tables.headers import folded
from exchange.tables.row import JsonValue, Row
from exchange.tables.values import text_of

from .label_studio import item_column
from .shape import ONLY_QUESTION, Answer, Parts, Shape, Sheet, Skipped

_INPUT, _ANSWER = "input.", "answer."
_TASK_ANSWERS = "answer.taskanswers"
_TEXTS = re.compile(
    r"comment|feedback|reason|explain|text|suggest|remark|useragent|user_agent|browser|ip|time|duration"
)
_NUMBERED = re.compile(r"(.*?)[_\-. ]*(\d+)$", re.DOTALL)
_TRUE, _FALSE = frozenset(("true", "on", "yes")), frozenset(("false", "off", "no", ""))


def recognised(sheet: Sheet) -> Shape | None:
    by_name = {folded(column): column for column in sheet.columns}
    if not {"workerid", "assignmentid"} <= set(by_name) or not any(name.startswith(_ANSWER) for name in by_name):
        return None
    return Shape("an MTurk batch", _Assignments(sheet), references=True)


class _Assignments:
    """Answers are distinguished by column, or by element if the form's answers came as JSON.

    One image per assignment, or several: `Answer.quality_2` is about `Input.image_2`.
    """

    def __init__(self, sheet: Sheet) -> None:
        by_name = {folded(column): column for column in sheet.columns}
        self._worker, self._status = by_name["workerid"], by_name.get("assignmentstatus", "")
        self._seconds = by_name.get("worktimeinseconds", "")
        inputs = [column for name, column in by_name.items() if name.startswith(_INPUT)]
        self._item = item_column(inputs, sheet.values)
        numbered = {column: match for column in inputs if (match := _NUMBERED.fullmatch(column))}
        stem = numbered[self._item][1] if self._item in numbered else ""
        self._items = {match[2]: column for column, match in numbered.items() if stem and match[1] == stem}
        self._json = by_name.get(_TASK_ANSWERS, "")
        answers = [c for n, c in by_name.items() if n.startswith(_ANSWER) and c != self._json]
        self._groups: dict[str, dict[str, str]] = {}
        flags = {c for c in answers if _are_flags(sheet, c) and "." in c[len(_ANSWER) :]}
        for column in answers:
            if column in flags:
                question, _, label = column[len(_ANSWER) :].rpartition(".")
                self._groups.setdefault(question, {})[column] = label
            elif not _is_text(sheet, column):
                self._groups[column[len(_ANSWER) :]] = {column: ""}

    def __call__(self, row: Row) -> Parts:
        cells = row.values
        answers = self._given(cells)
        if text_of(cells.get(self._status)).casefold() == "rejected":
            yield Skipped("an assignment that was rejected", max(len(answers), 1))
            return
        if not answers:
            yield Skipped("an assignment without an answer")
        more: dict[str, JsonValue] = {}
        seconds = text_of(cells.get(self._seconds))
        if len(answers) == 1 and re.fullmatch(r"\d{1,7}", seconds):
            more["active_ms"] = int(seconds) * 1000
        for question, (value, field) in answers.items():
            item, name = self._about(question)
            if isinstance(value, list):
                yield Skipped("several choices at once")
            else:
                yield Answer(text_of(cells.get(item)), text_of(cells.get(self._worker)), name, value, field, more)

    def _about(self, question: str) -> tuple[str, str]:
        """(the column of the item, the question without the item's number)."""
        match = _NUMBERED.fullmatch(question)
        if len(self._items) > 1 and match and match[2] in self._items:
            return self._items[match[2]], match[1] or ONLY_QUESTION
        return self._item, question

    def _given(self, cells: Mapping[str, JsonValue]) -> dict[str, tuple[JsonValue, str]]:
        """Question → (value, column)."""
        found: dict[str, tuple[JsonValue, str]] = {}
        for question, columns in self._groups.items():
            if "" in columns.values():
                [column] = columns
                found[question] = cells.get(column), column
            else:
                chosen = [label for column, label in columns.items() if _is_true(cells.get(column))]
                value = cast("JsonValue", chosen if len(chosen) > 1 else chosen[0] if chosen else None)
                found[question] = value, next(iter(columns))
        for element, value in _elements(cells.get(self._json)):
            found[element] = value, self._json
        return found


def _are_flags(sheet: Sheet, column: str) -> bool:
    return bool(cells := sheet.values(column)) and all(text_of(c).casefold() in _TRUE | _FALSE for c in cells)


def _is_true(cell: JsonValue) -> bool:
    return cell is True or text_of(cell).casefold() in _TRUE


def _is_text(sheet: Sheet, column: str) -> bool:
    """Whether a column holds free text, or values that the form adds, rather than an answer."""
    cells = [text_of(cell) for cell in sheet.values(column)]
    if not cells:
        return True
    if all(re.fullmatch(r"-?\d+([.,]\d+)?", cell) for cell in cells):
        return False
    return bool(_TEXTS.search(folded(column)[len(_ANSWER) :])) or len({*cells}) > max(12, len(cells) // 3)


def _elements(cell: JsonValue) -> list[tuple[str, JsonValue]]:
    """(element, value) of a form of Crowd HTML elements: [{"quality": {"1": false, "4": true}, "size": 3}]."""
    text = identity(text_of(cell))
    if not text.startswith(("[", "{")):
        return []
    try:
        decoded = json.loads(text)
    except (ValueError, RecursionError):
        return []
    found: list[tuple[str, JsonValue]] = []
    for part in decoded if isinstance(decoded, list) else [decoded]:
        for name, value in part.items() if isinstance(part, dict) else ():
            if isinstance(value, dict):
                if set(value) == {"label"}:
                    found.append((name, value["label"]))
                    continue
                chosen = [key for key, is_chosen in value.items() if is_chosen is True]
                if all(isinstance(flag, bool) for flag in value.values()):
                    found.append((name, chosen if len(chosen) > 1 else chosen[0] if chosen else None))
            elif isinstance(value, int | float) or (isinstance(value, str) and not _TEXTS.search(folded(name))):
                found.append((name, value))
    return found
