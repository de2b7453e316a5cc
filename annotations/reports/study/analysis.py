"""A study's data → all its results, in one reproducible run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotations.reports.documents.study import BETWEEN_METHODS
from annotations.reports.study.data import DimensionData, StudyData
from annotations.reports.study.robustness import Depth, depth
from annotations.reports.study.supporting import Lead, Support, lead_of, support_of
from annotations.reports.votes.agreement import exchanged_answers
from annotations.stats.agreement.chance_corrected import fleiss_kappa
from annotations.stats.agreement.cohen import CohenMatrix, cohen_matrix
from annotations.stats.agreement.conger import conger_kappa
from annotations.stats.agreement.report import AgreementReport, agreement_report
from annotations.stats.agreement.weights import Weights
from annotations.stats.arrays import IntArray
from annotations.stats.comparison.by_category import CategoryEffect, effects_by_category
from annotations.stats.comparison.compare import Comparison, compare
from annotations.stats.comparison.means import MethodMean, method_means
from annotations.stats.estimate import Estimate
from annotations.stats.intervals.equal_means import Interaction
from annotations.stats.metrics.ceiling import agreement_classes
from annotations.stats.metrics.table import MetricTable, facet_tables, metric_table
from annotations.stats.ordinal_model.methods import MethodModel, ordinal_methods
from annotations.stats.raters.table import RaterRow, rater_table
from annotations.stats.ratings import Ratings
from annotations.stats.threads import both, one_linear_algebra_thread

MOST_FACET_VALUES = 24
MOST_PAIRED_RATERS = 40
FEWEST_UNITS_A_FACET_VALUE = 20
_RESAMPLES_A_FACET = 100
"""Resamples of the bootstrap whose interval follows the leading one of a mean; tables of facets do not show it."""
FEWEST_IN_ONE_MODEL = 3
PEOPLE_AGREE = "people's agreement"
"""The facet of metric tables that is computed from the ratings themselves."""
EVERYTHING = "all"
"""The only method's name where the data do not distinguish methods."""

Progress = Callable[[str, float], None]


class Unknown(ValueError):
    """A comparison that names a method that is not in the data; the message lists those that are."""


@dataclass(frozen=True)
class Options:
    """What to compute. `comparisons` are (baseline, refined) by method name."""

    seed: int = 0
    n_resamples: int = 1000
    n_permutations: int = 1000
    comparisons: Sequence[tuple[str, str]] = ()
    margin: float | None = None
    """The smallest difference of means that matters: with it, every comparison is tested for equivalence."""


@dataclass(frozen=True)
class FacetTable:
    """The metric table of the units that share one value of one facet."""

    facet: str
    value: str
    metrics: MetricTable


@dataclass(frozen=True)
class CategoryEffects:
    """A comparison within each value of one facet, and a test of whether they differ."""

    facet: str
    effects: Sequence[CategoryEffect]
    interaction: Interaction


@dataclass(frozen=True)
class DimensionResults:
    """Everything about one question. A nominal question has neither means nor metrics nor comparisons."""

    data: DimensionData
    agreement: AgreementReport
    beside: Sequence[Estimate] = ()
    """Shown after those of `agreement`: Conger's kappa, and Fleiss' kappa over the units that every rater rated."""
    pairs: CohenMatrix | None = None
    """Quadratic-weighted kappa of every pair of raters; None where there are too many to show."""
    means: Sequence[MethodMean] = ()
    metrics: MetricTable | None = None
    facets: Sequence[FacetTable] = ()
    comparisons: Sequence[Comparison] = ()
    depths: Sequence[Depth] = ()
    """Of each comparison, in the same order."""
    categories: Sequence[Sequence[CategoryEffects]] = ()
    """For each comparison, in the same order: one per usable facet."""
    means_by_facet: Sequence[tuple[str, str, Sequence[MethodMean]]] = ()
    """(facet, value, means) of every value of every usable facet."""
    model: MethodModel | None = None
    """All methods in one ordinal model; None for fewer than three methods."""
    raters: Sequence[RaterRow] = ()
    leads: Sequence[Lead] = ()
    """Of each comparison, in the same order."""
    support: Support = field(default_factory=Support)


