"""Ratings, metric scores and items from files, checked at the door."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import compress
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from annotations.reports.data import Codes, DimensionData, StudyData, dimension_data
from annotations.reports.gold import take_gold
from annotations.reports.scales import Scales
from exchange.coded import CodedColumn, CodedTable, read_columns, release_memory
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
    unit_names, unit = table["item"].ranked()
    rater_names, rater = table["rater"].ranked()
    keep = _no_blanks(table, ("item", "rater"), log)
    known: dict[str, NDArray[np.object_]] = {}
    item_rows = np.zeros(0, np.int64)
    if items is not None:
        is_known, known, item_rows = _items(items, unit_names, log)
        _leave_out_unknown(table, unit, is_known, items.name, log, keep)
        unit_names = list(compress(unit_names, is_known))
        unit[keep] = np.cumsum(is_known)[unit[keep]] - 1
    dimensions = _dimensions(table, unit, len(unit_names), rater, rater_names, scales, log, keep)
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
    release_memory()
    return StudyData(unit_names, dimensions, prompt, prompts, method, methods, known, metric_names, scores)


def _no_blanks(table: CodedTable, names: Sequence[str], log: RejectLog) -> NDArray[np.bool_]:
    keep = np.ones(len(table), bool)
    for name in names:
        blank = table[name].blanks()
        for row in np.flatnonzero(blank & keep):
            number = int(table.row_numbers[row])
            log.note(table.file, number, name, "", f"the {name} is missing", f"fill it in, or {MISSING_CURE}")
        keep &= ~blank
    return keep


def _items(
    path: Path, unit_names: Sequence[str], log: RejectLog
) -> tuple[NDArray[np.bool_], dict[str, NDArray[np.object_]], Codes]:
    """Whether the file has each unit, and of those that it has, every property as texts and the row's number.

    An item that stands twice must say the same.
    """
    table = read_columns(path, name=path.name, columns=ITEMS, log=log)
    rows = np.flatnonzero(_no_blanks(table, ["item"], log))
    item = table["item"].codes[rows]
    first = np.empty(len(table["item"].labels), np.int64)
    first[item[::-1]] = rows[::-1]
    leader = first[item]
    others = {name: column for name, column in table.columns.items() if name != "item"}
    differs = np.zeros(len(rows), bool)
    for column in others.values():
        differs |= column.codes[rows] != column.codes[leader]
    for row, earlier in zip(rows[differs], leader[differs], strict=True):
        other, column = next((name, column) for name, column in others.items() if column[row] != column[earlier])
        problem = f"{table['item'][row]!r} stands in row {table.row_numbers[earlier]} with {column[earlier]!r}"
        log.note(path.name, int(table.row_numbers[row]), other, column[row], problem, "keep one row an item")
    unit = table["item"].index_in(unit_names)
    row_of = np.full(len(unit_names), -1)
    rows = rows[(rows == leader) & (unit[rows] >= 0)]
    row_of[unit[rows]] = rows
    is_known = row_of >= 0
    rows = row_of[is_known]
    return is_known, {name: column.texts()[rows] for name, column in others.items()}, table.row_numbers[rows]


def _leave_out_unknown(
    table: CodedTable,
    unit: Codes,
    is_known: NDArray[np.bool_],
    items_file: str,
    log: RejectLog,
    keep: NDArray[np.bool_],
) -> None:
    """Ratings of items that the items file does not have go to the log and out of `keep`, in place."""
    rows = np.flatnonzero(keep)
    unknown = rows[~is_known[unit[rows]]]
    for row in unknown:
        problem, cure = f"{items_file} has no such item", "add it there, or correct the name"
        log.note(table.file, int(table.row_numbers[row]), "item", table["item"][row], problem, cure)
    keep[unknown] = False


def _dimensions(
    table: CodedTable,
    unit: Codes,
    n_units: int,
    rater: Codes,
    rater_names: Sequence[str],
    scales: Scales,
    log: RejectLog,
    keep: NDArray[np.bool_],
) -> list[DimensionData]:
    if "dimension" not in table.columns:
        names, dimension = [ONE_DIMENSION], np.zeros(len(table), np.int64)
    else:
        keep &= _no_blanks(table, ["dimension"], log)
        names, dimension = table["dimension"].ranked()
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
                n_units=n_units,
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
        problem = f"the same rater answered otherwise about the same item in row {table.row_numbers[first]}"
        cure = "keep the answer that counts"
        log.note(table.file, int(table.row_numbers[row]), "value", table["value"][row], problem, cure)
    kept = np.sort(order[~repeats])
    return rows[kept], level[kept], unable[kept]


def _scores(path: Path, unit_names: Sequence[str], log: RejectLog) -> tuple[list[str], NDArray[np.float64]]:
    """(n_metrics, n_units) scores by metric name. Scores of items that nobody rated are left aside in silence."""
    table = read_columns(path, name=path.name, columns=METRICS, log=log)
    keep = _no_blanks(table, ("item", "metric"), log)
    names, metric = table["metric"].ranked()
    unit = table["item"].index_in(unit_names)
    value = table["value"].numbers()
    keep &= unit >= 0
    for row in np.flatnonzero(keep & np.isnan(value)):
        text = table["value"][row]
        problem, cure = "the score is missing", "leave the row out: a missing score is no row"
        if text.strip():
            try:
                parse_number(text)
            except BadValue as bad:
                problem, cure = bad.problem, bad.cure
        log.note(table.file, int(table.row_numbers[row]), "value", text, problem, cure)
    rows = np.flatnonzero(keep & ~np.isnan(value))
    cell, value = metric[rows] * len(unit_names) + unit[rows], value[rows]
    del metric, unit, keep
    flat = np.full(len(names) * len(unit_names), np.nan)
    flat[cell[::-1]] = value[::-1]  # the first of several counts
    contradicting = np.flatnonzero(value != flat[cell])
    if len(contradicting):
        first = np.full(len(flat), -1, np.int64)
        first[cell[::-1]] = rows[::-1]
        for row, at in zip(rows[contradicting], cell[contradicting], strict=True):
            problem = f"row {table.row_numbers[first[at]]} has another score of this metric for this item"
            cure = "keep the score that counts"
            log.note(table.file, int(table.row_numbers[row]), "value", table["value"][row], problem, cure)
    return names, flat.reshape(len(names), len(unit_names))


def _codes(texts: NDArray[np.object_] | None, n: int) -> tuple[Codes, list[str]]:
    """Codes into sorted names; −1 for an empty text, or everywhere where there is no such column."""
    if texts is None:
        return np.full(n, -1, np.int64), []
    names, codes = CodedColumn.of(texts).ranked()
    return codes, names
