"""How well each rater agrees with the others where levels have no order and no distance."""

import numpy as np

from annotations.stats.arrays import FloatArray
from annotations.stats.distributions import t_quantile
from annotations.stats.raters import sums
from annotations.stats.raters.signals import MIN_UNITS, NO_ORDER, Columns, divide, fisher_limits
from annotations.stats.raters.suspicion import Measure
from annotations.stats.ratings import Ratings

_OF_ORDERED_LEVELS = ("rank_correlation", "mean_absolute_deviation", "severity", "spread")


def add_category_agreement(columns: Columns, ratings: Ratings, peers: sums.Peers, others: FloatArray) -> None:
    """Adds unweighted kappa against the others; figures that need an order are undefined and say so.

    others (n_raters, n_levels): how the others' answers to each rater's units are distributed.
    """
    n = np.bincount(peers.rater, minlength=ratings.n_raters)
    kappa, error = _kappa(ratings, peers, others)
    low, high = fisher_limits(
        kappa, divide(error, 1 - kappa**2), t_quantile(0.5 + columns.level / 2, np.maximum(n - 1, 1))
    )
    columns.add(
        "agreement",
        "rater_agreement",
        "unweighted kappa of the rater's answer with each other answer to the unit, every unit weighing once",
        kappa,
        n,
        "units",
        (low, high, "delta method on Fisher's z with t", "no variation to judge by, or fewer than two units"),
        "no unit rated by another rater, or neither side varies",
    )
    judged = np.where(n >= MIN_UNITS, kappa, np.nan)
    columns.measures.append(Measure("agreement", "agreement with the others", judged, error, "low"))
    for name in _OF_ORDERED_LEVELS:
        nothing = np.full(ratings.n_raters, np.nan)
        columns.add(name, f"rater_{name}", "for ordered levels", nothing, n, "units", None, NO_ORDER)


def _kappa(ratings: Ratings, peers: sums.Peers, others: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(p_o − p_e)/(1 − p_e) of each rater, and its standard error by the delta method over units.

    p_o: mean over units of the share of the others with the rater's level. p_e = Σ p_k q_k, with p the rater's own
    shares of levels on these units and q the others', every unit weighing once (Cohen 1960, several partners at once).
    """
    n_raters, n_levels = others.shape
    own = np.bincount(peers.rater * n_levels + peers.level, minlength=n_raters * n_levels).reshape(n_raters, n_levels)
    own_share = own / np.maximum(own.sum(axis=1), 1)[:, None]
    given = np.bincount(ratings.unit * n_levels + ratings.level, minlength=ratings.n_units * n_levels)
    same = (given[peers.unit * n_levels + peers.level] - 1) / peers.n_others
    observed = sums.mean_by(peers.rater, same, n_raters)
    chance = (own_share * others).sum(axis=1)
    beyond = np.where(1 - chance > 1e-12, 1 - chance, 0.0)
    kappa = divide(observed - chance, beyond)
    # A unit adds to p_e on both sides: its own level among the others, and its others' levels among the rater's own.
    of_others = np.zeros(len(peers.rater))
    for level in range(n_levels):
        share = (given[peers.unit * n_levels + level] - (peers.level == level)) / peers.n_others
        of_others += own_share[peers.rater, level] * share
    by_chance = others[peers.rater, peers.level] + of_others - 2 * chance[peers.rater]
    influence = same - observed[peers.rater] - (1 - kappa[peers.rater]) * by_chance
    deviation = sums.deviation_by(peers.rater, np.where(np.isnan(influence), 0.0, influence), n_raters)[1]
    n = np.bincount(peers.rater, minlength=n_raters)
    return kappa, divide(deviation, beyond * np.sqrt(np.maximum(n, 1)))
