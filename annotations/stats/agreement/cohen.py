"""Cohen's kappa, plain and weighted, of every pair of raters.

Sources: Cohen (1960), Educational and Psychological Measurement 20:37–46; Cohen (1968), Psychological Bulletin
70:213–220; large-sample standard errors: Fleiss, Cohen and Everitt (1969), Psychological Bulletin 72:323–327.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from annotations.stats.agreement.rater_pairs import RaterPairs, rater_pairs
from annotations.stats.agreement.weights import Weights, agreement_weights
from annotations.stats.arrays import FloatArray, ratio
from annotations.stats.distributions import normal_above, normal_quantile
from annotations.stats.estimate import Estimate, Interval, NullTest
from annotations.stats.ratings import Ratings

_NOTHING = 1e-12
"""1 − p_e below this is rounding."""


@dataclass(frozen=True, slots=True)
class CohenMatrix:
    """Kappa of each pair of raters over the units both rated, all (R, R) and symmetric.

    kappa: NaN on the diagonal and where undefined: no shared unit, or both raters constant on the same level.
    standard_error: large-sample, of kappa as estimated. null_standard_error: under independence. n_shared: units.
    """

    kappa: FloatArray
    standard_error: FloatArray
    null_standard_error: FloatArray
    n_shared: FloatArray
    weights: str
    method: str


def cohen_matrix(
    ratings: Ratings,
    weights: Weights = "identity",
    *,
    pairs: RaterPairs | None = None,
    exchanged: tuple[int, int] | None = None,
) -> CohenMatrix:
    """Cohen's kappa of every pair of raters, with the weights of `agreement_weights` over the full declared scale.

    `pairs` takes joint counts computed earlier, so that several weights can share them. `exchanged` names two levels
    that mean something else in each unit: half of each unit counts with them exchanged.
    """
    table = agreement_weights(ratings.values, weights)
    if exchanged is None:
        return _kappas(rater_pairs(ratings) if pairs is None else pairs, table, weights)
    twice = _kappas(rater_pairs(_with_exchanged(ratings, exchanged)), table, weights)
    return replace(
        twice,
        standard_error=twice.standard_error * np.sqrt(2),
        null_standard_error=twice.null_standard_error * np.sqrt(2),
        n_shared=twice.n_shared / 2,
        method=f"{twice.method}; half of each unit with the first two levels exchanged",
    )


def _with_exchanged(ratings: Ratings, levels: tuple[int, int]) -> Ratings:
    """All units, and all again with two levels exchanged."""
    to = np.arange(ratings.n_levels)
    to[list(levels)] = levels[::-1]
    return Ratings(
        np.concatenate([ratings.unit, ratings.unit + ratings.n_units]),
        np.concatenate([ratings.rater, ratings.rater]),
        np.concatenate([ratings.level, to[ratings.level]]),
        ratings.values,
        2 * ratings.n_units,
        ratings.n_raters,
    )


def _kappas(pairs: RaterPairs, weights: FloatArray, name: str) -> CohenMatrix:
    n = pairs.n_shared
    size = np.where(n > 0, n, np.nan)
    rows = pairs.margin / size[:, :, None]
    columns = rows.transpose(1, 0, 2)
    share = pairs.count / n[pairs.a, pairs.b]
    observed = np.where(n > 0, pairs.sum_over_entries(share * weights[pairs.c, pairs.k]), np.nan)
    # Weighted means of a level against the other rater's margin: w̄_c. and w̄_.k of Fleiss et al.
    row_mean, column_mean = columns @ weights, rows @ weights
    expected = (rows * row_mean).sum(axis=2)
    kappa = ratio(observed - expected, 1 - expected, _NOTHING)
    means = row_mean[pairs.a, pairs.b, pairs.c] + column_mean[pairs.a, pairs.b, pairs.k]
    entry_kappa = kappa[pairs.a, pairs.b]
    terms = pairs.sum_over_entries(share * (weights[pairs.c, pairs.k] - means * (1 - entry_kappa)) ** 2)
    spread = terms - (kappa - expected * (1 - kappa)) ** 2
    divisor = (1 - expected) * np.sqrt(size)
    error = ratio(np.sqrt(np.maximum(spread, 0.0)), divisor, _NOTHING)
    # Σ p_c. p_.k [w − (w̄_c + w̄_k)]² written out, so that no R × R × K × K array is needed.
    null = _null_spread(rows, columns, row_mean, column_mean, weights) - expected**2
    null_error = ratio(np.sqrt(np.maximum(null, 0.0)), divisor, _NOTHING)
    method = f"Cohen's kappa, {name} weights over the full scale, units that both raters rated"
    return CohenMatrix(kappa, error, null_error, n, name, method)


def _null_spread(
    rows: FloatArray, columns: FloatArray, row_mean: FloatArray, column_mean: FloatArray, weights: FloatArray
) -> FloatArray:
    squared = np.einsum("abc,abc->ab", rows @ weights**2, columns)
    row_part = (rows * row_mean**2).sum(axis=2)
    column_part = (columns * column_mean**2).sum(axis=2)
    cross = (rows * row_mean).sum(axis=2) * (columns * column_mean).sum(axis=2)
    # E[w(w̄_c + w̄_k)] = E[w̄_c²] + E[w̄_k²], since w̄_c is the mean of w over k.
    return squared - 2 * (row_part + column_part) + row_part + column_part + 2 * cross


def cohen_kappa(
    table: ArrayLike, weights: ArrayLike | None = None, *, level: float = 0.95
) -> tuple[Estimate, NullTest]:
    """Cohen's kappa of one two-rater table, and the test of independence.

    table (K, K): counts or shares, rows the first rater. weights (K, K): agreement weights with ones on the diagonal,
    identity when not given; for disagreement weights d pass 1 − d / max d. The interval is kappa ± z · SE. Raises
    ValueError for a table that is not square or is negative.
    """
    counts = np.asarray(table, dtype=float)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or np.any(counts < 0):
        raise ValueError("give a square table of counts, none below zero")
    agreement = np.eye(len(counts)) if weights is None else np.asarray(weights, dtype=float)
    name = "cohen_kappa" if weights is None else "cohen_kappa_weighted"
    c, k = np.nonzero(counts)
    a, b = np.zeros(2 * len(c), dtype=np.int64), np.ones(2 * len(c), dtype=np.int64)
    a[len(c) :], b[len(c) :] = 1, 0
    both = np.concatenate([counts[c, k]] * 2)
    pairs = RaterPairs(a, b, np.concatenate([c, k]), np.concatenate([k, c]), both, 2, len(counts))
    result = _kappas(pairs, agreement, "identity" if weights is None else "given")
    n = {"units": int(counts.sum()), "pairable": int(counts.sum()), "raters": 2, "ratings": int(2 * counts.sum())}
    method = "z test of independence, null standard error (Fleiss, Cohen and Everitt 1969)"
    kappa, error, null_error = (
        float(x[0, 1]) for x in (result.kappa, result.standard_error, result.null_standard_error)
    )
    if np.isnan(kappa):
        reason = "no shared units" if counts.sum() == 0 else "both raters give the same level throughout"
        return Estimate.undefined(name, result.method, reason, n), NullTest.undefined("z", method, reason)
    reach = float(normal_quantile((1 + level) / 2)) * error
    interval = Interval.around(
        kappa, kappa - reach, kappa + reach, "units", "large-sample standard error", level, within=(-1.0, 1.0)
    )
    if not null_error > 0:
        test = NullTest.undefined("z", method, "the null standard error is zero")
    else:
        z = kappa / null_error
        test = NullTest("z", z, (), float(2 * normal_above(abs(z))), method)
    return Estimate(name, kappa, result.method, n, (interval,)), test
