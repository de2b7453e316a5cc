"""Raters to leave out of an analysis, from a file with their names and the reasons."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotations.reports.study.data import ExcludedRater
from annotations.stats.arrays import IntArray
from exchange.identity import likeness
from exchange.rejects import BadFile, Reject, RejectLog
from exchange.signs import difference
from exchange.tables.coded import CodedTable, read_columns
from exchange.tables.headers import Columns
from exchange.tables.values import BadValue, parse_integer

EXCLUDED_RATERS = Columns(
    required=("rater", "reason"),
    optional=("n_answers",),
    aliases={"annotator": "rater", "worker": "rater", "rater_id": "rater"},
    names=("rater",),
)


def leave_out_raters(
    path: Path, rater_names: list[str], rater: IntArray, keep: NDArray[np.bool_], log: RejectLog
) -> list[ExcludedRater]:
    """Take the ratings of the raters in this file out of `keep`, in place; the raters in the order of their names.

    rater_names, rater   the ratings' raters, and (n_rows,) the code of each row's

    The number of answers is counted; `n_answers` gives it for raters whose ratings are no longer in the file. A rater
    without a reason, and one who is listed twice, go to the log; one without answers is in the log's warnings. Raises
    BadFile where the file cannot be read, and where no rating would be left.
    """
    table = read_columns(path, name=path.name, columns=EXCLUDED_RATERS, log=log)
    code_of = {name: code for code, name in enumerate(rater_names)}
    alike = {likeness(name): name for name in rater_names}
    n_kept = np.bincount(rater[keep], minlength=len(rater_names))
    found: dict[str, ExcludedRater] = {}
    for row in range(len(table)):
        name, reason = table["rater"][row], " ".join(table["reason"][row].split())
        number = int(table.row_numbers[row])
        if not name.strip():
            log.note(table.file, number, "rater", "", "the rater is missing", "name the rater, or leave the row out")
        elif not reason:
            log.note(table.file, number, "reason", "", "the reason is missing", "say why this rater is left out")
        elif name in found:
            log.note(table.file, number, "rater", name, "this rater is listed twice", "keep one of the two rows")
        else:
            n = int(n_kept[code_of[name]]) if name in code_of else _stated(table, row, log)
            found[name] = ExcludedRater(name, reason, n)
            if n == 0:
                near = alike.get(likeness(name))
                but = f', but "{near}" has ({difference(name, near)})' if near and near != name else ""
                log.warn(f'{table.file}: "{name}" has no rating to leave out{but}.')
    is_left = keep & ~np.isin(rater, [code_of[name] for name in found if name in code_of])
    if keep.any() and not is_left.any():
        problem, cure = "every rating is by a rater of this file", "list only those whose ratings should not count"
        raise BadFile(Reject(path.name, None, "rater", "", problem, cure))
    keep &= is_left
    return [found[name] for name in sorted(found)]


def _stated(table: CodedTable, row: int, log: RejectLog) -> int:
    text = table["n_answers"][row].strip() if "n_answers" in table.columns else ""
    if not text:
        return 0
    try:
        return parse_integer(text, low=0)
    except BadValue as bad:
        cure = f"{bad.cure}, or leave the cell empty"
        log.note(table.file, int(table.row_numbers[row]), "n_answers", text, bad.problem, cure)
        return 0
