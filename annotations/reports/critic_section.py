"""One section of the report on critics, and how an estimate is drawn and written in it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotations.reports.charts import Mark
from annotations.reports.markup import folded, interval, table, value
from annotations.reports.tables import ends, note_of

Json = Mapping[str, Any]
Translate = Callable[[str], str]
WILSON = "Wilson score"


@dataclass(frozen=True)
class CriticSection:
    """A stable name for links, a heading, HTML, and the table, and its facet, that hold exactly the figures shown."""

    name: str
    title: str
    html: str
    table: str
    facet: str = ""


def mark(label: str, one: Json, covers: str, *, signed: bool = False) -> Mark:
    """A row of an interval plot: the interval over `covers`, else the first that there is."""
    low, high = ends(one, covers)
    if low is None:
        low, high = next(((i["low"], i["high"]) for i in one["intervals"] if i["low"] is not None), (None, None))
    return Mark(label, one["value"], low, high, text=value(one["value"], signed=signed))


def spelled(one: Json, *, signed: bool = False) -> str:
    defined = next((i for i in one["intervals"] if i["low"] is not None), None)
    return (
        f"{value(one['value'], signed=signed)} {interval(defined['low'], defined['high']) if defined else ''}".strip()
    )


def estimate_row(label: str, one: Json, *, signed: bool = False) -> tuple[Any, ...]:
    """Cells: label, value, cluster interval, Wilson's, n, convention or reason."""
    score = next((each for each in one["intervals"] if each["method"].startswith(WILSON)), None)
    cluster = next((each for each in one["intervals"] if not each["method"].startswith(WILSON)), None)
    n = one["n"]
    if "judged" in n:
        count = n["errors"] if "recall" in one["statistic"] else n["judged"]
    else:
        count = next(iter(n.values()), "")
    return (
        label,
        value(one["value"], signed=signed),
        interval(cluster["low"], cluster["high"]) if cluster else "",
        interval(score["low"], score["high"]) if score else "",
        count,
        note_of(one) or one["method"],
    )


def label_of(critic: Json, document: Json, text: str) -> str:
    return f"{critic['name']} · {text}" if len(document["critics"]) > 1 else text


def figures_table(rows: Sequence[Sequence[Any]], _: Translate) -> str:
    head = (_("figure"), _("value"), _("over images"), _("Wilson"), _("n"), _("convention or reason"))
    return folded(_("All figures"), table(head, rows, numeric=(1, 2, 3, 4)))
