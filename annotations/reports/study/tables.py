"""The document as the tables that `analyze` writes and every page offers for download."""

from collections.abc import Iterator, Sequence
from typing import Any

from annotations.reports.documents.comparisons import ReportedComparison
from annotations.reports.documents.preferences import PreferenceDocument
from annotations.reports.documents.study import MetricBoard, StudyDocument
from annotations.reports.estimates import ends, leading, leading_ends, n_of, note_of
from annotations.reports.sources import COLUMNS as SOURCES
from annotations.reports.sources import source_rows
from annotations.reports.study.counted import COUNTS, count_rows
from annotations.reports.study.supporting import (
    ADJUSTED,
    GAINS,
    LEVELS,
    RELIABILITY,
    adjusted_rows,
    gain_rows,
    level_rows,
    reliability_rows,
)
from annotations.reports.votes.tables import PREFERENCE_TABLES

Row = Sequence[Any]

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
VIEWING = (
    *("rater", "n_cards", "median_shown_px", "median_pixel_ratio", "share_zoomed", "share_hidden"),
    *("keyboard", "mouse", "touch", "pen"),  # cards answered with it
)
METRICS = ("metric", "dimension", "statistic", "value", "low", "high", "n", "note", "interval", "method")
MEANS = (
    "dimension",
    "method",
    "mean",
    "low",
    "high",
    "n",
    "n_ratings",
    "n_prompts",
    "raters_low",
    "raters_high",
    "note",
)
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
    "prompts_and_raters_p",
    "raters_p",
    "detectable",
    *("margin", "p_equivalent", "p_not_inferior", "equivalence"),
    *("rank_biserial_low", "rank_biserial_high", "prob_superiority_low", "prob_superiority_high"),
)
CATEGORIES = (
    *("dimension", "facet", "category", "baseline", "refined", "n", "mean_baseline", "mean_refined", "mean_diff"),
    *("low", "high", "p", "p_holm", "wins", "ties", "losses", "win_rate", "note", "covers"),
    *("prompts_low", "prompts_high", "raters_low", "raters_high", "interaction_f", "interaction_p"),
)
METHOD_PAIRS = (
    *("dimension", "method_a", "method_b", "log_odds", "low", "high", "odds_ratio", "p", "p_holm"),
    *("letters_a", "letters_b", "covers", "note", "effect_a", "effect_b", "p_simultaneous"),
)
MEANS_BY_FACET = ("dimension", "facet", "value", *MEANS[1:])
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
ANSWERS = ("dimension", "value", "label", "n", "share", "levels")
EXCLUDED_RATERS = ("rater", "reason", "n_answers")
_EQUIVALENCE = ("margin", "p_equivalent", "p_not_inferior", "words")
CEILING = "human ceiling: one rater against the rest"
TIES_ONLY = "ties-only baseline: a constant metric"


def agreement_rows(document: StudyDocument) -> Iterator[Row]:
    for dimension in document.dimensions:
        for one in dimension.agreement:
            n = one.n
            yield (
                dimension.name,
                one.statistic,
                one.value,
                *ends(one, "units"),
                *ends(one, "raters"),
                n.get("complete_units", n.get("units")),
                n.get("pairable"),
                n.get("raters"),
                n.get("ratings"),
                note_of(one),
                *ends(one, "units and raters"),
                one.method,
            )


def metric_rows(document: StudyDocument) -> Iterator[Row]:
    """Overall figures first; then the same by facet, the statistic named `spearman[category=functional]`."""
    for dimension in document.dimensions:
        if not dimension.board:
            continue
        yield from _board_rows(dimension.name, dimension.board, "")
    for dimension in document.dimensions:
        for facet in dimension.facets:
            yield from _board_rows(dimension.name, facet, f"[{facet.facet}={facet.value}]")


