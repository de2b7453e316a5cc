"""Conger's kappa: Cohen's kappa for more than two raters, each with a level distribution of their own."""

import numpy as np

from annotations.stats.chance_corrected import percent_agreement
from annotations.stats.estimate import Estimate
from annotations.stats.families import ratio
from annotations.stats.ratings import Ratings
from annotations.stats.undefined import why_undefined
from annotations.stats.weights import Weights, agreement_weights

_NOTHING = 1e-12


def conger_kappa(ratings: Ratings, weights: Weights = "identity") -> Estimate:
    """(p_a − p_e)/(1 − p_e), up to 1, with the p_a of `percent_agreement` and chance over pairs of different raters.

    p_e = Σ w_ck (p̄_c p̄_k − s²_ck/R): p_gk is rater g's share of level k over the units that g rated, p̄ and s² their
    means and covariances over the R raters with ratings. For two raters and no gaps it is Cohen's kappa.
    Sources: Conger (1980), Psychological Bulletin 88:322–328; with missing cells Gwet (2014), section 2.5.
    """
    name = "conger_kappa" if weights == "identity" else f"conger_kappa_{weights}"
    method = f"Conger (1980), p_e over pairs of different raters; {weights} weights"
    observed = percent_agreement(ratings, weights).value
    given = ratings.per_rater > 0
    n_raters = int(np.count_nonzero(given))
    if np.isnan(observed) or n_raters < 2:
        return Estimate.undefined(name, method, why_undefined(ratings), ratings.n)
    cells = np.bincount(ratings.rater * ratings.n_levels + ratings.level, minlength=ratings.n_raters * ratings.n_levels)
    shares = cells.reshape(ratings.n_raters, ratings.n_levels)[given] / ratings.per_rater[given, None]
    mean = shares.mean(axis=0)
    centred = shares - mean
    covariance = centred.T @ centred / (n_raters - 1)
    table = agreement_weights(ratings.values, weights)
    expected = float((table * (np.outer(mean, mean) - covariance / n_raters)).sum())
    value = float(ratio(np.asarray(observed - expected), np.asarray(1 - expected), _NOTHING))
    if np.isnan(value):
        return Estimate.undefined(name, method, why_undefined(ratings), ratings.n)
    return Estimate(name, value, method, ratings.n)
