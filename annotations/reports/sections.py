"""The document as HTML: one list of sections, the same on the study's page and in the file that stands alone.

`translate` is gettext or nothing; everything else that reaches the page is escaped.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotations.reports import charts, markup
from annotations.reports.charts import Mark
from annotations.reports.tables import CEILING, ends, leading, note_of

Json = Mapping[str, Any]
Translate = Callable[[str], str]

HEADLINE = ("krippendorff_alpha_ordinal", "krippendorff_alpha_nominal")
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
BOARD = ("spearman", "kendall_tau_b", "pearson", "pairwise_accuracy_calibrated")
MOST_RATERS_DRAWN = 40


@dataclass(frozen=True)
class Section:
    """A part of a report: a stable name for links, a heading, HTML, and the table that holds its figures."""

    name: str
    title: str
    html: str
    table: str = ""


def sections(document: Json, translate: Translate = str) -> list[Section]:
    """Every section of every dimension, in reading order: the answer first."""
    return [section for dimension in document["dimensions"] for section in _of_dimension(dimension, translate)]


def headline(dimension: Json, translate: Translate = str) -> str:
    """One sentence of plain text: how much was rated, and how far raters agree."""
    _ = translate
    said = _("{ratings} ratings of {units} items by {raters} raters").format(
        ratings=f"{dimension['n_ratings']:,}", units=f"{dimension['n_units']:,}", raters=f"{dimension['n_raters']:,}"
    )
    if dimension["n_unable"]:
        said += ", " + _("{n} times unable to answer").format(n=f"{dimension['n_unable']:,}")
    statistic = HEADLINE[0] if dimension["is_ordinal"] else HEADLINE[1]
    one = next(each for each in dimension["agreement"] if each["statistic"] == statistic)
    name = _("ordinal alpha") if dimension["is_ordinal"] else _("nominal alpha")
    if one["value"] is None:
        return f"{said}; {name} {_('cannot be estimated')}: {one['reason']}"
    said += f"; {name} {one['value']:.2f}"
    for covers, words in (("raters", _("95% interval over raters")), ("units", _("over items"))):
        low, high = ends(one, covers)
        if low is not None and high is not None:
            said += f", {words} {low:.2f}–{high:.2f}"
    return said


def _of_dimension(dimension: Json, _: Translate) -> Iterator[Section]:
    name = dimension["name"]
    for i, comparison in enumerate(dimension["comparisons"]):
        title = f"{comparison['refined']} {_('against')} {comparison['baseline']}"
        yield Section(f"{name}-comparison-{i + 1}", title, _comparison(comparison, _), "comparisons")
    if not dimension["is_ordinal"]:
        yield Section(f"{name}-answers", _("Answers"), _answers(dimension, _), "answers")
    if dimension["means"]:
        yield Section(f"{name}-means", _("Means and distributions"), _means(dimension, _), "means")
    yield Section(f"{name}-agreement", _("Agreement"), _agreement(dimension, _), "agreement")
    if dimension["board"]:
        yield Section(f"{name}-metrics", _("Automatic metrics against people"), _board(dimension, _), "metrics")
    if dimension["raters"]:
        yield Section(f"{name}-raters", _("Raters"), _raters(dimension, _), "raters")


# --- the answer ------------------------------------------------------------------------------------------------------
def _comparison(one: Json, _: Translate) -> str:
    if not one["n"]:
        return markup.paragraph(one["note"])
    diff = one["mean_diff"]
    low, high = ends(diff, "prompts")
    said = _("On {n} prompts the mean rating changed by {value}").format(n=one["n"], value=f"{diff['value']:+.3f}")
    if low is not None and high is not None:
        said += f" ({_('95% interval over prompts')} {low:+.3f} {_('to')} {high:+.3f})"
    said += _("; better on {wins}, equal on {ties}, worse on {losses}").format(
        wins=f"{one['wins']:,}", ties=f"{one['ties']:,}", losses=f"{one['losses']:,}"
    )
    split = charts.split_bar(
        [(_("better"), one["wins"], "win"), (_("equal"), one["ties"], "tie"), (_("worse"), one["losses"], "loss")],
        title=_("Prompts on which it is better, equal, worse"),
    )
    plot = charts.difference_plot(
        one["differences"],
        title=_("Differences by prompt"),
        axis=_("difference of mean ratings on a prompt; right of 0 is better"),
    )
    raters_low, raters_high = ends(diff, "raters")
    biserial, superiority, ranks = one["rank_biserial"], one["prob_superiority"], one["wilcoxon"]
    rows = [
        (_("mean difference"), markup.value(diff["value"], signed=True), markup.interval(low, high), _("over prompts")),
        ("", "", markup.interval(raters_low, raters_high), _("over raters")),
        ("", "", markup.interval(*ends(diff, "prompts and raters")), _("over prompts and raters")),
        ("Wilcoxon W", markup.value(ranks["w"]), markup.p_value(ranks["p"]), ranks["method"]),
        (_("permutation test"), "", markup.p_value(one["permutation"]["p"]), one["permutation"]["method"]),
        ("", "", markup.p_value(one["permutation"]["mid_p"]), _("mid-p: what is just as extreme counts by half")),
        (_("rank-biserial"), markup.value(biserial["value"], signed=True), *_interval_cells(biserial)),
        (_("probability of superiority"), markup.value(superiority["value"]), *_interval_cells(superiority)),
    ]
    rows += _behind(one, _)
    table = markup.table((_("statistic"), _("value"), _("interval or p"), _("convention")), rows, numeric=(1, 2))
    note = markup.paragraph(one["note"], "note") if one["note"] else ""
    pictures = markup.figure(split) + markup.figure(plot)
    folded = markup.folded(_("All figures"), table) + _robustness(one["multiverse"], _) + _sizes(one["sizes"], _)
    return markup.paragraph(said + ".", "said") + pictures + folded + note


def _behind(one: Json, _: Translate) -> list[tuple[str, str, str, str]]:
    ordinal, sequence = one["ordinal"], one["sequence"]
    effect = ordinal["effect"]
    convention = "; ".join([effect["method"], *ordinal["notes"]])
    return [
        (
            _("odds ratio, mixed model"),
            markup.value(ordinal["odds_ratio"]),
            markup.interval(ordinal["low"], ordinal["high"]),
            convention,
        )
        if ordinal["odds_ratio"] is not None
        else (_("odds ratio, mixed model"), "–", "", effect["reason"]),
        (_("always-valid interval"), "", markup.interval(sequence["low"], sequence["high"]), sequence["method"]),
    ]


def _robustness(multiverse: Json, _: Translate) -> str:
    """Does the conclusion survive other rules, aggregations and subsets? In words, then option by option."""
    head = (_("choice"), _("option"), _("analyses"), _("same sign"), _("same conclusion"))
    rows = [
        (each["axis"], each["option"], each["n_universes"], each["n_same_sign"], each["n_same_significance"])
        for each in multiverse["choices"]
    ]
    table = markup.table(head, rows, numeric=(2, 3, 4))
    return markup.folded(_("Does it survive other choices?"), markup.paragraph(multiverse["words"]) + table)


def _sizes(sizes: Sequence[Json], _: Translate) -> str:
    """What the next study needs, with this one as the pilot."""
    if not sizes:
        return ""
    head = (_("95% interval"), _("raters a prompt"), _("raters"), _("prompts"), _("ratings"))
    rows = [
        (
            f"± {each['half_width']:g}",
            each["raters_per_prompt"],
            each["n_raters"],
            _("out of reach") if each["n_prompts"] is None else each["n_prompts"],
            "" if each["n_prompts"] is None else each["n_ratings"],
        )
        for each in sizes
    ]
    said = markup.paragraph(_("So many prompts a study needs for an interval this narrow, over prompts and raters."))
    return markup.folded(_("How large must the next study be?"), said + markup.table(head, rows, numeric=(1, 2, 3, 4)))


def _interval_cells(one: Json) -> tuple[str, str]:
    interval = leading(one)
    return (markup.interval(interval["low"], interval["high"]), interval["method"]) if interval else ("", note_of(one))


# --- answers to a question without order ------------------------------------------------------------------------------
def _answers(dimension: Json, _: Translate) -> str:
    labels = dimension["labels"] or [f"{value:g}" for value in dimension["values"]]
    counts = list(zip(labels, dimension["histogram"], strict=True))
    plot = charts.share_bars(counts, title=_("How often each answer was given"))
    total = sum(dimension["histogram"]) or 1
    rows = [(label, n, f"{n / total:.1%}") for label, n in counts]
    table = markup.table((_("answer"), _("ratings"), _("share")), rows, numeric=(1, 2))
    return markup.figure(plot) + markup.folded(_("All figures"), table)


# --- means -----------------------------------------------------------------------------------------------------------
def _means(dimension: Json, _: Translate) -> str:
    marks = []
    for one in dimension["means"]:
        low, high = ends(one, "prompts")
        wide_low, wide_high = ends(one, "raters")
        text = (
            f"{one['value']:.2f} [{low:.2f}, {high:.2f}]"
            if None not in (one["value"], low, high)
            else markup.value(one["value"])
        )
        marks.append(Mark(one["method"], one["value"], low, high, wide_low, wide_high, text))
    plot = charts.interval_plot(
        marks,
        title=_("Mean rating of every method"),
        axis=_("mean rating; thick: 95% interval over prompts, thin: over raters"),
    )
    levels = dimension["labels"] or [f"{value:g}" for value in dimension["values"]]
    bars = charts.stacked_bars(
        [(one["method"], one["histogram"]) for one in dimension["means"]],
        levels=levels,
        title=_("How often each level was given"),
    )
    rows = []
    for one in dimension["means"]:
        over_prompts, over_raters = markup.interval(*ends(one, "prompts")), markup.interval(*ends(one, "raters"))
        rows.append(
            (one["method"], markup.value(one["value"]), over_prompts, over_raters, one["n_units"], one["n_ratings"])
        )
    head = (_("method"), _("mean"), _("over prompts"), _("over raters"), _("items"), _("ratings"))
    return (
        markup.figure(plot)
        + markup.figure(bars)
        + markup.folded(_("All figures"), markup.table(head, rows, numeric=(1, 2, 3, 4, 5)))
    )


# --- agreement -------------------------------------------------------------------------------------------------------
def _agreement(dimension: Json, _: Translate) -> str:
    by_name = {one["statistic"]: one for one in dimension["agreement"]}
    wanted = [
        name for name in DRAWN_AGREEMENT if dimension["is_ordinal"] or "nominal" in name or name == "percent_agreement"
    ]
    marks = []
    for name in wanted:
        one = by_name[name]
        low, high = ends(one, "units")
        wide_low, wide_high = ends(one, "raters")
        marks.append(Mark(words(name), one["value"], low, high, wide_low, wide_high, markup.value(one["value"])))
    plot = charts.interval_plot(
        marks,
        title=_("Agreement between raters"),
        low=min(
            [0.0, *(m.wide_low for m in marks if m.wide_low is not None), *(m.low for m in marks if m.low is not None)]
        ),
        high=1.0,
        axis=_("thick: 95% interval over items, these raters; thin: over raters, these items"),
    )
    rows = []
    for one in dimension["agreement"]:
        over_units, over_raters = markup.interval(*ends(one, "units")), markup.interval(*ends(one, "raters"))
        rows.append(
            (
                words(one["statistic"]),
                markup.value(one["value"]),
                over_units,
                over_raters,
                note_of(one) or one["method"],
            )
        )
    head = (_("statistic"), _("value"), _("over items"), _("over raters"), _("convention or reason"))
    warning = ""
    if dimension["n_components"] > 1:
        groups = "; ".join(", ".join(group) for group in dimension["components"][:10])
        warning = markup.paragraph(
            _("These groups of raters share no item, so nothing compares them: {groups}.").format(groups=groups),
            "warning",
        )
    return warning + markup.figure(plot) + markup.folded(_("All figures"), markup.table(head, rows, numeric=(1, 2, 3)))


# --- metrics ---------------------------------------------------------------------------------------------------------
def _board(dimension: Json, _: Translate) -> str:
    board = dimension["board"]
    ceiling = {one["statistic"]: one for one in board["ceiling"]}
    by_metric = {one["metric"]: {each["statistic"]: each for each in one["estimates"]} for one in board["metrics"]}
    order = sorted(by_metric, key=lambda name: -(by_metric[name]["spearman"]["value"] or -2))
    marks = []
    for name in order:
        one = by_metric[name]["spearman"]
        interval = leading(one)
        low, high = (interval["low"], interval["high"]) if interval else (None, None)
        marks.append(Mark(name, one["value"], low, high, text=_spelled(one)))
    references = [(0.0, "0")]
    top = ceiling.get("spearman")
    if top and top["value"] is not None:
        references.append((top["value"], _("one rater against the rest")))
    plot = charts.interval_plot(marks, title=_("Spearman correlation with people"), references=references)
    rows = []
    for name in order:
        rows.append((name, *(_spelled(by_metric[name][statistic]) for statistic in BOARD)))
    rows.append((_(CEILING), *(_spelled(ceiling[statistic]) if statistic in ceiling else "" for statistic in BOARD)))
    head = (_("metric"), *(words(statistic) for statistic in BOARD))
    groups = next((one for one in board["clusters"] if one["statistic"] == "spearman"), None)
    told = ""
    if groups and len(groups["groups"]) > 1:
        said = " > ".join(", ".join(group) for group in groups["groups"])
        told = markup.paragraph(_("Groups that the tests tell apart, best first: {groups}.").format(groups=said))
    return markup.figure(plot) + told + markup.folded(_("All figures"), markup.table(head, rows, numeric=(1, 2, 3, 4)))


# --- raters ----------------------------------------------------------------------------------------------------------
def _raters(dimension: Json, _: Translate) -> str:
    raters = dimension["raters"]
    marks = []
    for one in raters[:MOST_RATERS_DRAWN]:
        interval = leading(one["severity"])
        low, high = (interval["low"], interval["high"]) if interval else (None, None)
        marks.append(
            Mark(
                one["rater"],
                one["severity"]["value"],
                low,
                high,
                text=markup.value(one["severity"]["value"], signed=True),
            )
        )
    plot = charts.interval_plot(
        marks,
        title=_("Severity of every rater"),
        references=[(0.0, _("as the others"))],
        axis=_("mean deviation from the others' ratings of the same items; right is milder"),
    )
    head = (
        _("rater"),
        _("ratings"),
        _("agreement with the others"),
        _("severity"),
        _("spread"),
        _("most given level"),
        _("median seconds"),
        _("what stands out"),
    )
    rows = [
        (
            one["rater"],
            one["n"],
            markup.value(one["agreement"]["value"]),
            markup.value(one["severity"]["value"], signed=True),
            markup.value(one["spread"]["value"]),
            markup.value(one["modal_share"]["value"]),
            markup.value(one["median_seconds"]["value"]),
            one["why"],
        )
        for one in raters
    ]
    note = markup.paragraph(
        _("No rater is excluded by the software. What stands out is a reason to look, not a verdict."), "note"
    )
    return (
        markup.figure(plot)
        + markup.folded(_("All figures"), markup.table(head, rows, numeric=(1, 2, 3, 4, 5, 6)))
        + note
    )


# --- words -----------------------------------------------------------------------------------------------------------
def words(statistic: str) -> str:
    """A statistic's file name as people write it."""
    known = {
        "krippendorff_alpha": "Krippendorff's α,",
        "fleiss_kappa": "Fleiss' κ",
        "conger_kappa": "Conger's κ",
        "gwet_ac1": "Gwet's AC1",
        "gwet_ac2": "Gwet's AC2,",
        "brennan_prediger": "Brennan–Prediger",
        "kendall_w": "Kendall's W",
        "kendall_tau_b": "Kendall's τ-b",
        "kendall_tau_c": "Kendall's τ-c",
        "pearson": "Pearson's r",
        "spearman": "Spearman's ρ",
        "icc_a_1": "ICC(A,1)",
        "icc_c_1": "ICC(C,1)",
        "icc_1_1": "ICC(1,1)",
        "icc_a_k": "ICC(A,k)",
        "icc_c_k": "ICC(C,k)",
        "icc_1_k": "ICC(1,k)",
    }
    for name in sorted(known, key=len, reverse=True):
        if statistic.startswith(name):
            return f"{known[name]} {statistic[len(name) :].strip('_').replace('_', ' ')}".strip().rstrip(",")
    return statistic.replace("_", " ")


def _spelled(one: Json) -> str:
    interval = leading(one)
    value = markup.value(one["value"])
    return f"{value} {markup.interval(interval['low'], interval['high'])}" if interval else value
