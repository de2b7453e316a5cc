"""Checks of every table of a study, and the messages about it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from exchange.rejects import RejectLog
from exchange.spellings import GAP_WORDS, gap_names, near_names
from exchange.tables.coded import CodedTable
from exchange.tables.values import EMPTY_CELL


def leave_out_blanks(table: CodedTable, names: Sequence[str], log: RejectLog) -> NDArray[np.bool_]:
    """(n,) which rows have a value in all of these columns; the others go to the log."""
    keep = np.ones(len(table), bool)
    for name in names:
        blank = table[name].blanks()
        for row in np.flatnonzero(blank & keep):
            table.refuse(log, int(row), name, "", *EMPTY_CELL)
        keep &= ~blank
    return keep


def warn_of_missing(table: CodedTable, is_missing: NDArray[np.bool_], what: str, log: RejectLog) -> None:
    """Rows without a value are missing ratings, scores or verdicts: not an error, but never left out silently."""
    rows = np.flatnonzero(is_missing)
    if len(rows):
        first = table.row_numbers[rows[0]]
        log.warn(
            f"{table.file}: {len(rows):,} of {len(table):,} rows have no value and count as missing {what}; "
            f"the first is row {first}."
        )


def warn_of_near(table: CodedTable, names: Sequence[str], log: RejectLog) -> None:
    """Names that are nearly the same count as different, and the warning lists them; so does it words that usually mean
    a missing value."""
    for name in names:
        if name in table.columns:
            warn_of_groups(table.file, name, table[name].near_matches(), log)
            gaps = table[name].those_among(GAP_WORDS)
            if gaps:
                log.warn(gap_names(table.file, name, gaps))


def warn_of_groups(file: str, what: str, groups: Sequence[Sequence[str]], log: RejectLog) -> None:
    if groups:
        log.warn(near_names(file, what, groups))
