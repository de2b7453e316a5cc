"""The rated items: their prompts, methods and facets, and their metric scores."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotations.reports.study.files.table_checks import leave_out_blanks, warn_of_groups, warn_of_missing, warn_of_near
from annotations.reports.study.gold import is_gold
from annotations.stats.arrays import IntArray
from exchange.holes import NO_METHOD, NO_PROMPT, NO_PROMPT_ID, warn_of_items
from exchange.identity import identity, likeness
from exchange.rejects import RejectLog, bad_file
from exchange.study_tables import ITEMS, SCORES
from exchange.tables.coded import CodedColumn, CodedTable, read_columns
from exchange.tables.values import MAX_INTEGER, BadValue, parse_number

Texts = NDArray[np.object_]
FACET = "facet:"
"""A facet's column begins with this if its own name would be mistaken for another column."""
MOST_LOOKED_AT = 1_000
"""At most this many names that no item has are compared with the items' names."""


def read_items(
    path: Path, unit_names: Sequence[str], log: RejectLog
) -> tuple[NDArray[np.bool_], dict[str, Texts], IntArray]:
    """Whether each unit is in the file and, if so, every property as text and the row's number.

    An item that occurs twice must say the same.
    """
    table = read_columns(path, name=path.name, columns=ITEMS, log=log)
    rows = np.flatnonzero(leave_out_blanks(table, ["item"], log))
    warn_of_near(table, ("item", "prompt_id" if "prompt_id" in table.columns else "prompt", "method"), log)
    item = table["item"].codes[rows]
    first = np.empty(len(table["item"].labels), np.int64)
    first[item[::-1]] = rows[::-1]
    leader = first[item]
    others = {name: column for name, column in table.columns.items() if name != "item"}
    differs = np.zeros(len(rows), bool)
    for column in others.values():
        differs |= column.codes[rows] != column.codes[leader]
    for row, earlier in zip(rows[differs], leader[differs], strict=True):
        other, column = next(
            (name, column) for name, column in others.items() if column.codes[row] != column.codes[earlier]
        )
        problem = f"{table['item'][row]!r} is in row {table.row_numbers[earlier]} with {column[earlier]!r}"
        log.note(path.name, int(table.row_numbers[row]), other, column[row], problem, "keep one row per item")
    unit = table["item"].index_in(unit_names)
    row_of = np.full(len(unit_names), -1)
    rows = rows[(rows == leader) & (unit[rows] >= 0)]
    row_of[unit[rows]] = rows
    is_known = row_of >= 0
    rows = row_of[is_known]
    return is_known, {name: column.texts()[rows] for name, column in others.items()}, table.row_numbers[rows]


def items_in_ratings(
    table: CodedTable, unit: IntArray, n_units: int, log: RejectLog
) -> tuple[dict[str, Texts], IntArray]:
    """What the ratings say about their items: each unit's prompt and method, and the first row that names them.

    If another row of the same item contradicts a prompt or method, there is a warning, and the first one counts.
    """
    names = [name for name in ("prompt", "method") if name in table.columns]
    if not names:
        return {}, np.zeros(0, np.int64)
    rows = np.flatnonzero(unit >= 0)
    first = np.zeros(n_units, np.int64)
    first[unit[rows[::-1]]] = rows[::-1]
    known: dict[str, Texts] = {}
    for name in names:
        column = table[name]
        differs = rows[column.codes[rows] != column.codes[first[unit[rows]]]]
        if len(differs):
            row, leader = differs[0], first[unit[differs[0]]]
            log.warn(
                f"{table.file}: {len(differs):,} rows give their item another {name} than its first row does; "
                f'row {table.row_numbers[row]} "{column[row]}", row {table.row_numbers[leader]} "{column[leader]}".'
            )
        known[name] = column.texts()[first]
    return known, table.row_numbers[first]


def facet_of(column: str) -> str:
    """The facet that a column of the items file holds."""
    return column.removeprefix(FACET)


def column_of(facet: str) -> str:
    """The column name by which `read_items` recognises this facet."""
    is_taken = ITEMS.resolve([*ITEMS.required, *ITEMS.optional, facet]).get(facet) != facet
    is_taken |= facet in (*ITEMS.required, *ITEMS.optional) or is_gold(facet) or facet.startswith(FACET)
    return f"{FACET}{facet}" if is_taken or identity(facet) != facet or not facet else facet


def prompts_of(
    known: dict[str, Texts], n_units: int, file: str, row_numbers: IntArray, log: RejectLog
) -> tuple[IntArray, list[str]]:
    """Each unit's prompt as a code into the names, −1 where it has none; the columns are taken out of `known`.

    Two prompts may read alike: where prompts have identifiers, these distinguish them. An empty identifier is filled in
    from the unit's prompt: with the one that other units of this prompt have, else with the prompt itself. It stays
    empty if several prompts have this text.
    """
    identifiers, texts = known.pop("prompt_id", None), known.pop("prompt", None)
    if identifiers is None or not identifiers.any():
        names = texts
    elif texts is None:
        names = identifiers
    else:
        names = identifiers.copy()
        own: defaultdict[str, set[str]] = defaultdict(set)
        for identifier, text in zip(identifiers, texts, strict=True):
            if identifier and text:
                own[text].add(identifier)
        taken = set(identifiers)
        blank = np.flatnonzero((identifiers == "") & (texts != ""))
        for unit in blank:
            same = own[texts[unit]]
            is_clear = len(same) < 2 and texts[unit] not in taken
            names[unit] = next(iter(same), texts[unit]) if is_clear else ""
        filled = blank[names[blank] != ""]
        _warn_of_units(file, row_numbers[filled], NO_PROMPT_ID, log)
    return _codes(names, n_units, file, row_numbers, NO_PROMPT, log)


