"""The bootstrap of whole clusters for statistics that are functions of sums over clusters, shares among them."""

from dataclasses import replace
from math import isnan

import numpy as np
from numpy.typing import NDArray

from annotations.stats.arrays import FloatArray
from annotations.stats.estimate import Estimate, Interval, seed_of
from annotations.stats.intervals.cluster_bootstrap import resampled_counts
from annotations.stats.intervals.on_scale import interval_on_scale
from annotations.stats.intervals.wilson import wilson, wilson_bounds

N_RESAMPLES = 2000
"""Gives the bootstrap standard error itself a standard error of 1.6% of its size (1/√(2·2000))."""


def distinct_rows(rows: FloatArray) -> tuple[FloatArray, NDArray[np.int64]]:
    """The distinct rows of (n, m) and how often each occurs; sorts one code per row, not the rows themselves."""
    code = np.zeros(len(rows), dtype=np.int64)
    for column in rows.T:
        levels, index = np.unique(column, return_inverse=True)
        # Codes are made dense after each column, so that the product never leaves 64 bits.
        code = np.unique(code * len(levels) + index, return_inverse=True)[1]
    _, first, multiplicity = np.unique(code, return_index=True, return_counts=True)
    return rows[first], multiplicity.astype(np.int64)


def resample_sums(sums: FloatArray, *, rng: np.random.Generator, n_resamples: int) -> FloatArray:
    """(n_resamples, m) column totals of `sums` (n_clusters, m) under resampling of clusters with replacement.

    Exact, not approximate: clusters with equal rows are exchangeable, so that drawing how often each distinct row
    occurs has the same distribution as drawing clusters. Without clusters all totals are 0.
    """
    if len(sums) == 0:
        return np.zeros((n_resamples, sums.shape[1]))
    rows, multiplicity = distinct_rows(sums)
    return np.concatenate([counts @ rows for counts in resampled_counts(multiplicity, n_resamples, rng)])


def ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """numerator / denominator, elementwise; NaN where the denominator is 0."""
    result = np.full(np.broadcast(numerator, denominator).shape, np.nan)
    return np.divide(numerator, denominator, out=result, where=denominator != 0)


def share_interval(
    value: float, resampled: FloatArray, *, n_clusters: int, covers: str, level: float = 0.95
) -> Interval:
    """Interval of a statistic within [0, 1] from its cluster resamples (n_resamples,), NaN where undefined.

    logit(value) ± t(n_clusters − 1) · se / (value (1 − value)), with se the standard deviation of the resamples times
    √(n/(n−1)), then transformed back. It stays inside (0, 1) and keeps its level near 1, where percentile intervals are
    too short (docs/methods/critic.md has the simulation). At exactly 0 or 1 the resamples do not vary and say nothing;
    there a Wilson interval that counts each cluster once is given, which is the widest that clusters allow. n_clusters:
    those that carry data, at least 2; otherwise undefined with the reason.
    """
    name = "cluster bootstrap, logit with t"
    if n_clusters < 2:
        return Interval.undefined(covers, name, f"fewer than two {covers} with data", level)
    n_undefined = int(np.isnan(resampled).sum())
    if value in (0.0, 1.0):
        low, high = wilson_bounds(value * n_clusters, n_clusters, level=level)
        name = f"Wilson with n = {covers} with data, since resampling a share of {value:g} has no width"
        return Interval(float(low), float(high), covers, name, level, n_undefined)
    error = _standard_error(resampled, n_clusters)
    if isnan(error):
        return Interval.undefined(covers, name, "undefined in at least half of the resamples", level)
    found = interval_on_scale(value, error, n_clusters - 1, covers=covers, method=name, scale="logit", level=level)
    return replace(found, n_undefined=n_undefined)


def symmetric_interval(
    value: float,
    resampled: FloatArray,
    *,
    n_clusters: int,
    covers: str,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    level: float = 0.95,
) -> Interval:
    """value ± t(n_clusters − 1) · bootstrap standard error, cut at `bounds`: for differences and unbounded means."""
    name = "cluster bootstrap, standard error with t"
    if n_clusters < 2:
        return Interval.undefined(covers, name, f"fewer than two {covers} with data", level)
    error = _standard_error(resampled, n_clusters)
    if isnan(error):
        return Interval.undefined(covers, name, "undefined in at least half of the resamples", level)
    found = interval_on_scale(value, error, n_clusters - 1, covers=covers, method=name, scale="plain", level=level)
    if not found.is_defined:
        return found
    n_undefined = int(np.isnan(resampled).sum())
    return replace(found, low=max(bounds[0], found.low), high=min(bounds[1], found.high), n_undefined=n_undefined)


def clustered_share(
    statistic: str,
    hits: FloatArray,
    cluster: NDArray[np.int64],
    *,
    n_clusters: int,
    rng: np.random.Generator,
    items: str,
    covers: str,
    method: str,
    n_resamples: int = N_RESAMPLES,
    level: float = 0.95,
) -> Estimate:
    """Mean of `hits` over items that share clusters: repaired claims, accepted claims, defects present…

    hits     (n_items,) in [0, 1]
    cluster  (n_items,) int, 0 ≤ cluster < n_clusters; clusters without an item also count as sampled
    Intervals: over `covers` (bootstrap of whole clusters) and over `items` (Wilson, as if items were independent).
    No item: undefined.
    """
    seed, n_items = seed_of(rng), len(hits)
    n = {items: n_items, covers: n_clusters}
    beside = wilson(float(hits.sum()), n_items, covers=items, level=level)
    if n_items == 0:
        return Estimate(statistic, np.nan, method, n, (beside,), seed, beside.reason)
    items_per_cluster = np.bincount(cluster, minlength=n_clusters).astype(float)
    sums = np.stack([np.bincount(cluster, hits, minlength=n_clusters), items_per_cluster], axis=1)
    carrying = int((sums[:, 1] > 0).sum())
    totals = resample_sums(sums, rng=rng, n_resamples=n_resamples)
    value = float(hits.mean())
    interval = share_interval(value, ratio(totals[:, 0], totals[:, 1]), n_clusters=carrying, covers=covers, level=level)
    return Estimate(statistic, value, method, n, (interval, beside), seed)


def _standard_error(resampled: FloatArray, n_clusters: int) -> float:
    defined = resampled[~np.isnan(resampled)]
    if len(defined) * 2 <= len(resampled):
        return np.nan
    return float(np.std(defined, ddof=1) * np.sqrt(n_clusters / (n_clusters - 1)))
