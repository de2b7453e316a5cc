"""Which of two metrics follows people better: permutation tests of the right size, Williams' test, Holm's correction
and clusters.

Permutation: under the null the two metrics' standardised scores could be exchanged. They are exchanged for whole
prompts at once, because the images of one prompt share the errors that a metric makes about it; exchanging single
images ignores that and rejects too often. PERM-BOTH (Deutsch, Dror and Roth 2021) also exchanges whole methods: an
image is exchanged where its prompt *or* its method is drawn, but not both. Its null distribution has the variance of
exchanging single images, so it keeps its size only where errors are not shared within prompts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import nan, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotations.stats.distributions import t_above
from annotations.stats.metrics.influence import why_undefined
from annotations.stats.metrics.pair_counts import dense_ranks
from annotations.stats.metrics.prompt_intervals import Clusters
from annotations.stats.metrics.sign_flips import flipped_sums, random_signs

_SAME = 1e-9
"""A permuted difference this close below the observed one counts as equal to it."""


@dataclass(frozen=True, slots=True)
class MetricDifference:
    """One comparison of two metrics on the units that have both scores. `difference` is a's value minus b's."""

    metric_a: str
    metric_b: str
    statistic: str
    difference: float
    p: float
    """Two-sided unless `method` says otherwise; NaN with a reason where undefined."""
    method: str
    n: int
    """Units, or prompts for statistics within prompts."""
    p_holm: float = nan
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CorrelationColumns:
    """Sums of z·h, z and z² for each metric: by cluster and block, (n_clusters, blocks · n_metrics · 3), and in all,
    (n_metrics, 3); blocks are the methods of PERM-BOTH, or one; z (n_metrics, n) the standardised scores."""

    columns: NDArray[np.float64]
    total: NDArray[np.float64]
    blocks: int
    n: int
    standardised: NDArray[np.float64]


def correlation_columns(
    human: NDArray[np.float64],
    scores: NDArray[np.float64],
    clusters: Clusters,
    method: NDArray[np.int64] | None = None,
) -> CorrelationColumns:
    """What a permutation test of Pearson correlations needs to know of the data, summed by cluster (and method).

    human (n,), scores (n_metrics, n), all finite: scores, or for Spearman their mid-ranks (`mid_ranks`), which are then
    taken once, before exchanging. clusters of these n units; method (n,) int codes for PERM-BOTH, None for whole
    clusters. Each r needs only the sums of z·h, z and z² of standardised scores, which are linear in the signs: all
    metrics and all pairs of them share one matrix product for any number of permutations.
    """
    h = standardise(human)
    z = np.stack([standardise(row) for row in scores])
    blocks, block = (1, None) if method is None else _coded(method)
    cell = clusters.code if block is None else clusters.code * blocks + block
    columns = np.empty((clusters.n_clusters, blocks, len(z), 3))
    total = np.empty((len(z), 3))
    for index, row in enumerate(z):
        for moment, values in enumerate((row * h, row, row * row)):
            summed = np.bincount(cell, weights=values, minlength=clusters.n_clusters * blocks)
            columns[:, :, index, moment] = summed.reshape(clusters.n_clusters, blocks)
            total[index, moment] = values.sum()
    return CorrelationColumns(columns.reshape(clusters.n_clusters, -1), total, blocks, len(h), z)


def correlation_p(
    data: CorrelationColumns, flipped: NDArray[np.float64], *, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Differences of correlations between all pairs of metrics and their two-sided p, (n_metrics, n_metrics) each.

    flipped (n_permutations, n_columns): the columns' sums under random signs, from `flipped_sums`. Value of row minus
    value of column; p = (c + 1)/(k + 1) (Phipson and Smyth 2010), c of k permutations having a difference at least as
    large in absolute size. NaN where a score does not vary.
    """
    k, n_metrics = len(flipped), len(data.total)
    by_block = flipped.reshape(k, data.blocks, n_metrics, 3)
    if data.blocks > 1:
        summed = np.einsum("kb,kbmc->kmc", rng.integers(0, 2, (k, data.blocks)) * 2.0 - 1, by_block)
    else:
        summed = by_block[:, 0]
    value = _r(data.total, data.n)
    difference = value[:, None] - value
    p = np.full((n_metrics, n_metrics), nan)
    for a, b in combinations(range(n_metrics), 2):
        if not np.isfinite(difference[a, b]):
            continue
        middle, half = (data.total[a] + data.total[b]) / 2, (summed[:, a] - summed[:, b]) / 2
        permuted = _r(middle + half, data.n) - _r(middle - half, data.n)
        reached = int((np.abs(permuted) >= abs(difference[a, b]) - _SAME).sum())
        p[a, b] = p[b, a] = (reached + 1) / (k + 1)
    return difference, p


