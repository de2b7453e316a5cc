"""Votes and rankings by category of prompts, as blocks: a chart, the test and the figures."""

from collections.abc import Iterator, Sequence

from annotations.reports import charts, view
from annotations.reports.charts import Mark
from annotations.reports.documents.comparisons import ReportedInteraction
from annotations.reports.documents.estimates import ReportedEstimate
from annotations.reports.documents.preferences import PreferenceCategory, PreferenceFacet, PreferencePart
from annotations.reports.estimates import ends, note_of
from annotations.reports.numbers import figure, interval, p_value, share
from annotations.reports.view import Block, Paragraph
from annotations.reports.votes.tables import first_interval

MOST_DRAWN = 40


def category_blocks(part: PreferencePart) -> list[Block]:
    """Every facet in turn; empty where the prompts have no categories."""
    blocks: list[Block] = []
    for facet in part.facets:
        is_of_two = any(one.pair for one in facet.categories)
        blocks += _of_two(facet) if is_of_two else _of_many(facet)
    said = [f"Not shown by {name}: {why}." for name, why in sorted(part.facets_left_out.items())]
    return [*blocks, *(Paragraph(words, "note") for words in said)]


def covered_axis(what: str, estimates: Sequence[ReportedEstimate]) -> str:
    """The text of an axis, including what the lines that are drawn show: thin ones the first interval of each estimate,
    thick ones that over prompts."""
    first = next((each.intervals[0].covers for each in estimates if each.intervals), "")
    drawn = {one.covers for each in estimates for one in each.intervals if one.bounds}
    thick = "95% interval over prompts, these raters" if "prompts" in drawn and first != "prompts" else ""
    thin = f"95% interval over {first}" if first in drawn else ""
    if thick and thin:
        return f"{what}; thick: {thick}; thin: {thin}"
    return f"{what}; line: {thick or thin}" if thick or thin else what


def _of_two(facet: PreferenceFacet) -> list[Block]:
    """The win rate of the same method in each category, even where the other leads."""
    pairs = [(one, one.pair) for one in facet.categories if one.pair]
    marks, rows, covers = [], [], ""
    for one, pair in pairs:
        rate = pair.win_rate
        low, high, over, _ = first_interval(rate)
        covers = covers or over
        value = "" if rate.value is None else share(rate.value)
        marks.append(Mark(f"{one.category}, n {one.n:,}", rate.value, *ends(rate, "prompts"), low, high, value))
        rows.append(
            (
                *(one.category, one.n_prompts or "", f"{pair.wins:,} : {pair.losses:,}", pair.ties, value),
                *("" if low is None or high is None else f"[{low:.1%}, {high:.1%}]", p_value(pair.p)),
                *(p_value(one.p_holm), note_of(rate)),
            )
        )
    first = pairs[0][1].first
    over = covers or "votes"
    head = ("category", "prompts", "won : lost", "ties", "win rate", f"over {over}", "p", "p, Holm", "note")
    axis = covered_axis(f"win rate of {first} among decided votes", [pair.win_rate for _, pair in pairs])
    return [
        *view.figure(
            charts.interval_plot,
            marks,
            title=f"Win rate by {facet.facet}",
            limits=(0.0, 1.0),
            shown=(0.3, 0.7),
            references=[(0.5, "no preference")],
            axis=axis,
        ),
        *_tested(facet, has_prompts=any(one.n_prompts for one in facet.categories)),
        view.Folded(f"Figures by {facet.facet}", [view.table(head, rows, numeric=range(1, 8))]),
    ]


def _of_many(facet: PreferenceFacet) -> list[Block]:
    marks = [mark for one in facet.categories for mark in _marks(one)]
    covers = next((one.covers[0] for one in facet.categories if one.covers), "votes")
    rows = [row for one in facet.categories for row in _rows(one)]
    head = ("category", "method", "prompts", "strength", f"over {covers}", "rank", "win rate", "note")
    what = "strength within the category: log odds of winning against a method of mean strength"
    axis = covered_axis(what, [row.log_worth for one in facet.categories for row in one.strengths])
    if len(marks) > MOST_DRAWN:
        axis += f"; the first {MOST_DRAWN} of {len(marks)} lines"
    drawn = view.figure(
        charts.interval_plot,
        marks[:MOST_DRAWN],
        title=f"Strength by {facet.facet}",
        references=[(0.0, "mean")],
        axis=axis,
    )
    return [
        *(drawn if marks else []),
        *_tested(facet, has_prompts=any(one.n_prompts for one in facet.categories)),
        view.Folded(f"Figures by {facet.facet}", [view.table(head, rows, numeric=range(2, 7))]),
    ]


def _marks(one: PreferenceCategory) -> Iterator[Mark]:
    for row in one.strengths:
        worth = row.log_worth
        if worth.value is None:
            continue
        low, high, *_ = first_interval(worth)
        text = figure(worth.value, signed=True, digits=2)
        yield Mark(f"{one.category}: {row.method}", worth.value, *ends(worth, "prompts"), low, high, text)


def _rows(one: PreferenceCategory) -> Iterator[Sequence[str | int]]:
    for row in one.strengths:
        worth = row.log_worth
        low, high, *_ = first_interval(worth)
        rank = "" if row.rank_low is None else f"{row.rank_low}–{row.rank_high}"
        yield (
            *(one.category, row.method, one.n_prompts or "", figure(worth.value, signed=True, digits=2)),
            *(interval(low, high, digits=2), rank, "" if row.win_rate is None else share(row.win_rate)),
            "; ".join(dict.fromkeys(filter(None, (row.note, note_of(worth))))),
        )


def _tested(facet: PreferenceFacet, *, has_prompts: bool) -> Iterator[Paragraph]:
    test = facet.interaction
    yield Paragraph(interaction_sentence(test, facet.facet, "prompts" if has_prompts else "votes"))
    if test.left_out and test.p is not None:
        yield Paragraph(f"Not in the test: {'; '.join(test.left_out)}.", "note")


def interaction_sentence(test: ReportedInteraction, facet: str, over: str) -> str:
    """What the test of method × category says."""
    if test.p is None or test.df_above is None or test.df_below is None:
        return f"Method × {facet} is not tested: {'; '.join((test.reason, *test.left_out))}."
    return (
        f"Method × {facet}: Welch and James' F({test.df_above:.0f}, {test.df_below:.1f}) = {figure(test.f, digits=2)}, "
        f"{p_value(test.p)}, over {over}, for these raters."
    )
