"""The document as sections to be shown, the answer first: the same on the study's page and in the file."""

from collections.abc import Iterator, Sequence
from typing import Any

from annotations.reports import charts, view
from annotations.reports.anchors import anchors
from annotations.reports.charts import Mark
from annotations.reports.documents.estimates import ReportedEstimate
from annotations.reports.documents.study import RANKED, VOTED, ReportedQuestion, StudyDocument, WithoutRater
from annotations.reports.estimates import ends, interval_over, leading, note_of
from annotations.reports.numbers import counted, figure, interval, share, span
from annotations.reports.study.sections.answered import answered, n_unable
from annotations.reports.study.sections.categories import category_mean_blocks
from annotations.reports.study.sections.comparisons import comparison_blocks
from annotations.reports.study.sections.gains import mean_reliability_blocks
from annotations.reports.study.sections.methods import model_blocks
from annotations.reports.study.sections.metrics import metric_blocks
from annotations.reports.study.sections.supporting import adjusted_blocks, reliability_blocks
from annotations.reports.study.sections.words import drawn_ends, drawn_over, words
from annotations.reports.view import Block, Paragraph, Section, Table
from annotations.reports.votes.sections import LOW_ALPHA, PLACES_UNORDERED, part_sections

HEADLINE = {
    "ordinal": ("krippendorff_alpha_ordinal", "ordinal alpha"),
    "interval": ("krippendorff_alpha_interval", "interval alpha"),
    "nominal": ("krippendorff_alpha_nominal", "nominal alpha"),
    "preference": ("krippendorff_alpha_nominal", "nominal alpha"),
    "ranking": ("krippendorff_alpha_nominal", "nominal alpha"),
    "best_worst": ("krippendorff_alpha_nominal", "nominal alpha"),
}
"""By kind of question: the statistic that the headline names."""
DRAWN_AGREEMENT = (
    "krippendorff_alpha_nominal",
    "krippendorff_alpha_ordinal",
    "krippendorff_alpha_interval",
    "gwet_ac2_quadratic",
    "icc_a_1",
    "percent_agreement",
    "percent_agreement_within_one",
)
DRAWN_AGREEMENT_NOMINAL = ("krippendorff_alpha_nominal", "gwet_ac1", "percent_agreement")
LOW_AGREEMENT = 0.4
MOST_RATERS_DRAWN = 40
MOST_LEVELS_ACROSS = 11


def sections(document: StudyDocument) -> list[Section]:
    """Every section of every question, in reading order."""
    anchor = anchors([dimension.name for dimension in document.dimensions])
    sampled = document.sampled
    return [
        section
        for dimension in document.dimensions
        for section in _of_question(dimension, anchor[dimension.name], sampled)
    ]


def headline_agreement(dimension: ReportedQuestion) -> tuple[ReportedEstimate, str]:
    """The statistic of agreement that a sentence about this kind of question names, and its name."""
    statistic, name = HEADLINE[dimension.kind]
    return next(one for one in dimension.agreement if one.statistic == statistic), name


WIDEST = 1.0
"""The width from which an interval of agreement over raters says nothing: half of all that it can be."""


def too_wide(agreement: ReportedEstimate) -> tuple[float, float] | None:
    """The interval over raters, if it is too wide for the value to be stated; None if it is not, or not defined."""
    over_raters = interval_over(agreement, "raters")
    bounds = over_raters.bounds if over_raters else None
    return bounds if bounds and bounds[1] - bounds[0] > WIDEST else None


