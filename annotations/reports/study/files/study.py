"""Ratings, metric scores and items from files, checked while they are read."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotations.reports.bad_data import BadData, OnBadValue
from annotations.reports.numbers import counted
from annotations.reports.study.data import DimensionData, StudyData, dimension_data
from annotations.reports.study.files.answers import levels_of, question_of_slider, question_of_words
from annotations.reports.study.files.excluded_raters import leave_out_raters
from annotations.reports.study.files.items import (
    facet_of,
    items_in_ratings,
    methods_of,
    prompts_of,
    read_items,
    read_scores,
)
from annotations.reports.study.files.rating_notes import known_or_none, rater_kinds_of, times
from annotations.reports.study.files.repeats import pairs_of, shown_again
from annotations.reports.study.files.table_checks import leave_out_blanks, warn_of_missing, warn_of_near
from annotations.reports.study.gold import take_gold
from annotations.reports.study.scales import Question, Scales
from annotations.stats.arrays import IntArray
from exchange.identity import likeness
from exchange.ratings.mapping import Mapping
from exchange.ratings.other_tables import is_rank_name, ranks_fault
from exchange.ratings.reading import RatingsFile, opened_ratings
from exchange.rejects import BadFile, Reject, RejectLog
from exchange.signs import difference
from exchange.study_tables import ITEMS, ONE_DIMENSION
from exchange.tables.coded import CodedTable, read_columns, release_memory
from exchange.tables.values import BadValue, parse_boolean


def read_study(
    ratings: Path | Sequence[Path],
    *,
    metrics: Path | None,
    items: Path | None,
    scales: Scales,
    on_bad_value: OnBadValue,
    log: RejectLog,
    excluded_raters: Path | None = None,
    mapping: Mapping | None = None,
) -> StudyData:
    """All input of `analyze`, as arrays, without the ratings of excluded raters.

    ratings  one file, or several, of any form that `exchange.ratings` reads
    mapping  the user's account of their columns and labels

    A value off the scale, a second, different answer of one rater, a score that is not a number and an item that the
    items file does not have are bad: with "error" they raise BadData, with "exclude" they are left out and listed in
    the log. The log's warnings name what is accepted but may be a mistake: names that are nearly the same, ratings and
    scores without a value, scores without an item, items without a prompt or method.

    Raises BadFile for a file that cannot be read or has no usable row, and BadScale for a dimension without a scale.
    """
    paths = [ratings] if isinstance(ratings, Path) else list(ratings)
    n_before = log.total
    sources = [(path.name, path) for path in paths]
    with opened_ratings(sources, mapping=mapping, log=log, declared=scales.by_dimension.keys()) as given:
        if items is not None and given.is_paired:
            given.name_by(read_columns(items, name=items.name, columns=ITEMS, log=RejectLog(keep=0))["item"].labels)
        table = given.table(log)
    for sentence in given.says:
        log.remark(sentence)
    fate = _Fate(n_refused=log.total - n_before, skipped=Counter(given.tally.skipped))
    if len(table) == 0 and not log.total:
        raise BadFile(Reject(table.file, None, "", "", "there are no ratings in it", "export the ratings again"))
    unit_names, unit = table["item"].ranked()
    rater_names, rater = table["rater"].ranked()
    keep = leave_out_blanks(table, ("item", "rater"), log)
    warn_of_near(table, ("item", "rater", "dimension"), log)
    n_kept = int(keep.sum())
    excluded = leave_out_raters(excluded_raters, rater_names, rater, keep, log) if excluded_raters else []
    fate.skipped["by excluded raters"] += n_kept - int(keep.sum())
    known: dict[str, NDArray[np.object_]] = {}
    item_rows = np.zeros(0, np.int64)
    if items is not None:
        is_known, known, item_rows = read_items(items, unit_names, log)
        _leave_out_unknown(table, unit, unit_names, is_known, items.name, log, keep)
        unit_names = list(compress(unit_names, is_known))
        unit[keep] = np.cumsum(is_known)[unit[keep]] - 1
    else:
        known, item_rows = items_in_ratings(table, unit, len(unit_names), log)
    dimensions = _dimensions(table, unit, len(unit_names), rater, rater_names, scales, log, keep, given, fate)
    fate.n_refused += int(table.refused.sum())
    log.remark(f"{table.file}: {fate}.")
    rater_kinds = rater_kinds_of(table, rater, keep, log)
    n_taken = sum(len(dimension.ratings) + dimension.n_unable for dimension in dimensions)
    if n_taken == 0:
        raise nothing_left(table, "value", log)
    if items is not None:
        dimensions = take_gold(known, dimensions, scales, file=items.name, row_numbers=item_rows, log=log)
    del table  # a million ratings' cells need not lie next to ten million scores
    metric_names, scores = read_scores(metrics, unit_names, log) if metrics else ([], np.empty((0, len(unit_names))))
    if log.total and on_bad_value == "error":
        raise BadData(log)
    prompt, prompts = prompts_of(known, len(unit_names), items.name if items else "", item_rows, log)
    method, methods = methods_of(known, len(unit_names), items.name if items else "", item_rows, log)
    release_memory()
    return StudyData(
        unit_names,
        dimensions,
        prompt,
        prompts,
        method,
        methods,
        {facet_of(column): texts for column, texts in known.items()},
        metric_names,
        scores,
        excluded,
        rater_kinds,
    )


@dataclass
class _Fate:
    """The outcome of each answer in a file: it is read, refused or skipped, exactly one of these."""

    n_read: int = 0
    n_refused: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        skipped = ", ".join(f"{n:,} {reason}" for reason, n in self.skipped.items() if n)
        n_all = self.n_read + self.n_refused + self.skipped.total()
        return (
            f"{n_all:,} answers: {self.n_read:,} read, {self.n_refused:,} refused, {self.skipped.total():,} skipped"
            + (f" ({skipped})" if skipped else "")
        )


def _question(
    table: CodedTable, rows: IntArray, name: str, scales: Scales, given: RatingsFile, log: RejectLog
) -> Question:
    """The question of this name with its levels. Raises BadScale without a scale, BadFile for ranks."""
    question = scales.of(name)
    if is_rank_name(name) and name not in scales.by_dimension:
        raise ranks_fault(table.file, name)
    if question.is_continuous:
        return question_of_slider(table, rows, question, name)
    if name in given.choices and name not in scales.by_dimension and not given.mapping.words_of(name):
        return question_of_words(table, rows, question, log, name)
    return question


def nothing_left(table: CodedTable, column: str, log: RejectLog) -> BadData | BadFile:
    """The error for a table without any usable row; `column` is the column that holds the values."""
    if log.total:
        return BadData(log, is_all=True)
    problem = f"no row could be used: none of {len(table)} counts and has a {column}"
    return BadFile(Reject(table.file, None, column, "", problem, "export the file again"))


def _leave_out_unknown(
    table: CodedTable,
    unit: IntArray,
    unit_names: Sequence[str],
    is_known: NDArray[np.bool_],
    items_file: str,
    log: RejectLog,
    keep: NDArray[np.bool_],
) -> None:
    """Put ratings of items that the items file lacks into the log, and take them out of `keep` in place."""
    rows = np.flatnonzero(keep)
    unknown = rows[~is_known[unit[rows]]]
    if not len(unknown):
        return
    alike = {likeness(name): name for name in compress(unit_names, is_known)}
    for row in unknown:
        name = table["item"][row]
        near = alike.get(likeness(name))
        problem = f"{items_file} has no such item" + (f', but "{near}" ({difference(name, near)})' if near else "")
        table.refuse(log, int(row), "item", name, problem, "add it there, or correct the name")
    keep[unknown] = False


def _dimensions(
    table: CodedTable,
    unit: IntArray,
    n_units: int,
    rater: IntArray,
    rater_names: Sequence[str],
    scales: Scales,
    log: RejectLog,
    keep: NDArray[np.bool_],
    given: RatingsFile,
    fate: "_Fate",
) -> list[DimensionData]:
    if "dimension" not in table.columns:
        names, dimension, place = [ONE_DIMENSION], np.zeros(len(table), np.int64), {ONE_DIMENSION: 0}
    else:
        keep &= leave_out_blanks(table, ["dimension"], log)
        names, dimension = table["dimension"].ranked()
        place = {name: n for n, name in enumerate(names)}
        if given.format:  # the order of the program that wrote the file
            names = [name for name in table["dimension"].labels if name]
    is_unable = _unable(table, keep, log)
    is_missing = keep & table["value"].blanks() & ~is_unable
    warn_of_missing(table, is_missing, "ratings", log)
    fate.skipped["without a value"] += int(is_missing.sum())
    keep &= ~is_missing
    seconds, order = times(table, keep, log)
    cell = unit * len(rater_names) + rater
    again = shown_again(table, keep, cell * (int(dimension.max(initial=0)) + 1) + dimension, log)
    found: list[DimensionData] = []
    equal: list[IntArray] = [np.zeros((0, 2), np.int64)]
    for name in scales.in_order(names):
        rows = np.flatnonzero(keep & (dimension == place[name]))
        question = _question(table, rows, name, scales, given, log)
        words = given.mapping.words_of(name)
        level, unable = levels_of(table, rows, is_unable[rows], name, question, words, log)
        n_good = int(((level >= 0) | unable).sum())
        second = again[rows] & (level >= 0)
        repeated, of_repeated = rows[second], level[second]
        counts = ~again[rows]
        rows, level, unable, n_refused, same = _once(table, rows[counts], cell, level[counts], unable[counts], log)
        equal.append(same)
        repeated, repeats, n_alone = pairs_of(table, repeated, of_repeated, rows[~unable], level[~unable], cell, log)
        fate.n_read += n_good - n_refused - n_alone - len(same)
        is_level = ~unable
        data = dimension_data(
            name,
            unit=unit[rows][is_level],
            rater=rater[rows][is_level],
            level=level[is_level],
            values=[float(value) for value in question.values],
            rater_names=rater_names,
            n_units=n_units,
            n_unable=int(unable.sum()),
            question=question.words or given.questions.get(name, ""),
            labels=question.labels,
            seconds=known_or_none(seconds[rows][is_level]),
            order=known_or_none(order[rows][is_level]),
            kind=question.kind,
            repeats=replace(repeats, rater=rater[repeated]) if len(repeated) else None,
        )
        _warn_of_single_ratings(data, table.file, log)
        found.append(data)
    _warn_of_repeats(table, np.concatenate(equal), fate, log)
    return found


def _warn_of_repeats(table: CodedTable, repeats: IntArray, fate: "_Fate", log: RejectLog) -> None:
    n = len(repeats)
    fate.skipped["that repeat an earlier one"] += n
    if not n:
        return
    row, earlier = table.row_numbers[repeats[repeats[:, 0].argmin()]].tolist()
    is_one_file = bool((np.diff(table.row_numbers) >= 0).all())  # row numbers start again in the next file
    first = f"; the first is row {row}, as row {earlier}" if is_one_file else ""
    again = counted(n, "answer repeats", "answers repeat")
    log.warn(
        f"{table.file}: {again} an earlier one of the same rater about the same item{first}. Only the first of equal "
        "answers counts."
    )


def _warn_of_single_ratings(data: DimensionData, file: str, log: RejectLog) -> None:
    if data.ratings.n_raters > 1 and data.ratings.per_unit.max(initial=0) < 2:
        log.warn(
            f"{file}: no item has two ratings of {data.name}, so agreement cannot be measured. "
            "Check that the columns item, rater and value hold what their names say."
        )


def _unable(table: CodedTable, keep: NDArray[np.bool_], log: RejectLog) -> NDArray[np.bool_]:
    """(n,) whether the column `is_unable`, which a study's own export has, says that the rater was unable to answer."""
    if "is_unable" not in table.columns:
        return np.zeros(len(table), bool)
    column = table["is_unable"]
    says = np.zeros(len(column.labels), bool)
    for code, label in enumerate(column.labels):
        try:
            says[code] = bool(label) and parse_boolean(label)
        except BadValue as bad:
            for row in np.flatnonzero(keep & (column.codes == code)):
                table.refuse(log, int(row), "is_unable", label, bad.problem, bad.cure)
                keep[row] = False
    return says[column.codes] & table["value"].blanks()


