"""Bootstrap over sampled clusters (prompts) for a statistic that depends on each cluster only through a small key.

Clusters with the same key are exchangeable, so resampling n clusters with replacement is the same as drawing how often
each *distinct* key occurs: one multinomial draw per resample. This is the ordinary bootstrap, only without copying
rows. Source: Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapters 6 and 13.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from annotations.stats.estimate import Interval

_CELLS = 2_000_000
"""Counts held at once (16 MB): the memory of a bootstrap does not grow with the number of resamples."""


def resampled_counts(
    multiplicity: NDArray[np.int64], n_resamples: int, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Chunks (k, n_keys) of how often each distinct key occurs in a resample; rows sum to `multiplicity.sum()`.

    multiplicity (n_keys,): how many clusters have each key. With few keys the counts are drawn as one multinomial;
    where nearly every cluster has its own key, drawing the clusters themselves gives the same distribution faster.
    """
    total = int(multiplicity.sum())
    n_keys = len(multiplicity)
    rows = max(1, _CELLS // max(n_keys, 1))
    by_index = n_keys * 4 > total
    key_of_cluster = np.repeat(np.arange(n_keys), multiplicity) if by_index else None
    for start in range(0, n_resamples, rows):
        yield drawn_counts(multiplicity, key_of_cluster, min(rows, n_resamples - start), rng)


def drawn_counts(
    multiplicity: NDArray[np.int64], key_of_cluster: NDArray[np.int64] | None, size: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """(size, n_keys): how often each key occurs in each of `size` resamples.

    key_of_cluster (n_clusters,): draws clusters one by one; where None, one multinomial per resample. Both ways have
    the same distribution.
    """
    total, n_keys = int(multiplicity.sum()), len(multiplicity)
    if key_of_cluster is None:
        return rng.multinomial(total, multiplicity / total, size=size)
    drawn = np.empty((size, n_keys), dtype=np.int64)
    for row in range(size):
        drawn[row] = np.bincount(key_of_cluster[rng.integers(0, total, total)], minlength=n_keys)
    return drawn


def percentile_interval(
    value: float, resamples: NDArray[np.float64], *, covers: str, method: str, level: float = 0.95
) -> Interval:
    """The percentile interval of bootstrap resamples (n_resamples,), NaN where the statistic was undefined.

    It is extended to hold the value, which nearly all resamples may be below or above. Undefined resamples are left out
    and counted. No interval where more than half of them are undefined, or where all are equal: a bootstrap that cannot
    move does not show that the population cannot differ.
    Quantiles interpolate linearly (Hyndman and Fan 1996, type 7).
    """
    defined = resamples[~np.isnan(resamples)]
    n_undefined = len(resamples) - len(defined)
    if len(defined) * 2 <= len(resamples):
        return Interval.undefined(covers, method, "undefined in at least half of the resamples", level)
    if defined.min() == defined.max():
        return Interval.undefined(covers, method, "no resample differs from the estimate", level)
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    if low == high:
        return Interval.undefined(covers, method, "hardly a resample differs from the estimate", level)
    return Interval.around(value, float(low), float(high), covers, method, level, n_undefined=n_undefined)
