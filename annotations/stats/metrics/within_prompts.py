"""Statistics within groups of units (the images of one prompt), all groups at once, without a loop over them.

Groups of one size are one array, so that their pairs are a comparison of that array with itself; groups larger than
`LARGE`, of which there are few, are counted one by one in O(n log n).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotations.stats.metrics import influence as linearised
from annotations.stats.metrics.pair_counts import PairCounts, count_pairs, dense_ranks, tie_tolerance

LARGE = 256
_CELLS = 60_000
"""Comparisons at once: few enough for the processor's cache."""


@dataclass(frozen=True, slots=True)
class GroupPairs:
    """The counts of `PairCounts` for each group, (n_groups,) int64 each, and each group's number of units."""

    concordant: NDArray[np.int64]
    discordant: NDArray[np.int64]
    tied_human: NDArray[np.int64]
    tied_metric: NDArray[np.int64]
    tied_both: NDArray[np.int64]
    size: NDArray[np.int64]
    spearman: NDArray[np.float64]
    """(n_groups,) Spearman's correlation with ranks taken within the group and no width of ties; NaN where a score
    does not vary."""

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
    large: int = LARGE,
) -> GroupPairs:
    """Count the pairs of units within each group by kind.

    human_key, metric (n,) as for `count_pairs`; group (n,) int, 0 ≤ group < n_groups. A metric tie is a difference of
    at most `epsilon`, in one width for all groups. Groups of more than `large` units are counted one by one; the counts
    do not depend on it.
    """
    size = np.bincount(group, minlength=n_groups)
    found = np.zeros((5, n_groups), dtype=np.int64)
    spearman = np.full(n_groups, np.nan)
    width = epsilon + tie_tolerance(metric, epsilon)
    key = dense_ranks(human_key).astype(np.int32)
    for groups, units in _by_size(group, size, large):
        if len(units) > large:
            one = int(groups[0])
            counts = count_pairs(key[units[:, 0]], metric[units[:, 0]], epsilon=epsilon)
            found[:, one] = _as_column(counts)
            spearman[one] = linearised.spearman(key[units[:, 0]], metric[units[:, 0]]).value
            continue
        h, m = key[units], metric[units]
        rise = np.sign(h - h[:, None]).astype(np.int8)
        apart = m - m[:, None]
        order = np.sign(apart).astype(np.int8)
        spearman[groups] = _of_ranks(_summed(rise, 0), _summed(order, 0))
        if width > 0:
            order[np.abs(apart) <= width] = 0
        pairs = len(units) * (len(units) - 1) // 2
        surplus = _summed(rise * order, (0, 1)) // 2
        untied_h, untied_m, untied = (_summed(x, (0, 1)) // 2 for x in (rise & 1, order & 1, rise & order & 1))
        found[:, groups] = (
            (untied + surplus) // 2,
            (untied - surplus) // 2,
            untied_m - untied,
            untied_h - untied,
            pairs - untied_h - untied_m + untied,
        )
    concordant, discordant, tied_human, tied_metric, tied_both = found
    return GroupPairs(concordant, discordant, tied_human, tied_metric, tied_both, size, spearman)


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


def pooled_differences(
    human: NDArray[np.float64], metric: NDArray[np.float64], group: NDArray[np.int64], n_groups: int
) -> linearised.Linearised:
    """Pearson's r, not centred, of the differences between all pairs of units of one group, all groups pooled.

    Σ Δh Δm / √(Σ Δh² Σ Δm²), so that a group's weight grows with its pairs and its spread, and a group without
    variation adds nothing. As Σ over pairs of Δh Δm is the group's size times its sum of products of deviations, no
    pair is listed. The influence (n_groups,) is that of a whole group. Source: "PDP" in mt-metrics-eval (2024).
    """
    size = np.bincount(group, minlength=n_groups)
    x, y = (centred(scores, group, n_groups) for scores in (human, metric))
    a, b, c = (size * np.bincount(group, weights=w, minlength=n_groups) for w in (x * y, x * x, y * y))
    scale_h, scale_m = float(b.sum()), float(c.sum())
    if scale_h == 0 or scale_m == 0:
        what = linearised.NO_HUMAN_VARIATION if scale_h == 0 else linearised.NO_METRIC_VARIATION
        return linearised.Linearised.undefined(f"{what} within any prompt")
    below = float(np.sqrt(scale_h) * np.sqrt(scale_m))
    value = min(1.0, max(-1.0, float(a.sum()) / below))
    return linearised.Linearised(value, a / below - value * (b / scale_h + c / scale_m) / 2)


def divided(above: NDArray[np.generic], below: NDArray[np.generic]) -> NDArray[np.float64]:
    """above / below elementwise, NaN where the denominator is 0."""
    out = np.full(np.shape(above), np.nan)
    return np.divide(above, below, out=out, where=np.asarray(below) > 0)


def _as_column(counts: PairCounts) -> tuple[int, int, int, int, int]:
    return counts.concordant, counts.discordant, counts.tied_human, counts.tied_metric, counts.tied_both


def _by_size(
    group: NDArray[np.int64], size: NDArray[np.int64], large: int = LARGE
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Groups of one size, as many at a time as stay in the processor's cache: their codes (k,), their units (size, k).

    Groups larger than `large` come one at a time.
    """
    order = np.argsort(group, kind="stable")
    start = np.cumsum(size) - size
    batches = []
    for s in np.unique(size[size > 1]):
        codes = np.flatnonzero(size == s)
        rows = max(1, _CELLS // int(s * s)) if s <= large else 1
        for at in range(0, len(codes), rows):
            some = codes[at : at + rows]
            batches.append((some, order[start[some] + np.arange(s)[:, None]]))
    return batches


def _summed(cells: NDArray[np.int8], axis: int | tuple[int, int]) -> NDArray[np.int64]:
    """Sums over the first axes of (size, size, k)."""
    total: NDArray[np.int64] = cells.sum(axis=axis, dtype=np.int32).astype(np.int64)
    return total


def _of_ranks(x: NDArray[np.int64], y: NDArray[np.int64]) -> NDArray[np.float64]:
    """(k,) Pearson's r down the columns of centred ranks (size, k): exact integers until the last division."""
    below = np.sqrt((x * x).sum(axis=0).astype(float)) * np.sqrt((y * y).sum(axis=0).astype(float))
    return np.clip(divided((x * y).sum(axis=0), below), -1, 1)


def centred(scores: NDArray[np.float64], group: NDArray[np.int64], n_groups: int) -> NDArray[np.float64]:
    """(n,) deviations from the group's mean; one below 1e-12 of the group's largest score is rounding, and 0."""
    size = np.bincount(group, minlength=n_groups)
    mean = divided(np.bincount(group, weights=scores, minlength=n_groups), size)
    deviation = scores - mean[group]
    largest = np.zeros(n_groups)
    np.maximum.at(largest, group, np.abs(scores))
    deviation[np.abs(deviation) <= 1e-12 * largest[group]] = 0
    return deviation


def _deviations(scores: NDArray[np.float64], group: NDArray[np.int64], n_groups: int) -> NDArray[np.float64]:
    """Centred scores over the group's largest deviation, so that their squares neither overflow nor vanish."""
    deviation = centred(scores, group, n_groups)
    spread = np.zeros(n_groups)
    np.maximum.at(spread, group, np.abs(deviation))
    return np.divide(deviation, spread[group], out=np.zeros_like(deviation), where=spread[group] > 0)
