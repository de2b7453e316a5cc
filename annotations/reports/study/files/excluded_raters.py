"""Raters to leave out of an analysis, from a file with their names and the reasons."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotations.reports.study.data import ExcludedRater
from annotations.stats.arrays import IntArray
from exchange.identity import likeness
from exchange.rejects import BadFile, RejectLog, bad_file
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


class Exclusions:
    """The raters of such a file with their reasons; counts their answers while others are read."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._rows: dict[str, tuple[str, int]] = {}
        self._n: Counter[str] = Counter()

    def add(self, name: str, reason: str, n_stated: int) -> None:
        self._rows[name] = reason, n_stated

    def __contains__(self, name: str) -> bool:
        return name in self._rows

    def count(self, name: str, n: int = 1) -> None:
        """Of this rater, n further answers are left out."""
        self._n[name] += n

    def reported(self, others: Iterable[str], what: str, log: RejectLog) -> list[ExcludedRater]:
        """All of them in the order of their names. The log's warnings name those without answers.

        others  names of raters who are not left out; what: an answer is called a “rating”
        """
        alike = {likeness(name): name for name in others}
        for name, (_reason, n_stated) in self._rows.items():
            if not self._n[name] and not n_stated:
                near = alike.get(likeness(name))
                but = f', but "{near}" has ({difference(name, near)})' if near and near != name else ""
                log.warn(f'{self.file}: "{name}" has no {what} to leave out{but}.')
        return [ExcludedRater(name, reason, self._n[name] or n) for name, (reason, n) in sorted(self._rows.items())]

    def nothing_left(self, what: str) -> BadFile:
        """The error for a file in which only they have answers."""
        problem, cure = f"every {what} is by a rater of this file", f"list only those whose {what}s should not count"
        return bad_file(self.file, problem, cure, field="rater")


def read_exclusions(path: Path, log: RejectLog) -> Exclusions:
    """The raters of this file.

    `n_answers` says how many answers a rater had whose answers are no longer in the data. A rater without a reason, and
    one who is listed twice, go to the log. Raises BadFile where the file cannot be read.
    """
    table = read_columns(path, name=path.name, columns=EXCLUDED_RATERS, log=log)
    found = Exclusions(table.file)
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
            found.add(name, reason, _stated(table, row, log))
    return found


def leave_out_raters(
    path: Path, rater_names: list[str], rater: IntArray, keep: NDArray[np.bool_], log: RejectLog
) -> list[ExcludedRater]:
    """Take the ratings of the raters in this file out of `keep`, in place; the raters in the order of their names.

    rater_names, rater   the ratings' raters, and (n_rows,) the code of each row's

    Raises BadFile where the file cannot be read, and where no rating would be left.
    """
    excluded = read_exclusions(path, log)
    is_out = np.array([name in excluded for name in rater_names], bool)
    for name, n in zip(rater_names, np.bincount(rater[keep], minlength=len(rater_names)).tolist(), strict=True):
        if name in excluded:
            excluded.count(name, n)
    is_left = keep & ~is_out[rater] if len(rater) else keep
    if keep.any() and not is_left.any():
        raise excluded.nothing_left("rating")
    keep &= is_left
    return excluded.reported((name for name in rater_names if name not in excluded), "rating", log)


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
