"""Conger's kappa: Cohen's kappa for more than two raters, each with their own distribution of levels."""

import numpy as np

from annotations.stats.agreement.chance_corrected import ChanceFamily
from annotations.stats.agreement.weights import Weights, agreement_weights
from annotations.stats.arrays import FloatArray, ratio, totals
from annotations.stats.estimate import Estimate
from annotations.stats.intervals.over_raters import linearised_interval
from annotations.stats.intervals.pattern_families import lowest_of_pairs
from annotations.stats.ratings import Ratings
from annotations.stats.undefined import notes_on_few, why_undefined

_NOTHING = 1e-12
"""1 − p_e below this is rounding: chance explains everything."""


def conger_kappa(ratings: Ratings, weights: Weights = "identity", *, level: float = 0.95) -> Estimate:
    """(p_a − p_e)/(1 − p_e), up to 1, with the p_a of `percent_agreement` and chance over pairs of different raters.

    p_e = Σ w_ck (p̄_c p̄_k − s²_ck/R): p_gk is rater g's share of level k over the units that g rated, p̄ and s² their
    means and covariances over the R raters with ratings. For two raters and no gaps it is Cohen's kappa.
    The interval is over units, for these raters: linearised standard error, t with units − 1 degrees of freedom. It is
    not resampled: it matters here who gave a rating, so units of one count pattern are not exchangeable. Undefined
    without a unit of two ratings, and where 1 − p_e is 0.
    Sources: Conger (1980), Psychological Bulletin 88:322–328; with missing cells Gwet (2014), sections 2.5 and 5.3.
    """
    name = "conger_kappa" if weights == "identity" else f"conger_kappa_{weights}"
    method = f"Conger (1980), p_e over pairs of different raters; {weights.replace('_', ' ')} weights"
    agreement, pairable = _agreement_of_units(ratings, weights)
    given = ratings.per_rater > 0
    n_raters = int(np.count_nonzero(given))
    if not pairable.any() or n_raters < 2:
        return Estimate.undefined(name, method, why_undefined(ratings), ratings.n)
    table = agreement_weights(ratings.values, weights)
    shares = _shares(ratings)
    mean = shares[given].mean(axis=0)
    centred = shares[given] - mean
    covariance = centred.T @ centred / (n_raters - 1)
    expected = float((table * (np.outer(mean, mean) - covariance / n_raters)).sum())
    observed = float(agreement.sum() / np.count_nonzero(pairable))
    value = float(ratio(np.asarray(observed - expected), np.asarray(1 - expected), _NOTHING))
    if np.isnan(value):
        return Estimate.undefined(name, method, why_undefined(ratings), ratings.n)
    chance = _effects_on_chance(ratings, shares, n_raters * mean, table) * 2 / (n_raters * (n_raters - 1))
    # A unit with one rating has no agreement beyond chance, as Gwet (2014) takes it: see `ChanceFamily.linearisation`.
    beyond = (agreement - expected * pairable) / np.count_nonzero(pairable)
    effects = ((beyond - (1 - value) * chance) / (1 - expected))[ratings.per_unit > 0]
    n = len(effects)
    variance = n * float(effects.var(ddof=1)) if n > 1 else np.nan
    interval = linearised_interval(value, variance, n, lowest_of_pairs(ratings.per_unit), level)
    return Estimate(name, value, method, ratings.n, (interval,), notes=notes_on_few(ratings.n["pairable"]))


def _agreement_of_units(ratings: Ratings, weights: Weights) -> tuple[FloatArray, FloatArray]:
    """(n_units,) each unit's share of agreeing pairs, 0 without a pair; and 1 for units with a pair, 0 for others."""
    family = ChanceFamily(ratings.values, (("percent_agreement", weights),))
    rows, _ = ratings.patterns
    features = family.features(rows.astype(float))
    return features[:, -1][ratings.pattern_of_unit], features[:, 1][ratings.pattern_of_unit]


def _shares(ratings: Ratings) -> FloatArray:
    """(n_raters, n_levels): each rater's share of each level, 0 for a rater without ratings."""
    cells = np.bincount(ratings.rater * ratings.n_levels + ratings.level, minlength=ratings.n_raters * ratings.n_levels)
    return cells.reshape(ratings.n_raters, ratings.n_levels) / np.maximum(ratings.per_rater, 1)[:, None]


def _effects_on_chance(
    ratings: Ratings, shares: FloatArray, sum_of_shares: FloatArray, table: FloatArray
) -> FloatArray:
    """(n_units,): what each unit adds, to first order, to half the sum of p_g'W p_h over ordered pairs g ≠ h of raters.

    Rater g's shares p_g are multiplied by the other raters' W Σ_{h≠g} p_h = a_g. A rating of level l moves p_g by
    (e_l − p_g)/n_g, so the sum by (a_gl − p_g'a_g)/n_g: added up over the ratings of a unit.
    """
    others = (sum_of_shares - shares) @ table
    usual = (shares * others).sum(axis=1, keepdims=True)
    moves = (others - usual) / np.maximum(ratings.per_rater, 1)[:, None]
    return totals(ratings.unit, moves.ravel()[ratings.rater * ratings.n_levels + ratings.level], ratings.n_units)
