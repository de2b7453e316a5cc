"""Human scores against one metric, at three levels: over all units, within prompts, and over methods.

- Item level: one correlation over all units. It mixes differences between prompts with differences between images.
- Grouped by prompt: the correlation within each prompt, averaged over the prompts that have one. Shows whether the
  metric picks the better of two images for one prompt. A prompt whose scores do not vary has none; the number of such
  prompts is reported.
- Method level: the correlation of the methods' means. Shows whether the metric ranks generators correctly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isnan, nan, sqrt

import numpy as np
from numpy.typing import NDArray

from annotations.stats.estimate import Estimate, Interval, seed_of
from annotations.stats.exact_means import UnitMeans
from annotations.stats.intervals.cluster_bootstrap import resampled_counts
from annotations.stats.intervals.on_scale import Scale, interval_on_scale
from annotations.stats.metrics.influence import Linearised, item_level
from annotations.stats.metrics.item_bootstrap import resampled_item_level
from annotations.stats.metrics.method_level import (
    STATISTICS,
    MethodScores,
    method_level_interval,
    resampling_blocks,
    resampling_weights,
)
from annotations.stats.metrics.pair_counts import dense_ranks, settle
from annotations.stats.metrics.prompt_intervals import (
    BOOTSTRAP_UNITS,
    Clusters,
    bootstrap_interval,
    linearised_interval,
)
from annotations.stats.metrics.within_prompts import group_pairs, group_pearson, pooled_differences

CONVENTIONS = {
    "pearson": "product-moment correlation with the mean over raters",
    "spearman": "Pearson of mid-ranks",
    "kendall_tau_b": "τ-b: ties in either score corrected for",
    "kendall_tau_c": "τ-c: 2m(C − D)/(n²(m − 1)), m the smaller number of distinct scores",
    "pairwise_accuracy": "(concordant + tied in both) / all pairs; the metric ties where its scores are equal",
}

GROUPED = ("pearson", "spearman", "kendall_tau_b", "pairwise_accuracy")


@dataclass(frozen=True)
class Paired:
    """The units of one metric that have a human and a metric score.

    human_mean (n,) float exact means; human_key (n,) int that order and tie as they do; metric (n,) scores; clusters:
    what was sampled; prompt, method (n,) codes or None, a method of −1 being unknown; n_methods of the codes.
    """

    human_mean: NDArray[np.float64]
    human_key: NDArray[np.int64]
    metric: NDArray[np.float64]
    clusters: Clusters
    prompt: NDArray[np.int64] | None
    method: NDArray[np.int64] | None
    n_methods: int

    @classmethod
    def of(
        cls,
        human: UnitMeans,
        metric: NDArray[np.float64],
        prompt: NDArray[np.int64] | None = None,
        method: NDArray[np.int64] | None = None,
        *,
        digits: int | None = None,
    ) -> "Paired":
        """metric (n_units,) with NaN for missing; prompt, method (n_units,) codes or None.

        Units without a human or a metric score are left out. Scores are compared as they were given, or rounded to
        `digits` significant digits first. Raises ValueError where lengths differ or a score is infinite.
        """
        return cls.of_each(human, [np.asarray(metric, dtype=float)], prompt, method, digits=digits)[0]

    @classmethod
    def of_each(
        cls,
        human: UnitMeans,
        metrics: Sequence[NDArray[np.float64]] | NDArray[np.float64],
        prompt: NDArray[np.int64] | None = None,
        method: NDArray[np.int64] | None = None,
        *,
        digits: int | None = None,
    ) -> "list[Paired]":
        """As `of` for every metric; those that have scores of the same units share all arrays but the scores."""
        for name, given in (*(("the metric", scores) for scores in metrics), ("prompt", prompt), ("method", method)):
            if given is not None and np.shape(given) != human.n.shape:
                raise ValueError(f"{name} must have one entry for each of the {len(human.n)} units")
        methods = None if method is None else _method_codes(np.asarray(method))
        n_methods = 0 if methods is None else int(methods.max(initial=-1)) + 1
        alike: dict[bytes, Paired] = {}
        found = []
        for scores in metrics:
            if np.isinf(scores).any():
                raise ValueError("a metric score is infinite; mark it as missing (NaN) or give a number")
            mask = human.rated & ~np.isnan(scores)
            used = np.flatnonzero(mask)
            compared: NDArray[np.float64] = scores[used] if digits is None else settle(scores[used], digits)
            key = np.packbits(mask).tobytes()
            if key not in alike:
                clusters = Clusters.of(None if prompt is None else np.asarray(prompt)[used], len(used))
                alike[key] = cls(
                    human.mean[used],
                    human.rank_key[used],
                    compared,
                    clusters,
                    None if prompt is None else clusters.code,
                    None if methods is None else methods[used],
                    n_methods,
                )
            found.append(replace(alike[key], metric=compared))
        return found

    @cached_property
    def near_ties(self) -> int:
        """How many distinct scores differ from another one only by rounding (at 12 significant digits)."""
        distinct = _distinct(self.metric)
        return len(distinct) - len(_distinct(settle(distinct)))

    @cached_property
    def n(self) -> dict[str, int]:
        """Counts of units and prompts, and of near ties where there are any."""
        counts = {"units": len(self.metric)}
        if self.prompt is not None:
            counts["prompts"] = self.clusters.n_clusters
        if self.near_ties:
            counts["near_ties"] = self.near_ties
        return counts

    def linearised(self) -> dict[str, Linearised]:
        """The item-level statistics with each unit's influence (not kept: it is five times as large as the data)."""
        return item_level(self.human_mean, self.human_key, self.metric)

    @cached_property
    def within_prompts(self) -> dict[str, NDArray[np.float64]]:
        """GROUPED statistics of each prompt, (n_prompts,) each, NaN where undefined; empty without prompts."""
        if self.prompt is None:
            return {}
        g = self.clusters.n_clusters
        pairs = group_pairs(self.human_key, self.metric, self.prompt, g)
        return {
            "pearson": group_pearson(self.human_mean, self.metric, self.prompt, g),
            "spearman": pairs.spearman,
            "kendall_tau_b": pairs.kendall_tau_b(),
            "pairwise_accuracy": pairs.accuracy(),
        }

    def by_method(self, clusters: Clusters | None = None) -> MethodScores | None:
        """Sums for each method and prompt (or block of prompts); None without methods."""
        if self.method is None:
            return None
        return MethodScores.of(self.human_mean, self.metric, self.method, self.n_methods, clusters or self.clusters)


