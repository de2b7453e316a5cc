r"""The document's main tables as LaTeX, to be pasted into a paper; needs \usepackage{booktabs}.

Tables are in full, for the width of the page, or short, for one column of two. Names break where necessary, so that no
table is wider than the space for it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from annotations.reports.anchors import anchors, slug
from annotations.reports.documents.comparisons import ReportedComparison, ReportedModel
from annotations.reports.documents.estimates import ReportedEstimate
from annotations.reports.documents.study import MetricBoard, ReportedQuestion, StudyDocument
from annotations.reports.estimates import ends, leading, n_of, note_of
from annotations.reports.numbers import counted
from annotations.reports.study.sections.answered import answered, n_unable
from annotations.reports.study.sections.categories import MeansColumn, MeansGrid, means_grids, why_no_interval
from annotations.reports.study.sections.notices import notices
from annotations.reports.study.tables import CEILING, comparison_note
from annotations.reports.tex import (
    NEEDS,
    Column,
    beside_two_rows,
    ended,
    escape,
    guarded,
    math_range,
    name,
    number,
    p_value,
    table,
)
from annotations.reports.votes.latex import part_tables

AGREEMENT = (
    ("krippendorff_alpha_nominal", r"Krippendorff's $\alpha$, nominal"),
    ("krippendorff_alpha_ordinal", r"Krippendorff's $\alpha$, ordinal"),
    ("krippendorff_alpha_interval", r"Krippendorff's $\alpha$, interval"),
    ("fleiss_kappa", r"Fleiss' $\kappa$"),
    ("gwet_ac1", "Gwet's AC1"),
    ("gwet_ac2_quadratic", "Gwet's AC2, quadratic"),
    ("brennan_prediger", "Brennan--Prediger"),
    ("icc_a_1", "ICC(A,1)"),
    ("icc_a_k", r"ICC(A,$k$)"),
    ("percent_agreement", "Percent agreement"),
)
METRICS = (
    ("spearman", r"Spearman's $\rho$"),
    ("kendall_tau_b", r"Kendall's $\tau_b$"),
    ("pearson", "Pearson's $r$"),
    ("pairwise_accuracy_calibrated", "Accuracy"),
)
_IN_TWO_ROWS = 30
"""Letters of a name that fit next to its two rows."""
_ACROSS = 4
"""Categories that fit next to each other over the width of a page, each with an interval."""
_ACROSS_WIDTH = 0.17
"""The width of such a column's heading, as a share of the line."""


def latex(document: StudyDocument, *, is_short: bool = False) -> str:
    """Agreement, answers or means, comparisons and metrics of every question, each a table that says what it covers.

    Every table carries what qualifies its figures. Labels carry the study and the question: tab:STUDY-QUESTION-means.
    """
    made = document.made
    parts = [
        f"% {_comment(document.title)}",
        (
            f"% {_comment(made.code_version)}, statistics {_comment(made.stats_version)}, seed {made.seed}, "
            f"{made.n_resamples} resamples, {_comment(made.at)}, inputs {made.inputs_hash[:16]}"
        ),
        NEEDS,
        "",
    ]
    study = document.key or f"{slug(document.title, 'study')}-{made.inputs_hash[:6]}"
    anchor = anchors([dimension.name for dimension in document.dimensions])
    about_all = notices(document, with_facets=False)
    said = [notice.text for notice in about_all if notice.kind != "check"]
    checks = [escape(notice.text) for notice in about_all if notice.kind == "check"]
    for dimension in document.dimensions:
        label = f"tab:{study}-{anchor[dimension.name]}"
        tables = _Tables(dimension, _counts(dimension, document), label, said, is_short=is_short)
        parts += tables.preferences()
        parts.append(tables.agreement(checks))
        if dimension.means:
            parts.append(tables.means(document.sampled))
            parts += tables.means_by_category()
        if not dimension.is_ordinal:
            parts.append(tables.answers())
        if compared := [comparison for comparison in dimension.comparisons if comparison.n]:
            parts.append(tables.comparisons(compared))
        if dimension.model and dimension.model.pairs:
            parts += tables.model(dimension.model)
        if dimension.board:
            parts.append(tables.metrics(dimension.board))
    return guarded("\n".join(parts))


