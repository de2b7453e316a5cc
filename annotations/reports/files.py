"""Ratings, metric scores and items from files, checked at the door."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from annotations.reports.data import Codes, DimensionData, StudyData, dimension_data
from annotations.reports.gold import take_gold
from annotations.reports.scales import Scales
from exchange.coded import CodedColumn, CodedTable, read_columns
from exchange.headers import Columns
from exchange.rejects import BadFile, Reject, RejectLog
from exchange.values import BadValue, parse_answer, parse_number

OnBadValue = Literal["error", "exclude"]
ONE_DIMENSION = "rating"
MISSING_CURE = "leave the row out: a missing rating is no row"

RATINGS = Columns(required=("item", "rater", "value"), optional=("dimension",))
METRICS = Columns(required=("item", "metric", "value"))
ITEMS = Columns(
    required=("item",),
    optional=("prompt_id", "prompt", "method"),
    aliases={"model": "method", "t2i_model": "method", "generator": "method", "system": "method"},
    extra="keep",
)


class BadData(Exception):
    """Rows that cannot be taken at their word, when none may be excluded; the message names the first and the cure."""

    def __init__(self, log: RejectLog) -> None:
        first = log.first[0]
        more = f" ({log.total - 1} more)" if log.total > 1 else ""
        super().__init__(f"{first}{more} Or leave such rows out with --on-bad-value exclude.")
        self.log = log


def read_study(
    ratings: Path,
    *,
    metrics: Path | None,
    items: Path | None,
    scales: Scales,
    on_bad_value: OnBadValue,
    log: RejectLog,
) -> StudyData:
    """Everything that `analyze` is given, as arrays.

    A value off the scale, a second, different answer of one rater, a score that is no number and an item that the
    items file does not have are bad: with "error" they raise BadData, with "exclude" they are left out and stand in
    the log. Raises BadFile where a file as a whole cannot be read, BadScale for a dimension without a scale.
    """
    table = read_columns(ratings, name=ratings.name, columns=RATINGS, log=log)
    if len(table) == 0 and not log.total:
        raise BadFile(Reject(ratings.name, None, "", "", "there is no rating in it", "export the ratings again"))
    unit_names = _sorted_labels(table["item"])
    rater_names = _sorted_labels(table["rater"])
    keep = _no_blanks(table, ("item", "rater"), log)
    known: dict[str, NDArray[np.object_]] = {}
    item_rows = np.zeros(0, np.int64)
    if items is not None:
        known, item_names, item_rows = _items(items, log)
        keep &= _known_items(table, frozenset(item_names), items.name, log, keep)
        position = {name: i for i, name in enumerate(item_names)}
        answered = set(unit_names) & set(position)
        unit_names = [name for name in unit_names if name in answered]
        rows = np.array([position[name] for name in unit_names], np.int64)
        known, item_rows = {name: column[rows] for name, column in known.items()}, item_rows[rows]
    dimensions = _dimensions(table, unit_names, rater_names, scales, log, keep)
    if items is not None:
        dimensions = take_gold(known, dimensions, scales, file=items.name, row_numbers=item_rows, log=log)
    del table  # a million ratings' cells need not lie beside ten million scores
    metric_names, scores = _scores(metrics, unit_names, log) if metrics else ([], np.empty((0, len(unit_names))))
    if log.total and on_bad_value == "error":
        raise BadData(log)
    # Two prompts may read alike: where prompts have identifiers, these tell them apart.
    prompt, prompts = _codes(known.pop("prompt_id", known.get("prompt")), len(unit_names))
    known.pop("prompt", None)
    method, methods = _codes(known.pop("method", None), len(unit_names))
    return StudyData(unit_names, dimensions, prompt, prompts, method, methods, known, metric_names, scores)


def _sorted_labels(column: CodedColumn) -> list[str]:
    used = np.unique(column.codes)
    return sorted(column.labels[code] for code in used if column.labels[code].strip())


def _no_blanks(table: CodedTable, names: Sequence[str], log: RejectLog) -> NDArray[np.bool_]:
    keep = np.ones(len(table), bool)
    for name in names:
        blank = np.array([not label.strip() for label in table[name].labels], bool)[table[name].codes]
        for row in np.flatnonzero(blank & keep):
            number = int(table.row_numbers[row])
            log.note(table.file, number, name, "", f"the {name} is missing", f"fill it in, or {MISSING_CURE}")
        keep &= ~blank
    return keep


def _items(path: Path, log: RejectLog) -> tuple[dict[str, NDArray[np.object_]], list[str], Codes]:
    """Every property of every item as texts, the items, and their rows; one that stands twice must say the same."""
    table = read_columns(path, name=path.name, columns=ITEMS, log=log)
    keep = _no_blanks(table, ["item"], log)
    names = table["item"].texts()
    first: dict[str, int] = {}
    others = [name for name in table.columns if name != "item"]
    columns = {name: table[name].texts() for name in others}
    for row, name in enumerate(names):
        if not keep[row] or first.setdefault(name, row) == row:
            continue
        for other in others:
            if columns[other][row] != columns[other][first[name]]:
                earlier, said = table.row_numbers[first[name]], columns[other][first[name]]
                problem = f"{name!r} stands in row {earlier} with {said!r}"
                log.note(
                    path.name, int(table.row_numbers[row]), other, columns[other][row], problem, "keep one row an item"
                )
                break
    rows = list(first.values())
    known = {name: np.array([texts[row] for row in rows], object) for name, texts in columns.items()}
    return known, list(first), table.row_numbers[rows]


def _known_items(
    table: CodedTable, known: frozenset[str], items_file: str, log: RejectLog, keep: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    column = table["item"]
    is_known = np.array([label in known for label in column.labels], bool)[column.codes]
    for row in np.flatnonzero(~is_known & keep):
        value = column.labels[column.codes[row]]
        problem = f"{items_file} has no such item"
        log.note(table.file, int(table.row_numbers[row]), "item", value, problem, "add it there, or correct the name")
    return is_known


def _dimensions(
    table: CodedTable,
    unit_names: Sequence[str],
    rater_names: Sequence[str],
    scales: Scales,
    log: RejectLog,
    keep: NDArray[np.bool_],
) -> list[DimensionData]:
    unit = _index_of(table["item"], unit_names)
    rater = _index_of(table["rater"], rater_names)
    keep &= unit >= 0
    if "dimension" not in table.columns:
        names, dimension = [ONE_DIMENSION], np.zeros(len(table), np.int64)
    else:
        keep &= _no_blanks(table, ["dimension"], log)
        names = _sorted_labels(table["dimension"])
        dimension = _index_of(table["dimension"], names)
    found = []
    for code, name in enumerate(names):
        rows = np.flatnonzero(keep & (dimension == code))
        values = scales.of(name)
        level, unable = _levels(table, rows, name, values, log)
        rows, level, unable = _once(table, rows, unit, rater, level, unable, len(rater_names), log)
        given = ~unable
        found.append(
            dimension_data(
                name,
                unit=unit[rows][given],
                rater=rater[rows][given],
                level=level[given],
                values=[float(value) for value in values],
                rater_names=rater_names,
                n_units=len(unit_names),
                n_unable=int(unable.sum()),
            )
        )
    return found


def _levels(
    table: CodedTable, rows: Codes, dimension: str, values: Sequence[Decimal], log: RejectLog
) -> tuple[Codes, NDArray[np.bool_]]:
    """Of each row its level (−1 for a bad value), and whether it is "unable to answer". Bad rows go to the log."""
    column = table["value"]
    scale = [float(value) for value in values]
    level_of = np.full(len(column.labels), -1, np.int64)
    is_unable = np.zeros(len(column.labels), bool)
    problems: dict[int, BadValue] = {}
    codes = column.codes[rows]
    for code in np.unique(codes):
        label = column.labels[code]
        try:
            if not label.strip():
                raise BadValue("the value is missing", MISSING_CURE)
            answer = parse_answer(label, scale)
        except BadValue as problem:
            problems[int(code)] = problem
            continue
        is_unable[code] = answer is None
        level_of[code] = -1 if answer is None else scale.index(answer)
    for row in rows[np.isin(codes, list(problems))]:
        code = int(column.codes[row])
        what = f"{problems[code].problem} (dimension {dimension})"
        log.note(table.file, int(table.row_numbers[row]), "value", column.labels[code], what, problems[code].cure)
    return level_of[codes], is_unable[codes]


def _once(
    table: CodedTable,
    rows: Codes,
    unit: Codes,
    rater: Codes,
    level: Codes,
    unable: NDArray[np.bool_],
    n_raters: int,
    log: RejectLog,
) -> tuple[Codes, Codes, NDArray[np.bool_]]:
    """One answer a rater and unit: an equal second one is dropped in silence, a different one goes to the log."""
    good = (level >= 0) | unable
    rows, level, unable = rows[good], level[good], unable[good]
    cell = unit[rows] * n_raters + rater[rows]
    order = np.argsort(cell, kind="stable")
    repeats = np.r_[False, np.diff(cell[order]) == 0]
    if not repeats.any():
        return rows, level, unable
    leader = np.maximum.accumulate(np.where(repeats, 0, np.arange(len(order))))
    answer = np.where(unable, -1, level)[order]
    for place in np.flatnonzero(repeats & (answer != answer[leader])):
        row, first = rows[order[place]], rows[order[leader[place]]]
        value = table["value"].labels[table["value"].codes[row]]
        problem = f"the same rater answered otherwise about the same item in row {table.row_numbers[first]}"
        log.note(table.file, int(table.row_numbers[row]), "value", value, problem, "keep the answer that counts")
    kept = np.sort(order[~repeats])
    return rows[kept], level[kept], unable[kept]


def _index_of(column: CodedColumn, names: Sequence[str]) -> Codes:
    """Of each cell its index in `names`, −1 where it is none of them."""
    position = {name: i for i, name in enumerate(names)}
    by_label = np.array([position.get(label, -1) for label in column.labels], np.int64)
    return by_label[column.codes] if len(by_label) else np.full(len(column), -1, np.int64)


def _scores(path: Path, unit_names: Sequence[str], log: RejectLog) -> tuple[list[str], NDArray[np.float64]]:
    """(n_metrics, n_units) scores by metric name. Scores of items that nobody rated are left aside in silence."""
    table = read_columns(path, name=path.name, columns=METRICS, log=log)
    keep = _no_blanks(table, ("item", "metric"), log)
    names = _sorted_labels(table["metric"])
    metric, unit = _index_of(table["metric"], names), _index_of(table["item"], unit_names)
    value = table["value"].numbers()
    keep &= unit >= 0
    for row in np.flatnonzero(keep & np.isnan(value)):
        text = table["value"].labels[table["value"].codes[row]]
        problem, cure = "the score is missing", "leave the row out: a missing score is no row"
        if text.strip():
            try:
                parse_number(text)
            except BadValue as bad:
                problem, cure = bad.problem, bad.cure
        log.note(table.file, int(table.row_numbers[row]), "value", text, problem, cure)
    rows = np.flatnonzero(keep & ~np.isnan(value))
    cell = metric[rows] * len(unit_names) + unit[rows]
    del metric, unit, keep
    flat = np.full(len(names) * len(unit_names), np.nan)
    flat[cell[::-1]] = value[rows[::-1]]  # the first of several counts
    contradicting = np.flatnonzero(value[rows] != flat[cell])
    if len(contradicting):
        first = np.full(len(flat), -1, np.int64)
        first[cell[::-1]] = rows[::-1]
        for row, at in zip(rows[contradicting], cell[contradicting], strict=True):
            problem = f"row {table.row_numbers[first[at]]} has another score of this metric for this item"
            text = table["value"].labels[table["value"].codes[row]]
            log.note(table.file, int(table.row_numbers[row]), "value", text, problem, "keep the score that counts")
    return names, flat.reshape(len(names), len(unit_names))


def _codes(texts: NDArray[np.object_] | None, n: int) -> tuple[Codes, list[str]]:
    """Codes into sorted names; −1 for an empty text, or everywhere where there is no such column."""
    if texts is None:
        return np.full(n, -1, np.int64), []
    names = sorted({text for text in texts if text.strip()})
    position = {name: i for i, name in enumerate(names)}
    return np.array([position.get(text, -1) for text in texts], np.int64), names