def correlation_differences(
    human: NDArray[np.float64],
    scores: NDArray[np.float64],
    clusters: Clusters,
    method: NDArray[np.int64] | None = None,
    *,
    rng: np.random.Generator,
    n_permutations: int = 1000,
    ranks: bool = False,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`correlation_columns`, random signs and `correlation_p` in one go; with `ranks` the correlation is Spearman's."""
    if ranks:
        human, scores = mid_ranks(human), np.stack([mid_ranks(row) for row in scores])
    data = correlation_columns(human, scores, clusters, method)
    flipped = flipped_sums(data.columns, random_signs(clusters.n_clusters, n_permutations, rng))
    return correlation_p(data, flipped, rng=rng)


def prompt_differences(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n_prompts, n_pairs) differences within each prompt of every pair of metrics, 0 where either is undefined.

    values (n_metrics, n_prompts): a statistic within each prompt.
    """
    pairs = list(combinations(values, 2))
    return np.nan_to_num(np.stack([a - b for a, b in pairs], axis=1)) if pairs else np.zeros((values.shape[1], 0))


def prompt_p(values: NDArray[np.float64], flipped: NDArray[np.float64]) -> list[tuple[float, float, int]]:
    """For each pair of metrics: the mean difference over prompts, its two-sided p, and how many prompts it rests on.

    values (n_metrics, n_prompts); a pair uses the prompts where both are defined. Exchanging two metrics for a prompt
    flips the sign of its difference; `flipped` (k, n_pairs) holds the sums of `prompt_differences` under random signs.
    p = (c + 1)/(k + 1). NaN where no prompt has a figure for both metrics.
    """
    out = []
    for (a, b), sums in zip(combinations(values, 2), flipped.T, strict=True):
        apart = a - b
        known = apart[np.isfinite(apart)]
        if len(known) == 0:
            out.append((nan, nan, 0))
            continue
        total, noise = float(known.sum()), _SAME * float(np.abs(known).sum())
        reached = int((np.abs(sums) >= abs(total) - noise).sum())
        out.append((total / len(known), (reached + 1) / (len(sums) + 1), len(known)))
    return out


def williams_test(r_ha: float, r_hb: float, r_ab: float, n: int) -> tuple[float, float]:
    """Williams' (1959) t for two dependent correlations with one variable, signed, and its two-sided p.

    r_ha, r_hb: Pearson correlations of the human scores with metrics a and b; r_ab: of the metrics with each other.
    t > 0 where a follows people better; the one-sided p for that is `t_above(t, n − 3)`. Formula as in
    Steiger (1980), equation 7. Assumes n independent units of a normal law: with several images of a prompt prefer the
    permutation test. NaN for n ≤ 3, |r| = 1 throughout, or undefined correlations.
    """
    if n <= 3 or not np.isfinite([r_ha, r_hb, r_ab]).all():
        return nan, nan
    determinant = 1 - r_ha**2 - r_hb**2 - r_ab**2 + 2 * r_ha * r_hb * r_ab
    mean = (r_ha + r_hb) / 2
    below = 2 * (n - 1) / (n - 3) * max(determinant, 0.0) + mean**2 * (1 - r_ab) ** 3
    if below <= 0:
        return nan, nan
    t = (r_ha - r_hb) * sqrt((n - 1) * (1 + r_ab) / below)
    return t, float(2 * t_above(abs(t), n - 3))


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Holm's (1979) step-down adjusted p (n,), in the order given; NaN entries stay NaN and are not counted."""
    given = np.asarray(p, dtype=float)
    adjusted = np.full(given.shape, nan)
    known = np.flatnonzero(~np.isnan(given))
    ascending = known[np.argsort(given[known], kind="stable")]
    factors = np.arange(len(ascending), 0, -1)
    adjusted[ascending] = np.minimum(1.0, np.maximum.accumulate(given[ascending] * factors))
    return adjusted


def clusters_of_metrics(
    values: Sequence[float], p: NDArray[np.float64], *, alpha: float = 0.05
) -> tuple[tuple[int, ...], ...]:
    """Groups of metrics, best first, that cannot be distinguished.

    values: each metric's figure; p (n, n) symmetric adjusted p of their differences. Going down from the best value, a
    metric opens a new group as soon as it differs (p < alpha) from any metric of the present one, as in the WMT metrics
    tasks. So members of a group do not differ from each other, while metrics of neighbouring groups may. An undefined p
    (NaN) is not evidence of a difference. Metrics without a value are in no group.
    """
    order = sorted((i for i in range(len(values)) if np.isfinite(values[i])), key=lambda i: -values[i])
    groups: list[list[int]] = []
    for metric in order:
        if groups and not any(p[metric, other] < alpha for other in groups[-1]):
            groups[-1].append(metric)
        else:
            groups.append([metric])
    return tuple(tuple(group) for group in groups)


def _coded(method: NDArray[np.int64]) -> tuple[int, NDArray[np.int64]]:
    present, code = np.unique(method, return_inverse=True)
    return len(present), code.astype(np.int64)


def standardise(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean 0 and variance 1 (÷ n); all NaN for scores that do not vary."""
    if why_undefined(x, x):
        return np.full(len(x), nan)
    deviation = x - x.mean()
    return np.asarray(deviation / np.sqrt(np.mean(deviation**2)), dtype=np.float64)


def mid_ranks(x: NDArray[np.generic]) -> NDArray[np.float64]:
    """(n,) ranks less ½; equal scores share their mean rank."""
    group = dense_ranks(x)
    size = np.bincount(group)
    return np.asarray((np.cumsum(size) - size / 2)[group], dtype=np.float64)


def _r(sums: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Pearson's r with a standardised variable h, from Σ z·h, Σ z and Σ z² (…, 3); NaN where z does not vary."""
    product, total, squares = np.moveaxis(sums, -1, 0)
    spread = n * squares - total**2
    fine = spread > 1e-9 * n * np.abs(squares)
    return np.divide(product, np.sqrt(np.where(fine, spread, 1.0)), out=np.full(np.shape(product), nan), where=fine)
