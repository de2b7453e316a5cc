"""One metric's estimates at every level, with calibrated and soft pairwise accuracy next to the plain one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan, nan

import numpy as np
from numpy.typing import NDArray

from annotations.stats.estimate import Estimate, seed_of
from annotations.stats.intervals.cluster_bootstrap import resampled_counts
from annotations.stats.metrics.correlation import (
    Paired,
    grouped_correlations,
    item_correlations,
    mean_within_prompts,
    method_correlations,
)
from annotations.stats.metrics.influence import Linearised, pairwise_accuracy
from annotations.stats.metrics.item_bootstrap import resampled_accuracy
from annotations.stats.metrics.method_level import SOFT_METHOD, SoftPairwise, soft_pairwise_accuracy
from annotations.stats.metrics.pair_counts import unit_pairs
from annotations.stats.metrics.pairwise import HeldOut, calibrate_held_out
from annotations.stats.metrics.prompt_intervals import BOOTSTRAP_UNITS, bootstrap_interval, linearised_interval

_CALIBRATED = (
    "(concordant + tied in both) / all pairs; metric scores tie within ε, which is found on one half of the {} and "
    "read on the other, both ways averaged"
)


@dataclass(frozen=True, slots=True)
class MetricFigures:
    """One metric's estimates, at every level that the data allow."""

    metric: str
    estimates: tuple[Estimate, ...]
    epsilon: float
    """The best width of ties over all units, in the metric's units, for use on new data; NaN where undefined."""
    epsilon_grouped_by_prompt: float
    """The best single width for pairs within prompts."""

    def estimate(self, statistic: str) -> Estimate | None:
        """The estimate of this name, or None where the data have no such level."""
        return next((one for one in self.estimates if one.statistic == statistic), None)


def metric_figures(
    name: str,
    data: Paired,
    soft: SoftPairwise | None,
    *,
    rng: np.random.Generator,
    n_resamples: int = 1000,
    level: float = 0.95,
    of_items: Mapping[str, Linearised] | None = None,
) -> MetricFigures:
    """Every figure of one metric: item level, grouped by prompt, method level; calibrated accuracy at the first two.

    of_items: `data.linearised()`, where it is known already.
    """
    plain, plain_epsilon = _calibrated(data, rng, n_resamples, level)
    of_items = of_items or data.linearised()
    estimates = [*item_correlations(data, rng=rng, n_resamples=n_resamples, level=level, of_items=of_items), plain]
    grouped_epsilon = nan
    if data.prompt is not None:
        grouped, grouped_epsilon = _calibrated_within_prompts(data, rng, level)
        estimates += [*grouped_correlations(data, level=level), grouped]
    estimates += method_correlations(data, rng=rng, n_resamples=n_resamples, level=level)
    if soft is not None:
        n = {**data.n, "prompts_complete": soft.n_prompts}
        estimates.append(Estimate("soft_pairwise_accuracy", soft.value, SOFT_METHOD, n, (), seed_of(rng), soft.reason))
    return MetricFigures(name, tuple(estimates), plain_epsilon, grouped_epsilon)


def soft_accuracies(
    paired: Sequence[Paired], *, rng: np.random.Generator, n_permutations: int = 1000
) -> list[SoftPairwise | None]:
    """Soft pairwise accuracy of every metric, on the same random flips; None without methods and prompts."""
    if any(data.method is None or data.prompt is None for data in paired):
        return [None] * len(paired)
    tables = [_cell_means(data) for data in paired]
    if len({human.shape for human, _ in tables}) > 1:  # a metric that lacks whole prompts, or whole methods
        return [soft_pairwise_accuracy([table], rng=rng, n_permutations=n_permutations)[0] for table in tables]
    return list(soft_pairwise_accuracy(tables, rng=rng, n_permutations=n_permutations))


def _cell_means(data: Paired) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean human and metric scores of each prompt and method, (n_prompts, n_methods), NaN where there is no unit."""
    sums = data.by_method()
    if sums is None:
        raise ValueError("methods are needed")
    empty = sums.units == 0
    units = np.where(empty, 1.0, sums.units)
    return np.where(empty, nan, sums.human / units), np.where(empty, nan, sums.metric / units)


def _calibrated(data: Paired, rng: np.random.Generator, n_resamples: int, level: float) -> tuple[Estimate, float]:
    name = "pairwise_accuracy_calibrated"
    found = calibrate_held_out(data.human_key, data.metric, data.clusters, rng=rng)
    words = _words(data.clusters.covers, found)
    if isnan(found.accuracy):
        return Estimate.undefined(name, words, found.reason, data.n, seed_of(rng)), found.epsilon
    # The interval is that of the accuracy at the single ε that will be used; ε itself is not chosen again.
    if len(data.metric) <= BOOTSTRAP_UNITS and n_resamples > 0:
        weights = resampled_counts(np.ones(data.clusters.n_clusters, dtype=np.int64), n_resamples, rng)
        draws = resampled_accuracy(data.human_key, data.metric, found.epsilon, data.clusters, weights)
        interval = bootstrap_interval(found.accuracy, draws, data.clusters, scale="logit", level=level)
    else:
        at_epsilon = pairwise_accuracy(unit_pairs(data.human_key, data.metric, epsilon=found.epsilon))
        interval = linearised_interval(
            replace(at_epsilon, value=found.accuracy), data.clusters, scale="logit", level=level
        )
    return Estimate(name, found.accuracy, words, data.n, (interval,), seed_of(rng)), found.epsilon


def _calibrated_within_prompts(data: Paired, rng: np.random.Generator, level: float) -> tuple[Estimate, float]:
    name = "pairwise_accuracy_calibrated_grouped_by_prompt"
    found = calibrate_held_out(data.human_key, data.metric, data.clusters, rng=rng, group=data.prompt)
    words = _words(data.clusters.covers, found)
    if isnan(found.accuracy) or data.prompt is None:
        return Estimate.undefined(name, words, found.reason, data.n, seed_of(rng)), found.epsilon
    return (
        mean_within_prompts(name, found.by_group, words, data.n, level=level),
        found.epsilon,
    )


def _words(halved: str, found: HeldOut) -> str:
    if any(map(isnan, found.half_epsilons)):  # a half has no pair to find it on
        return _CALIBRATED.format(halved)
    part = "" if found.exact else "; ε sought among the pairs of a random part"
    return f"{_CALIBRATED.format(halved)}: ε = {found.half_epsilons[0]:.6g} and {found.half_epsilons[1]:.6g}{part}"
