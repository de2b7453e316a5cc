"""Each rating next to the others' ratings of its unit, and figures per rater, without a loop over ratings."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotations.stats.arrays import FloatArray, IntArray
from annotations.stats.ratings import Ratings


@dataclass(frozen=True, eq=False)
class Peers:
    """Ratings whose unit has at least one other rating, (n,) each, and the leave-one-out view of that unit."""

    rater: IntArray
    level: IntArray
    unit: IntArray
    own: FloatArray
    """The rater's scale value."""
    others: FloatArray
    """Mean of the other ratings of the unit."""
    others_square: FloatArray
    """Mean of their squares."""
    n_others: FloatArray


def peers_of(ratings: Ratings) -> Peers:
    """Leave-one-out means of every rating whose unit has other ratings; exact for whole-numbered scales."""
    value = ratings.values[ratings.level]
    per_unit = np.bincount(ratings.unit, minlength=ratings.n_units)
    total = np.bincount(ratings.unit, value, minlength=ratings.n_units)
    square = np.bincount(ratings.unit, value * value, minlength=ratings.n_units)
    keep = per_unit[ratings.unit] > 1
    unit, own = ratings.unit[keep], value[keep]
    n_others = (per_unit[unit] - 1).astype(float)
    return Peers(
        ratings.rater[keep],
        ratings.level[keep],
        unit,
        own,
        (total[unit] - own) / n_others,
        (square[unit] - own * own) / n_others,
        n_others,
    )


def mean_by(group: IntArray, weights: FloatArray, n_groups: int) -> FloatArray:
    """(n_groups,) mean of the weights in each group, NaN for an empty one."""
    count = np.bincount(group, minlength=n_groups)
    total = np.bincount(group, weights, minlength=n_groups)
    return np.divide(total, count, out=np.full(n_groups, np.nan), where=count > 0)


def deviation_by(group: IntArray, values: FloatArray, n_groups: int) -> tuple[FloatArray, FloatArray]:
    """(n_groups,) mean and sample standard deviation (n − 1) of each group; NaN below one and two members."""
    mean = mean_by(group, values, n_groups)
    count = np.bincount(group, minlength=n_groups)
    # Two passes, since the difference of large sums of squares would lose the digits that matter.
    square = np.bincount(group, (values - mean[group]) ** 2, minlength=n_groups)
    spread = np.full(n_groups, np.nan)
    return mean, np.sqrt(np.divide(square, count - 1, out=spread, where=count > 1))


def sorted_within(group: IntArray, values: NDArray[Any]) -> IntArray:
    """(n,) places that sort by group and by value within it; the order of members with equal values is not defined.

    Sorting by value and then, stably, by group is up to eight times as fast as numpy.lexsort, which merge-sorts every
    key; group codes of 16 bits are sorted by radix.
    """
    by_value = np.argsort(values)
    code = group[by_value]
    small = len(code) == 0 or code.max() < 1 << 16
    return by_value[np.argsort(code.astype(np.uint16) if small else code, kind="stable")]


