"""How far figures can be relied on, in sentences and tables: fair averages, fragility, raters over time, seeds."""

from annotations.reports import charts, view
from annotations.reports.documents.comparisons import ReportedComparison
from annotations.reports.documents.estimates import ReportedEstimate
from annotations.reports.documents.study import ReportedQuestion
from annotations.reports.estimates import ends, interval_over, leading, note_of
from annotations.reports.numbers import counted, figure, interval, p_value, span
from annotations.reports.view import Block, Paragraph


def seeds_sentence(comparison: ReportedComparison) -> str:
    """The difference over other seeds, where prompts have several images."""
    found = comparison.over_seeds
    over = interval_over(found, "seeds") if found else None
    if found is None or over is None or over.bounds is None:
        return ""
    return (
        f"For the same prompts and raters, but other images: 95% interval {span(*over.bounds, signed=True, digits=3)}."
    )


def adjusted_blocks(dimension: ReportedQuestion) -> list[Block]:
    """Fair averages next to the plain means."""
    found = dimension.support.adjusted if dimension.support else None
    if found is None:
        return []
    if found.reason:
        return [Paragraph(f"No fair averages: {found.reason}.", "note")]
    marks, rows = [], []
    for one in found.methods:
        low, high = ends(one.mean, "prompts and raters")
        text = f"{figure(one.mean.value, digits=2)} {interval(low, high, digits=2)}".strip()
        marks.append(charts.Mark(one.method, one.mean.value, low, high, text=text))
        over = (interval(*ends(one.mean, covers)) for covers in ("prompts and raters", "prompts", "raters"))
        rows.append((one.method, figure(one.mean.value), *over, figure(one.raw), note_of(one.mean)))
    head = ("method", "fair average", "over prompts and raters", "over prompts", "over raters", "plain mean", "note")
    scale = dimension.values[0], dimension.values[-1]
    return [
        *view.figure(
            charts.interval_plot,
            marks,
            title="Fair averages: adjusted for severe raters and hard prompts",
            limits=scale,
            shown=scale,
            axis="mean as if every rater had rated every prompt; 95% interval over prompts and raters",
        ),
        view.all_figures(head, rows, numeric=(1, 2, 3, 4, 5)),
    ]


def _changes(dimension: ReportedQuestion) -> list[str]:
    """How raters change over a session, if it is more than chance."""
    support = dimension.support
    words = {
        "drift_severity": ("grow milder", "grow severer", 0.0),
        "drift_distance": ("agree less with each other", "agree more with each other", 0.0),
        "drift_time": ("get slower", "get faster", 1.0),
    }
    said = []
    for change in support.drift if support else ():
        value, p = change.estimate.value, change.p
        if value is None or p is None or p >= 0.05:
            continue
        up, down, still = words[change.estimate.statistic]
        what = f"by a factor of {value:.2f}" if still else f"by {abs(value):.2f}"
        said.append(
            f"From their first answer to their last, raters {up if value > still else down} {what} ({p_value(p)})."
        )
    return said


def reliability_blocks(dimension: ReportedQuestion) -> list[Block]:
    """Raters' agreement with themselves, change over a session, and variance from seeds: for the section on raters."""
    support = dimension.support
    if support is None:
        return []
    blocks: list[Block] = []
    if support.within_raters:
        same, alpha = support.within_raters[0], support.within_raters[1]
        repeats = counted(int(same.n.get("repeats", 0)), "repeat")
        blocks.append(
            Paragraph(
                f"Of {repeats}, raters answered {_percent(same)} alike; alpha of both answers is {_spelled(alpha)}."
            )
        )
    blocks += [Paragraph(one) for one in _changes(dimension)]
    rows = [
        (
            one.statistic.replace("_", " "),
            figure(one.value),
            interval(*ends(one, "raters")),
            "",
            note_of(one) or one.method,
        )
        for one in support.within_raters
    ]
    rows += [
        (
            change.estimate.statistic.replace("_", " "),
            figure(change.estimate.value),
            interval(*ends(change.estimate, "raters")),
            p_value(change.p),
            note_of(change.estimate) or change.estimate.method,
        )
        for change in support.drift
    ]
    if seeds := support.seeds:
        reason = seeds.reason or "several images per prompt and method"
        rows += [(f"variance of {name}", figure(value), "", "", reason) for name, value in seeds.in_order()]
    if rows:
        head = ("statistic", "value", "over raters", "p", "convention or reason")
        blocks.append(view.Folded("Raters over time, repeats and seeds", [view.table(head, rows, numeric=(1, 2, 3))]))
    return blocks


def _percent(found: ReportedEstimate) -> str:
    return "" if found.value is None else f"{found.value:.0%}"


def _spelled(found: ReportedEstimate) -> str:
    if found.value is None:
        return "not defined"
    over = leading(found)
    return figure(found.value, digits=2) + (f" {interval(over.low, over.high, digits=2)}" if over else "")
