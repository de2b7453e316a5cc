"""Statistics within groups of units (the images of one prompt), all groups at once, without a loop over them.

Groups of one size are one array, so that their pairs are a comparison of that array with itself; groups larger than
`_LARGE` are counted one by one in O(n log n), of which there are few.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotations.stats.pair_counts import PairCounts, count_pairs, tie_tolerance

_LARGE = 256
_CELLS = 4_000_000
"""Pairs compared at once."""


@dataclass(frozen=True, slots=True)
class GroupPairs:
    """The counts of `PairCounts` for each group, (n_groups,) int64 each, and each group's number of units."""

    concordant: NDArray[np.int64]
    discordant: NDArray[np.int64]
    tied_human: NDArray[np.int64]
    tied_metric: NDArray[np.int64]
    tied_both: NDArray[np.int64]
    size: NDArray[np.int64]

    @property
    def pairs(self) -> NDArray[np.int64]:
        return self.size * (self.size - 1) // 2

    def accuracy(self) -> NDArray[np.float64]:
        """(n_groups,) pairwise accuracy, NaN for groups of fewer than two units."""
        return divided(self.concordant + self.tied_both, self.pairs)

    def kendall_tau_b(self) -> NDArray[np.float64]:
        """(n_groups,) τ-b, NaN where a score does not vary in the group."""
        untied = self.concordant + self.discordant
        below = np.sqrt((untied + self.tied_human).astype(float)) * np.sqrt((untied + self.tied_metric).astype(float))
        return divided(self.concordant - self.discordant, below)


def group_pairs(
    human_key: NDArray[np.int64],
    metric: NDArray[np.float64],
    group: NDArray[np.int64],
    n_groups: int,
    *,
    epsilon: float = 0.0,
) -> GroupPairs:
    """Count the pairs of units within each group by kind.

    human_key, metric (n,) as for `count_pairs`; group (n,) int, 0 ≤ group < n_groups. A metric tie is a difference of
    at most `epsilon`, in one width for all groups.
    """
    size = np.bincount(group, minlength=n_groups)
    found = np.zeros((5, n_groups), dtype=np.int64)
    width = epsilon + tie_tolerance(metric, epsilon)
    for groups, units in _by_size(group, size):
        if units.shape[1] > _LARGE:
            for one, mine in zip(groups, units, strict=True):
                counts = count_pairs(human_key[mine], metric[mine], epsilon=epsilon)
                found[:, one] = _as_column(counts)
            continue
        h, m = human_key[units], metric[units]
        first, second = np.triu_indices(units.shape[1], 1)
        rise = np.sign(h[:, second] - h[:, first])
        apart = m[:, second] - m[:, first]
        agreement = rise * np.sign(apart)
        tied_h, tied_m = rise == 0, np.abs(apart) <= width
        both = (tied_h & tied_m).sum(axis=1)
        found[:, groups] = (
            ((agreement > 0) & ~tied_m).sum(axis=1),
            ((agreement < 0) & ~tied_m).sum(axis=1),
            tied_h.sum(axis=1) - both,
            tied_m.sum(axis=1) - both,
            both,
        )
    concordant, discordant, tied_human, tied_metric, tied_both = found
    return GroupPairs(concordant, discordant, tied_human, tied_metric, tied_both, size)


def group_pearson(
    human: NDArray[np.float64], metric: NDArray[np.float64], group: NDArray[np.int64], n_groups: int
) -> NDArray[np.float64]:
    """(n_groups,) Pearson's r within each group; NaN where a score does not vary there.

    Deviations are taken from the group's own means first, and one below 1e-12 of the group's largest score is
    rounding, not variation.
    """
    x, y = (_deviations(scores, group, n_groups) for scores in (human, metric))
    xx, yy, xy = (np.bincount(group, weights=w, minlength=n_groups) for w in (x * x, y * y, x * y))
    return np.clip(divided(xy, np.sqrt(xx) * np.sqrt(yy)), -1, 1)


def group_spearman(
    human_key: NDArray[np.int64], metric: NDArray[np.float64], group: NDArray[np.int64], n_groups: int
) -> NDArray[np.float64]:
    """(n_groups,) Spearman's correlation within each group, ranks taken within it."""
    return group_pearson(group_ranks(human_key, group), group_ranks(metric, group), group, n_groups)


def group_ranks(scores: NDArray[np.generic], group: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n,) mid-ranks 1, 2… of each unit within its group."""
    order = np.lexsort((scores, group))
    g, s = group[order], scores[order]
    if len(order) == 0:
        return np.zeros(0)
    new = np.concatenate(([True], (g[1:] != g[:-1]) | (s[1:] != s[:-1])))
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], len(order))
    group_start = np.searchsorted(g, g[starts])
    ranks = np.empty(len(order))
    ranks[order] = np.repeat((starts + ends + 1) / 2 - group_start, ends - starts)
    return ranks


def divided(above: NDArray[np.generic], below: NDArray[np.generic]) -> NDArray[np.float64]:
    """above / below elementwise, NaN where the denominator is 0."""
    out = np.full(np.shape(above), np.nan)
    return np.divide(above, below, out=out, where=np.asarray(below) > 0)


def _as_column(counts: PairCounts) -> tuple[int, int, int, int, int]:
    return counts.concordant, counts.discordant, counts.tied_human, counts.tied_metric, counts.tied_both


def _by_size(group: NDArray[np.int64], size: NDArray[np.int64]) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Groups of one size, a bounded number at a time: their codes (k,) and their units (k, size)."""
    order = np.argsort(group, kind="stable")
    start = np.cumsum(size) - size
    batches = []
    for s in np.unique(size[size > 1]):
        codes = np.flatnonzero(size == s)
        rows = max(1, _CELLS // int(s * s))
        for at in range(0, len(codes), rows):
            some = codes[at : at + rows]
            batches.append((some, order[start[some, None] + np.arange(s)]))
    return batches


def _deviations(scores: NDArray[np.float64], group: NDArray[np.int64], n_groups: int) -> NDArray[np.float64]:
    size = np.bincount(group, minlength=n_groups)
    mean = divided(np.bincount(group, weights=scores, minlength=n_groups), size)
    deviation = scores - mean[group]
    largest = np.zeros(n_groups)
    np.maximum.at(largest, group, np.abs(scores))
    deviation[np.abs(deviation) <= 1e-12 * largest[group]] = 0
    spread = np.zeros(n_groups)
    np.maximum.at(spread, group, np.abs(deviation))
    return np.divide(deviation, spread[group], out=np.zeros_like(deviation), where=spread[group] > 0)