def _board_rows(dimension: str, board: MetricBoard, suffix: str) -> Iterator[Row]:
    named = [(one.metric, one.estimates) for one in board.metrics]
    for metric, estimates in [*named, (CEILING, board.ceiling), (TIES_ONLY, board.baseline)]:
        for one in estimates:
            interval = leading(one)
            yield (
                metric,
                dimension,
                one.statistic + suffix,
                one.value,
                interval.low if interval else None,
                interval.high if interval else None,
                n_of(one),
                note_of(one),
                f"over {interval.covers}: {interval.method}" if interval else "",
                one.method,
            )


def mean_rows(document: StudyDocument) -> Iterator[Row]:
    for dimension in document.dimensions:
        for one in dimension.means:
            low, high = ends(one, "prompts")
            yield (
                dimension.name,
                one.method,
                one.value,
                low,
                high,
                one.n_units,
                one.n_ratings,
                one.n_prompts,
                *ends(one, "raters"),
                note_of(one),
            )


def means_by_facet_rows(document: StudyDocument) -> Iterator[Row]:
    for dimension in document.dimensions:
        for facet in dimension.means_by_facet:
            for one in facet.means:
                counts = (one.n_units, one.n_ratings, one.n_prompts)
                yield (
                    *(dimension.name, facet.facet, facet.value, one.method, one.value),
                    *(*ends(one, "prompts"), *counts, *ends(one, "raters"), note_of(one)),
                )


def method_pair_rows(document: StudyDocument) -> Iterator[Row]:
    """Every pair in the model of all methods, the better one first; interval, p_simultaneous and letters agree."""
    for dimension in document.dimensions:
        if not (model := dimension.model):
            continue
        letters = {one.method: one.letters for one in model.methods}
        effects = {one.method: one.effect for one in model.methods}
        for one in model.pairs:
            first, second = one.first, one.second
            yield (
                *(dimension.name, first, second, one.log_odds.value, *ends(one.log_odds, model.covers)),
                *(one.odds_ratio, one.p, one.p_holm, letters[first], letters[second]),
                *(model.covers, "; ".join(model.notes), effects[first], effects[second], one.p_simultaneous),
            )


def category_rows(document: StudyDocument) -> Iterator[Row]:
    """Every comparison within every value of every facet; the leading interval is over prompts and raters."""
    for dimension in document.dimensions:
        for comparison in dimension.comparisons:
            for facet in comparison.categories:
                for one in facet.effects:
                    diff = one.mean_diff
                    first = leading(diff)
                    yield (
                        *(dimension.name, facet.facet, one.category),
                        *(comparison.baseline, comparison.refined, one.n),
                        *(one.mean_baseline, one.mean_refined, diff.value),
                        *((first.low, first.high) if first else (None, None)),
                        *(one.p, one.p_holm, one.wins, one.ties, one.losses, one.win_rate),
                        *(note_of(diff), first.covers if first else ""),
                        *(*ends(diff, "prompts"), *ends(diff, "raters")),
                        *(facet.interaction.f, facet.interaction.p),
                    )


def comparison_rows(document: StudyDocument) -> Iterator[Row]:
    for dimension in document.dimensions:
        for one in dimension.comparisons:
            yield (
                dimension.name,
                one.baseline,
                one.refined,
                one.n,
                one.mean_diff.value,
                *ends(one.mean_diff, "prompts"),
                one.wins,
                one.ties,
                one.losses,
                one.wilcoxon.w,
                one.wilcoxon.p,
                one.permutation.p,
                one.rank_biserial.value,
                comparison_note(one),
                *ends(one.mean_diff, "raters"),
                one.t.t,
                one.t.p,
                one.prob_superiority.value,
                one.wilcoxon.method,
                one.permutation.method,
                one.ordinal.odds_ratio,
                one.ordinal.low,
                one.ordinal.high,
                one.ordinal.p,
                one.sequence.low,
                one.sequence.high,
                one.multiverse.n,
                one.multiverse.n_same_conclusion,
                *ends(one.mean_diff, "prompts and raters"),
                one.permutation.mid_p,
                one.both.p,
                one.raters_p,
                one.both.detectable,
                *(getattr(one.equivalence, name) if one.equivalence else None for name in _EQUIVALENCE),
                *(*leading_ends(one.rank_biserial), *leading_ends(one.prob_superiority)),
            )


