"""Item-level correlations with each unit's influence on them, all in O(n log n).

The influence of unit i is the derivative of the statistic with respect to i's weight (the infinitesimal jackknife of
Jaeckel 1972; Efron and Tibshirani 1993, chapter 22). Influences sum to 0; summed within prompts and squared they give
the variance that resampling prompts has, without resampling. Rank statistics count their ranks too: moving one unit's
weight moves every other unit's rank, and that is part of the derivative here.
"""

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from numpy.typing import NDArray

from annotations.stats.metrics.pair_counts import PairCounts, UnitPairs, dense_ranks, unit_pairs

NO_HUMAN_VARIATION = "the human scores do not vary"
NO_METRIC_VARIATION = "the metric's scores do not vary"
TOO_FEW_UNITS = "fewer than two units have both scores"


@dataclass(frozen=True, slots=True)
class Linearised:
    """A statistic and its units' influences (n,); NaN, an empty array and a reason where it is undefined."""

    value: float
    influence: NDArray[np.float64]
    reason: str = ""

    @classmethod
    def undefined(cls, reason: str) -> "Linearised":
        return cls(nan, np.zeros(0), reason)


def why_undefined(human: NDArray[np.generic], metric: NDArray[np.generic]) -> str:
    """Why no correlation of these scores (n,) exists; empty where one does."""
    if len(human) < 2:
        return TOO_FEW_UNITS
    if (human == human[0]).all():
        return NO_HUMAN_VARIATION
    if (metric == metric[0]).all():
        return NO_METRIC_VARIATION
    return ""


def pearson(human: NDArray[np.float64], metric: NDArray[np.float64]) -> Linearised:
    """Product-moment correlation r = Σ x y / √(Σ x² Σ y²) of deviations from the means (Pearson 1895).

    Influence of unit i: (z_x z_y − r (z_x² + z_y²)/2) / n with standardised scores z (Devlin et al. 1975).
    """
    if reason := why_undefined(human, metric):
        return Linearised.undefined(reason)
    x, y = _standardised(human), _standardised(metric)
    if x is None or y is None:
        return Linearised.undefined("the scores vary by less than floating point can hold")
    n = len(x)
    value = min(1.0, max(-1.0, float(x @ y) / n))
    return Linearised(value, (x * y - value * (x * x + y * y) / 2) / n)


def spearman(human: NDArray[np.generic], metric: NDArray[np.generic]) -> Linearised:
    """Spearman's (1904) rank correlation: Pearson's r of mid-ranks, ties sharing their mean rank.

    With weights w the mid-rank of i is R_i = Σ_j w_j ([x_j < x_i] + [x_j = x_i]/2), so a unit's influence consists of
    its own term and its effect on the ranks of the others.
    """
    if reason := why_undefined(human, metric):
        return Linearised.undefined(reason)
    x, y = _MidRanks.of(human), _MidRanks.of(metric)
    n = float(len(human))
    xy, xx, yy = (float(a @ b) - n**3 / 4 for a, b in ((x.rank, y.rank), (x.rank, x.rank), (y.rank, y.rank)))
    value = min(1.0, max(-1.0, xy / sqrt(xx * yy)))
    drop = 0.75 * n * n
    d_xy = x.rank * y.rank + x.sum_above(y.rank) + y.sum_above(x.rank) - drop
    d_xx = x.rank**2 + 2 * x.sum_above(x.rank) - drop
    d_yy = y.rank**2 + 2 * y.sum_above(y.rank) - drop
    return Linearised(value, d_xy / sqrt(xx * yy) - value * (d_xx / xx + d_yy / yy) / 2)


def kendall_tau_b(pairs: UnitPairs) -> Linearised:
    """Kendall's (1945) τ-b = (C − D) / √((C + D + T_h)(C + D + T_m)), T_h and T_m being ties in one score only."""
    total = pairs.total()
    if reason := _why_no_pairs(total):
        return Linearised.undefined(reason)
    surplus = pairs.concordant - pairs.discordant
    untied = pairs.concordant + pairs.discordant
    in_human, in_metric = untied + pairs.tied_metric, untied + pairs.tied_human
    a, b = float(in_human.sum()) / 2, float(in_metric.sum()) / 2
    value = (total.concordant - total.discordant) / sqrt(a * b)
    influence = surplus / sqrt(a * b) - value * (in_human / a + in_metric / b) / 2
    return Linearised(value, np.asarray(influence, dtype=np.float64))