@dataclass(frozen=True)
class StudyResults:
    data: StudyData
    options: Options
    dimensions: Sequence[DimensionResults]
    facets_left_out: dict[str, str] = field(default_factory=dict)


def analyse(data: StudyData, options: Options, progress: Progress = lambda _what, _share: None) -> StudyResults:
    """All results of a study. The same data, options and code version give the same figures.

    Every step has its own generator, derived from the seed, so that leaving one out changes no other. `progress` is
    called with the step that begins and the share done, 0…1. Raises Unknown for a comparison of unknown methods.
    """
    pairs = [_method_pair(data, baseline, refined) for baseline, refined in options.comparisons]
    usable, left_out = _usable_facets(data)
    results = []
    with one_linear_algebra_thread():
        for i, dimension in enumerate(data.dimensions):

            def step(what: str, share: float, name: str = dimension.name, i: int = i) -> None:
                progress(f"{name}: {what}", (i + share) / len(data.dimensions))

            results.append(_Dimension(data, dimension, options, i).results(pairs, usable, step))
    progress("done", 1.0)
    return StudyResults(data, options, results, left_out)


class _Dimension:
    """One question's data with its prompts and methods, and the generators of its steps."""

    def __init__(self, data: StudyData, dimension: DimensionData, options: Options, number: int) -> None:
        self.data = data
        self.dimension = dimension
        self.ratings = dimension.ratings
        self.options = options
        self.prompt = data.prompt[dimension.units]
        self.method = data.method[dimension.units]
        self._number = number

    def rng(self, *place: int) -> np.random.Generator:
        """A separate integer seed for each step: it is in the result and reproduces the figure."""
        return np.random.default_rng(_seed(self.options.seed, self._number, *place))

    def results(self, pairs: Sequence[tuple[int, int]], facets: Sequence[str], progress: Progress) -> DimensionResults:
        """Metrics and supporting figures, about half of the work, are computed in a thread in parallel with the
        rest."""
        found, beside = both(
            lambda: self._in_front(pairs, facets, progress),
            lambda: self._beside(facets),
        )
        return replace(found, **beside)

    def _beside(self, facets: Sequence[str]) -> dict[str, Any]:
        """Fields of the results, with the longest computations first."""
        found: dict[str, Any] = {}
        if self.dimension.is_ordinal and len(self.data.metrics) > 0:
            found["metrics"] = self._metric_table()
            tables = self._tables_by_agreement()
            for i, facet in enumerate(facets):
                tables += self._tables_by(facet, self.rng(4, i))
            found["facets"] = tables
        return found | {"support": support_of(self.dimension, self.prompt, self.method)}

    def _in_front(
        self, pairs: Sequence[tuple[int, int]], facets: Sequence[str], progress: Progress
    ) -> DimensionResults:
        data, ratings, n_resamples = self.dimension, self.ratings, self.options.n_resamples
        progress("agreement", 0.0)
        exchanged = None if data.is_ordinal else exchanged_answers(data.votes)
        found = agreement_report(
            ratings, rng=self.rng(0), is_ordinal=data.is_ordinal, n_resamples=n_resamples, exchanged=exchanged
        )
        beside = [] if exchanged else [conger_kappa(ratings), _fleiss_of_complete_units(ratings, self.rng(5))]
        weights: Weights = "quadratic" if data.is_ordinal else "identity"
        is_paired = ratings.n_raters <= MOST_PAIRED_RATERS
        kappas = cohen_matrix(ratings, weights, exchanged=exchanged) if is_paired else None
        raters = rater_table(
            ratings,
            seconds=data.seconds,
            order=data.order,
            gold=data.gold,
            repeats=data.repeats,
            is_ordinal=data.is_ordinal,
        )
        if not data.is_ordinal:
            return DimensionResults(data, found, beside, kappas, raters=raters)
        progress("means", 0.2)
        means = method_means(
            ratings,
            method=self.method if self.data.has_methods else np.zeros(ratings.n_units, np.int64),
            prompt=self.prompt if self.data.has_prompts else np.full(ratings.n_units, -1, np.int64),
            rng=self.rng(1),
            n_resamples=n_resamples,
        )
        progress("comparisons", 0.3)
        comparisons = [self._comparison(pair, self.rng(2, i)) for i, pair in enumerate(pairs)]
        progress("robustness of the comparisons", 0.35)
        depths = [self._depth(one, raters, facets, self.rng(6, i)) for i, one in enumerate(comparisons)]
        progress("what the comparisons depend on", 0.5)
        results = DimensionResults(
            data,
            found,
            beside,
            kappas,
            means,
            comparisons=comparisons,
            depths=depths,
            categories=[[self._categories(pair, facet) for facet in facets] for pair in pairs],
            means_by_facet=self._means_by(facets) if self.data.has_methods else (),
            model=self._model(),
            raters=raters,
            leads=[lead_of(data, self.prompt, self.method, pair) for pair in pairs],
        )
        progress("metrics", 0.8)
        return results

    def _model(self) -> MethodModel | None:
        used = (self.prompt >= 0) & (self.method >= 0)
        if len(np.unique(self.method[used])) < FEWEST_IN_ONE_MODEL:
            return None
        return ordinal_methods(self.ratings, prompt=self.prompt, method=self.method, rng=self.rng(8))

    def _categories(self, pair: tuple[int, int], facet: str) -> CategoryEffects:
        effects, interaction = effects_by_category(
            self.ratings,
            prompt=self.prompt,
            method=self.method,
            category=self.data.facets[facet][self.dimension.units],
            baseline=pair[0],
            refined=pair[1],
        )
        return CategoryEffects(facet, effects, interaction)

    def _means_by(self, facets: Sequence[str]) -> list[tuple[str, str, Sequence[MethodMean]]]:
        found: list[tuple[str, str, Sequence[MethodMean]]] = []
        for at, facet in enumerate(facets):
            values = self.data.facets[facet][self.dimension.units]
            for value in sorted({text for text in values if text}):
                means = method_means(
                    self.ratings,
                    method=np.where(values == value, self.method, -1),
                    prompt=self.prompt,
                    rng=self.rng(7, at),
                    n_resamples=_RESAMPLES_A_FACET,
                )
                found.append((facet, value, [one for one in means if one.n_ratings]))
        return found

    def _comparison(self, pair: tuple[int, int], rng: np.random.Generator) -> Comparison:
        return compare(
            self.ratings,
            prompt=self.prompt,
            method=self.method,
            baseline=pair[0],
            refined=pair[1],
            rng=rng,
            n_resamples=self.options.n_resamples,
            n_permutations=10 * self.options.n_permutations,
        )

    def _depth(
        self, comparison: Comparison, raters: Sequence[RaterRow], facets: Sequence[str], rng: np.random.Generator
    ) -> Depth:
        return depth(
            self.ratings,
            comparison,
            prompt=self.prompt,
            method=self.method,
            rater_rows=raters,
            facets={name: self.data.facets[name][self.dimension.units] for name in facets},
            rng=rng,
        )

    def _metric_table(self) -> MetricTable:
        return metric_table(self.ratings, self._scores, **self._judging, rng=self.rng(3))

    def _tables_by(self, facet: str, rng: np.random.Generator) -> list[FacetTable]:
        values = self.data.facets[facet][self.dimension.units]
        tables = facet_tables(self.ratings, self._scores, values, **self._judging, rng=rng)
        return [FacetTable(facet, value, table) for value, table in tables.items()]

    def _tables_by_agreement(self) -> list[FacetTable]:
        """Tables for the units on which raters agree and for those on which they do not, if there are enough of
        each."""
        classes = agreement_classes(self.ratings)
        values, counts = np.unique(classes.astype(str), return_counts=True)
        few = values[counts < FEWEST_UNITS_A_FACET_VALUE]
        classes[np.isin(classes.astype(str), few)] = ""
        if len(set(classes) - {""}) < 2:
            return []
        tables = facet_tables(self.ratings, self._scores, classes, **self._judging, rng=self.rng(9))
        return [FacetTable(PEOPLE_AGREE, value, table) for value, table in tables.items()]

    @cached_property
    def _scores(self) -> NDArray[np.float64]:
        return self.data.scores[:, self.dimension.units]

    @property
    def _clusters(self) -> IntArray:
        """The sampled clusters: the prompts, and each unit without a prompt as its own cluster."""
        return np.where(self.prompt >= 0, self.prompt, len(self.data.prompts) + np.arange(len(self.prompt)))

    @property
    def _judging(self) -> dict[str, Any]:
        return {
            "metric_names": self.data.metrics,
            "prompt": self._clusters if self.data.has_prompts else None,
            "method": self.method if self.data.has_methods else None,
            "n_resamples": self.options.n_resamples,
            "n_permutations": self.options.n_permutations,
        }


