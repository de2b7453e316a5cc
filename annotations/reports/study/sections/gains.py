"""What more raters and more prompts would buy: the reliability of a mean, and the width of a comparison's interval."""

from annotations.reports import view
from annotations.reports.documents.comparisons import PlannedSize, ReportedComparison
from annotations.reports.documents.study import ReportedQuestion
from annotations.reports.numbers import counted, figure, interval
from annotations.reports.pictures.curves import Curve, curve_chart
from annotations.reports.study.supporting import MeanReliability, reliability_of_means
from annotations.reports.view import Block, Folded, Paragraph
from annotations.stats.raters.generalisability import raters_for

RELIABILITY = "Reliability of a mean of several raters"
WIDTHS = "What more prompts and more raters buy"
_WANTED = 0.8


def mean_reliability_blocks(dimension: ReportedQuestion) -> list[Block]:
    """How reliable the mean rating of an item is, by its number of raters, and what makes ratings vary."""
    blocks: list[Block] = []
    spread = dimension.support.spread if dimension.support else {}
    if (parts := [spread.get(name) for name in ("object", "rater", "residual")]) and None not in parts:
        items, raters, rest = (f"{part:.0%}" for part in parts)
        blocks.append(
            Paragraph(
                f"Of the variance of a single rating, {items} is between items, {raters} is how severe raters are, and "
                f"{rest} is everything else."
            )
        )
    found = reliability_of_means(dimension)
    if not found:
        return blocks
    here = round(dimension.n_ratings / dimension.n_units)
    own = found[min(max(here, 1), len(found)) - 1]
    needed = raters_for(found[0].value, _WANTED)
    said = f"The mean of {counted(own.k, 'rater')} has a reliability of {_spelled(own)}; {_WANTED:g} would take "
    said += f"{counted(needed or 0, 'rater')} per item."
    curve = Curve(
        "reliability",
        [(one.k, one.value) for one in found],
        [(one.k, one.low, one.high) for one in found if one.low is not None and one.high is not None],
        (own.k, own.value),
    )
    over = f"; shaded: 95% interval over {own.covers}" if own.covers else ""
    most = len(found)
    rows = [(one.k, figure(one.value), interval(one.low, one.high)) for one in found]
    head = ("raters per item", "reliability", f"over {own.covers}" if own.covers else "interval")
    return [
        *blocks,
        Paragraph(said),
        *view.figure(
            curve_chart,
            [curve],
            title=RELIABILITY,
            axis=f"raters per item; reliability of their mean, {own.words}{over}",
            ticks=[1, *range(5, most, 5), most],
            shown=(0.0, 1.0),
            limits=(0.0, 1.0),
        ),
        Folded("Figures by number of raters", [view.table(head, rows, numeric=(0, 1, 2))]),
    ]


def _spelled(one: MeanReliability) -> str:
    return f"{figure(one.value, digits=2)} {interval(one.low, one.high, digits=2)}".strip()


def gain_blocks(comparison: ReportedComparison) -> list[Block]:
    """The expected half width of the interval over prompts and raters, for other numbers of both."""
    plans = [one for one in comparison.gains if one.n_prompts is not None]
    if not plans:
        return []
    own, *others = plans
    by_raters: dict[int, list[PlannedSize]] = {}
    for plan in (own, *others):
        by_raters.setdefault(plan.n_raters, []).append(plan)
    curves = [
        Curve(
            counted(n, "rater"),
            sorted({(float(plan.n_prompts or 0), plan.half_width) for plan in drawn}),
            here=(float(own.n_prompts or 0), own.half_width) if n == own.n_raters else None,
        )
        for n, drawn in by_raters.items()
    ]
    prompts = sorted({plan.n_prompts for plan in plans if plan.n_prompts})
    ticks = sorted({prompts[0], *prompts[4:-1:4], own.n_prompts or prompts[0], prompts[-1]})
    ratings = (
        "all raters rate all prompts"
        if own.raters_per_prompt == own.n_raters
        else (f"{counted(own.raters_per_prompt, 'rater')} per prompt")
    )
    return [
        Paragraph(_gains(own, others)),
        *view.figure(
            curve_chart,
            curves,
            title=WIDTHS,
            axis=f"prompts; expected half width of the 95% interval over prompts and raters, {ratings}",
            ticks=ticks,
            shown=(0.0, None),
            limits=(0.0, None),
            is_log=True,
        ),
    ]


def _gains(own: PlannedSize, others: list[PlannedSize]) -> str:
    """This study's expected half width, with twice its prompts, and with more raters."""
    per_prompt = f", {own.raters_per_prompt:,} per prompt," if own.raters_per_prompt < own.n_raters else ""
    said = (
        f"With {counted(own.n_prompts or 0, 'prompt')} and {counted(own.n_raters, 'rater')}{per_prompt} who rate both "
        f"methods, expect an interval of ± {figure(own.half_width, digits=2)}"
    )
    found = {(plan.n_prompts, plan.n_raters): plan.half_width for plan in others}
    twice = 2 * (own.n_prompts or 0)
    wanted = (
        ((twice, own.n_raters), f"with {twice:,} prompts"),
        ((own.n_prompts, own.n_raters + 2), f"with {own.n_raters + 2:,} raters"),
        ((own.n_prompts, 2 * own.n_raters), f"with {2 * own.n_raters:,} raters"),
    )
    more = [f"{words} ± {figure(found[size], digits=2)}" for size, words in dict(wanted).items() if size in found]
    return f"{said}; {', '.join(more)}." if more else f"{said}."