def headline(dimension: ReportedQuestion, document: StudyDocument) -> str:
    """The question's result, in one or two sentences of plain text without the final full stop.

    Which method wins, if the question is about preferences; otherwise how much was rated, and how far raters agree.
    """
    if part := dimension.preferences:
        return part.sentence.rstrip(".")
    said = answered(dimension, document)
    if unable := n_unable(dimension, document.design):
        said += f", {counted(unable, 'time')} unable to answer"
    alpha, name = headline_agreement(dimension)
    if alpha.value is None:
        return f"{said}; {name} cannot be estimated: {alpha.reason}"
    if bounds := too_wide(alpha):
        return (
            f"{said}; too few to say how well such raters agree: the 95% interval of {name} over raters is "
            f"{span(*bounds)}"
        )
    said += f"; {name} {figure(alpha.value, digits=2)}"
    for covers, there, missing in (
        ("raters", "95% interval over raters", "no interval over raters"),
        ("units", "over items", "no interval over items"),
    ):
        found = interval_over(alpha, covers)
        if found and found.bounds:
            said += f", {there} {span(*found.bounds)}"
        elif found:
            said += f", {missing} ({found.reason})"
    return said


def _of_question(dimension: ReportedQuestion, anchor: str, sampled: str) -> Iterator[Section]:
    """sampled: what means are over, prompts or, where there are none, items."""

    def section(part: str, title: str, blocks: list[Block], table: str, comparison: int = 0) -> Section:
        return Section(f"{anchor}-{part}", title, blocks, table, dimension.name, comparison=comparison)

    part = dimension.preferences
    if part:
        yield from part_sections(part, section)
    for number, comparison in enumerate(dimension.comparisons, start=1):
        title = f"{comparison.refined} against {comparison.baseline}"
        yield section(f"comparison-{number}", title, comparison_blocks(comparison), "comparisons", number)
    if not dimension.is_ordinal:
        yield section("answers", "Answers", _answers(dimension), "answers")
    if dimension.means:
        yield section("means", "Means and distributions", _means(dimension, sampled), "means")
    if by_category := category_mean_blocks(dimension):
        yield section("means-by-category", "Means by category", by_category, "means_by_facet")
    if adjusted := adjusted_blocks(dimension):
        yield section("adjusted", "Fair averages", adjusted, "adjusted")
    if dimension.model:
        yield section("methods", "All methods in one model", model_blocks(dimension.model), "method_pairs")
    yield section("agreement", "Agreement", _agreement(dimension), "agreement")
    if dimension.board:
        yield section(
            "metrics", "Automatic metrics against people", metric_blocks(dimension.board, dimension.facets), "metrics"
        )
    if dimension.raters:
        yield section("raters", "Raters", _raters(dimension), "raters")


# --- answers to a question without order ------------------------------------------------------------------------------
def _answers(dimension: ReportedQuestion) -> list[Block]:
    counts = dimension.answer_counts
    total = sum(dimension.histogram) or 1
    rows = [(label, n, share(n / total)) for label, n in counts]
    return [
        *view.figure(charts.share_bars, counts, title="How often each answer was given"),
        view.all_figures(("answer", "ratings", "share"), rows, numeric=(1, 2)),
    ]


# --- means -----------------------------------------------------------------------------------------------------------
def _means(dimension: ReportedQuestion, sampled: str) -> list[Block]:
    marks, rows = [], []
    for mean in dimension.means:
        low, high = ends(mean, "prompts")
        text = f"{figure(mean.value, digits=2)} {interval(low, high, digits=2)}".strip()
        over = drawn_over(mean, "prompts"), drawn_over(mean, "raters")
        marks.append(Mark(mean.method, mean.value, *over[0], *over[1], text))
        rows.append(
            (
                mean.method,
                figure(mean.value),
                interval(low, high),
                interval(*ends(mean, "raters")),
                mean.n_units,
                mean.n_ratings,
                mean.n_prompts,
                note_of(mean),
            )
        )
    scale = dimension.values[0], dimension.values[-1]
    counts = [(mean.method, mean.histogram) for mean in dimension.means]
    head = ("method", "mean", f"over {sampled}", "over raters", "items", "ratings", "prompts", "note")
    return [
        *view.figure(
            charts.interval_plot,
            marks,
            title="Mean rating of every method",
            limits=scale,
            shown=scale,
            axis=f"mean rating; thick: 95% interval over {sampled}, thin: over raters",
        ),
        *view.figure(charts.stacked_bars, counts, levels=dimension.level_names, title="How often each level was given"),
        view.all_figures(head, rows, numeric=(1, 2, 3, 4, 5, 6)),
        view.Folded("Figures by level", [_level_counts(dimension.level_names, counts)]),
    ]