def kendall_tau_c(pairs: UnitPairs, n_human: int, n_metric: int) -> Linearised:
    """Stuart's (1953) τ-c = 2 m (C − D) / (n² (m − 1)), m the smaller number of *distinct* scores that occur."""
    total = pairs.total()
    if reason := _why_no_pairs(total):
        return Linearised.undefined(reason)
    m, n = min(n_human, n_metric), len(pairs.concordant)
    scale = 2 * m / (m - 1) / n**2
    surplus = total.concordant - total.discordant
    influence = scale * (pairs.concordant - pairs.discordant - 2 * surplus / n)
    return Linearised(scale * surplus, np.asarray(influence, dtype=np.float64))


def pairwise_accuracy(pairs: UnitPairs) -> Linearised:
    """(C + T_both) / (n(n − 1)/2): pairs ranked, or tied, as people do (Deutsch et al. 2023, acc_eq, equation 8).

    Unlike a correlation, it is also defined for a constant metric: it is then the share of human ties.
    """
    n = len(pairs.concordant)
    if n < 2:
        return Linearised.undefined(TOO_FEW_UNITS)
    correct = pairs.concordant + pairs.tied_both
    total = n * (n - 1) / 2
    value = pairs.total().correct / total
    return Linearised(value, np.asarray((correct - value * (n - 1)) / total, dtype=np.float64))


def item_level(
    human_mean: NDArray[np.float64], human_key: NDArray[np.int64], metric: NDArray[np.float64]
) -> dict[str, Linearised]:
    """The five item-level statistics of one metric, sharing one count of pairs.

    human_mean (n,) for Pearson; human_key (n,) integers that order and tie as the human scores; metric (n,) settled
    scores without NaN.
    """
    human_rank, metric_rank = dense_ranks(human_key), dense_ranks(metric)
    pairs = unit_pairs(human_rank, metric_rank)
    n_human, n_metric = (int(rank.max(initial=-1)) + 1 for rank in (human_rank, metric_rank))
    return {
        "pearson": pearson(human_mean, metric),
        "spearman": spearman(human_rank, metric_rank),
        "kendall_tau_b": kendall_tau_b(pairs),
        "kendall_tau_c": kendall_tau_c(pairs, n_human, n_metric),
        "pairwise_accuracy": pairwise_accuracy(pairs),
    }


def _why_no_pairs(total: PairCounts) -> str:
    if total.pairs == 0:
        return TOO_FEW_UNITS
    if total.tied_human + total.tied_both == total.pairs:
        return NO_HUMAN_VARIATION
    return NO_METRIC_VARIATION if total.tied_metric + total.tied_both == total.pairs else ""


def _standardised(scores: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Deviations over the standard deviation (÷ n), scaled first so that squares neither overflow nor vanish."""
    deviation = scores - scores.mean()
    size = float(np.abs(deviation).max())
    if not 0 < size < np.inf or size <= 1e-13 * float(np.abs(scores).max()):
        return None
    deviation = deviation / size
    scaled: NDArray[np.float64] = deviation / sqrt(float(deviation @ deviation) / len(deviation))
    return scaled


@dataclass(frozen=True, slots=True)
class _MidRanks:
    group: NDArray[np.int64]
    """(n,) dense ranks."""
    rank: NDArray[np.float64]
    """(n,) mid-ranks without the usual + ½: lower units + half of the equal ones, oneself included."""

    @classmethod
    def of(cls, scores: NDArray[np.generic]) -> "_MidRanks":
        group = dense_ranks(scores)
        size = np.bincount(group)
        return cls(group, (np.cumsum(size) - size / 2)[group])

    def sum_above(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """For each unit the sum of `values` (n,) over units ranked higher, and half of it over its equals."""
        within = np.bincount(self.group, weights=values)
        above: NDArray[np.float64] = (within.sum() - np.cumsum(within) + within / 2)[self.group]
        return above
