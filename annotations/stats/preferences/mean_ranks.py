"""The mean rank of every method, with intervals over prompts, raters and both."""

from dataclasses import dataclass, replace
from math import nan

import numpy as np

from annotations.stats.estimate import Estimate, Interval
from annotations.stats.intervals.crossed_clusters import Clusters, clustered_share
from annotations.stats.preferences.rankings import Rankings
from annotations.stats.preferences.win_rate import covered

_METHOD = "mean rank, 1 the best, ties at the mean of their ranks"


@dataclass(frozen=True)
class MeanRank:
    """n: rankings of the method; n_first: those in which it is first, alone or tied."""

    method: str
    mean_rank: Estimate
    n: int
    n_first: int


def mean_ranks(rankings: Rankings, *, level: float = 0.95) -> list[MeanRank]:
    """One per method, in the order of `methods`.

    Intervals are those of the share (rank − 1)/(k − 1), which lies between 0 and 1, transformed back; only if all
    rankings have equally many methods. If only best and worst were chosen, the other methods share the mean of the
    ranks between.
    """
    k, sizes = rankings.item.shape[1], np.unique(rankings.size)
    ranks = rankings.mid_ranks()
    firsts, ranked = rankings.firsts()
    kinds = {"prompts": rankings.prompt, "raters": rankings.rater}
    found = []
    for method, name in enumerate(rankings.methods):
        own = rankings.item == method
        rows = np.flatnonzero(own.any(axis=1))
        values = ranks[own]
        n = {"rankings": len(rows)}
        if not len(rows):
            estimate = Estimate("mean_rank", nan, _METHOD, n, reason="it is in no ranking")
        elif len(sizes) > 1:
            why = "rankings are of different numbers of methods, so that their ranks differ in what they mean"
            estimate = Estimate("mean_rank", float(values.mean()), _METHOD, n, notes=(why,))
        else:
            clusters = [Clusters(kind, codes[rows]) for kind, codes in kinds.items() if codes is not None]
            share = clustered_share((values - 1) / (k - 1), np.ones(len(rows)), clusters)
            intervals = tuple(_carried(share.interval(each, level=level), k) for each in covered(clusters))
            estimate = Estimate("mean_rank", float(values.mean()), _METHOD, n, intervals)
        found.append(MeanRank(name, estimate, int(ranked[method]), int(firsts[method])))
    return found


def _carried(interval: Interval, k: int) -> Interval:
    return replace(interval, low=1 + (k - 1) * interval.low, high=1 + (k - 1) * interval.high)
