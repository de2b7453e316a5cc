"""A study's data → all its results, in one reproducible run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

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

            results.append(_dimension(data, dimension, options, pairs, usable, i, step))
    progress("done", 1.0)
    return StudyResults(data, options, results, left_out)


def _dimension(
    data: StudyData,
    dimension: DimensionData,
    options: Options,
    pairs: Sequence[tuple[int, int]],
    facets: Sequence[str],
    number: int,
    progress: Progress,
) -> DimensionResults:
    ratings, units = dimension.ratings, dimension.units

    def rng(*place: int) -> np.random.Generator:
        # An integer seed of its own for each step: it stands in the result and gives the same figure again.
        return np.random.default_rng(_seed(options.seed, number, *place))

    progress("agreement", 0.0)
    found = agreement(ratings, rng=rng(0), n_resamples=options.n_resamples)
    beside = [conger_kappa(ratings), _fleiss_of_complete_units(ratings, rng(5))]
    weights: Weights = "quadratic" if dimension.is_ordinal else "identity"
    kappas = cohen_matrix(ratings, weights) if ratings.n_raters <= MOST_PAIRED_RATERS else None
    raters = rater_board(ratings, seconds=dimension.seconds, order=dimension.order, gold=dimension.gold)
    if not dimension.is_ordinal:
        return DimensionResults(dimension, found, beside, kappas, raters=raters)
    progress("means", 0.2)
    prompt = data.prompt[units] if data.has_prompts else None
    method = data.method[units] if data.has_methods else None
    means = method_means(
        ratings,
        method=np.zeros(len(units), np.int64) if method is None else method,
        prompt=np.full(len(units), -1, np.int64) if prompt is None else prompt,
        rng=rng(1),
        n_resamples=options.n_resamples,
    )
    scores = data.scores[:, units] if data.metrics else np.empty((0, len(units)))

    def compared() -> tuple[list[Comparison], list[Depth]]:
        progress("comparisons", 0.3)
        comparisons = [
            compare(
                ratings,
                prompt=data.prompt[units],
                method=data.method[units],
                baseline=baseline,
                refined=refined,
                rng=rng(2, i),
                n_resamples=options.n_resamples,
                n_permutations=10 * options.n_permutations,
            )
            for i, (baseline, refined) in enumerate(pairs)
        ]
        progress("what stands behind the comparisons", 0.35)
        depths = [
            depth(
                ratings,
                comparison,
                prompt=data.prompt[units],
                method=data.method[units],
                board=raters,
                facets={name: data.facets[name][units] for name in facets},
                rng=rng(6, i),
            )
            for i, comparison in enumerate(comparisons)
        ]
        progress("metrics", 0.5)
        return comparisons, depths

    def judged() -> MetricBoard | None:
        if not data.metrics:
            return None
        return metric_board(
            ratings,
            scores,
            metric_names=data.metrics,
            prompt=prompt,
            method=method,
            rng=rng(3),
            n_resamples=options.n_resamples,
            n_permutations=options.n_permutations,
        )

    (comparisons, depths), board = both(compared, judged)
    boards = []
    for i, facet in enumerate(facets if data.metrics else ()):
        progress(f"metrics by {facet}", 0.7 + 0.3 * i / len(facets))
        by_value = facet_boards(
            ratings,
            scores,
            data.facets[facet][units],
            metric_names=data.metrics,
            prompt=prompt,
            method=method,
            rng=rng(4, i),
            n_resamples=options.n_resamples,
            n_permutations=options.n_permutations,
        )
        boards += [FacetBoard(facet, value, one) for value, one in by_value.items()]
    return DimensionResults(dimension, found, beside, kappas, means, board, boards, comparisons, depths, raters)


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
