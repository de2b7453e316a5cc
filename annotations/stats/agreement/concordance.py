"""Kendall's coefficient of concordance W, corrected for ties, and for incomplete ratings."""

from dataclasses import dataclass, replace
from math import nan
from types import MappingProxyType
from typing import TypeVar

import numpy as np

from annotations.stats.agreement.mean_squares import CompleteRatings, complete_ratings
from annotations.stats.agreement.rater_pairs import rater_pairs
from annotations.stats.arrays import FloatArray, IntArray, ratio, totals
from annotations.stats.distributions import chi2_above, t_quantile
from annotations.stats.estimate import Estimate, Interval, NullTest
from annotations.stats.intervals.leave_one_out import by_rater, jackknife_variance, to_log_scale
from annotations.stats.intervals.on_scale import interval_on_scale
from annotations.stats.intervals.over_raters import RATERS, UNITS, rater_freedom, t_of
from annotations.stats.ratings import Ratings
from annotations.stats.undefined import notes_on_few, why_undefined

_COMPLETE = "Kendall's W of mid-ranks, corrected for ties (Siegel and Castellan 1988, eq. 9.18)"
_PAIRWISE = (
    "Kendall's W of incomplete ratings, (1 + (k − 1) ρ̄)/k with the mean ρ̄ of pairwise Spearman correlations "
    "over shared units (Brückl 2011), weighted by shared units − 1"
)
_Number = TypeVar("_Number", float, FloatArray)

FEWEST_SHARED = 5
"""Two raters who share fewer units than this show next to nothing about how they order them: with two units ρ is 1 or
−1."""
_ENOUGH_PAIRS = 10
_SMALLEST_SHARE = 0.01
"""Pairs of raters that a mean correlation must rest on: half of all up to ten, and a hundredth of all."""


def kendall_w(ratings: Ratings, *, level: float = 0.95) -> Estimate:
    """Kendall's W: do the raters put the units in the same order? 1 means that they do.

    Complete ratings: the tie-corrected coefficient, 0 (no concordance) to 1, with an interval over units from the
    infinitesimal jackknife (t with n − 1) and one over raters from leaving each out. Missing cells: the mean of the
    Spearman correlations of all pairs of raters who share five units or more and vary on them, weighted by the number
    of shared units, from (2 − k)/k to 1, with an interval over raters only. The other pairs are counted in n as
    "pairs_undefined". Severity does not matter. Undefined with fewer than two raters or units, when leaving out one
    rater of complete ratings leaves no variation, and when too few pairs of raters are left.
    """
    complete = complete_ratings(ratings)
    if complete.n_raters >= 2 and complete.n_units == ratings.n["units"] and complete.n_units >= 2:
        return _complete(ratings, complete, level)
    return _pairwise(ratings, level)


def friedman_test(ratings: Ratings) -> NullTest:
    """χ² = k (n − 1) W with n − 1 degrees of freedom: a test that the raters share no order (Friedman 1937), on
    complete units."""
    complete = complete_ratings(ratings)
    method = "Friedman's chi-squared of complete units, corrected for ties"
    if complete.n_raters < 2 or complete.n_units < 2:
        return NullTest.undefined("chi2", method, why_undefined(ratings))
    w = float(_Ranked(complete, ratings).w())
    if np.isnan(w):
        return NullTest.undefined("chi2", method, "every rater gives all units the same rank")
    freedom = complete.n_units - 1
    chi2 = complete.n_raters * freedom * w
    return NullTest("chi2", chi2, (freedom,), float(chi2_above(chi2, freedom)), method)


