"""A wall of units: those that pass a filter, in the requested order, from a report's frozen columns."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from annotations.models import ReportSnapshot, Study, UnitTable
from annotations.reports.documents.study import FORMAT
from annotations.reports.study.data import ORDERS
from annotations.stats.arrays import FloatArray, IntArray

POSITION = "position"
APART, OVER, UNDER = "apart", "over", "under"
SPLIT, HURT, HELPED, CRITIC, MISSED, FLAGGED = "split", "hurt", "helped", "critic", "missed", "flagged"
LOW, HIGH = "low", "high"
BY_METRIC = (APART, OVER, UNDER)
BY_MEAN = (LOW, HIGH)
COLUMN_OF = {
    SPLIT: "distance",
    HURT: "change",
    HELPED: "change",
    CRITIC: "wrong",
    MISSED: "missed",
    FLAGGED: "flags",
    LOW: "mean",
    HIGH: "mean",
}
"""The column by which an order sorts."""
FLAGS = ("flagged", "wrong", "claims", "missed", "unable")
"""Columns of counts. A wall can be narrowed to units whose count is not zero."""
MOST_COMMON = 6
Measure = Literal["rating", "rank", "choice"]
"""What a unit's mean is of: ratings, where more is better; places in rankings, where 1 is best; or best (1), neither
(2) and worst (3)."""


@dataclass(frozen=True)
class WallFilter:
    """Which of a report's units are wanted, and in which order; empty means all.

    method, category  names; has: one of FLAGS; kind: a kind of claims; low, high: bounds of the mean, both included
    """

    dimension: str = ""
    metric: str = ""
    order: str = POSITION
    method: str = ""
    category: str = ""
    has: str = ""
    kind: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Common:
    """How much more often something is among the first of a wall than among all units of the report."""

    what: str
    name: str
    n: int
    share: float
    share_of_all: float

    @property
    def percent(self) -> int:
        return round(100 * self.share)

    @property
    def percent_of_all(self) -> int:
        return round(100 * self.share_of_all)


class Wall:
    """The units of one question that pass a filter, in order; `rows` are indices into the table's columns.

    ignored  what of the filter does not apply to this question, by its field, and so is not in `chosen`

    Each column is read once, on first use.
    """

    def __init__(self, table: UnitTable, asked: WallFilter) -> None:
        self.table = table
        self._read: dict[str, NDArray[Any]] = {}
        self.ignored: dict[str, str] = {}
        if asked.dimension not in ("", table.dimension):
            self.ignored["question"] = asked.dimension
        orders, metrics = table.names["orders"], table.names["metrics"]
        for what, known in (
            ("metric", metrics),
            ("order", [POSITION, *orders]),
            ("method", self.methods if asked.method else ()),
            ("category", table.names["categories"]),
            ("has", table.names["flags"]),
            ("kind", self.kinds if asked.kind else ()),
        ):
            value = getattr(asked, what)
            if value and value not in known:
                self.ignored[what] = value
        for what in ("low", "high"):
            if LOW not in orders and getattr(asked, what) is not None:
                self.ignored[what] = f"{getattr(asked, what):g}"
        defaults = WallFilter(dimension=table.dimension, metric=next(iter(metrics), ""))
        dropped = {what: getattr(defaults, what) for what in self.ignored if what != "question"}
        metric = asked.metric or defaults.metric
        self.chosen = replace(asked, dimension=table.dimension, **{"metric": metric} | dropped)

    def column(self, name: str) -> NDArray[Any]:
        """(n_units,) or (n_units, width) figures."""
        if name not in self._read:
            stored = self.table.columns.get(name=name)
            values = np.frombuffer(zlib.decompress(bytes(stored.values)), np.dtype(stored.kind))
            self._read[name] = values if stored.width == 1 else values.reshape(-1, stored.width)
        return self._read[name]

    @cached_property
    def methods(self) -> list[str]:
        """The methods of this question's units: of another question there may be more."""
        names = self.table.names["methods"]
        return [names[code] for code in np.unique(self.column("method")).tolist() if code >= 0 and names[code]]

    @cached_property
    def kinds(self) -> list[str]:
        """The kinds of claims about this question's units."""
        bits = int(np.bitwise_or.reduce(self.column("kinds"), initial=0))
        return [kind for bit, kind in enumerate(self.table.names["kinds"]) if bits >> bit & 1]

    @property
    def measure(self) -> Measure:
        names = self.table.names
        if names["kind"] == "best_worst":
            return "choice"
        if names["kind"] not in ORDERS:
            return "rating"
        # In older tables best and worst have the kind of a ranking, whose levels are called by their numbers.
        has_words = not all(label.isdecimal() for label in names["labels"])
        return "choice" if names.get("is_best_worst", has_words) else "rank"

    @cached_property
    def values(self) -> list[float]:
        """The values of the levels; of a ranking, only the places that somebody gave."""
        values: list[float] = self.table.names["values"]
        if self.measure != "rank" or not self.table.n_units:
            return values
        given = np.flatnonzero(self.column("counts").reshape(self.table.n_units, -1).sum(axis=0))
        return values[: int(given[-1]) + 1] if len(given) else values

    @cached_property
    def rows(self) -> IntArray:
        """The wall's units in order; equal ones in the report's order, and last those without the order's figure."""
        kept = np.flatnonzero(self._is_kept())
        by = self._order()
        if by is None:
            return kept
        largest = np.where(np.isfinite(by), by, -np.inf)
        return np.asarray(kept[np.argsort(-largest[kept], kind="stable")])

    def place_of(self, item: int, image: int) -> int | None:
        """The position of a unit on the wall; None if the filter excludes it."""
        found = np.flatnonzero((self.column("item")[self.rows] == item) & (self.column("image")[self.rows] == image))
        return int(found[0]) if len(found) else None

    def row_of(self, item: int, image: int) -> int | None:
        """A unit's index in the table, independent of the filter."""
        found = np.flatnonzero((self.column("item") == item) & (self.column("image") == image))
        return int(found[0]) if len(found) else None

    def common(self, first: int) -> list[Common]:
        """Methods and categories that are more frequent among the first units of the wall than among all, at most six.

        Those with the largest lead come first; a name that only one unit has is left out.
        """
        rows, found = self.rows[:first], []
        for what, column in (("method", "method"), ("category", "category")):
            names, codes = self.table.names["methods" if what == "method" else "categories"], self.column(column)
            if len(names) < 2 or not len(rows):
                continue
            here = np.bincount(codes[rows][codes[rows] >= 0], minlength=len(names))
            everywhere = np.bincount(codes[codes >= 0], minlength=len(names))
            for code, name in enumerate(names):
                share, of_all = here[code] / len(rows), everywhere[code] / len(codes)
                if here[code] > 1 and share > of_all:
                    found.append(Common(what, name, int(here[code]), float(share), float(of_all)))
        return sorted(found, key=lambda one: one.share_of_all - one.share)[:MOST_COMMON]

    def mean_of(self, rows: IntArray) -> float | None:
        """The mean rating of these units; None without one."""
        means = self.column("mean")[rows]
        return float(np.nanmean(means)) if np.isfinite(means).any() else None

    def _is_kept(self) -> NDArray[np.bool_]:
        chosen, names = self.chosen, self.table.names
        kept = np.ones(self.table.n_units, bool)
        for value, known, column in (
            (chosen.method, names["methods"], "method"),
            (chosen.category, names["categories"], "category"),
        ):
            if value:
                code = known.index(value) if value in known else -2
                kept &= self.column(column) == code
        if chosen.has in FLAGS:
            kept &= self.column("flags" if chosen.has == "flagged" else chosen.has) > 0
        if chosen.kind:
            bit = names["kinds"].index(chosen.kind) if chosen.kind in names["kinds"] else None
            kept &= (self.column("kinds") >> bit) & 1 == 1 if bit is not None else False
        if chosen.low is not None:
            kept &= self.column("mean") >= chosen.low
        if chosen.high is not None:
            kept &= self.column("mean") <= chosen.high
        return kept

    def _order(self) -> FloatArray | None:
        """(n_units,) the sort key, the largest first; NaN where a unit has none. None: the report's own order."""
        order = self.chosen.order
        if order in BY_METRIC:
            if not self.chosen.metric:
                return np.full(self.table.n_units, np.nan)
            gaps = self.column(f"gap:{self.chosen.metric}").astype(float)
            return np.abs(gaps) if order == APART else gaps if order == OVER else -gaps
        if order not in COLUMN_OF:
            return None
        found = self.column(COLUMN_OF[order]).astype(float)
        return -found if order in (HURT, LOW) else found


