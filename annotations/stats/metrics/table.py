"""Start here: human scores against several metrics, with the lower bound (ties) and the upper bound (raters) of their
figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import nan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotations.stats.estimate import Estimate, seed_of
from annotations.stats.exact_means import UnitMeans, unit_means
from annotations.stats.metrics.ceiling import corrected_for_noise, human_ceiling, reliability_of_means
from annotations.stats.metrics.correlation import CONVENTIONS, Paired, mean_within_prompts, scale_of
from annotations.stats.metrics.differences import (
    Exchange,
    MetricClusters,
    clusters_by_statistic,
    metric_differences,
)
from annotations.stats.metrics.figures import MetricFigures, metric_figures, soft_accuracies
from annotations.stats.metrics.influence import Linearised, pairwise_accuracy
from annotations.stats.metrics.method_level import SoftPairwise
from annotations.stats.metrics.pair_counts import unit_pairs
from annotations.stats.metrics.permutation import MetricDifference
from annotations.stats.metrics.prompt_intervals import Clusters, linearised_interval
from annotations.stats.metrics.within_prompts import group_pairs
from annotations.stats.ratings import Ratings
from annotations.stats.threads import both, side_by_side


@dataclass(frozen=True, slots=True)
class MetricTable:
    """How well metrics follow people on one dimension."""

    metrics: tuple[MetricFigures, ...]
    baseline: tuple[Estimate, ...]
    """Pairwise accuracy of a constant metric, which is the share of human ties: over all units, within prompts."""
    ceiling: tuple[Estimate, ...]
    """One rater against the rest, by the same figures; see `human_ceiling`."""
    differences: tuple[MetricDifference, ...]
    clusters: tuple[MetricClusters, ...]
    seed: int | None

    def metric(self, name: str) -> MetricFigures | None:
        """The figures of the metric of this name, or None."""
        return next((one for one in self.metrics if one.metric == name), None)


def metric_table(
    human: Ratings,
    scores: ArrayLike,
    *,
    metric_names: Sequence[str],
    prompt: NDArray[np.int64] | None = None,
    method: NDArray[np.int64] | None = None,
    rng: np.random.Generator,
    n_resamples: int = 1000,
    n_permutations: int = 1000,
    exchange: Exchange = "prompts",
    digits: int | None = None,
    differences: bool = True,
    ceiling: bool = True,
    level: float = 0.95,
    alpha: float = 0.05,
) -> MetricTable:
    """Compare metrics with the exact mean over raters of each unit, and with each other.

    human: ratings of one dimension; scores (n_metrics, n_units), higher is better, NaN for missing; prompt, method
    (n_units,) codes or None. Every metric is measured on the units that have both scores; two metrics are
    compared on the units that both have. `exchange`: what the permutation tests exchange, whole prompts, or prompts and
    methods ("both"). `alpha` separates clusters. `differences` and `ceiling` can be left out where they are not shown.
    Scores are compared as given, so that published figures are reproduced; where their floating-point noise breaks
    ties, n holds "near_ties", and `digits=12` rounds them to 12 significant digits first. The caller must negate a
    metric for which lower is better.

    Raises ValueError for arrays that do not fit each other, repeated names and infinite scores. Degenerate data give
    NaN and a reason.
    """
    table = np.asarray(scores, dtype=float)
    if table.shape != (len(metric_names), human.n_units):
        raise ValueError(f"scores must be {len(metric_names)} metrics × {human.n_units} units, not {table.shape}")
    if len(set(metric_names)) != len(metric_names):
        raise ValueError("metric names must differ")
    means = unit_means(human)
    paired = Paired.of_each(means, table, prompt, method, digits=digits)
    # A generator for each part: a metric's figures do not depend on which other metrics are in the table.
    for_soft, for_ceiling, for_differences, *for_metrics = rng.spawn(3 + len(paired))
    soft = soft_accuracies(paired, rng=for_soft, n_permutations=n_permutations)
    reliabilities = _reliabilities(human, means, table)
    figures = tuple(
        side_by_side(
            [
                partial(_figures, name, data, of_methods, reliability, rng=own, n_resamples=n_resamples, level=level)
                for name, data, of_methods, reliability, own in zip(
                    metric_names, paired, soft, reliabilities, for_metrics, strict=True
                )
            ]
        )
    )

    def compared() -> tuple[MetricDifference, ...]:
        return metric_differences(
            means,
            table,
            metric_names=metric_names,
            prompt=prompt,
            method=method,
            rng=for_differences,
            n_permutations=n_permutations,
            exchange=exchange,
            digits=digits,
            paired=paired,
        )

    def of_people() -> tuple[Estimate, ...]:
        return human_ceiling(human, prompt=prompt, method=method, rng=for_ceiling, n_resamples=n_resamples, level=level)

    found, people = both(compared if differences else tuple, of_people if ceiling else tuple)
    return MetricTable(
        figures,
        ties_only_baseline(means, prompt, level=level),
        people,
        found,
        clusters_by_statistic(_values(figures, found), found, metric_names, alpha=alpha),
        seed_of(rng),
    )


def _reliabilities(human: Ratings, means: UnitMeans, table: NDArray[np.float64]) -> list[Linearised]:
    """Of people's means of the units that each metric has; metrics of the same units share theirs."""
    found: dict[bytes, Linearised] = {}
    of_metrics = []
    for scores in table:
        mask = means.rated & ~np.isnan(scores)
        key = np.packbits(mask).tobytes()
        if key not in found:
            found[key] = reliability_of_means(human, np.flatnonzero(mask))
        of_metrics.append(found[key])
    return of_metrics