def _level_counts(levels: Sequence[str], counts: Sequence[tuple[str, Sequence[int]]]) -> Table:
    """How often each level was given to each method: a row per method, and with many levels a row per level."""
    cells = [[f"{n:,} ({share(n / (sum(given) or 1))})" for n in given] for _, given in counts]
    methods = [method for method, _ in counts]
    if len(levels) <= MOST_LEVELS_ACROSS:
        rows = [(method, *given) for method, given in zip(methods, cells, strict=True)]
        return view.table(("method", *levels), rows, numeric=range(1, len(levels) + 1))
    across = [(level, *(given[at] for given in cells)) for at, level in enumerate(levels)]
    return view.table(("level", *methods), across, numeric=range(1, len(methods) + 1))


# --- agreement -------------------------------------------------------------------------------------------------------
def _agreement(dimension: ReportedQuestion) -> list[Block]:
    by_name = {estimate.statistic: estimate for estimate in dimension.agreement}
    marks = []
    for name in DRAWN_AGREEMENT if dimension.is_ordinal else DRAWN_AGREEMENT_NOMINAL:
        found = by_name[name]
        over = drawn_over(found, "units"), drawn_over(found, "raters")
        marks.append(Mark(words(name), found.value, *over[0], *over[1], figure(found.value)))
    rows = [
        (
            words(estimate.statistic),
            figure(estimate.value),
            interval(*ends(estimate, "units")),
            interval(*ends(estimate, "raters")),
            interval(*ends(estimate, "units and raters")),
            note_of(estimate) or estimate.method,
        )
        for estimate in dimension.agreement
    ]
    head = ("statistic", "value", "over items", "over raters", "over both", "convention or reason")
    warning: list[Block] = []
    if dimension.n_components > 1:
        groups = "; ".join(", ".join(group) for group in dimension.components[:10])
        text = f"These groups of raters share no item, so nothing compares them: {groups}."
        warning.append(Paragraph(text, "warning"))
    if against := _against_the_others(dimension):
        warning.append(Paragraph(against, "warning"))
    influence = _influence(dimension)
    return [
        *warning,
        *_about_alpha(dimension),
        *([Paragraph(influence)] if influence else []),
        *view.figure(
            charts.interval_plot,
            marks,
            title="Agreement between raters",
            limits=(-1.0, 1.0),
            shown=(0.0, 1.0),
            axis="thick: 95% interval over items, these raters; thin: over raters, these items",
        ),
        view.all_figures(head, rows, numeric=(1, 2, 3, 4)),
        *mean_reliability_blocks(dimension),
    ]


def _about_alpha(dimension: ReportedQuestion) -> list[Block]:
    """What a low agreement about votes does not mean, and how the places of rankings are compared."""
    alpha, _name = headline_agreement(dimension)
    if alpha.value is None:
        return []
    if dimension.form == VOTED:
        return [Paragraph(LOW_ALPHA)] if alpha.value < LOW_AGREEMENT else []
    return [Paragraph(PLACES_UNORDERED)] if dimension.form == RANKED else []


def _against_the_others(dimension: ReportedQuestion) -> str:
    """Which raters order items the opposite way to the others, and what this means for the intervals; empty if nobody
    does."""
    found = []
    for row in dimension.raters:
        interval = leading(row.rank_correlation)
        if interval and interval.high is not None and interval.high < 0:
            found.append(f"{row.rater} ({figure(row.rank_correlation.value, digits=2)})")
    if not found or not dimension.is_ordinal:
        return ""
    return (
        f"Opposite to the others, by rank correlation: {', '.join(found)}. Check whether the scale was used the other "
        f"way round. Where one rater in ten of the population does so, intervals over raters are too short: in "
        f"simulation those of agreement contained the true value in 75% to 99% of studies instead of 95%."
    )