def explored_report(study: Study) -> ReportSnapshot | None:
    """The study's newest finished report that has its units' figures, without its document."""
    done = study.snapshots.filter(state=ReportSnapshot.State.DONE, results__format=FORMAT, unit_tables__isnull=False)
    return done.defer("results").distinct().first()


def wall_of(snapshot: ReportSnapshot, chosen: WallFilter) -> Wall | None:
    """The wall, with the first question if none is named, and without what does not apply to it; None without any
    question."""
    tables = list(snapshot.unit_tables.all())
    if not tables:
        return None
    return Wall(next((one for one in tables if one.dimension == chosen.dimension), tables[0]), chosen)


def offered_orders(columns: Mapping[str, NDArray[Any]], metrics: Sequence[str]) -> list[str]:
    """The orders that can put any unit first, given a table's columns and the metrics that have scores."""
    found = [POSITION, *(BY_METRIC if metrics else ())]
    for order, column, sign in (
        (SPLIT, "distance", 1),
        (HURT, "change", -1),
        (HELPED, "change", 1),
        (CRITIC, "wrong", 1),
        (MISSED, "missed", 1),
        (FLAGGED, "flags", 1),
    ):
        if (sign * np.nan_to_num(columns[column]) > 0).any():
            found.append(order)
    return [*found, LOW, HIGH] if np.isfinite(columns["mean"]).any() else found
