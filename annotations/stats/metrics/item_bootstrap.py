"""The bootstrap of item-level correlations over prompts, for small data: every resample re-ranked, none copied.

A resample is a vector of weights, how often each prompt was drawn. Weighted ranks are cumulative sums over the sorted
units, and weighted pair counts quadratic forms in the prompts' weights, so a thousand resamples are a few matrix
products. A unit drawn twice ties with its own copy, which no correlation counts; accuracy leaves such pairs out.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from annotations.stats.metrics.pair_counts import dense_ranks, tie_tolerance
from annotations.stats.metrics.prompt_intervals import Clusters

_Draws = NDArray[np.float64]


def resampled_item_level(
    human_mean: NDArray[np.float64],
    human_key: NDArray[np.int64],
    metric: NDArray[np.float64],
    clusters: Clusters,
    weights: Iterable[NDArray[np.int64]],
) -> dict[str, _Draws]:
    """pearson, spearman, kendall_tau_b, kendall_tau_c and pairwise_accuracy in every resample, NaN where undefined.

    human_mean, human_key, metric (n,) as for `item_level`; weights: chunks (k, n_clusters) of how often each cluster
    was drawn. Returns (n_resamples,) for each statistic. Memory n² + k·n numbers.
    """
    human, other = dense_ranks(human_key), dense_ranks(metric)
    x, y = human_mean - human_mean.mean(), metric - metric.mean()
    moments = np.stack([clusters.sums(column) for column in (np.ones_like(x), x, y, x * x, y * y, x * y)], axis=1)
    surplus = _between(np.sign(human[:, None] - human) * np.sign(other[:, None] - other), clusters)
    joint = dense_ranks(human * (int(other.max()) + 1) + other)
    chunks = []
    for drawn in weights:
        w = drawn.astype(float)
        unit = w[:, clusters.code]
        by_human, by_other, by_both = (_by_group(unit, group) for group in (human, other, joint))
        n = unit.sum(axis=1)
        s = ((w @ surplus) * w).sum(axis=1) / 2
        ties = [(by**2).sum(axis=1) for by in (by_human, by_other, by_both)]
        own = (w**2) @ moments[:, 0]
        untied = (n**2 - ties[0] - ties[1] + ties[2]) / 2
        m = np.minimum((by_human > 0).sum(axis=1), (by_other > 0).sum(axis=1))
        chunks.append(
            {
                "pearson": _from_moments(w @ moments),
                "spearman": _spearman(unit, n, human, other, by_human, by_other),
                "kendall_tau_b": _ratio(s, np.sqrt((n**2 - ties[0]) * (n**2 - ties[1])) / 2),
                "kendall_tau_c": _ratio(2 * m * s, n**2 * (m - 1)),
                "pairwise_accuracy": _ratio((untied + s) + (ties[2] - own), n**2 - own),
            }
        )
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}


def resampled_accuracy(
    human_key: NDArray[np.int64],
    metric: NDArray[np.float64],
    epsilon: float,
    clusters: Clusters,
    weights: Iterable[NDArray[np.int64]],
) -> _Draws:
    """Pairwise accuracy with ties up to `epsilon` in every resample, (n_resamples,); ε is kept, not chosen again."""
    human = dense_ranks(human_key)
    apart = metric[:, None] - metric
    apart[np.abs(apart) <= epsilon + tie_tolerance(metric, epsilon)] = 0
    right = _between(np.sign(human[:, None] - human) == np.sign(apart), clusters)
    size = clusters.sums(np.ones(len(metric)))
    draws = []
    for drawn in weights:
        w = drawn.astype(float)
        own = (w**2) @ size
        draws.append(_ratio(((w @ right) * w).sum(axis=1) - own, (w @ size) ** 2 - own))
    return np.concatenate(draws)


def _between(pairs: NDArray[np.generic], clusters: Clusters) -> NDArray[np.float64]:
    """(n_clusters, n_clusters) sums of a matrix over units (n, n)."""
    order = np.argsort(clusters.code, kind="stable")
    starts = np.searchsorted(clusters.code[order], np.arange(clusters.n_clusters))
    grouped = pairs[np.ix_(order, order)].astype(float)
    summed: NDArray[np.float64] = np.add.reduceat(np.add.reduceat(grouped, starts, axis=0), starts, axis=1)
    return summed


def _by_group(unit: NDArray[np.float64], group: NDArray[np.int64]) -> NDArray[np.float64]:
    """(k, n_groups) the weights (k, n) summed in each group (n,) of tied units, groups ascending."""
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(int(group.max()) + 1))
    summed: NDArray[np.float64] = np.add.reduceat(unit[:, order], starts, axis=1)
    return summed


def _spearman(
    unit: NDArray[np.float64],
    n: NDArray[np.float64],
    human: NDArray[np.int64],
    other: NDArray[np.int64],
    by_human: NDArray[np.float64],
    by_other: NDArray[np.float64],
) -> _Draws:
    rank_h, rank_o = (np.cumsum(by, axis=1) - by / 2 - n[:, None] / 2 for by in (by_human, by_other))
    product = np.einsum("kn,kn,kn->k", unit, rank_h[:, human], rank_o[:, other])
    return _ratio(product, np.sqrt((by_human * rank_h**2).sum(axis=1) * (by_other * rank_o**2).sum(axis=1)))


def _from_moments(moments: NDArray[np.float64]) -> _Draws:
    n, x, y, xx, yy, xy = moments.T
    return _ratio(n * xy - x * y, np.sqrt(np.maximum(n * xx - x * x, 0) * np.maximum(n * yy - y * y, 0)))


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> _Draws:
    """above / below, NaN where nothing varies."""
    fine = below > 1e-12 * np.abs(above)
    return np.divide(above, below, out=np.full(len(above), np.nan), where=fine & (below > 0))