def _counts(dimension: ReportedQuestion, document: StudyDocument) -> str:
    """How much was answered, as LaTeX."""
    unable = n_unable(dimension, document.design)
    return escape(f"{answered(dimension, document)}; {counted(unable, 'time')} unable to answer")


class _Tables:
    """The tables of one question. Their labels begin with `label`; `said` qualifies all of their figures.

    counts: how much was answered, as LaTeX
    """

    def __init__(
        self, dimension: ReportedQuestion, counts: str, label: str, said: Sequence[str], *, is_short: bool
    ) -> None:
        self.dimension = dimension
        self.counts = counts
        self.label = label
        self.said = said
        self.is_short = is_short
        self.about = ended(escape(dimension.asked))

    def preferences(self) -> list[str]:
        if not (part := self.dimension.preferences):
            return []
        notes = [escape(text) for text in self.said]
        return list(part_tables(part, self.label, self.about, notes, is_short=self.is_short))

    def agreement(self, checks: Sequence[str]) -> str:
        found = {estimate.statistic: estimate for estimate in self.dimension.agreement}
        listed = [(words, found[statistic]) for statistic, words in AGREEMENT if statistic in found]
        rows = [
            (
                words,
                number(estimate.value),
                *(math_range(*ends(estimate, covers)) for covers in ("units", "raters", "units and raters")),
            )
            for words, estimate in listed
        ]
        columns = (
            Column("Statistic", 0.26, 0.40),
            Column("Value"),
            Column("Over items", short=False),
            Column("Over raters"),
            Column("Over both", short=False),
        )
        caption = f"Agreement between raters ({self.counts}): {self.about} With 95\\% intervals."
        return self._table("agreement", caption, columns, rows, [*checks, *_reasons(listed)])

    def means(self, sampled: str) -> str:
        """sampled: what means are over, prompts or, where there are none, items."""
        means = self.dimension.means
        rows = [
            (
                name(mean.method),
                number(mean.value, 2),
                math_range(*ends(mean, "prompts"), digits=2),
                math_range(*ends(mean, "raters"), digits=2),
                str(mean.n_prompts),
                str(mean.n_ratings),
            )
            for mean in means
        ]
        columns = (
            Column("Method", 0.28, 0.42),
            Column("Mean"),
            Column(f"Over {sampled}"),
            Column("Over raters", short=False),
            Column(sampled.capitalize(), short=False),
            Column("Ratings", short=False),
        )
        caption = f"Mean ratings: {self.about} With 95\\% intervals."
        return self._table("means", caption, columns, rows, _reasons((name(m.method), m) for m in means))

    def means_by_category(self) -> list[str]:
        """For every facet: in full, methods down and categories across; in short, one row per method and category."""
        return [
            text
            for at, grid in enumerate(means_grids(self.dimension), start=1)
            for text in (self._means_in_rows(grid, at) if self.is_short else self._means_across(grid, at))
        ]

    def _means_in_rows(self, grid: MeansGrid, at: int) -> list[str]:
        rows = [
            (
                *(name(column.category), name(mean.method), number(mean.value, 2)),
                math_range(*ends(mean, "prompts"), digits=2),
            )
            for column in grid.columns[1:]
            for mean in column.means
            if mean
        ]
        columns = (Column("Category", 0.2, 0.26), Column("Method", 0.24, 0.3), Column("Mean"), Column("95\\% interval"))
        caption = f"Mean ratings by {escape(grid.facet)}: {self.about} Intervals over prompts."
        return [self._table(f"by-category-{at}", caption, columns, rows, _missing(grid.columns[1:]))]

    def _means_across(self, grid: MeansGrid, at: int) -> list[str]:
        tables = []
        parts = grid.in_parts(_ACROSS)
        for part, shown in enumerate(parts, start=1):
            rows: list[tuple[str, ...]] = []
            for place, method in enumerate(grid.methods):
                means = [column.means[place] for column in shown]
                figures = [number(mean.value if mean else None, 2) for mean in means]
                below = [math_range(*ends(mean, "prompts"), digits=2) if mean else "" for mean in means]
                if len(method) <= _IN_TWO_ROWS:
                    rows += [(beside_two_rows(name(method)), *figures), ("", *below)]
                else:
                    rows += [(name(method),), ("", *figures), ("", *below)]
            heads = [
                rf"\parbox[b]{{{_ACROSS_WIDTH}\linewidth}}{{\raggedleft {name(column.category)} "
                rf"($n{{=}}{column.n.replace('–', '$--$')}$)}}"
                for column in shown
            ]
            columns = (Column("Method", 0.2), *map(Column, heads))
            caption = (
                f"Mean ratings by {escape(grid.facet)}: {self.about} Below each mean its 95\\% interval over prompts; "
                f"$n$: prompts.{f' Columns, part {part} of {len(parts)}.' if len(parts) > 1 else ''}"
            )
            label = f"by-category-{at}{f'-columns-{part}' if part > 1 else ''}"
            tables.append(self._table(label, caption, columns, rows, _missing(shown)))
        return tables

    def answers(self) -> str:
        total = sum(self.dimension.histogram) or 1
        rows = [(name(label), str(n), f"{100 * n / total:.1f}\\%") for label, n in self.dimension.answer_counts]
        columns = (Column("Answer", 0.5, 0.5), Column("Ratings"), Column("Share"))
        caption = f"Answers of {self.dimension.n_raters} raters: {self.about}"
        return self._table("answers", caption, columns, rows, [])

    def comparisons(self, compared: Sequence[ReportedComparison]) -> str:
        rows = []
        for comparison in compared:
            pair = rf"{name(comparison.refined)} $-$ {name(comparison.baseline)} ($n = {comparison.n}$)"
            diff = comparison.mean_diff
            figures = (
                number(diff.value, signed=True),
                math_range(*ends(diff, "prompts and raters")),
                p_value(comparison.both.p),
                math_range(*ends(diff, "prompts")),
                f"{comparison.wins}/{comparison.ties}/{comparison.losses}",
                p_value(comparison.wilcoxon.p),
                p_value(comparison.permutation.p),
            )
            rows += [(pair,), figures]
        columns = (
            Column("Difference"),
            Column("Over both"),
            Column("$p$"),
            Column("Over prompts", short=False),
            Column("W/T/L", short=False),
            Column("$p_W$", short=False),
            Column("$p_\\pm$"),
        )
        caption = (
            f"Paired comparison by prompt: {self.about} Mean difference with 95\\% intervals and "
            "the two-sided $p$ over prompts and raters; for these raters the interval over prompts, wins/ties/losses, "
            "$p$ of Wilcoxon's signed-rank test ($p_W$) and of a sign-flip permutation test ($p_\\pm$)."
        )
        notes = [
            f"{name(each.refined)} $-$ {name(each.baseline)}: {escape(note)}."
            for each in compared
            if (note := comparison_note(each))
        ]
        return self._table("comparisons", caption, columns, rows, notes)

    def model(self, model: ReportedModel) -> list[str]:
        """All methods in one model, with their fair averages if there are any; in full, all pairs as well."""
        adjusted = self.dimension.support.adjusted if self.dimension.support else None
        fair = {one.method: one.mean for one in adjusted.methods} if adjusted else {}
        columns = [Column("Method", 0.3, 0.3), Column("Log odds"), Column("Letters")]
        rows = []
        for one in model.methods:
            row = [name(one.method), number(one.effect, 2, signed=True), one.letters]
            if fair:
                found = fair[one.method]
                row += [number(found.value, 2), math_range(*ends(found, "prompts and raters"), digits=2)]
            rows.append(row)
        caption = (
            f"All methods in one ordinal mixed model: {self.about}. Log odds of a higher rating, with mean 0; methods "
            f"that share a letter are not distinguished (5\\%, all pairs, {_tested(model)})"
        )
        if fair:
            columns += [Column("Fair average"), Column("Over both")]
            caption += (
                "; averages as if every rater had rated every prompt, with 95\\% intervals over prompts and raters"
            )
        notes = [f"{escape('; '.join(model.notes))}."] if model.notes else []
        made = [self._table("methods", f"{caption}.", columns, rows, notes)]
        return made if self.is_short else [*made, self._pairs(model, notes)]

    def _pairs(self, model: ReportedModel, notes: Sequence[str]) -> str:
        rows = [
            (
                f"{name(one.first)} $-$ {name(one.second)}",
                number(one.log_odds.value, 2, signed=True),
                math_range(*ends(one.log_odds, model.covers), digits=2),
                number(one.odds_ratio, 2),
                p_value(one.p_simultaneous if model.has_simultaneous_p else one.p),
                p_value(one.p_holm),
            )
            for one in model.pairs
        ]
        columns = [Column("Pair", 0.3), *map(Column, ("Log odds", "95\\% interval", "Odds ratio", "$p$", "$p$, Holm"))]
        ps = "simultaneous $p$, which agrees with them" if model.has_simultaneous_p else "$p$ for each pair"
        caption = (
            f"Differences of methods in one ordinal mixed model: {self.about}. Simultaneous 95\\% intervals over "
            f"{model.covers}; {ps}, and $p$ with Holm's correction over all pairs."
        )
        return self._table("method-pairs", caption, columns, rows, notes)

    def metrics(self, board: MetricBoard) -> str:
        """In full, two rows per metric: figures, and below them their intervals."""
        estimates = [(metric.metric, metric.estimates) for metric in board.metrics]
        named = [
            (words, {each.statistic: each for each in found})
            for words, found in [*estimates, (CEILING[0].upper() + CEILING[1:], board.ceiling)]
        ]
        statistics = METRICS[:1] if self.is_short else METRICS
        numbers = [n for _, found in named if (n := _n_of(found)) is not None]
        same = numbers[0] if len(numbers) == len(named) and len(set(numbers)) == 1 else None
        rows: list[tuple[str, ...]] = []
        listed = []
        for words, found in named:
            shown = [found.get(statistic) for statistic, _ in statistics]
            n = _n_of(found) if same is None else None
            head = name(words) if n is None else f"{name(words)} ($n = {n}$)"
            figures = [number(each.value) if each else "" for each in shown]
            intervals = [_interval(each) for each in shown]
            if self.is_short:
                rows.append((head, *figures, *intervals))
            elif len(words) + (0 if n is None else 10) <= _IN_TWO_ROWS:
                rows += [(beside_two_rows(head), *figures), ("", *intervals)]
            else:
                rows += [(head,), ("", *figures), ("", *intervals)]
            listed += [
                (f"{name(words)}, {symbol}", each) for (_, symbol), each in zip(statistics, shown, strict=True) if each
            ]
        columns = [Column("Metric", 0.2, 0.42), *(Column(symbol) for _, symbol in statistics)]
        caption = f"Automatic metrics against people: {self.about} "
        if self.is_short:
            columns.append(Column("95\\% interval"))
            caption += f"{METRICS[0][1]} with its 95\\% interval"
        else:
            caption += "Below each figure its 95\\% interval"
        caption += "." if same is None else f"; $n = {same}$."
        return self._table("metrics", caption, columns, rows, _reasons(listed))

    def _table(
        self,
        part: str,
        caption: str,
        columns: Sequence[Column],
        rows: Sequence[Sequence[str]],
        notes: Sequence[str],
    ) -> str:
        qualified = [*(escape(text) for text in self.said), *notes]
        return table(caption, f"{self.label}-{part}", columns, rows, qualified, is_short=self.is_short)


