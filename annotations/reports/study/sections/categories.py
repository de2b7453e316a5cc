"""Mean ratings by method and category, for every facet of the prompts: methods down, categories across."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotations.reports import view
from annotations.reports.documents.study import ReportedMean, ReportedQuestion
from annotations.reports.estimates import ends, interval_over, note_of
from annotations.reports.numbers import figure, interval
from annotations.reports.view import Block, Paragraph

OVERALL = "all"
"""The first column: the means of all items."""
MOST_COLUMNS = 5
"""The most categories next to each other; further ones are in a table below."""


@dataclass(frozen=True)
class MeansColumn:
    """One category, or all items: the mean of every method in the order of the rows; None where it has no ratings."""

    category: str
    means: Sequence[ReportedMean | None]

    @property
    def n(self) -> str:
        """How many prompts the means are over; the fewest and the most if methods differ."""
        counts = [mean.n_prompts for mean in self.means if mean]
        low, high = min(counts, default=0), max(counts, default=0)
        return f"{low:,}" if low == high else f"{low:,}–{high:,}"


@dataclass(frozen=True)
class MeansGrid:
    """The means of every method in every category of one facet, all items first."""

    facet: str
    methods: Sequence[str]
    columns: Sequence[MeansColumn]

    def in_parts(self, most: int) -> list[Sequence[MeansColumn]]:
        """The columns, `most` at a time."""
        return [self.columns[at : at + most] for at in range(0, len(self.columns), most)]


def means_grids(dimension: ReportedQuestion) -> list[MeansGrid]:
    """One for each facet by which the question has means, in the document's order."""
    methods = [mean.method for mean in dimension.means]
    grids = []
    for facet in dict.fromkeys(one.facet for one in dimension.means_by_facet):
        columns = [MeansColumn(OVERALL, dimension.means)]
        for one in dimension.means_by_facet:
            if one.facet == facet:
                found = {mean.method: mean for mean in one.means}
                columns.append(MeansColumn(one.value, [found.get(method) for method in methods]))
        grids.append(MeansGrid(facet, methods, columns))
    return grids


def why_no_interval(mean: ReportedMean) -> str:
    """Why there is no mean, or no interval over prompts; empty where there are both."""
    found = interval_over(mean, "prompts")
    return mean.reason or (found.reason if found else "")


def category_mean_blocks(dimension: ReportedQuestion) -> list[Block]:
    """A readable table of each facet, followed by all figures; empty if the prompts have no categories."""
    blocks: list[Block] = []
    for grid in means_grids(dimension):
        blocks.append(
            Paragraph(
                f"Mean ratings by {grid.facet}, each with its 95% interval over prompts; n is the number of prompts."
            )
        )
        for columns in grid.in_parts(MOST_COLUMNS):
            head = ["method", *(f"{column.category}, n {column.n}" for column in columns)]
            rows = [
                (method, *(_cell(column.means[at]) for column in columns)) for at, method in enumerate(grid.methods)
            ]
            blocks.append(view.table(head, rows, numeric=range(1, len(head))))
        blocks.append(view.Folded(f"Figures by {grid.facet}", [_in_full(grid)]))
    return blocks


def _cell(mean: ReportedMean | None) -> str:
    if mean is None:
        return "–"
    return f"{figure(mean.value, digits=2)} {interval(*ends(mean, 'prompts'), digits=2)}".strip()


def _in_full(grid: MeansGrid) -> view.Table:
    head = ("category", "method", "mean", "over prompts", "over raters", "items", "ratings", "prompts", "note")
    rows = [
        (
            *(column.category, mean.method, figure(mean.value)),
            *(interval(*ends(mean, "prompts")), interval(*ends(mean, "raters"))),
            *(mean.n_units, mean.n_ratings, mean.n_prompts, note_of(mean)),
        )
        for column in grid.columns[1:]
        for mean in column.means
        if mean
    ]
    return view.table(head, rows, numeric=range(2, 8))
