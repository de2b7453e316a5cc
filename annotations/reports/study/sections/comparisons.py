"""One comparison of two methods: the answer in a sentence, two charts, and the supporting figures."""

from collections.abc import Sequence

from annotations.reports import charts, view
from annotations.reports.documents.comparisons import (
    PlannedSize,
    ReportedComparison,
    ReportedEquivalence,
    ReportedMultiverse,
    ReportedOrdinal,
)
from annotations.reports.documents.estimates import ReportedEstimate
from annotations.reports.estimates import ends, interval_over, leading, note_of
from annotations.reports.numbers import decimal, figure, interval, p_value, span
from annotations.reports.study.sections.gains import gain_blocks
from annotations.reports.study.sections.supporting import seeds_sentence
from annotations.reports.view import Block, Folded, Paragraph
from annotations.reports.votes.fragility import fragility_sentence


def comparison_blocks(comparison: ReportedComparison) -> list[Block]:
    if not comparison.n:
        return [Paragraph(comparison.note)]
    split = [
        ("better", comparison.wins, "win"),
        ("equal", comparison.ties, "tie"),
        ("worse", comparison.losses, "loss"),
    ]
    axis = "difference of mean ratings on a prompt; right of 0 is better"
    return [
        Paragraph(_answer(comparison), "said"),
        *view.figure(charts.split_bar, split, title="Prompts on which it is better, equal, worse"),
        *view.figure(charts.difference_plot, comparison.differences, title="Differences by prompt", axis=axis),
        *_differences(comparison),
        *_support(comparison),
        *_categories(comparison),
        *gain_blocks(comparison),
        _figures(comparison),
        _robustness(comparison.multiverse),
        *_sizes(comparison.sizes),
        *([Paragraph(comparison.note, "note")] if comparison.note else []),
    ]


def _answer(comparison: ReportedComparison) -> str:
    diff = comparison.mean_diff
    both, prompts_alone = (interval_over(diff, covers) for covers in ("prompts and raters", "prompts"))
    over = next((each for each in (both, prompts_alone) if each and each.bounds), None)
    if over is None or over.bounds is None:
        why = prompts_alone.reason if prompts_alone else "none was computed"
        covered = "; ".join([f"no interval over prompts: {why}", *filter(None, [tests_over_prompts(comparison)])])
    else:
        covered = f"95% interval over {over.covers} {span(*over.bounds, signed=True, digits=3)}"
        p = comparison.both.p if over is both else None
        covered += f", {p_value(p)}" if p is not None else ""
        if over is both and prompts_alone and prompts_alone.bounds:
            alone = span(*prompts_alone.bounds, signed=True, digits=3)
            covered += f"; over prompts, for these raters, {alone}, {p_value(comparison.permutation.p)}"
        if over is not both and both:
            covered += f"; none over other raters: {both.reason}"
    change = "–" if diff.value is None else decimal(diff.value, signed=True, digits=3)
    prompts = "On 1 prompt" if comparison.n == 1 else f"On {comparison.n:,} prompts"
    return (
        f"{prompts} the mean rating changed by {change} ({covered}); better on {comparison.wins:,}, "
        f"equal on {comparison.ties:,}, worse on {comparison.losses:,}.{_detectable(comparison)}"
    )


def tests_over_prompts(comparison: ReportedComparison) -> str:
    """The two tests that need no interval, for these raters, in words; empty where neither is defined."""
    named = (("permutation", comparison.permutation.p), ("Wilcoxon", comparison.wilcoxon.p))
    found = ", ".join(f"{name} {p_value(p)}" for name, p in named if p is not None)
    return f"tests over prompts, for these raters: {found}" if found else ""


def _differences(comparison: ReportedComparison) -> list[Block]:
    """The table behind the chart of differences."""
    if not comparison.differences:
        return []
    step, bins = charts.difference_bins(comparison.differences)
    rows = [(charts.signed(place * step) if place else "0", n) for place, n in bins.items()]
    return [Folded("Figures by difference", [view.table(("difference", "prompts"), rows, numeric=(0, 1))])]


