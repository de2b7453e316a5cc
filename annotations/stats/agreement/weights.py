"""Agreement weights over the levels of a scale: 1 for the same level, and lower the further apart two levels are.

Sources: identity, linear and quadratic: Cohen (1968), Cicchetti and Allison (1971), Fleiss and Cohen (1973). The
others: Gwet, *Handbook of Inter-Rater Reliability*, 4th ed. (2014), section 3.5. All but the ordinal and "within_one"
weights use the values of the scale, not the positions of its levels; none looks at the ratings.
"""

from typing import Literal, get_args

import numpy as np

from annotations.stats.arrays import FloatArray, IntArray, ratio

Weights = Literal["identity", "linear", "quadratic", "ordinal", "within_one", "radical", "ratio", "bipolar", "circular"]
WEIGHTS: tuple[Weights, ...] = get_args(Weights)
_CONVEX = ("linear", "quadratic", "ordinal")


def agreement_weights(values: FloatArray, kind: Weights) -> FloatArray:
    """(K, K) symmetric weights with ones on the diagonal, for a scale of K ascending values.

    ordinal     1 − C(|k − l| + 1, 2) / C(K, 2) of positions k, l (Gwet's; unlike Krippendorff's ordinal difference)
    within_one  1 for levels at most one step of the scale apart, else 0
    ratio, bipolar: NaN off the diagonal where a denominator is zero, as the ratio weights of a scale around 0.
    """
    if kind not in WEIGHTS:
        raise ValueError(f"unknown weights {kind!r}; choose from {', '.join(WEIGHTS)}")
    n_levels = len(values)
    if kind == "identity" or n_levels == 1:
        return np.eye(n_levels)
    steps = np.abs(np.subtract.outer(np.arange(n_levels), np.arange(n_levels))).astype(float)
    if kind == "within_one":
        return (steps <= 1).astype(float)
    apart = np.abs(np.subtract.outer(values, values))
    together = np.add.outer(values, values)
    low, high = values[0], values[-1]
    span = high - low
    if kind == "linear":
        penalty = apart / span
    elif kind == "quadratic":
        penalty = (apart / span) ** 2
    elif kind == "radical":
        penalty = np.sqrt(apart / span)
    elif kind == "ordinal":
        penalty = steps * (steps + 1) / (n_levels * (n_levels - 1))
    elif kind == "ratio":
        penalty = ratio((apart * (high + low)) ** 2, (together * span) ** 2)
    elif kind == "circular":
        turn = np.sin(np.pi * apart / (span + 1)) ** 2
        penalty = turn / turn.max()
    else:
        fall = ratio(apart**2, (together - 2 * low) * (2 * high - together))
        penalty = fall / np.nanmax(np.where(steps > 0, fall, 0.0))
    weights = 1.0 - penalty
    np.fill_diagonal(weights, 1.0)
    return np.asarray(weights)


def least_agreement(weights: FloatArray, kind: Weights, sizes: IntArray) -> FloatArray:
    """(n,): the lowest mean weight of the pairs of m ratings, for each m ≥ 2 of sizes (n,).

    Ratings agree least when spread evenly over levels that are as far apart as can be: all levels for identity
    weights, every other level for "within_one", both ends of the scale where the penalty is convex in the distance.
    For other weights a bound: the lowest weight.
    """
    n_levels = len(weights)
    apart = {"identity": n_levels, "within_one": (n_levels + 1) // 2} | dict.fromkeys(_CONVEX, min(n_levels, 2))
    if kind not in apart:
        return np.full(len(sizes), float(np.nanmin(weights)))
    each, rest = np.divmod(sizes, apart[kind])
    together = rest * (each + 1) * each + (apart[kind] - rest) * each * (each - 1)
    return np.asarray(together / (sizes * (sizes - 1)))