def _distinct(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Like numpy.unique, which hashes floats first and takes ten times as long."""
    ascending = np.sort(scores)
    is_first = np.ones(len(ascending), bool)
    np.not_equal(ascending[1:], ascending[:-1], out=is_first[1:])
    return ascending[is_first]


def scale_of(statistic: str) -> Scale:
    """The scale on which a statistic's interval is taken."""
    return "logit" if statistic.startswith("pairwise_accuracy") else "fisher z"


def item_correlations(
    data: Paired,
    *,
    rng: np.random.Generator,
    n_resamples: int = 1000,
    level: float = 0.95,
    of_items: Mapping[str, Linearised] | None = None,
) -> tuple[Estimate, ...]:
    """pearson, spearman, kendall_tau_b, kendall_tau_c and pairwise_accuracy over all units.

    Intervals resample prompts (units where no prompts are given): by bootstrap up to BOOTSTRAP_UNITS units, by the
    infinitesimal jackknife above. of_items: `data.linearised()`, where it is known already.
    """
    resample = 2 <= len(data.metric) <= BOOTSTRAP_UNITS and n_resamples > 0
    draws: dict[str, NDArray[np.float64]] = {}
    if resample:
        weights = resampled_counts(np.ones(data.clusters.n_clusters, dtype=np.int64), n_resamples, rng)
        draws = resampled_item_level(data.human_mean, data.human_key, data.metric, data.clusters, weights)
    found = []
    for name, statistic in (of_items or data.linearised()).items():
        if isnan(statistic.value):
            found.append(Estimate.undefined(name, CONVENTIONS[name], statistic.reason, data.n, seed_of(rng)))
            continue
        scale = scale_of(name)
        interval = (
            bootstrap_interval(statistic.value, draws[name], data.clusters, scale=scale, level=level)
            if resample
            else linearised_interval(statistic, data.clusters, scale=scale, level=level)
        )
        found.append(Estimate(name, statistic.value, CONVENTIONS[name], data.n, (interval,), seed_of(rng)))
    return tuple(found)


def mean_within_prompts(
    name: str, values: NDArray[np.float64], method: str, n: dict[str, int], *, level: float = 0.95
) -> Estimate:
    """The mean of a statistic over the prompts (n_prompts,) that have one, with Student's t interval over prompts.

    `n` gains "prompts" that count and "prompts_undefined" (one unit, or scores that do not vary).
    """
    defined = values[np.isfinite(values)]
    counts = {**n, "prompts": len(defined), "prompts_undefined": len(values) - len(defined)}
    words = f"{method}; within each prompt, averaged over the prompts that have one"
    if len(defined) == 0:
        return Estimate.undefined(name, words, "no prompt has two units whose scores vary", counts)
    value = float(defined.mean())
    how = f"mean over prompts, {scale_of(name)}, Student's t"
    if len(defined) < 2:
        interval = Interval.undefined("prompts", how, "needs two or more prompts", level)
    else:
        error = float(defined.std(ddof=1)) / sqrt(len(defined))
        interval = interval_on_scale(
            value, error, len(defined) - 1, covers="prompts", method=how, scale=scale_of(name), level=level
        )
    return Estimate(name, value, words, counts, (interval,))


def grouped_correlations(data: Paired, *, level: float = 0.95) -> tuple[Estimate, ...]:
    """pearson_, spearman_, kendall_tau_b_ and pairwise_accuracy_grouped_by_prompt, and the pooled
    pearson_of_differences_in_prompts; empty without prompts."""
    if data.prompt is None:
        return ()
    averages = [
        mean_within_prompts(f"{name}_grouped_by_prompt", values, CONVENTIONS[name], data.n, level=level)
        for name, values in data.within_prompts.items()
    ]
    return *averages, _of_differences(data, level)


def _of_differences(data: Paired, level: float) -> Estimate:
    g = data.clusters.n_clusters
    found = pooled_differences(data.human_mean, data.metric, data.clusters.code, g)
    name, words = "pearson_of_differences_in_prompts", "Σ Δh Δm / √(Σ Δh² Σ Δm²) over all pairs of units of a prompt"
    if isnan(found.value):
        return Estimate.undefined(name, words, found.reason, data.n)
    by_prompt = Clusters(np.arange(g), g, data.clusters.covers)
    interval = linearised_interval(found, by_prompt, scale="fisher z", level=level)
    return Estimate(name, found.value, words, data.n, (interval,))


def _method_codes(method: NDArray[np.int64]) -> NDArray[np.int64]:
    """The methods numbered from 0 without gaps; −1 where the method is unknown (a negative code)."""
    if np.issubdtype(method.dtype, np.integer) and (method < 0).any():
        return dense_ranks(np.maximum(method, -1)) - 1
    return dense_ranks(method)


def method_correlations(
    data: Paired, *, rng: np.random.Generator, n_resamples: int = 1000, level: float = 0.95
) -> tuple[Estimate, ...]:
    """pearson_, spearman_, kendall_tau_b_ and pairwise_accuracy_method_level; empty without methods."""
    scores = data.by_method()
    if scores is None:
        return ()
    blocks = resampling_blocks(data.clusters, rng)
    draws: dict[str, NDArray[np.float64]] = dict.fromkeys(STATISTICS, np.full(0, nan))
    pooled = data.by_method(blocks)
    if pooled is not None and blocks.n_clusters >= 2 and scores.n_methods >= 2 and n_resamples > 0:
        draws = pooled.draws(resampling_weights(blocks.n_clusters, n_resamples, rng))
    n = {**data.n, "methods": scores.n_methods}
    found = []
    for name, value in scores.values().items():
        words = f"{CONVENTIONS[name]}; over the methods' mean scores"
        if isnan(value):
            reason = "needs two or more methods" if scores.n_methods < 2 else "the methods' means do not vary"
            found.append(Estimate.undefined(f"{name}_method_level", words, reason, n, seed_of(rng)))
            continue
        interval = method_level_interval(name, value, draws[name], blocks, scores.n_methods, level=level)
        found.append(Estimate(f"{name}_method_level", value, words, n, (interval,), seed_of(rng)))
    return tuple(found)


def correlate(
    human: UnitMeans,
    metric: NDArray[np.float64],
    *,
    prompt: NDArray[np.int64] | None = None,
    method: NDArray[np.int64] | None = None,
    rng: np.random.Generator,
    n_resamples: int = 1000,
    level: float = 0.95,
) -> tuple[Estimate, ...]:
    """All figures of one metric at the levels that `prompt` and `method` make possible; see `Paired.of`."""
    data = Paired.of(human, metric, prompt, method)
    return (
        *item_correlations(data, rng=rng, n_resamples=n_resamples, level=level),
        *grouped_correlations(data, level=level),
        *method_correlations(data, rng=rng, n_resamples=n_resamples, level=level),
    )
