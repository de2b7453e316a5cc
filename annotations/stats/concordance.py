"""Kendall's coefficient of concordance W, corrected for ties, and for incomplete ratings."""

from types import MappingProxyType

import numpy as np

from annotations.stats.distributions import chi2_above, t_quantile
from annotations.stats.estimate import Estimate, Interval
from annotations.stats.families import FloatArray, ratio, totals
from annotations.stats.mean_squares import CompleteRatings, complete_ratings
from annotations.stats.null_test import NullTest
from annotations.stats.rater_pairs import rater_pairs
from annotations.stats.ratings import Ratings
from annotations.stats.undefined import why_undefined

_COMPLETE = "Kendall's W of mid-ranks, corrected for ties (Siegel and Castellan 1988, eq. 9.18)"
_PAIRWISE = (
    "Kendall's W of incomplete ratings, (1 + (k − 1) ρ̄)/k with the mean ρ̄ of pairwise Spearman correlations "
    "over shared units (Brueckl 2011)"
)


def kendall_w(ratings: Ratings, *, level: float = 0.95) -> Estimate:
    """Kendall's W: do the raters put the units in the same order? 0 (no concordance) to 1 (the same order).

    Complete ratings: the tie-corrected coefficient, with an interval over units from the infinitesimal jackknife
    (t with n − 1) and one over raters from leaving each out (t with k − 1). Missing cells: the mean of the Spearman
    correlations of all pairs of raters who share two units or more and vary on them; pairs without one are counted
    in n as "pairs_undefined". Severity plays no part. Undefined with fewer than two raters or units, and when any
    rater of complete ratings leaves no variation at all.
    """
    complete = complete_ratings(ratings)
    if complete.n_raters >= 2 and complete.n_units == ratings.n["units"] and complete.n_units >= 2:
        return _complete(ratings, complete, level)
    return _pairwise(ratings, level)


def friedman_test(ratings: Ratings) -> NullTest:
    """χ² = k (n − 1) W with n − 1 degrees of freedom: no order that raters share (Friedman 1937), on complete units."""
    complete = complete_ratings(ratings)
    method = "Friedman's chi-squared of complete units, corrected for ties"
    if complete.n_raters < 2 or complete.n_units < 2:
        return NullTest.undefined("chi2", method, why_undefined(ratings))
    w = float(_Ranked(complete, ratings).w())
    if np.isnan(w):
        return NullTest.undefined("chi2", method, "no rater tells the units apart")
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
    intervals = []
    influence = ranked.influence_of_units()
    units_variance = n / (n - 1) * float(influence @ influence)
    method = f"infinitesimal jackknife over units, t({n - 1})"
    if np.isnan(units_variance):
        intervals.append(Interval.undefined("units", method, "no concordance to differentiate", level))
    else:
        intervals.append(_around(value, units_variance, n - 1, "units", method, level))
    intervals.append(_over_raters(value, ranked.without_each_rater() if k > 2 else None, k, level))
    return Estimate("kendall_w", value, _COMPLETE, ratings.n, tuple(intervals))


def _over_raters(value: float, without: FloatArray | None, k: int, level: float) -> Interval:
    method = f"delete-one-rater jackknife, t({k - 1})"
    if without is None:
        return Interval.undefined("raters", method, f"{k} raters; leaving one out must leave two", level)
    if np.isnan(without).any():
        return Interval.undefined("raters", method, "undefined when one of the raters is left out", level)
    return _around(value, (k - 1) * float(np.var(without)), k - 1, "raters", method, level)


def _around(value: float, variance: float, freedom: int, covers: str, method: str, level: float) -> Interval:
    reach = float(t_quantile((1 + level) / 2, freedom)) * float(np.sqrt(variance))
    return Interval(max(0.0, value - reach), min(1.0, value + reach), covers, method, level)


def _pairwise(ratings: Ratings, level: float) -> Estimate:
    raters = np.flatnonzero(ratings.per_rater)
    k = len(raters)
    if k < 2 or ratings.n["pairable"] == 0:
        return Estimate.undefined("kendall_w", _PAIRWISE, why_undefined(ratings), ratings.n)
    rho = spearman_matrix(ratings)[np.ix_(raters, raters)]
    known = ~np.isnan(rho)
    n_known = int(np.count_nonzero(known)) // 2
    n = MappingProxyType({**ratings.n, "pairs": n_known, "pairs_undefined": k * (k - 1) // 2 - n_known})
    if n_known == 0:
        return Estimate.undefined("kendall_w", _PAIRWISE, "no two raters share two units on which both of them vary", n)
    filled = np.where(known, rho, 0.0)
    value = (1 + (k - 1) * filled.sum() / known.sum()) / k
    without = None
    if k > 2:
        left = ratio(filled.sum() - 2 * filled.sum(axis=1), known.sum() - 2.0 * known.sum(axis=1))
        without = (1 + (k - 2) * left) / (k - 1)
    intervals = (_over_raters(float(value), without, k, level),)
    return Estimate("kendall_w", float(value), _PAIRWISE, n, intervals)


def spearman_matrix(ratings: Ratings) -> FloatArray:
    """(R, R) Spearman correlations of raters over shared units, mid-ranks within each pair's shared units.

    NaN on the diagonal, for fewer than two shared units, and where one of the two is constant on them.
    """
    pairs = rater_pairs(ratings)
    margin, n = pairs.margin, pairs.n_shared
    rank = np.cumsum(margin, axis=2) - margin / 2 - n[:, :, None] / 2
    spread = (margin * rank**2).sum(axis=2)
    product = pairs.count * rank[pairs.a, pairs.b, pairs.c] * rank[pairs.b, pairs.a, pairs.k]
    return ratio(pairs.sum_over_entries(product), np.sqrt(spread * spread.T))
