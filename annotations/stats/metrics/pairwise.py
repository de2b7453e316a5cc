"""Pairwise accuracy with ties, and the width of ties that suits a metric best (Deutsch, Foster and Freitag 2023).

A metric with fine-grained scores never ties; raters with five levels often do. Calibration therefore lets two metric
scores tie if they differ by at most ε, and takes the ε at which most pairs are ordered or tied as raters have them. ε
is found on one half of the prompts and its accuracy measured on the other, both ways round: measured on its own pairs,
it would be too high.
"""

from dataclasses import dataclass
from math import isnan, nan

import numpy as np
from numpy.typing import NDArray

from annotations.stats.metrics.influence import TOO_FEW_UNITS
from annotations.stats.metrics.pair_counts import count_pairs, dense_ranks, tie_tolerance
from annotations.stats.metrics.prompt_intervals import Clusters
from annotations.stats.metrics.within_prompts import group_pairs

LISTED_PAIRS, LISTED_UNITS = 1_500_000, 700
"""Held-out calibration lists no more pairs within groups, or pairs of no more units, in each half; above that, it takes
a random part of the groups or units."""
_CACHED_PAIRS = 60_000


@dataclass(frozen=True, slots=True)
class Calibration:
    """The best width of ties and the accuracy it gives; NaN and a reason where undefined."""

    epsilon: float
    """In the metric's own units."""
    accuracy: float
    """On the pairs from which ε was chosen: too high."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Accuracy with widths of ties that were found on other prompts; NaN and a reason where undefined."""

    accuracy: float
    epsilon: float
    """The best width on all data, in the metric's own units: the one to use on new data."""
    half_epsilons: tuple[float, float]
    by_group: NDArray[np.float64]
    """(n_groups,) each group's held-out accuracy, NaN where it has no pair; empty without groups."""
    exact: bool
    """Whether every pair was a candidate for ε, or only those of a random part."""
    reason: str = ""


def pair_accuracy(
    human_key: NDArray[np.int64],
    metric: NDArray[np.float64],
    *,
    group: NDArray[np.int64] | None = None,
    epsilon: float = 0.0,
) -> float:
    """Pairwise accuracy at a given ε: of all pairs, or the mean over groups (n,) of that of their own pairs.

    human_key, metric (n,) as for `count_pairs`. Groups with fewer than two units have none and are left out. NaN where
    there is no pair at all.
    """
    if group is None:
        counts = count_pairs(human_key, metric, epsilon=epsilon)
        return counts.correct / counts.pairs if counts.pairs else nan
    accuracy = group_pairs(human_key, metric, group, int(group.max(initial=-1)) + 1, epsilon=epsilon).accuracy()
    return float(np.nanmean(accuracy)) if np.isfinite(accuracy).any() else nan


def calibrate(
    human_key: NDArray[np.int64], metric: NDArray[np.float64], *, group: NDArray[np.int64] | None = None
) -> Calibration:
    """The smallest of the best ε among all that make a difference: 0 and every difference between two scores.

    Exact: a pair that people tie is gained when ε reaches its difference, a concordant pair lost, so the best ε is 0 or
    the difference of a pair that people tie. Two sorted lists of differences decide, in O(p log p) for p pairs. With
    `group` (n,) only pairs within groups count, with equal weight per group (accuracy is averaged over groups).
    """
    codes = np.zeros(len(metric), dtype=np.int64) if group is None else group
    size = np.bincount(codes)
    n_groups = int((size > 1).sum())
    if n_groups == 0:
        return Calibration(nan, nan, reason=TOO_FEW_UNITS)
    tied: list[NDArray[np.float64]] = []
    lost: list[NDArray[np.float64]] = []
    weights: list[float] = []
    base = 0.0
    key = dense_ranks(human_key).astype(np.int32)
    order = np.argsort(codes, kind="stable")
    start = np.cumsum(size) - size
    for s in np.unique(size[size > 1]):
        widths, among_lost, n_same = _differences(key, metric, order, start[size == s], int(s))
        tied.append(np.sort(widths))
        lost.append(np.sort(among_lost))
        weights.append(1 / (s * (s - 1) / 2) / n_groups)
        base += weights[-1] * (len(among_lost) + n_same)
    candidates = np.concatenate([[0.0], *(_distinct(widths) for widths in tied)])
    if len(tied) > 1:
        candidates = np.unique(candidates)
    reach = candidates + np.where(candidates > 0, tie_tolerance(metric, 1.0), 0.0)
    gain = np.zeros(len(candidates))
    for up, down, weight in zip(tied, lost, weights, strict=True):
        gained = np.searchsorted(up, reach, side="right") - np.searchsorted(down, reach, side="right")
        gain += weight * gained
    best = int(np.argmax(gain >= gain.max() - 1e-12))
    return Calibration(float(candidates[best]), float(base + gain[best]))