def _tested(model: ReportedModel) -> str:
    return "simultaneous tests" if model.has_simultaneous_p else "Holm's correction"


def _n_of(found: Mapping[str, ReportedEstimate]) -> int | None:
    """The number of units, prompts or methods behind the first figure of a metric."""
    figures = (found[statistic] for statistic, _ in METRICS if statistic in found)
    return next((n for each in figures if (n := n_of(each)) is not None), None)


def _interval(estimate: ReportedEstimate | None) -> str:
    found = leading(estimate) if estimate else None
    return math_range(found.low, found.high) if found else ""


def _reasons(listed: Any) -> list[str]:
    """Why figures or intervals are missing or were cut; each reason once, with everything it applies to."""
    about: dict[str, list[str]] = {}
    for words, estimate in listed:
        if note := note_of(estimate):
            about.setdefault(note, []).append(words)
    return [f"{', '.join(names)}: {escape(note)}." for note, names in about.items()]


def _missing(columns: Sequence[MeansColumn]) -> list[str]:
    """Why means have no interval over prompts; each reason once."""
    about: dict[str, list[str]] = {}
    for column in columns:
        for mean in column.means:
            if mean and (why := why_no_interval(mean)):
                about.setdefault(why, []).append(f"{name(mean.method)} ({name(column.category)})")
    return [f"{', '.join(names)}: {escape(why)}." for why, names in about.items()]


def _comment(text: str) -> str:
    return " ".join(text.split())