class _Ranked:
    """Mid-ranks of complete ratings: (k, K) tables by rater and level, and sums by unit."""

    def __init__(self, complete: CompleteRatings, ratings: Ratings) -> None:
        self.n, self.k = complete.n_units, complete.n_raters
        self.unit, self.rater = complete.unit, complete.rater
        self.level = complete.level
        n_levels = ratings.n_levels
        cell = self.rater * n_levels + self.level
        self.cell = cell
        self.counts = np.bincount(cell, minlength=self.k * n_levels).reshape(self.k, n_levels).astype(float)
        # Mid-ranks less (n + 1)/2, so that every rater's ranks add up to zero.
        self.rank = np.cumsum(self.counts, axis=1) - self.counts / 2 - self.n / 2
        self.unit_sum = totals(self.unit, self.rank.ravel()[cell], self.n)

    def w(self) -> FloatArray:
        """W = Σ_i (Σ_j r_ij)² / (k Σ_j Σ_i r_ij²), ranks centred: the tie-corrected form, rater by rater."""
        spread = float((self.counts * self.rank**2).sum())
        return ratio(np.asarray(self.unit_sum @ self.unit_sum), np.asarray(self.k * spread))

    def without_each_rater(self) -> FloatArray:
        """(k,) W without that rater."""
        ranks = self.rank.ravel()[self.cell]
        own = (self.counts * self.rank**2).sum(axis=1)
        against = totals(self.rater, ranks * self.unit_sum[self.unit], self.k)
        numerator = self.unit_sum @ self.unit_sum - 2 * against + own
        return ratio(numerator, (self.k - 1) * (own.sum() - own))

    def influence_of_units(self) -> FloatArray:
        """(n,) what each unit adds to W to first order; a unit also moves the ranks of the others.

        With weights on units, ranks are r_jc = Σ_{l<c} n_jl + n_jc/2 − n/2, linear in the weights; so W's numerator
        and denominator are differentiated through them.
        """
        numerator = self.unit_sum @ self.unit_sum
        spread = (self.counts * self.rank**2).sum()
        shape = self.counts.shape
        sums_at = totals(self.cell, self.unit_sum[self.unit], self.counts.size).reshape(shape)
        # d rank_jc / d weight of a unit at level l of rater j: 1 if l < c, 1/2 if l = c, less 1/2 for all.
        through_sums = 2 * (_above(sums_at) - sums_at.sum(axis=1, keepdims=True) / 2)
        weighted = self.counts * self.rank
        through_spread = 2 * (_above(weighted) - weighted.sum(axis=1, keepdims=True) / 2)
        per_cell = ratio(through_sums, np.asarray(numerator)) - (self.rank**2 + through_spread) / spread
        indirect = totals(self.unit, per_cell.ravel()[self.cell], self.n)
        w = float(self.w())
        return w * (ratio(self.unit_sum**2, np.asarray(numerator)) + indirect)


def _above(table: FloatArray) -> FloatArray:
    """Σ over levels c > l of table[:, c], plus half of table[:, l]."""
    return table.sum(axis=1, keepdims=True) - np.cumsum(table, axis=1) + table / 2


def _complete(ratings: Ratings, complete: CompleteRatings, level: float) -> Estimate:
    ranked = _Ranked(complete, ratings)
    value = float(ranked.w())
    if np.isnan(value):
        return Estimate.undefined("kendall_w", _COMPLETE, "no variation: every rater ties all units", ratings.n)
    n, k = ranked.n, ranked.k
    influence = ranked.influence_of_units()
    variance = n / (n - 1) * float(influence @ influence)
    method = f"infinitesimal jackknife over units, t({n - 1})"
    if np.isnan(variance):
        over_units = Interval.undefined(UNITS, method, "no concordance to differentiate", level)
    else:
        reach = float(t_quantile((1 + level) / 2, n - 1)) * float(np.sqrt(variance))
        over_units = Interval.around(value, value - reach, value + reach, UNITS, method, level, within=(0.0, 1.0))
    without = ranked.without_each_rater() if k > 2 else np.zeros(0)
    means = _mean_correlation(without, k - 1) if k > 2 else without
    over_raters = _over_raters(_mean_correlation(value, k), means, k, -1 / (k - 1), level)
    notes = notes_on_few(n, "units")
    left_out = by_rater(without, ratings) if k > 2 else ()
    intervals = (over_units, over_raters)
    return Estimate("kendall_w", value, _COMPLETE, ratings.n, intervals, notes=notes, without_rater=left_out)


def _mean_correlation(w: _Number, k: int) -> _Number:
    """ρ̄ of W = (1 + (k − 1) ρ̄)/k, which does not depend on the number of raters as W does."""
    return (k * w - 1) / (k - 1)


def _w(mean_correlation: _Number, k: int) -> _Number:
    return (1 + (k - 1) * mean_correlation) / k