def median_by(group: IntArray, values: FloatArray, n_groups: int) -> FloatArray:
    """(n_groups,) median of each group, the mean of the middle two at even counts; NaN for an empty one."""
    order = sorted_within(group, values)
    count = np.bincount(group, minlength=n_groups)
    start = np.cumsum(count) - count
    result = np.full(n_groups, np.nan)
    full = count > 0
    low = values[order[start[full] + (count[full] - 1) // 2]]
    high = values[order[start[full] + count[full] // 2]]
    result[full] = (low + high) / 2
    return result


def ranks_within(group: IntArray, values: FloatArray) -> FloatArray:
    """(n,) ranks from 1 within each group, ties sharing their mean rank."""
    order = sorted_within(group, values)
    grouped, sorted_values = group[order], values[order]
    new_group = np.diff(grouped, prepend=-1) != 0
    new_value = new_group.copy()
    new_value[1:] |= sorted_values[1:] != sorted_values[:-1]
    run = np.cumsum(new_value) - 1
    first = np.flatnonzero(new_value)
    length = np.diff(first, append=len(values))
    group_start = np.maximum.accumulate(np.where(new_group, np.arange(len(values)), 0))
    ranks = np.empty(len(values))
    ranks[order] = (first + (length + 1) / 2)[run] - group_start
    return ranks


def correlation_by(group: IntArray, x: FloatArray, y: FloatArray, n_groups: int) -> FloatArray:
    """(n_groups,) Pearson correlation within each group; NaN where either side does not vary."""
    dx, dy = x - mean_by(group, x, n_groups)[group], y - mean_by(group, y, n_groups)[group]
    sxx, syy, sxy = (np.bincount(group, product, minlength=n_groups) for product in (dx * dx, dy * dy, dx * dy))
    # Below this the "variance" is the rounding noise of means, not variation.
    floor = 1e-20 * np.bincount(group, x * x + y * y, minlength=n_groups)
    varies = (sxx > floor) & (syy > floor)
    result = np.full(n_groups, np.nan)
    np.divide(sxy, np.sqrt(sxx * syy), out=result, where=varies)
    return np.clip(result, -1, 1)


def longest_run_by(group: IntArray, order: IntArray | FloatArray, level: IntArray, n_groups: int) -> IntArray:
    """(n_groups,) the longest run of equal levels in each group's sequence, sorted by `order`; 0 without ratings.

    The numbers in `order` should differ within a group: the order of ratings with equal numbers is not defined.
    """
    place = sorted_within(group, order)
    grouped, sequence = group[place], level[place]
    change = np.diff(grouped, prepend=-1) != 0
    change[1:] |= sequence[1:] != sequence[:-1]
    first = np.flatnonzero(change)
    longest = np.zeros(n_groups, np.int64)
    np.maximum.at(longest, grouped[first], np.diff(first, append=len(level)))
    return longest


def levels_of_others(peers: Peers, ratings: Ratings) -> FloatArray:
    """(n_raters, n_levels) how the others' answers to each rater's units are distributed, each unit weighing once.

    Rows sum to 1; NaN for a rater without shared units.
    """
    share = np.empty((ratings.n_raters, len(ratings.values)))
    for level in range(len(ratings.values)):
        given = np.bincount(ratings.unit[ratings.level == level], minlength=ratings.n_units)
        share[:, level] = mean_by(
            peers.rater, (given[peers.unit] - (peers.level == level)) / peers.n_others, ratings.n_raters
        )
    return share


def run_tail(length: IntArray, n: IntArray, share: FloatArray) -> FloatArray:
    """(n_groups,) P(longest run ≥ length) in n independent answers with the given shares of levels (n_groups, levels).

    Poisson clumping: 1 − exp(−Σ_l p_l^L ((n − L)(1 − p_l) + 1)). Source: Arratia, Goldstein & Gordon (1989), Ann.
    Probab. 17:9, example on long runs. Exactly Σ p^n at L = n up to the exponential; an overestimate for short runs.
    """
    with np.errstate(under="ignore"):
        clumps = share ** length[:, None] * ((n - length)[:, None] * (1 - share) + 1)
    return np.where(length > 1, -np.expm1(-clumps.sum(axis=1)), 1.0)


def typical_longest_run(n: IntArray, share: FloatArray) -> FloatArray:
    """(n_groups,) median of the longest run under that model: the largest L with P(longest run ≥ L) ≥ ½.

    NaN where n is 0 or the shares are unknown.
    """
    known = (n > 0) & ~np.isnan(share).any(axis=1)
    low, high = np.ones(len(n), np.int64), np.maximum(n, 1)
    filled = np.where(known[:, None], share, 0.0)
    while np.any(low < high):
        middle = (low + high + 1) // 2
        reached = run_tail(middle, np.maximum(n, middle), filled) >= 0.5
        low, high = np.where(reached, middle, low), np.where(reached, high, middle - 1)
    return np.where(known, low, np.nan)