def _figures(
    name: str,
    data: Paired,
    soft: SoftPairwise | None,
    reliability: Linearised,
    *,
    rng: np.random.Generator,
    n_resamples: int,
    level: float,
) -> MetricFigures:
    """One metric's figures, and its correlations corrected for noise."""
    of_items = data.linearised()
    found = metric_figures(name, data, soft, rng=rng, n_resamples=n_resamples, level=level, of_items=of_items)
    return replace(found, estimates=(*found.estimates, *corrected(data, of_items, reliability, level=level)))


def corrected(
    data: Paired, of_items: Mapping[str, Linearised], reliability: Linearised, *, level: float = 0.95
) -> tuple[Estimate, ...]:
    """pearson_corrected and spearman_corrected: the item-level correlations corrected for the noise of people's means.

    They estimate the correlation with the mean of infinitely many raters. A metric's own noise is not corrected for.
    of_items: `data.linearised()`; reliability: `reliability_of_means` of the same units.
    """
    found = []
    for name in ("pearson", "spearman"):
        words = f"{CONVENTIONS[name]}; over the square root of the reliability of people's means (Spearman 1904)"
        one = corrected_for_noise(of_items[name], reliability)
        if one.reason:
            found.append(Estimate.undefined(f"{name}_corrected", words, one.reason, data.n))
            continue
        words += f", {reliability.value:.3f}"
        interval = linearised_interval(one, data.clusters, scale="plain", level=level)
        found.append(Estimate(f"{name}_corrected", one.value, words, data.n, (interval,)))
    return tuple(found)


def facet_tables(
    human: Ratings,
    scores: ArrayLike,
    facet: ArrayLike,
    *,
    metric_names: Sequence[str],
    prompt: NDArray[np.int64] | None = None,
    method: NDArray[np.int64] | None = None,
    rng: np.random.Generator,
    n_resamples: int = 1000,
    n_permutations: int = 1000,
    digits: int | None = None,
    differences: bool = False,
    ceiling: bool = True,
    level: float = 0.95,
) -> dict[str, MetricTable]:
    """One table for every value of a facet, in ascending order of the value's text.

    facet (n_units,) names or codes of what a unit belongs to (a topic, a source, a method); the empty string, None and
    NaN are not values. The other arguments are those of `metric_table`; tests of differences are off by default, since
    with many small facets and many pairs Holm's correction leaves nothing significant.
    """
    table = np.asarray(scores, dtype=float)
    given = np.asarray(facet)
    if given.shape != (human.n_units,):
        raise ValueError(f"facet must have one entry for each of the {human.n_units} units")
    unknown = np.equal(given.astype(object), np.array(None, dtype=object)) | (given != given)
    names, code = np.unique(given.astype(str), return_inverse=True)
    code[unknown.astype(bool)] = -1
    tables = {}
    for index, value in enumerate(names.tolist()):
        units = np.flatnonzero(code == index)
        if value == "" or len(units) == 0:
            continue
        tables[value] = metric_table(
            human.only_units(units),
            table[:, units],
            metric_names=metric_names,
            prompt=None if prompt is None else np.asarray(prompt)[units],
            method=None if method is None else np.asarray(method)[units],
            rng=rng,
            n_resamples=n_resamples,
            n_permutations=n_permutations,
            digits=digits,
            differences=differences,
            ceiling=ceiling,
            level=level,
        )
    return tables


def ties_only_baseline(
    human: UnitMeans, prompt: NDArray[np.int64] | None = None, *, level: float = 0.95
) -> tuple[Estimate, ...]:
    """The pairwise accuracy of a metric that scores everything the same: the share of pairs that people tie."""
    used = np.flatnonzero(human.rated)
    key, flat = human.rank_key[used], np.zeros(len(used))
    clusters = Clusters.of(None if prompt is None else np.asarray(prompt)[used], len(used))
    n = {"units": len(used)}
    words = f"{CONVENTIONS['pairwise_accuracy']}; of a constant metric"
    statistic = pairwise_accuracy(unit_pairs(key, flat))
    interval = linearised_interval(statistic, clusters, scale=scale_of("pairwise_accuracy"), level=level)
    overall = Estimate("pairwise_accuracy", statistic.value, words, n, (interval,), reason=statistic.reason)
    if prompt is None:
        return (overall,)
    within = group_pairs(key, flat, clusters.code, clusters.n_clusters).accuracy()
    return overall, mean_within_prompts("pairwise_accuracy_grouped_by_prompt", within, words, n, level=level)


def _values(figures: Sequence[MetricFigures], differences: Sequence[MetricDifference]) -> dict[str, Sequence[float]]:
    statistics = dict.fromkeys(one.statistic for one in differences)
    return {
        name: [nan if (found := one.estimate(name)) is None else found.value for one in figures] for name in statistics
    }