def _over_raters(mean: float, without: FloatArray, k: int, lowest: float, level: float) -> Interval:
    """The interval of ρ̄ by leaving one rater out, made one of W.

    mean: ρ̄. without (k,): ρ̄ without each rater, none for k < 3. lowest: the end of the range of ρ̄.
    """
    variance = float(jackknife_variance(to_log_scale(without[:, None]), None)[0]) if len(without) else nan
    freedom = rater_freedom(variance, 0.0, 1, variance, k)
    method = f"delete-one-rater jackknife of −ln(1 − ρ̄), {t_of(freedom)}"
    if k < 3:
        return Interval.undefined(RATERS, method, f"{k} raters; leaving one out must leave two", level)
    if 1 - mean < 1e-12:
        return Interval.undefined(RATERS, method, "there is no disagreement that could spread", level)
    if np.isnan(variance):
        reason = "undefined or without disagreement when one of the raters is left out"
        return Interval.undefined(RATERS, method, reason, level)
    error = float(np.sqrt(variance)) * (1 - mean)
    found = interval_on_scale(
        mean, error, freedom, covers=RATERS, method=method, scale="logit", level=level, within=(lowest, 1.0)
    )
    return replace(found, low=_w(found.low, k), high=_w(found.high, k))


def _pairwise(ratings: Ratings, level: float) -> Estimate:
    k = ratings.n["raters"]
    if k < 2 or ratings.n["pairable"] == 0:
        return Estimate.undefined("kendall_w", _PAIRWISE, why_undefined(ratings), ratings.n)
    pairs = spearman_of_pairs(ratings, FEWEST_SHARED)
    n_known, n_all = len(pairs.rho), k * (k - 1) // 2
    n = MappingProxyType({**ratings.n, "pairs": n_known, "pairs_undefined": n_all - n_known})
    if n_known < max(min(_ENOUGH_PAIRS, (n_all + 1) // 2), _SMALLEST_SHARE * n_all):
        reason = (
            f"too few pairs of raters share {FEWEST_SHARED} units or more and vary on them: {n_known:,} of {n_all:,}"
        )
        return Estimate.undefined("kendall_w", _PAIRWISE, reason, n)
    weight = pairs.n_shared - 1
    both = np.concatenate([pairs.first, pairs.second])
    of_rater = totals(both, np.tile(weight * pairs.rho, 2), ratings.n_raters)[ratings.per_rater > 0]
    shared = totals(both, np.tile(weight, 2), ratings.n_raters)[ratings.per_rater > 0]
    total, all_shared = float(weight @ pairs.rho), float(weight.sum())
    mean = total / all_shared
    left = ratio(total - of_rater, all_shared - shared) if k > 2 else np.zeros(0)
    rest = f"{n_known:,} of {n_all:,} pairs of raters: those who share {FEWEST_SHARED} units or more and vary"
    notes = (f"rests on {rest}",) if n_known < max(n_all, _ENOUGH_PAIRS) else ()
    intervals = (_over_raters(mean, left, k, -1.0, level),)
    left_out = by_rater(_w(left, k - 1), ratings) if k > 2 else ()
    return Estimate("kendall_w", _w(mean, k), _PAIRWISE, n, intervals, notes=notes, without_rater=left_out)


@dataclass(frozen=True)
class SpearmanPairs:
    """Spearman's ρ of pairs of raters first < second, (n_pairs,) each, over the n_shared units that both rated."""

    first: IntArray
    second: IntArray
    n_shared: FloatArray
    rho: FloatArray


def spearman_of_pairs(ratings: Ratings, fewest_shared: int = 2) -> SpearmanPairs:
    """ρ of every two raters who share this many units and both vary on them, mid-ranks within the pair's shared units.

    Time and memory grow with the pairs that share a unit, not with all pairs.
    """
    joint = rater_pairs(ratings)
    # Both orders of a pair occur, so that each row of `margin` has a partner row.
    codes, pair = np.unique(joint.pair, return_inverse=True)
    first, second = np.divmod(codes, np.int64(max(ratings.n_raters, 1)))
    partner = np.searchsorted(codes, second * ratings.n_raters + first)
    n_shared = totals(pair, joint.count, len(codes))
    n_levels = ratings.n_levels
    margin = totals(pair * n_levels + joint.c, joint.count, len(codes) * n_levels).reshape(-1, n_levels)
    rank = np.cumsum(margin, axis=1) - margin / 2 - n_shared[:, None] / 2
    spread = (margin * rank**2).sum(axis=1)
    product = totals(pair, joint.count * rank[pair, joint.c] * rank[partner[pair], joint.k], len(codes))
    rho = ratio(product, np.sqrt(spread * spread[partner]))
    kept = (first < second) & (n_shared >= fewest_shared) & ~np.isnan(rho)
    return SpearmanPairs(first[kept], second[kept], n_shared[kept], rho[kept])