def _support(comparison: ReportedComparison) -> list[Block]:
    """How few answers decide, and what other images would show."""
    said = [fragility_sentence(comparison.fewest), seeds_sentence(comparison)]
    return [Paragraph(each) for each in said if each]


def _at_margin(tested: ReportedEquivalence) -> str:
    """The result for a margin, which equivalence, non-inferiority and their like name themselves."""
    at = f"At a margin of {tested.margin:g}, "
    if tested.reason:
        return f"{at}there is {tested.words}"
    return f"{at}{tested.words}" if tested.words.startswith("neither") else tested.words[:1].upper() + tested.words[1:]


def _detectable(comparison: ReportedComparison) -> str:
    """The difference that a study of this size can find, and the result for a margin."""
    said = ""
    if found := comparison.both.detectable:
        said += f" A study like this one finds a true difference of {figure(found, digits=2)} in 80% of cases."
    if tested := comparison.equivalence:
        said += f" {_at_margin(tested)}."
    return said


def _categories(comparison: ReportedComparison) -> list[Block]:
    """Means and differences by category, for every facet; the number of prompts next to each."""
    blocks: list[Block] = []
    for facet in comparison.categories:
        rows, marks = [], []
        for one in facet.effects:
            diff = one.mean_diff
            first = leading(diff)
            value = figure(diff.value, signed=True, digits=2)
            rows.append(
                (
                    one.category,
                    one.n,
                    figure(one.mean_baseline, digits=2),
                    figure(one.mean_refined, digits=2),
                    value,
                    interval(first.low, first.high, digits=2) if first else "",
                    p_value(one.p),
                    p_value(one.p_holm),
                    "" if one.win_rate is None else f"{one.win_rate:.0%}",
                    note_of(diff),
                )
            )
            low, high = (first.low, first.high) if first else (None, None)
            marks.append(charts.Mark(f"{one.category}, n {one.n:,}", diff.value, low, high, text=value))
        covers = next((leading(one.mean_diff) for one in facet.effects if leading(one.mean_diff)), None)
        over = covers.covers if covers else "prompts"
        head = ["category", "prompts", comparison.baseline, comparison.refined, "difference", f"over {over}"]
        head += ["p", "p, Holm", "win rate", "note"]
        blocks += view.figure(
            charts.interval_plot,
            marks,
            title=f"Difference by {facet.facet}",
            references=[(0.0, "no difference")],
            axis=f"difference of mean ratings; 95% interval over {over}",
        )
        test = facet.interaction
        said = (
            f"Method × {facet.facet}: Welch's F({test.df_above:.0f}, {test.df_below:.1f}) = "
            f"{figure(test.f, digits=2)}, {p_value(test.p)}, over prompts, for these raters."
            if test.p is not None
            else f"Method × {facet.facet} is not tested: {test.reason}."
        )
        blocks += [
            Paragraph(said),
            view.Folded(f"Figures by {facet.facet}", [view.table(head, rows, numeric=range(1, 9))]),
        ]
    return blocks


