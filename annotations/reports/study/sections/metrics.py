"""Automatic metrics against people: a picture and a table of all items, and a table by facet."""

from collections.abc import Sequence

from annotations.reports import charts, view
from annotations.reports.charts import Mark
from annotations.reports.documents.study import MetricBoard, MetricBoardOfFacet
from annotations.reports.estimates import leading, n_of, note_of
from annotations.reports.study.sections.words import drawn_ends, spelled, words
from annotations.reports.study.tables import CEILING
from annotations.reports.view import Block, Folded, Paragraph

BOARD = ("spearman", "spearman_corrected", "kendall_tau_b", "pearson", "pairwise_accuracy_calibrated")
BY_FACET = ("spearman", "kendall_tau_b")


def metric_blocks(board: MetricBoard, facets: Sequence[MetricBoardOfFacet]) -> list[Block]:
    """A picture and a table of all metrics, then both rank figures by facet."""
    ceiling = {estimate.statistic: estimate for estimate in board.ceiling}
    by_metric = {
        metric.metric: {estimate.statistic: estimate for estimate in metric.estimates} for metric in board.metrics
    }

    def rank(name: str) -> float:
        value = by_metric[name]["spearman"].value
        return 2.0 if value is None else -value

    order = sorted(by_metric, key=rank)
    marks = []
    for name in order:
        rho = by_metric[name]["spearman"]
        n = n_of(rho)
        label = name if n is None else f"{name}, n {n:,}"
        marks.append(Mark(label, rho.value, *drawn_ends(leading(rho)), text=spelled(rho)))
    references = [(0.0, "0")]
    top = ceiling.get("spearman")
    if top and top.value is not None:
        references.append((top.value, "one rater against the rest"))
    rows = []
    for name, found in [*((name, by_metric[name]) for name in order), (CEILING, ceiling)]:
        estimates = [found[statistic] for statistic in BOARD if statistic in found]
        counts = [count for each in estimates if (count := n_of(each)) is not None]
        notes = dict.fromkeys(note for each in estimates if (note := note_of(each)))
        rows.append(
            (
                name,
                *(spelled(found[statistic]) if statistic in found else "" for statistic in BOARD),
                counts[0] if counts else "",
                "; ".join(notes),
            )
        )
    head = ("metric", *(words(statistic) for statistic in BOARD), "items with both scores", "note")
    separated: list[Block] = []
    groups = next((each for each in board.clusters if each.statistic == "spearman"), None)
    if groups and len(groups.groups) > 1:
        said = " > ".join(", ".join(group) for group in groups.groups)
        separated.append(Paragraph(f"Groups that the tests distinguish, best first: {said}."))
    return [
        *view.figure(
            charts.interval_plot,
            marks,
            title="Spearman correlation with people",
            limits=(-1.0, 1.0),
            references=references,
        ),
        *separated,
        view.all_figures(head, rows, numeric=range(1, len(head) - 1)),
        *_by_facet(facets, order),
    ]


def _by_facet(facets: Sequence[MetricBoardOfFacet], order: Sequence[str]) -> list[Block]:
    """Each metric on the items of each value of a facet, with the ceiling on the same items; people's agreement is one
    of the facets."""
    rows = []
    for facet in facets:
        by_metric = {one.metric: one.estimates for one in facet.metrics}
        for name, estimates in (*((name, by_metric.get(name, ())) for name in order), (CEILING, facet.ceiling)):
            found = {one.statistic: one for one in estimates}
            figures = [found[statistic] for statistic in BY_FACET if statistic in found]
            n = next((count for one in figures if (count := n_of(one)) is not None), "")
            notes = dict.fromkeys(note for one in figures if (note := note_of(one)))
            cells = (spelled(found[statistic]) if statistic in found else "" for statistic in BY_FACET)
            rows.append((f"{facet.facet}: {facet.value}", name, *cells, n, "; ".join(notes)))
    if not rows:
        return []
    head = ("items", "metric", *(words(statistic) for statistic in BY_FACET), "items with both scores", "note")
    said = (
        "Compare metrics within one kind of items. Where people agree, figures are higher for every metric, and so is "
        "what one rater reaches."
    )
    return [
        Folded("By category and by how much people agree", [Paragraph(said), view.table(head, rows, numeric=(2, 3, 4))])
    ]
