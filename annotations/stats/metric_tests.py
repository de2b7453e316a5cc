"""Which of two metrics follows people better: permutation tests of the right size, Williams' test, Holm, clusters.

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
import scipy.stats
from numpy.typing import ArrayLike, NDArray

from annotations.stats.linearised import why_undefined
from annotations.stats.pair_counts import dense_ranks
from annotations.stats.prompt_intervals import Clusters
from annotations.stats.sign_flips import flipped_sums, random_signs

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


def correlation_differences(
    human: NDArray[np.float64],
    scores: NDArray[np.float64],
    clusters: Clusters,
    method: NDArray[np.int64] | None,
    *,
    rng: np.random.Generator,
    n_permutations: int = 1000,
    ranks: bool = False,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Differences of Pearson's r with the human scores between all pairs of metrics, and their two-sided p.

    human (n,), scores (n_metrics, n), all finite; clusters of these n units; method (n,) int codes for PERM-BOTH or
    None for whole prompts. With `ranks` the correlation is Spearman's: mid-ranks are taken once, before exchanging, so
    that a permuted metric is made of two metrics' ranks. Returns (n_metrics, n_metrics) twice: value of row minus value
    of column, and p = (c + 1)/(k + 1), c permutations of k with a difference at least as large in absolute size. NaN
    where a score does not vary.

    Each r needs only sums of z·h, z and z² of the exchanged scores z, which are linear in the signs: all metrics and
    all pairs share one matrix product, whatever the number of permutations.
    """
    n_metrics = len(scores)
    h = _standardise(_mid_ranks(human) if ranks else human)
    z = np.stack([_standardise(_mid_ranks(row) if ranks else row) for row in scores])
    moments: NDArray[np.float64] = np.stack((z * h, z, z * z), axis=1)  # (n_metrics, 3, n)
    both = np.array([0]) if method is None else np.unique(method)
    cell = clusters.code if method is None else clusters.code * len(both) + np.searchsorted(both, method)
    columns = np.stack(
        [
            np.bincount(cell, weights=row, minlength=clusters.n_clusters * len(both))
            for row in moments.reshape(-1, len(h))
        ],
        axis=1,
        dtype=np.float64,
    ).reshape(clusters.n_clusters, len(both) * n_metrics * 3)
    flipped = flipped_sums(columns, random_signs(clusters.n_clusters, n_permutations, rng))
    by_method = flipped.reshape(n_permutations, len(both), n_metrics, 3)
    if len(both) > 1:
        swapped = rng.integers(0, 2, (n_permutations, len(both))) * 2.0 - 1
        summed = np.einsum("kb,kbmc->kmc", swapped, by_method)
    else:
        summed = by_method[:, 0]
    total = moments.sum(axis=2)
    value = _r(total, len(h))
    difference = value[:, None] - value
    p = np.full((n_metrics, n_metrics), nan)
    for a, b in combinations(range(n_metrics), 2):
        middle, half = (total[a] + total[b]) / 2, (summed[:, a] - summed[:, b]) / 2
        permuted = _r(middle + half, len(h)) - _r(middle - half, len(h))
        if np.isfinite(difference[a, b]):
            reached = int((np.abs(permuted) >= abs(difference[a, b]) - _SAME).sum())
            p[a, b] = p[b, a] = (reached + 1) / (n_permutations + 1)
    return difference, p


def prompt_differences(
    values: NDArray[np.float64], *, rng: np.random.Generator, n_permutations: int = 1000
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Differences of means over prompts between all pairs of metrics, their two-sided p, and the prompts they rest on.

    values (n_metrics, n_prompts): a statistic within each prompt, NaN where undefined; a pair uses the prompts where
    both are defined. The metrics are exchanged for whole prompts, which flips the sign of a prompt's difference.
    Returns three (n_metrics, n_metrics) arrays: mean difference of row minus column, p = (c + 1)/(k + 1), n prompts.
    """
    n_metrics = len(values)
    pairs = list(combinations(range(n_metrics), 2))
    difference, p = np.zeros((n_metrics, n_metrics)), np.full((n_metrics, n_metrics), nan)
    n = np.zeros((n_metrics, n_metrics), dtype=np.int64)
    if not pairs or values.shape[1] == 0:
        return np.full_like(difference, nan), p, n
    apart = np.stack([values[a] - values[b] for a, b in pairs], axis=1)
    used = np.isfinite(apart)
    apart = np.where(used, apart, 0.0)
    flipped = flipped_sums(apart, random_signs(len(apart), n_permutations, rng))
    total = apart.sum(axis=0)
    noise = _SAME * np.abs(apart).sum(axis=0)
    reached = (np.abs(flipped) >= np.abs(total) - noise).sum(axis=0)
    for index, (a, b) in enumerate(pairs):
        n[a, b] = n[b, a] = count = int(used[:, index].sum())
        difference[a, b] = total[index] / count if count else nan
        difference[b, a] = -difference[a, b]
        if count:
            p[a, b] = p[b, a] = (int(reached[index]) + 1) / (n_permutations + 1)
    return difference, p, n


def williams_test(r_ha: float, r_hb: float, r_ab: float, n: int) -> tuple[float, float]:
    """Williams' (1959) t for two dependent correlations with one variable, signed, and its two-sided p.

    r_ha, r_hb: Pearson correlations of the human scores with metrics a and b; r_ab: of the metrics with each other.
    t > 0 where a follows people better; the one-sided p for that is `scipy.stats.t.sf(t, n − 3)`. Formula as in
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
    return t, float(2 * scipy.stats.t.sf(abs(t), n - 3))


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
    """Groups of metrics, best first, that cannot be told apart.

    values: each metric's figure; p (n, n) symmetric adjusted p of their differences. Going down from the best value, a
    metric opens a new group as soon as it differs (p < alpha) from any metric of the present one, as in the WMT
    metrics tasks. So members of a group do not differ from each other, while metrics of neighbouring groups may. An
    unknown p (NaN) is no evidence of a difference. Metrics without a value are in no group.
    """
    order = sorted((i for i in range(len(values)) if np.isfinite(values[i])), key=lambda i: -values[i])
    groups: list[list[int]] = []
    for metric in order:
        if groups and not any(p[metric, other] < alpha for other in groups[-1]):
            groups[-1].append(metric)
        else:
            groups.append([metric])
    return tuple(tuple(group) for group in groups)


def _standardise(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean 0 and variance 1 (÷ n); all NaN for scores that do not vary."""
    if why_undefined(x, x):
        return np.full(len(x), nan)
    deviation = x - x.mean()
    return np.asarray(deviation / np.sqrt(np.mean(deviation**2)), dtype=np.float64)


def _mid_ranks(x: NDArray[np.float64]) -> NDArray[np.float64]:
    group = dense_ranks(x)
    size = np.bincount(group)
    return np.asarray((np.cumsum(size) - size / 2)[group], dtype=np.float64)


def _r(sums: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Pearson's r with a standardised variable h, from Σ z·h, Σ z and Σ z² (…, 3); NaN where z does not vary."""
    product, total, squares = np.moveaxis(sums, -1, 0)
    spread = n * squares - total**2
    fine = spread > 1e-9 * n * np.abs(squares)
    return np.divide(product, np.sqrt(np.where(fine, spread, 1.0)), out=np.full(np.shape(product), nan), where=fine)
