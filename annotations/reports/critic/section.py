"""How an estimate about a critic is drawn, and written in a table."""

from collections.abc import Sequence
from typing import Any

from annotations.reports import charts, view
from annotations.reports.charts import Mark
from annotations.reports.documents.critic import CriticDocument, ReportedCritic
from annotations.reports.documents.estimates import ReportedEstimate
from annotations.reports.estimates import interval_over, items_of, leading, note_of, wilson_and_cluster
from annotations.reports.numbers import counted, figure, interval
from annotations.reports.study.sections.words import drawn_ends
from annotations.reports.view import Block, Folded, Paragraph

MOST_MARKS = 60
"""The most rows of a chart; the table has all."""


def mark(label: str, estimate: ReportedEstimate, covers: str, *, signed: bool = False) -> Mark:
    """A row of an interval plot: the interval over `covers`, or else the first one."""
    over = interval_over(estimate, covers)
    found = over if over is not None and over.low is not None else leading(estimate)
    return Mark(label, estimate.value, *drawn_ends(found), text=figure(estimate.value, signed=signed))


def shares_plot(marks: Sequence[Mark], title: str, axis: str = "") -> list[Block]:
    """Shares from 0 to 1 with their intervals over images."""
    return plot(marks, title=title, limits=(0.0, 1.0), shown=(0.0, 1.0), axis=axis or title)


def plot(marks: Sequence[Mark], **options: Any) -> list[Block]:
    """An interval plot of the first marks, and how many more there are."""
    if not marks:
        return []
    blocks = view.figure(charts.interval_plot, marks[:MOST_MARKS], **options)
    if len(marks) > MOST_MARKS:
        more = counted(len(marks) - MOST_MARKS, "more row")
        blocks.append(Paragraph(f"The table has {more}.", "note"))
    return blocks


def estimate_row(label: str, estimate: ReportedEstimate, *, signed: bool = False) -> tuple[Any, ...]:
    """Cells: label, value, cluster interval, Wilson's, n, convention or reason."""
    score, cluster = wilson_and_cluster(estimate)
    n = estimate.n
    count: int | str = "" if (of := items_of(estimate)) is None else of
    if "judged" in n:
        count = n["errors"] if "recall" in estimate.statistic else n["judged"]
    return (
        label,
        figure(estimate.value, signed=signed),
        interval(cluster.low, cluster.high) if cluster else "",
        interval(score.low, score.high) if score else "",
        count,
        note_of(estimate) or estimate.method,
    )


def label_of(critic: ReportedCritic, document: CriticDocument, text: str) -> str:
    return f"{critic.name} · {text}" if len(document.critics) > 1 else text


def figures_table(rows: Sequence[Sequence[Any]]) -> Folded:
    head = ("figure", "value", "over images", "Wilson", "n", "convention or reason")
    return view.all_figures(head, rows, numeric=(1, 2, 3, 4))