def comparison_note(comparison: ReportedComparison) -> str:
    """Caveats of a comparison: why an interval of its difference is missing or was cut, why there are no odds."""
    notes = [comparison.note]
    if comparison.n:
        notes.append(note_of(comparison.mean_diff))
        effect = comparison.ordinal.effect
        if comparison.ordinal.odds_ratio is None:
            notes.append(f"no odds ratio: {effect.reason}")
        elif note := note_of(effect):
            notes.append(f"odds ratio: {note}")
    return "; ".join(note for note in notes if note)


def multiverse_rows(document: StudyDocument) -> Iterator[Row]:
    names = ("exclusion", "aggregation", "subset", "n_excluded", "n_units", "value", "low", "high", "reason")
    for dimension in document.dimensions:
        for one in dimension.comparisons:
            for each in one.multiverse.universes:
                yield (dimension.name, one.baseline, one.refined, *(getattr(each, name) for name in names))


def size_rows(document: StudyDocument) -> Iterator[Row]:
    for dimension in document.dimensions:
        for one in dimension.comparisons:
            for each in one.sizes:
                head = (dimension.name, one.baseline, one.refined)
                yield (*head, *(getattr(each, name) for name in SIZES[3:]))


def difference_rows(document: StudyDocument) -> Iterator[Row]:
    for dimension in document.dimensions:
        for one in dimension.board.differences if dimension.board else ():
            names = (one.metric_a, one.metric_b, dimension.name, one.statistic)
            yield (*names, one.difference, one.p, one.p_holm, one.n, one.reason, one.method)


def rater_rows(document: StudyDocument) -> Iterator[Row]:
    for dimension in document.dimensions:
        for one in dimension.raters:
            figures = (getattr(one, name).value for name in RATERS[4:-2])
            head = (dimension.name, one.rater, one.n, one.n_shared)
            yield (*head, *figures, one.suspicion, one.why)


def answer_rows(document: StudyDocument) -> Iterator[Row]:
    """How often each answer to every question was given; `share` is the share of all raters who could answer."""
    for dimension in document.dimensions:
        total = sum(dimension.histogram)
        for value, label, n, levels in dimension.answers:
            yield dimension.name, value, label, n, n / total if total else None, levels


def excluded_rater_rows(document: StudyDocument | PreferenceDocument) -> Iterator[Row]:
    for one in document.excluded_raters:
        yield tuple(getattr(one, name) for name in EXCLUDED_RATERS)


def viewing_rows(document: StudyDocument) -> Iterator[Row]:
    for one in document.viewing:
        yield *(getattr(one, name) for name in VIEWING[:-4]), *(one.inputs.get(name, 0) for name in VIEWING[-4:])


TABLES = {
    "agreement": (AGREEMENT, agreement_rows),
    "metrics": (METRICS, metric_rows),
    "answers": (ANSWERS, answer_rows),
    "means": (MEANS, mean_rows),
    "levels": (LEVELS, level_rows),
    "comparisons": (COMPARISONS, comparison_rows),
    "method_pairs": (METHOD_PAIRS, method_pair_rows),
    "categories": (CATEGORIES, category_rows),
    "means_by_facet": (MEANS_BY_FACET, means_by_facet_rows),
    "multiverse": (MULTIVERSE, multiverse_rows),
    "sizes": (SIZES, size_rows),
    "gains": (GAINS, gain_rows),
    "metric_differences": (DIFFERENCES, difference_rows),
    "raters": (RATERS, rater_rows),
    "counts": (COUNTS, count_rows),
    "adjusted": (ADJUSTED, adjusted_rows),
    "reliability": (RELIABILITY, reliability_rows),
    "excluded_raters": (EXCLUDED_RATERS, excluded_rater_rows),
    "sources": (SOURCES, source_rows),
    "viewing": (VIEWING, viewing_rows),
    **PREFERENCE_TABLES,
}
"""File name without ending → columns, and the function that makes the rows."""
