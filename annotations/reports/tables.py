"""The document as the tables that `analyze` writes and every page offers for download."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Row = Sequence[Any]
Json = Mapping[str, Any]

AGREEMENT = (
    "dimension",
    "statistic",
    "value",
    "ci_units_low",
    "ci_units_high",
    "ci_raters_low",
    "ci_raters_high",
    "n_units",
    "n_pairable",
    "n_raters",
    "n_ratings",
    "note",
    "ci_units_and_raters_low",
    "ci_units_and_raters_high",
    "method",
)
METRICS = ("metric", "dimension", "statistic", "value", "low", "high", "n", "note", "interval", "method")
MEANS = ("dimension", "method", "mean", "low", "high", "n", "n_ratings", "n_prompts", "raters_low", "raters_high")
COMPARISONS = (
    "dimension",
    "baseline",
    "refined",
    "n",
    "mean_diff",
    "low",
    "high",
    "wins",
    "ties",
    "losses",
    "wilcoxon_w",
    "wilcoxon_p",
    "permutation_p",
    "rank_biserial",
    "note",
    "raters_low",
    "raters_high",
    "t",
    "t_p",
    "prob_superiority",
    "wilcoxon_method",
    "permutation_method",
    "odds_ratio",
    "odds_low",
    "odds_high",
    "odds_p",
    "always_valid_low",
    "always_valid_high",
    "universes",
    "universes_same_conclusion",
    "prompts_and_raters_low",
    "prompts_and_raters_high",
    "permutation_mid_p",
)
MULTIVERSE = (
    "dimension",
    "baseline",
    "refined",
    "exclusion",
    "aggregation",
    "subset",
    "n_raters_excluded",
    "n_items",
    "mean_diff",
    "low",
    "high",
    "note",
)
SIZES = ("dimension", "baseline", "refined", "half_width", "raters_per_prompt", "n_raters", "n_prompts", "n_ratings")
DIFFERENCES = ("metric_a", "metric_b", "dimension", "statistic", "difference", "p", "p_holm", "n", "note", "method")
RATERS = (
    "dimension",
    "rater",
    "n",
    "n_shared",
    "agreement",
    "rank_correlation",
    "mean_absolute_deviation",
    "severity",
    "spread",
    "modal_share",
    "longest_run",
    "median_seconds",
    "fast_share",
    "gold_pass_rate",
    "self_consistency",
    "suspicion",
    "why",
)
ANSWERS = ("dimension", "value", "label", "n", "share")
CEILING = "human ceiling: one rater against the rest"
TIES_ONLY = "ties-only baseline: a constant metric"


def agreement_rows(document: Json) -> Iterator[Row]:
    for dimension in document["dimensions"]:
        for one in dimension["agreement"]:
            n = one["n"]
            yield (
                dimension["name"],
                one["statistic"],
                one["value"],
                *ends(one, "units"),
                *ends(one, "raters"),
                n.get("complete_units", n.get("units")),
                n.get("pairable"),
                n.get("raters"),
                n.get("ratings"),
                note_of(one),
                *ends(one, "units and raters"),
                one["method"],
            )


def metric_rows(document: Json) -> Iterator[Row]:
    """Overall figures first; then the same by facet, the statistic named `spearman[category=functional]`."""
    for dimension in document["dimensions"]:
        if not dimension["board"]:
            continue
        yield from _board_rows(dimension["name"], dimension["board"], "")
    for dimension in document["dimensions"]:
        for facet in dimension["facets"]:
            yield from _board_rows(dimension["name"], facet, f"[{facet['facet']}={facet['value']}]")


def _board_rows(dimension: str, board: Json, suffix: str) -> Iterator[Row]:
    named = [(one["metric"], one["estimates"]) for one in board["metrics"]]
    for metric, estimates in [*named, (CEILING, board["ceiling"]), (TIES_ONLY, board["baseline"])]:
        for one in estimates:
            interval = leading(one)
            yield (
                metric,
                dimension,
                one["statistic"] + suffix,
                one["value"],
                interval["low"] if interval else None,
                interval["high"] if interval else None,
                n_of(one),
                note_of(one),
                f"over {interval['covers']}: {interval['method']}" if interval else "",
                one["method"],
            )


def mean_rows(document: Json) -> Iterator[Row]:
    for dimension in document["dimensions"]:
        for one in dimension["means"]:
            low, high = ends(one, "prompts")
            yield (
                dimension["name"],
                one["method"],
                one["value"],
                low,
                high,
                one["n_units"],
                one["n_ratings"],
                one["n_prompts"],
                *ends(one, "raters"),
            )


def comparison_rows(document: Json) -> Iterator[Row]:
    for dimension in document["dimensions"]:
        for one in dimension["comparisons"]:
            yield (
                dimension["name"],
                one["baseline"],
                one["refined"],
                one["n"],
                one["mean_diff"]["value"],
                *ends(one["mean_diff"], "prompts"),
                one["wins"],
                one["ties"],
                one["losses"],
                one["wilcoxon"]["w"],
                one["wilcoxon"]["p"],
                one["permutation"]["p"],
                one["rank_biserial"]["value"],
                one["note"],
                *ends(one["mean_diff"], "raters"),
                one["t"]["t"],
                one["t"]["p"],
                one["prob_superiority"]["value"],
                one["wilcoxon"]["method"],
                one["permutation"]["method"],
                one["ordinal"]["odds_ratio"],
                one["ordinal"]["low"],
                one["ordinal"]["high"],
                one["ordinal"]["p"],
                one["sequence"]["low"],
                one["sequence"]["high"],
                one["multiverse"]["n"],
                one["multiverse"]["n_same_conclusion"],
                *ends(one["mean_diff"], "prompts and raters"),
                one["permutation"]["mid_p"],
            )


def multiverse_rows(document: Json) -> Iterator[Row]:
    names = ("exclusion", "aggregation", "subset", "n_excluded", "n_units", "value", "low", "high", "reason")
    for dimension in document["dimensions"]:
        for one in dimension["comparisons"]:
            for each in one["multiverse"]["universes"]:
                yield (dimension["name"], one["baseline"], one["refined"], *(each[name] for name in names))


def size_rows(document: Json) -> Iterator[Row]:
    for dimension in document["dimensions"]:
        for one in dimension["comparisons"]:
            for each in one["sizes"]:
                head = (dimension["name"], one["baseline"], one["refined"])
                yield (*head, *(each.get(name) for name in SIZES[3:]))


def difference_rows(document: Json) -> Iterator[Row]:
    for dimension in document["dimensions"]:
        for one in dimension["board"]["differences"] if dimension["board"] else ():
            names = (one["metric_a"], one["metric_b"], dimension["name"], one["statistic"])
            yield (*names, one["difference"], one["p"], one["p_holm"], one["n"], one["reason"], one["method"])


def rater_rows(document: Json) -> Iterator[Row]:
    for dimension in document["dimensions"]:
        for one in dimension["raters"]:
            figures = (one[name]["value"] for name in RATERS[4:-2])
            head = (dimension["name"], one["rater"], one["n"], one["n_shared"])
            yield (*head, *figures, one["suspicion"], one["why"])


def answer_rows(document: Json) -> Iterator[Row]:
    """How often each level of every question was given; `share` is of all that could answer."""
    for dimension in document["dimensions"]:
        counts, labels = dimension["histogram"], dimension["labels"]
        total = sum(counts)
        for i, (value, n) in enumerate(zip(dimension["values"], counts, strict=True)):
            yield dimension["name"], value, labels[i] if labels else "", n, n / total if total else None


TABLES = {
    "agreement": (AGREEMENT, agreement_rows),
    "metrics": (METRICS, metric_rows),
    "answers": (ANSWERS, answer_rows),
    "means": (MEANS, mean_rows),
    "comparisons": (COMPARISONS, comparison_rows),
    "multiverse": (MULTIVERSE, multiverse_rows),
    "sizes": (SIZES, size_rows),
    "metric_differences": (DIFFERENCES, difference_rows),
    "raters": (RATERS, rater_rows),
}
"""File name without ending → columns, and the function that makes the rows."""


def ends(estimate: Json, covers: str) -> tuple[float | None, float | None]:
    """The first interval over this population; empty cells where there is none."""
    for interval in estimate["intervals"]:
        if interval["covers"] == covers:
            return interval["low"], interval["high"]
    return None, None


def leading(estimate: Json) -> Json | None:
    """The interval that a table shows where it has room for one: the first that is defined."""
    defined = (interval for interval in estimate["intervals"] if interval["low"] is not None)
    return next(defined, None)


def n_of(estimate: Json) -> int | None:
    """How many of the things that were compared: units, prompts or methods, whichever the figure is over."""
    n = estimate["n"]
    statistic = estimate["statistic"]
    if "method_level" in statistic and "methods" in n:
        return int(n["methods"])
    for kind in ("units", "prompts", "raters"):
        if kind in n:
            return int(n[kind])
    return None


def note_of(estimate: Json) -> str:
    """Why there is no figure, or no interval, or what is odd about one."""
    notes = [estimate["reason"]] if estimate["reason"] else []
    for interval in estimate["intervals"]:
        if interval["reason"]:
            notes.append(f"no interval over {interval['covers']}: {interval['reason']}")
        elif interval["n_undefined"]:
            notes.append(f"{interval['n_undefined']} undefined resamples over {interval['covers']}")
    return "; ".join(dict.fromkeys(notes))