def _influence(dimension: ReportedQuestion) -> str:
    """Which rater changes the headline's statistic most when left out, compared with leaving out any of the others."""
    alpha, name = headline_agreement(dimension)
    # Snapshots from before statistics version 4 do not have it, nor do studies with many raters.
    left_out = dimension.without_rater or WithoutRater(raters=(), values={})
    values = left_out.values.get(alpha.statistic, ())
    without = {rater: value for rater, value in zip(left_out.raters, values, strict=bool(values)) if value is not None}
    whole = alpha.value
    if whole is None or len(without) < 3:
        return ""
    rater = max(without, key=lambda each: abs(without[each] - whole))
    others = [value for each, value in without.items() if each != rater]
    return (
        f"Without rater {rater} {name} is {figure(without[rater], digits=2)}; "
        f"without any one of the others it is {span(min(others), max(others))}."
    )


# --- raters ----------------------------------------------------------------------------------------------------------
RATER_COLUMNS = (
    ("agreement", "agreement with the others", False),
    ("severity", "severity", True),
    ("spread", "spread", False),
    ("modal_share", "share of the most given level", False),
    ("median_seconds", "median seconds", False),
)
"""A figure for every rater, its heading, and whether it is signed."""
OF_ORDERED_LEVELS = ("severity", "spread")


def _raters(dimension: ReportedQuestion) -> list[Block]:
    raters = dimension.raters
    drawn = "severity" if dimension.is_ordinal else "agreement"
    marks = [
        Mark(
            rater.rater,
            getattr(rater, drawn).value,
            *drawn_ends(leading(getattr(rater, drawn))),
            text=figure(getattr(rater, drawn).value, signed=dimension.is_ordinal),
        )
        for rater in raters[:MOST_RATERS_DRAWN]
    ]
    if dimension.is_ordinal:
        span_of_scale = dimension.values[-1] - dimension.values[0]
        plot: dict[str, Any] = {
            "title": "Severity of every rater",
            "limits": (-span_of_scale, span_of_scale),
            "references": [(0.0, "as the others")],
            "axis": "mean deviation from the others' ratings of the same items; right is milder",
        }
    else:
        about = " about votes" if dimension.form == VOTED else ""
        plot = {
            "title": f"Agreement of every rater with the others{about}",
            "limits": (-1.0, 1.0),
            "shown": (0.0, 1.0),
            "references": [(0.0, "as by chance")],
            "axis": "kappa with the others' answers to the same items, and its 95% interval",
        }
    columns = [each for each in RATER_COLUMNS if dimension.is_ordinal or each[0] not in OF_ORDERED_LEVELS]
    if any(rater.gold_pass_rate.value is not None for rater in raters):
        columns.insert(0, ("gold_pass_rate", "right on gold", False))
    head = ("rater", "ratings", *(title for _, title, _ in columns), "what stands out")
    rows = [
        (
            rater.rater,
            rater.n,
            *(figure(getattr(rater, name).value, signed=signed) for name, _, signed in columns),
            rater.why,
        )
        for rater in raters
    ]
    note = "No rater is excluded by the software. What stands out is a reason to look, not a verdict."
    if len(raters) > MOST_RATERS_DRAWN:
        note += f" The picture has the first {MOST_RATERS_DRAWN} of {len(raters):,} raters, the table all of them."
    if dimension.n_raters_left_out:
        note += f" {counted(dimension.n_raters_left_out, 'further rater')} are not listed one by one."
    return [
        *view.figure(charts.interval_plot, marks, **plot),
        view.all_figures(head, rows, numeric=range(1, len(head) - 1)),
        *reliability_blocks(dimension),
        Paragraph(note, "note"),
    ]
