"""Units that were shown to a rater again: the column `repeat` of a ratings file."""

import numpy as np
from numpy.typing import NDArray

from annotations.stats.arrays import IntArray
from annotations.stats.raters.table import Repeats
from exchange.rejects import RejectLog
from exchange.tables.coded import CodedTable
from exchange.tables.values import BadValue, parse_number

COLUMN = "repeat"
_FIRST = {"", "first", "no", "false"}
_AGAIN = {"again", "repeat", "yes", "true"}
_PROBLEM = "not a number of the showing: empty, 0 or 1 for the answer that counts, 2 or more for another one"


def shown_again(table: CodedTable, keep: NDArray[np.bool_], asked: IntArray, log: RejectLog) -> NDArray[np.bool_]:
    """(n,) whether a row is a rater's second, third … answer about an item; such answers do not count as ratings.

    asked (n,): a code for each question, unit and rater. Where one of them has both 0 and 1, showings are counted from
    0, so that 1 is the second. Anything other than numbers, yes and no goes to the log and out of `keep`, in place.
    """
    if COLUMN not in table.columns:
        return np.zeros(len(table), bool)
    column = table[COLUMN]
    again = np.zeros(len(column.labels), bool)
    showing = np.full(len(column.labels), -1.0)
    for code, label in enumerate(column.labels):
        said = label.strip().casefold()
        if said in _FIRST or said in _AGAIN:
            again[code] = said in _AGAIN
            continue
        try:
            number = parse_number(label)
            if number < 0 or number != int(number):
                raise BadValue(_PROBLEM, "number the showings 1, 2, 3 …")
            showing[code] = number
        except BadValue:
            for row in np.flatnonzero(keep & (column.codes == code)):
                table.refuse(log, int(row), COLUMN, label, _PROBLEM, "number the showings 1, 2, 3 …")
                keep[row] = False
    number_of = showing[column.codes]
    zeros, ones = (np.unique(asked[keep & (number_of == n)]) for n in (0, 1))
    is_from_zero = bool(np.isin(ones, zeros, assume_unique=True).any())
    return np.asarray(again[column.codes] | (number_of > (0 if is_from_zero else 1)))


def pairs_of(
    table: CodedTable,
    rows: IntArray,
    level: IntArray,
    counted: IntArray,
    counted_level: IntArray,
    cell: IntArray,
    log: RejectLog,
) -> tuple[IntArray, Repeats, int]:
    """The answers of repeats next to the first ones, and how many have no first answer.

    rows, level (n,): rows of repeats, with levels ≥ 0; counted, counted_level (m,): the rows that count; cell
    (n_table,): a code for each rater and unit. Returns the rows (k,) that have a first answer and their Repeats, with
    rows of the file in place of raters. A repeat without a first answer goes to the log.
    """
    order = np.argsort(cell[counted], kind="stable")
    place = np.searchsorted(cell[counted][order], cell[rows])
    found = place < len(order)
    found[found] = cell[counted][order][place[found]] == cell[rows[found]]
    for row in rows[~found]:
        problem = "the rater has no first answer about this item, so there is nothing to compare it with"
        table.refuse(
            log, int(row), COLUMN, table[COLUMN][row], problem, "leave the cell empty, or add the first answer"
        )
    first = counted_level[order[place[found]]]
    return rows[found], Repeats(rows[found], first, level[found]), int((~found).sum())