def calibrate_held_out(
    human_key: NDArray[np.int64],
    metric: NDArray[np.float64],
    clusters: Clusters,
    *,
    rng: np.random.Generator,
    group: NDArray[np.int64] | None = None,
    most_pairs: int = LISTED_PAIRS,
    most_units: int = LISTED_UNITS,
) -> HeldOut:
    """Accuracy at an ε from other data: the clusters are halved at random, and each half is measured at the other
    half's best ε.

    `group` (n,) int codes must not divide clusters between them. Where a half has more than `most_pairs` pairs (without
    groups: `most_units` units), ε is chosen among the pairs of a random part of it and applied to all of the other
    half.
    """
    shuffled = rng.permutation(clusters.n_clusters)[clusters.code]
    n_groups = 0 if group is None else int(group.max(initial=-1)) + 1
    by_group = np.full(n_groups, nan)
    widths, accuracies, exact = [], [], True
    for side in (0, 1):
        learn, read = (np.flatnonzero(shuffled % 2 == half) for half in (side, 1 - side))
        part = _affordable(learn, shuffled, group, most_pairs, most_units)
        exact &= len(part) == len(learn)
        epsilon = calibrate(human_key[part], metric[part], group=_dense(group, part)).epsilon
        widths.append(epsilon)
        if isnan(epsilon):
            continue
        if group is None:
            accuracies.append(pair_accuracy(human_key[read], metric[read], epsilon=epsilon))
        else:
            pairs = group_pairs(human_key[read], metric[read], group[read], n_groups, epsilon=epsilon)
            by_group = np.where(pairs.pairs > 0, pairs.accuracy(), by_group)
    everything = _affordable(np.arange(len(metric)), shuffled, group, most_pairs, most_units)
    whole = calibrate(human_key[everything], metric[everything], group=_dense(group, everything))
    exact &= len(everything) == len(metric)
    if group is not None:
        accuracies = [float(np.mean(by_group[np.isfinite(by_group)]))] if np.isfinite(by_group).any() else []
    accuracy = float(np.mean(accuracies)) if accuracies else nan
    reason = "" if not isnan(accuracy) else "a half of the data has no pair"
    return HeldOut(accuracy, whole.epsilon, (widths[0], widths[1]), by_group, exact, reason)


def ties_only_accuracy(human_key: NDArray[np.int64], *, group: NDArray[np.int64] | None = None) -> float:
    """What a metric without any information gets: a constant ties every pair and is right where people tie."""
    return pair_accuracy(human_key, np.zeros(len(human_key)), group=group)


def _affordable(
    units: NDArray[np.int64],
    order: NDArray[np.int64],
    group: NDArray[np.int64] | None,
    most_pairs: int,
    most_units: int,
) -> NDArray[np.int64]:
    """As many units, cluster by cluster in random order, as these limits allow."""
    if group is None:
        if len(units) <= most_units:
            return units
        place = order[units]
        last = np.partition(place, most_units - 1)[most_units - 1]
        return units[place <= last][:most_units]
    of_unit = group[units]
    size = np.bincount(of_unit)
    if int((size * (size - 1) // 2).sum()) <= most_pairs:
        return units
    place_of_group = np.zeros(len(size), dtype=np.int64)
    place_of_group[of_unit] = order[units]
    present = np.flatnonzero(size)
    sequence = present[np.argsort(place_of_group[present], kind="stable")]
    pairs = np.cumsum(size[sequence] * (size[sequence] - 1) // 2)
    kept = np.zeros(len(size), dtype=bool)
    kept[sequence[: max(1, int(np.searchsorted(pairs, most_pairs)))]] = True
    return units[kept[of_unit]]


def _dense(group: NDArray[np.int64] | None, units: NDArray[np.int64]) -> NDArray[np.int64] | None:
    return None if group is None else dense_ranks(group[units])


def _differences(
    key: NDArray[np.int32],
    metric: NDArray[np.float64],
    order: NDArray[np.int64],
    starts: NDArray[np.int64],
    size: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Of the pairs within groups of one size: the metric's differences where people tie and it does not, those of
    concordant pairs, and the number tied in both. Groups are taken in parts that stay in the processor's cache."""
    first, second = np.triu_indices(size, 1)
    tied, concordant, n_same = [], [], 0
    rows = max(1, _CACHED_PAIRS // len(first))
    for at in range(0, len(starts), rows):
        units = order[starts[at : at + rows] + np.arange(size)[:, None]]
        m, h = metric[units], key[units]
        apart, rise = m[second] - m[first], h[second] - h[first]
        width = np.abs(apart)
        by_people = width[rise == 0]
        moved = by_people > 0
        tied.append(by_people[moved])
        concordant.append(width[rise * apart > 0])
        n_same += len(by_people) - len(tied[-1])
    return np.concatenate(tied), np.concatenate(concordant), n_same


def _distinct(ascending: NDArray[np.float64]) -> NDArray[np.float64]:
    return ascending[np.concatenate(([True], ascending[1:] != ascending[:-1]))] if len(ascending) else ascending
