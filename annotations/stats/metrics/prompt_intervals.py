"""Intervals that resample what was sampled: the prompts, each with all its images (or units, where no prompt is given).

Two ways, named in every interval. Up to `BOOTSTRAP_UNITS` units the statistic itself is recomputed in each resample.
Above, the infinitesimal jackknife: influences are summed within prompts, their squares give the variance, and the
interval is taken with Student's t on a scale where the statistic is nearly normal (Fisher's z for correlations, the
logit for accuracies), since resampling ranks a thousand times would cost a thousand sorts for the same result.
"""

from dataclasses import dataclass, replace
from math import isnan, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotations.stats.estimate import Interval
from annotations.stats.intervals.on_scale import Scale, interval_on_scale
from annotations.stats.metrics.influence import Linearised
from annotations.stats.metrics.pair_counts import dense_ranks

BOOTSTRAP_UNITS = 1000
"""Up to this many units every statistic is bootstrapped; a pair statistic then costs 1,000 × 1,000² multiplications."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """Which units were sampled together: code (n,) int, 0 ≤ code < n_clusters, and what a cluster is called."""

    code: NDArray[np.int64]
    n_clusters: int
    covers: str

    @classmethod
    def of(cls, prompt: ArrayLike | None, n_units: int) -> "Clusters":
        """Prompts by code (n_units,), or every unit its own cluster. Raises ValueError where lengths differ."""
        if prompt is None:
            return cls(np.arange(n_units), n_units, "units")
        given = np.asarray(prompt)
        if given.shape != (n_units,):
            raise ValueError(f"prompt must hold one code for each of the {n_units} units")
        code = dense_ranks(given)
        return cls(code, int(code.max(initial=-1)) + 1, "prompts")

    def pooled(self, n_blocks: int, rng: np.random.Generator) -> "Clusters":
        """The clusters themselves if there are at most `n_blocks`, or else that many random blocks of them, which
        differ in size by at most one. Sums over independent clusters vary alike either way, and blocks are fewer to
        draw."""
        if self.n_clusters <= n_blocks:
            return self
        block = rng.permutation(self.n_clusters) % n_blocks
        return Clusters(block[self.code], n_blocks, self.covers)

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n_clusters,) the sum of `values` (n,) in each cluster."""
        return np.bincount(self.code, weights=values, minlength=self.n_clusters).astype(float)

    def at_units(self, units: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n_clusters,) the sum in each cluster of `values` (k,) that belong to some units (k,)."""
        return np.bincount(self.code[units], weights=values, minlength=self.n_clusters).astype(float)


def linearised_interval(statistic: Linearised, clusters: Clusters, *, scale: Scale, level: float = 0.95) -> Interval:
    """The interval from influences: value ± t(G − 1) · SE on `scale`, G clusters, SE² = G/(G − 1) · Σ_g (Σ_i∈g ψ_i)².

    Undefined with a reason for one cluster, for a statistic at the end of its range, and where no unit has influence.
    """
    method = f"infinitesimal jackknife over {clusters.covers}, {scale}, Student's t"
    covers, g = clusters.covers, clusters.n_clusters
    if isnan(statistic.value):
        return Interval.undefined(covers, method, statistic.reason, level)
    if g < 2:
        return Interval.undefined(covers, method, f"needs two or more {covers}", level)
    by_cluster = clusters.sums(statistic.influence)
    error = sqrt(g / (g - 1) * float(by_cluster @ by_cluster))
    return interval_on_scale(statistic.value, error, g - 1, covers=covers, method=method, scale=scale, level=level)


def bootstrap_interval(
    value: float, draws: NDArray[np.float64], clusters: Clusters, *, scale: Scale, level: float = 0.95
) -> Interval:
    """value ± t(G − 1) · the standard deviation of bootstrap draws, taken on `scale`.

    draws (n_resamples,): the statistic in each resample of the clusters, NaN where undefined (left out and counted).
    In simulation it covers nearer to its level than the percentile interval does at 20 to 160 prompts.
    Undefined where half of the draws are.
    """
    covers, g = clusters.covers, clusters.n_clusters
    method = f"bootstrap over {covers} ({len(draws)} resamples), {scale}, Student's t"
    defined = draws[~np.isnan(draws)]
    n_undefined = len(draws) - len(defined)
    if g < 2:
        return Interval.undefined(covers, method, f"needs two or more {covers}", level)
    if len(defined) * 2 <= len(draws) or len(defined) < 2:
        return Interval.undefined(covers, method, "undefined in at least half of the resamples", level)
    error = float(defined.std(ddof=1))
    found = interval_on_scale(value, error, g - 1, covers=covers, method=method, scale=scale, level=level)
    return replace(found, n_undefined=n_undefined)
