"""What a file of ratings may say about each rating besides its value: who gave it, when in their sequence, how fast."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from annotations.stats.arrays import IntArray
from exchange.rejects import RejectLog
from exchange.tables.coded import CodedTable
from exchange.tables.values import BadValue, parse_number

RATER_KINDS = ("person", "imported", "simulated")
Numbers = NDArray[np.float64]


def times(table: CodedTable, keep: NDArray[np.bool_], log: RejectLog) -> tuple[Numbers, Numbers]:
    """(n_rows,) active seconds, and (n_rows,) the place in the rater's sequence; NaN where a cell or column is empty.

    From the columns `active_ms` and `sequence`. Cells that are not a number of 0 or more go to the log.
    """
    return _numbers(table, "active_ms", keep, log) / 1000, _numbers(table, "sequence", keep, log)


def _numbers(table: CodedTable, name: str, keep: NDArray[np.bool_], log: RejectLog) -> Numbers:
    if name not in table.columns:
        return np.full(len(table), np.nan)
    values = table[name].numbers()
    is_bad = keep & ~table[name].blanks() & ~(values >= 0)
    for row in np.flatnonzero(is_bad):
        text = table[name][row]
        try:
            parse_number(text, low=0)
        except BadValue as bad:
            table.refuse(log, int(row), name, text, bad.problem, bad.cure)
    keep &= ~is_bad
    return values


def known_or_none(values: Numbers) -> Numbers | None:
    """The values, or None where none is known."""
    return values if np.isfinite(values).any() else None


def rater_kinds_of(table: CodedTable, rater: IntArray, keep: NDArray[np.bool_], log: RejectLog) -> dict[str, int]:
    """How many of the raters with a rating are of each kind, from the column `rater_kind`; empty without one.

    A rater whose kind is not one of RATER_KINDS, or who is of two kinds, goes to the log with the first such row.
    """
    if "rater_kind" not in table.columns:
        return {}
    column = table["rater_kind"]
    rows = np.flatnonzero(keep & ~column.blanks())
    pairs, first = np.unique(rater[rows] * np.int64(len(column.labels)) + column.codes[rows], return_index=True)
    kind_of: dict[int, str] = {}
    for pair, at in zip(pairs.tolist(), first.tolist(), strict=True):
        code, label = divmod(pair, len(column.labels))
        kind, row = column.labels[label].casefold(), int(rows[at])
        problem = ""
        if kind not in RATER_KINDS:
            problem = "this is not a kind of rater"
        elif kind_of.setdefault(code, kind) != kind:
            problem = f"this rater is {kind_of[code]} in another row"
        if problem:
            cure = f"write one of {', '.join(RATER_KINDS)}"
            log.note(table.file, int(table.row_numbers[row]), "rater_kind", column[row], problem, cure)
    counts = Counter(kind_of.values())
    return {kind: counts[kind] for kind in RATER_KINDS if counts[kind]}