def _once(
    table: CodedTable,
    rows: IntArray,
    cell: IntArray,
    level: IntArray,
    unable: NDArray[np.bool_],
    log: RejectLog,
) -> tuple[IntArray, IntArray, NDArray[np.bool_], int, IntArray]:
    """One answer per rater and unit: an equal second one is dropped, a different one goes to the log.

    cell: (n_table,) a code for each pair of rater and unit.
    The last values returned are the number of different answers, and (k, 2) rows that are dropped and those that count.
    """
    good = (level >= 0) | unable
    rows, level, unable = rows[good], level[good], unable[good]
    order = np.argsort(cell[rows], kind="stable")
    repeats = np.r_[False, np.diff(cell[rows][order]) == 0]
    if not repeats.any():
        return rows, level, unable, 0, np.zeros((0, 2), np.int64)
    leader = np.maximum.accumulate(np.where(repeats, 0, np.arange(len(order))))
    answer = np.where(unable, -1, level)[order]
    contradicting = np.flatnonzero(repeats & (answer != answer[leader]))
    for place in contradicting:
        row, first = rows[order[place]], rows[order[leader[place]]]
        problem = f"the same rater gave a different answer about the same item in row {table.row_numbers[first]}"
        cure = "keep the answer that counts, or number the showings 1, 2 … in a column repeat"
        table.refuse(log, int(row), "value", table["value"][row], problem, cure)
    kept = np.sort(order[~repeats])
    equal = np.flatnonzero(repeats & (answer == answer[leader]))
    same = np.column_stack([rows[order[equal]], rows[order[leader[equal]]]])
    return rows[kept], level[kept], unable[kept], len(contradicting), same