def _fleiss_of_complete_units(ratings: Ratings, rng: np.random.Generator) -> Estimate:
    """Fleiss' kappa as Fleiss (1971) defined it, for equal numbers of raters: units that not every rater rated are left
    out."""
    narrowed = ratings.only_units(np.flatnonzero(ratings.per_unit == ratings.n_raters))
    found = fleiss_kappa(narrowed, rng=rng)
    method = f"{found.method}; only units that all raters rated"
    return replace(found, statistic="fleiss_kappa_complete_items", method=method)


def _seed(*words: int) -> int:
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0] >> np.uint64(1))


def comparable(data: StudyData, pairs: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    """The pairs of methods that the data can compare."""
    if not data.has_methods or not data.has_prompts:
        return []
    return [(old, new) for old, new in pairs if old in data.methods and new in data.methods]


def default_pair(data: StudyData) -> list[tuple[str, str]]:
    """The only two methods, where an ordered question has ratings of both on two prompts or more: the first by name is
    the baseline. Otherwise none."""
    if len(data.methods) != 2 or any(BETWEEN_METHODS in name for name in data.methods):
        return []
    for dimension in data.dimensions if data.has_prompts else ():
        prompt, method = data.prompt[dimension.units], data.method[dimension.units]
        of_each = (prompt[(method == code) & (prompt >= 0)] for code in (0, 1))
        if dimension.is_ordinal and len(np.intersect1d(*of_each)) > 1:
            first, second = sorted(data.methods)
            return [(first, second)]
    return []


def pair_named(text: str, methods: Sequence[str]) -> tuple[str, str] | None:
    """The two different methods that `BASELINE:REFINED` names; names may contain colons."""
    for at, character in enumerate(text):
        if character == ":" and text[:at] in methods and text[at + 1 :] in methods and text[:at] != text[at + 1 :]:
            return text[:at], text[at + 1 :]
    return None


def _method_pair(data: StudyData, baseline: str, refined: str) -> tuple[int, int]:
    known = (("method", data.has_methods), ("prompt", data.has_prompts))
    if missing := [column for column, has in known if not has]:
        raise Unknown(
            f"methods can be compared only where items have a prompt and a method, and no item has a "
            f"{' or a '.join(missing)}: give an items file (--items) with a column {' and a column '.join(missing)}"
        )
    for name in (baseline, refined):
        if name not in data.methods:
            raise Unknown(f"there is no method {name!r}; there are {', '.join(map(repr, data.methods))}")
    return data.methods.index(baseline), data.methods.index(refined)


def _usable_facets(data: StudyData) -> tuple[list[str], dict[str, str]]:
    """Facets with few values and enough units of each, and why the others are left out.

    A facet whose value all units share does not distinguish units, so it is left out.
    """
    usable, left_out = [], {}
    for name, column in data.facets.items():
        if len(set(column)) < 2:
            continue
        values, counts = np.unique([text for text in column if text], return_counts=True)
        if len(values) < 2:
            left_out[name] = "it has fewer than two values"
        elif len(values) > MOST_FACET_VALUES:
            left_out[name] = f"it has {len(values)} values, more than {MOST_FACET_VALUES}"
        elif counts.min() < FEWEST_UNITS_A_FACET_VALUE:
            n = int(counts.min())
            items = "1 item" if n == 1 else f"{n} items"
            left_out[name] = f"one value has only {items}; at least {FEWEST_UNITS_A_FACET_VALUE} are needed"
        else:
            usable.append(name)
    return usable, left_out