def _figures(comparison: ReportedComparison) -> Folded:
    diff, ranks, flips = comparison.mean_diff, comparison.wilcoxon, comparison.permutation
    biserial, superiority = comparison.rank_biserial, comparison.prob_superiority
    both = comparison.both
    of_all = f"of {comparison.n:,} prompts"
    rows = [
        ("better", comparison.wins, "", of_all),
        ("equal", comparison.ties, "", of_all),
        ("worse", comparison.losses, "", of_all),
        ("mean difference", figure(diff.value, signed=True), *_interval_over(diff, "prompts and raters")),
        ("… test, other prompts and raters", "", p_value(both.p), "t with Satterthwaite's degrees of freedom"),
        ("… over prompts, these raters", "", *_interval_over(diff, "prompts")),
        ("… over raters, these prompts", "", *_interval_over(diff, "raters")),
        ("smallest detectable difference", figure(both.detectable), "", "power 80%, 5% two-sided, such a study"),
        ("Wilcoxon W", figure(ranks.w), p_value(ranks.p), ranks.method),
        ("permutation test", "", p_value(flips.p), flips.method),
        ("… mid-p", "", p_value(flips.mid_p), "outcomes exactly as extreme count half"),
        ("rank-biserial", figure(biserial.value, signed=True), *_leading_interval(biserial)),
        ("probability of superiority", figure(superiority.value), *_leading_interval(superiority)),
        _odds(comparison.ordinal),
        (
            "always-valid interval",
            "",
            interval(comparison.sequence.low, comparison.sequence.high),
            comparison.sequence.method,
        ),
    ]
    return view.all_figures(("statistic", "value", "interval or p", "convention or reason"), rows, numeric=(1, 2))


def _interval_over(estimate: ReportedEstimate, covers: str) -> tuple[str, str]:
    """The interval and what it covers, or why there is none."""
    found = interval_over(estimate, covers)
    if found is None:
        return "", f"over {covers}"
    cut = "; cut at the end of what is possible" if found.cut_low or found.cut_high else ""
    reason = f": {found.reason}" if found.reason else ""
    return interval(*ends(estimate, covers)), f"over {covers}{reason}{cut}"


def _leading_interval(estimate: ReportedEstimate) -> tuple[str, str]:
    found = leading(estimate)
    return (interval(found.low, found.high), found.method) if found else ("", note_of(estimate))


def _odds(ordinal: ReportedOrdinal) -> tuple[str, str, str, str]:
    name, effect = "odds ratio, mixed model", ordinal.effect
    if ordinal.odds_ratio is None:
        return name, "–", "", effect.reason
    over = f"interval over {effect.intervals[0].covers}"
    parts = ", ".join(f"{factor} {figure(each, digits=2)}" for factor, each in sorted(ordinal.deviations.items()))
    varied = f"standard deviations of random effects: {parts}" if parts else ""
    convention = "; ".join([effect.method, over, *filter(None, [varied, *ordinal.notes, note_of(effect)])])
    return name, figure(ordinal.odds_ratio), interval(ordinal.low, ordinal.high), convention


def _robustness(multiverse: ReportedMultiverse) -> Folded:
    """Whether the conclusion survives other rules, aggregations and subsets: in words, then option by option."""
    head = ("choice", "option", "analyses", "same sign", "same conclusion")
    rows = [
        (
            choice.axis,
            choice.option,
            choice.n_universes,
            choice.n_same_sign,
            choice.n_same_significance,
        )
        for choice in multiverse.choices
    ]
    table = view.table(head, rows, numeric=(2, 3, 4))
    reference = Paragraph(
        "The analyses below are compared with one of them, the reference: the mean difference of the raters' means, "
        "with its 95% interval over prompts, for these raters.",
        "note",
    )
    return Folded("Robustness to analysis choices", [reference, Paragraph(multiverse.words), table])


def _sizes(sizes: Sequence[PlannedSize]) -> list[Block]:
    """What the next study needs, with this one as the pilot."""
    if not sizes:
        return []
    head = ("95% interval", "raters per prompt", "raters", "prompts", "ratings")
    rows = [
        (
            f"± {plan.half_width:g}",
            plan.raters_per_prompt,
            plan.n_raters,
            "out of reach" if plan.n_prompts is None else plan.n_prompts,
            "" if plan.n_prompts is None else plan.n_ratings,
        )
        for plan in sizes
    ]
    said = Paragraph("Number of prompts needed for an interval this narrow, over prompts and raters.")
    return [Folded("Sample size for the next study", [said, view.table(head, rows, numeric=(1, 2, 3, 4))])]
