"""Published benchmarks' own tables: ImagenHub's matrices, GenAI-Bench's ratings, W3C annotations that assess."""

import re
from collections.abc import Mapping
from typing import cast

from exchange.identity import identity
from exchange.tables.headers import folded
from exchange.tables.row import JsonValue, Row
from exchange.tables.values import text_of

from .columns import pair_name, stem
from .references import image_in
from .shape import ONLY_QUESTION, Answer, Parts, Shape, Sheet, Skipped

IMAGENHUB = ("semantic consistency", "perceptual quality")
"""ImagenHub's questions: the two numbers of a cell (Ku et al. 2024, section 3)."""
_LIST = re.compile(r"[\[(]\s*-?[\d.]+\s*(?:[,;]\s*-?[\d.]+\s*)+[\])]")


def recognised(sheet: Sheet) -> Shape | None:
    return _matrix(sheet) or _genai_bench(sheet) or _web_annotations(sheet)


def _matrix(sheet: Sheet) -> Shape | None:
    """A row for each prompt, a column for each method, and in each cell a list with a number for each question."""
    if len(sheet.columns) < 2:
        return None
    prompt, *methods = sheet.columns
    methods = [method for method in methods if sheet.values(method)]
    if not methods or not all(
        _LIST.fullmatch(identity(c)) if isinstance(c, str) else False
        for method in methods
        for c in sheet.values(method)
    ):
        return None
    lengths = {len(_numbers(cell)) for method in methods for cell in sheet.values(method)}
    if len(lengths) != 1:
        return None
    n = lengths.pop()
    questions = IMAGENHUB if n == len(IMAGENHUB) else tuple(f"question {place}" for place in range(1, n + 1))
    rater = stem(sheet.file)

    def parts(row: Row) -> Parts:
        name = text_of(row.values.get(prompt))
        for method in methods:
            prompted = stem(name) if image_in(name) == name else name
            item, more = pair_name(name, method), {"prompt": prompted, "method": method}
            numbers = _numbers(row.values.get(method))
            if numbers and len(numbers) != n:
                yield Answer(item, rater, questions[0], text_of(row.values.get(method)), method, more)
                continue
            for place, question in enumerate(questions):
                yield Answer(item, rater, question, numbers[place] if numbers else None, method, more)

    said = {"prompt": prompt, "methods": cast("JsonValue", methods)}
    return Shape(
        f"a matrix of prompts and methods as ImagenHub writes it, by one rater, {rater}", parts, said, is_paired=True
    )


def _numbers(cell: JsonValue) -> list[str]:
    text = identity(text_of(cell))
    return [part.strip() for part in re.split("[,;]", text[1:-1])] if _LIST.fullmatch(text) else []


def _genai_bench(sheet: Sheet) -> Shape | None:
    """{"00000": {"prompt": "…", "models": {"DALLE_3": [5, 4, 5]}}}: a list of ratings for each method."""
    if not {"prompt", "models"} <= set(sheet.columns):
        return None
    models = sheet.values("models")
    if not models or not all(
        isinstance(one, dict) and any(isinstance(v, list) for v in one.values()) for one in models
    ):
        return None

    def parts(row: Row) -> Parts:
        cells = row.values
        key = next((text_of(cells[name]) for name in ("index", "id", "key") if cells.get(name) not in (None, "")), "")
        key = key or text_of(cells.get("prompt"))
        methods = cells.get("models")
        if not isinstance(methods, dict):
            yield Skipped("a prompt without images")
            return
        for method, values in methods.items():
            more = {"prompt": cells.get("prompt"), "method": method}
            for place, value in enumerate(values if isinstance(values, list) else [values], start=1):
                yield Answer(pair_name(key, method), f"rater {place}", ONLY_QUESTION, value, method, more)

    return Shape("GenAI-Bench, whose raters are numbered by their place", parts, is_paired=True)


def _web_annotations(sheet: Sheet) -> Shape | None:
    """W3C Web Annotation: bodies whose purpose is assessing or classifying are answers about the target."""
    if not {"body", "target"} <= set(sheet.columns):
        return None
    choices = {
        _purpose(body, row.values)
        for row in sheet.head
        for body in _bodies(row.values.get("body"))
        if isinstance(body, dict) and not re.fullmatch(r"-?\d+(\.\d+)?", text_of(body.get("value")))
    }
    return Shape("W3C Web Annotation", _annotated, references=True, choices=frozenset(choices))


def _bodies(body: JsonValue) -> list[JsonValue]:
    return body if isinstance(body, list) else [body]


def _purpose(body: Mapping[str, JsonValue], annotation: Mapping[str, JsonValue]) -> str:
    return text_of(body.get("purpose") or annotation.get("motivation") or ONLY_QUESTION)


def _annotated(row: Row) -> Parts:
    target = row.values.get("target")
    source = target.get("source") or target.get("id") if isinstance(target, dict) else target
    if isinstance(source, dict):
        source = source.get("id")
    creator = row.values.get("creator")
    rater = text_of(creator.get("name") or creator.get("id")) if isinstance(creator, dict) else text_of(creator)
    if isinstance(target, dict) and "selector" in target:
        yield Skipped("an annotation of a region")
        return
    for body in _bodies(row.values.get("body")):
        if not isinstance(body, dict) or folded(_purpose(body, row.values)) not in ("assessing", "classifying"):
            yield Skipped("a body that assesses nothing")
        else:
            question = text_of(body.get("dimension") or body.get("label") or _purpose(body, row.values))
            yield Answer(text_of(source), rater, question, body.get("value"), "body")
