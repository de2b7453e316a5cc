"""A study's data → all its results, in one reproducible run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotations.reports.data import DimensionData, StudyData
from annotations.reports.depth import Depth, depth
from annotations.stats.agreement import AgreementReport, agreement
from annotations.stats.chance_corrected import fleiss_kappa
from annotations.stats.cohen import CohenMatrix, cohen_matrix
from annotations.stats.comparison import Comparison, compare
from annotations.stats.conger import conger_kappa
from annotations.stats.estimate import Estimate
from annotations.stats.means import MethodMean, method_means
from annotations.stats.metrics import MetricBoard, facet_boards, metric_board
from annotations.stats.narrowed import only_units
from annotations.stats.raters import RaterRow, rater_board
from annotations.stats.ratings import Ratings
from annotations.stats.threads import both, one_linear_algebra_thread
from annotations.stats.weights import Weights

MOST_FACET_VALUES = 24
MOST_PAIRED_RATERS = 40
FEWEST_UNITS_A_FACET_VALUE = 20
EVERYTHING = "all"
"""The one method's name where nothing tells methods apart."""

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


@dataclass(frozen=True)
class FacetBoard:
    """The metric board of the units that share one value of one facet."""

    facet: str
    value: str
    board: MetricBoard


@dataclass(frozen=True)
class DimensionResults:
    """Everything about one question. A nominal question has neither means nor metrics nor comparisons."""

    data: DimensionData
    agreement: AgreementReport
    beside: Sequence[Estimate] = ()
    """Shown after those of `agreement`: Conger's kappa, and Fleiss' over the units that every rater rated."""
    pairs: CohenMatrix | None = None
    """Quadratic-weighted kappa of every two raters; None where there are too many to show."""
    means: Sequence[MethodMean] = ()
    board: MetricBoard | None = None
    facets: Sequence[FacetBoard] = ()
    comparisons: Sequence[Comparison] = ()
    depths: Sequence[Depth] = ()
    """Of each comparison, in the same order."""
    raters: Sequence[RaterRow] = ()


@dataclass(frozen=True)
class StudyResults:
    data: StudyData
    options: Options
    dimensions: Sequence[DimensionResults]
    facets_left_out: dict[str, str] = field(default_factory=dict)


def analyse(data: StudyData, options: Options, progress: Progress = lambda _what, _share: None) -> StudyResults:
    """All results of a study. The same data, options and code version give the same figures.

    Every step draws from a generator of its own, derived from the seed, so that leaving one out changes no other.
    `progress` is told what begins and the share done, 0…1. Raises Unknown for a comparison of unknown methods.
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
        """An integer seed of its own for each step: it stands in the result and gives the same figure again."""
        return np.random.default_rng(_seed(self.options.seed, self._number, *place))

    def results(self, pairs: Sequence[tuple[int, int]], facets: Sequence[str], progress: Progress) -> DimensionResults:
        """Metrics are judged in a thread beside everything else, so that two processors have work."""
        has_board = self.dimension.is_ordinal and len(self.data.metrics) > 0
        found, board = both(
            lambda: self._without_metrics(pairs, facets, progress), lambda: self._board() if has_board else None
        )
        if board is None:
            return found
        boards: list[FacetBoard] = []
        for i, facet in enumerate(facets):
            progress(f"metrics by {facet}", 0.7 + 0.3 * i / len(facets))
            boards += self._boards_by(facet, self.rng(4, i))
        return replace(found, board=board, facets=boards)

    def _without_metrics(
        self, pairs: Sequence[tuple[int, int]], facets: Sequence[str], progress: Progress
    ) -> DimensionResults:
        data, ratings, n_resamples = self.dimension, self.ratings, self.options.n_resamples
        progress("agreement", 0.0)
        found = agreement(ratings, rng=self.rng(0), n_resamples=n_resamples)
        beside = [conger_kappa(ratings), _fleiss_of_complete_units(ratings, self.rng(5))]
        weights: Weights = "quadratic" if data.is_ordinal else "identity"
        kappas = cohen_matrix(ratings, weights) if ratings.n_raters <= MOST_PAIRED_RATERS else None
        raters = rater_board(ratings, seconds=data.seconds, order=data.order, gold=data.gold)
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
        progress("what stands behind the comparisons", 0.35)
        depths = [self._depth(one, raters, facets, self.rng(6, i)) for i, one in enumerate(comparisons)]
        progress("metrics", 0.5)
        return DimensionResults(
            data, found, beside, kappas, means, comparisons=comparisons, depths=depths, raters=raters
        )

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
        self, comparison: Comparison, board: Sequence[RaterRow], facets: Sequence[str], rng: np.random.Generator
    ) -> Depth:
        return depth(
            self.ratings,
            comparison,
            prompt=self.prompt,
            method=self.method,
            board=board,
            facets={name: self.data.facets[name][self.dimension.units] for name in facets},
            rng=rng,
        )

    def _board(self) -> MetricBoard:
        return metric_board(self.ratings, self._scores, **self._judging, rng=self.rng(3))

    def _boards_by(self, facet: str, rng: np.random.Generator) -> list[FacetBoard]:
        values = self.data.facets[facet][self.dimension.units]
        boards = facet_boards(self.ratings, self._scores, values, **self._judging, rng=rng)
        return [FacetBoard(facet, value, one) for value, one in boards.items()]

    @cached_property
    def _scores(self) -> NDArray[np.float64]:
        return self.data.scores[:, self.dimension.units]

    @property
    def _judging(self) -> dict[str, Any]:
        return {
            "metric_names": self.data.metrics,
            "prompt": self.prompt if self.data.has_prompts else None,
            "method": self.method if self.data.has_methods else None,
            "n_resamples": self.options.n_resamples,
            "n_permutations": self.options.n_permutations,
        }


def _fleiss_of_complete_units(ratings: Ratings, rng: np.random.Generator) -> Estimate:
    """Fleiss' kappa as Fleiss (1971) defined it, for equal numbers of raters: units that some rater left out drop."""
    narrowed = only_units(ratings, np.flatnonzero(ratings.per_unit == ratings.n_raters))
    found = fleiss_kappa(narrowed, rng=rng)
    method = f"{found.method}; only units that all raters rated"
    return replace(found, statistic="fleiss_kappa_complete_items", method=method)


def _seed(*words: int) -> int:
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _method_pair(data: StudyData, baseline: str, refined: str) -> tuple[int, int]:
    if not data.has_methods or not data.has_prompts:
        raise Unknown("methods can be compared only where every item has a prompt and a method: give an items file")
    for name in (baseline, refined):
        if name not in data.methods:
            raise Unknown(f"there is no method {name!r}; there are {', '.join(map(repr, data.methods))}")
    return data.methods.index(baseline), data.methods.index(refined)


def _usable_facets(data: StudyData) -> tuple[list[str], dict[str, str]]:
    """Facets whose values are few and have enough units each, and why the others are left out."""
    usable, left_out = [], {}
    for name, column in data.facets.items():
        values, counts = np.unique([text for text in column if text], return_counts=True)
        if len(values) < 2:
            left_out[name] = "it has fewer than two values"
        elif len(values) > MOST_FACET_VALUES:
            left_out[name] = f"it has {len(values)} values, more than {MOST_FACET_VALUES}"
        elif counts.min() < FEWEST_UNITS_A_FACET_VALUE:
            left_out[name] = f"a value of it has {counts.min()} items, fewer than {FEWEST_UNITS_A_FACET_VALUE}"
        else:
            usable.append(name)
    return usable, left_out