def methods_of(
    known: dict[str, Texts], n_units: int, file: str, row_numbers: IntArray, log: RejectLog
) -> tuple[IntArray, list[str]]:
    """Each unit's method as a code into the names, −1 where it has none; the column is taken out of `known`."""
    return _codes(known.pop("method", None), n_units, file, row_numbers, NO_METHOD, log)


def _codes(
    texts: Texts | None, n: int, file: str, row_numbers: IntArray, lacking: str, log: RejectLog
) -> tuple[IntArray, list[str]]:
    """Codes into the sorted names, and the names; −1 for an empty text, and in every row if the column is missing."""
    if texts is None:
        return np.full(n, -1, np.int64), []
    names, codes = CodedColumn.of(texts).ranked()
    if names:
        _warn_of_units(file, row_numbers[codes < 0], lacking, log)
    return codes, names


def _warn_of_units(file: str, row_numbers: IntArray, what: str, log: RejectLog) -> None:
    warn_of_items(log, file, len(row_numbers), what, int(row_numbers.min(initial=MAX_INTEGER)))


def read_scores(path: Path, unit_names: Sequence[str], log: RejectLog) -> tuple[list[str], NDArray[np.float64]]:
    """(names, (n_metrics, n_units) scores); a metric of several versions is one metric per version.

    Scores of items that nobody rated, and rated items without a score, are counted in warnings. Raises BadFile if no
    score belongs to a rated item.
    """
    table = read_columns(path, name=path.name, columns=SCORES, log=log)
    keep = leave_out_blanks(table, ("item", "metric"), log)
    warn_of_near(table, ("metric", "version"), log)
    names, metric = _metrics(table)
    unit = table["item"].index_in(unit_names)
    is_missing = keep & table["value"].blanks()
    warn_of_missing(table, is_missing, "scores", log)
    _check_that_scores_meet(table, keep, unit, unit_names, log)
    value = table["value"].numbers()
    keep &= (unit >= 0) & ~is_missing
    for row in np.flatnonzero(keep & np.isnan(value)):
        text = table["value"][row]
        try:
            parse_number(text)
        except BadValue as bad:
            log.note(path.name, int(table.row_numbers[row]), "value", text, bad.problem, bad.cure)
    rows = np.flatnonzero(keep & ~np.isnan(value))
    cell, value = metric[rows] * len(unit_names) + unit[rows], value[rows]
    del metric, unit, keep
    flat = np.full(len(names) * len(unit_names), np.nan)
    flat[cell[::-1]] = value[::-1]  # the first of several scores counts
    contradicting = np.flatnonzero(value != flat[cell])
    if len(contradicting):
        first = np.full(len(flat), -1, np.int64)
        first[cell[::-1]] = rows[::-1]
        for row, at in zip(rows[contradicting], cell[contradicting], strict=True):
            problem = f"row {table.row_numbers[first[at]]} has another score of this metric for this item"
            cure = "keep the score that counts"
            log.note(path.name, int(table.row_numbers[row]), "value", table["value"][row], problem, cure)
    scores = flat.reshape(len(names), len(unit_names))
    for name, n_without in zip(names, np.isnan(scores).sum(axis=1).tolist(), strict=True):
        if n_without:
            log.warn(f"{path.name}: {n_without:,} of {len(unit_names):,} rated items have no {name}.")
    return names, scores


def _metrics(table: CodedTable) -> tuple[list[str], IntArray]:
    """The metrics' names, and each row's code; names include the version if a metric has several."""
    names, metric = table["metric"].ranked()
    if "version" not in table.columns:
        return names, metric
    versions, version = table["version"].ranked()
    named = metric >= 0
    pairs, of_row = np.unique(metric[named] * (len(versions) + 1) + version[named] + 1, return_inverse=True)
    of_metric, of_version = (codes.tolist() for codes in np.divmod(pairs, len(versions) + 1))
    n_versions = Counter(of_metric)
    labels = [
        names[m] if n_versions[m] == 1 else f"{names[m]} {['', *versions][v]}".strip()
        for m, v in zip(of_metric, of_version, strict=True)
    ]
    code = np.full(len(table), -1)
    code[named] = of_row
    return labels, code


def _check_that_scores_meet(
    table: CodedTable, keep: NDArray[np.bool_], unit: IntArray, unit_names: Sequence[str], log: RejectLog
) -> None:
    missed = np.flatnonzero(keep & (unit < 0))
    n = int(keep.sum())
    if not len(missed):
        return
    first = table["item"][missed[0]]
    said = f'{len(missed):,} of {n:,} scores are of items that nobody rated; the first: "{first}" in row '
    said += f"{table.row_numbers[missed[0]]}"
    if len(missed) == n:
        problem, cure = said, f'name items as the ratings do, such as "{unit_names[0]}"'
        raise bad_file(table.file, problem, cure, field="item", value=first)
    log.warn(f"{table.file}: {said}.")
    alike = {likeness(name): name for name in unit_names}
    names = dict.fromkeys(identity(table["item"][row]) for row in missed[:MOST_LOOKED_AT])
    warn_of_groups(table.file, "item", [(name, alike[key]) for name in names if (key := likeness(name)) in alike], log)
