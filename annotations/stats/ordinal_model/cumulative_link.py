"""The likelihood of ordered answers given a linear predictor, with the derivatives that fitting needs.

P(answer ≤ j) = F(threshold_j − predictor), F logistic ("logit": proportional odds) or normal ("probit"); a larger
predictor means higher answers. Source: McCullagh (1980), JRSS B 42:109; the sign convention is that of Agresti (2010),
Analysis of Ordinal Categorical Data, section 3.2, and of R's `ordinal`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from annotations.stats.arrays import FloatArray

Link = Literal["logit", "probit"]

_SMALLEST = 1e-300
_FAR = 40.0
"""Beyond this distance a cut point counts as infinite: F differs from 0 or 1 by less than 1e-17."""
_FARTHEST = 300.0
"""Predictors and cut points beyond this, whose powers of e would leave the range of floats, count as this."""


@dataclass(frozen=True, slots=True)
class Derivatives:
    """Per answer: what the gradient of an approximated integral needs besides `Pieces`.

    weight_eta  ∂weight/∂η   upper, lower  ∂ℓ/∂cut   score_upper, score_lower  ∂score/∂cut
    weight_upper, weight_lower  ∂weight/∂cut
    """

    weight_eta: FloatArray
    upper: FloatArray
    lower: FloatArray
    score_upper: FloatArray
    score_lower: FloatArray
    weight_upper: FloatArray
    weight_lower: FloatArray


@dataclass(frozen=True, slots=True)
class Pieces:
    """Per answer the log-likelihood ℓ and its derivatives by the predictor η, which a search for a mode needs.

    value  ℓ    score  ∂ℓ/∂η    weight  −∂²ℓ/∂η² (≥ 0)    derivatives  the rest, computed where it is asked for
    """

    value: FloatArray
    score: FloatArray
    weight: FloatArray
    derivatives: Callable[[], Derivatives]


def pieces(level: NDArray[np.int64], eta: FloatArray, thresholds: FloatArray, link: Link) -> Pieces:
    """All of `Pieces` for answers level (n,) in 0…J−1, predictors eta (n,) and ascending thresholds (J−1,)."""
    return (_logistic if link == "logit" else _normal)(level, eta, thresholds)


def _logistic(level: NDArray[np.int64], eta: FloatArray, thresholds: FloatArray) -> Pieces:
    """With u = F(upper − η) and w = 1 − F(lower − η): P = u w (1 − e^(lower − upper)), score = u − w.

    So an answer costs one power and one logarithm, and no precision is lost where both cut points are far away.
    """
    cuts = np.clip(thresholds, -_FARTHEST, _FARTHEST)
    upper_power, lower_power = np.append(np.exp(-cuts), 0.0), np.append(0.0, np.exp(cuts))
    gap = np.ones(len(cuts) + 1)
    gap[1:-1] = np.maximum(-np.expm1(-np.diff(cuts)), _SMALLEST)
    power = np.exp(np.clip(eta, -_FARTHEST, _FARTHEST))
    above, below = upper_power[level] * power, lower_power[level] / power
    u, w = 1 / (1 + above), 1 / (1 + below)
    density_above, density_below = above * u * u, below * w * w

    def derivatives() -> Derivatives:
        not_u, not_w, inside = above * u, below * w, gap[level]
        weight_upper, weight_lower = density_above * (not_u - u), density_below * (w - not_w)
        return Derivatives(
            weight_eta=-(weight_upper + weight_lower),
            upper=not_u / (w * inside),
            lower=-not_w / (u * inside),
            score_upper=density_above,
            score_lower=density_below,
            weight_upper=weight_upper,
            weight_lower=weight_lower,
        )

    value = np.log(np.maximum(u * w, _SMALLEST)) + np.log(gap)[level]
    return Pieces(value, u - w, density_above + density_below, derivatives)


def _normal(level: NDArray[np.int64], eta: FloatArray, thresholds: FloatArray) -> Pieces:
    cuts = np.concatenate(([-np.inf], thresholds, [np.inf]))
    a = np.clip(cuts[level + 1] - eta, -_FAR, _FAR)
    b = np.clip(cuts[level] - eta, -_FAR, _FAR)
    p = _probability(a, b, "probit")
    (fa, fa1, fa2), (fb, fb1, fb2) = _normal_densities(a), _normal_densities(b)
    ra, rb = fa / p, fb / p
    score = rb - ra
    bend = (fa1 - fb1) / p
    score_upper = -fa1 / p - score * ra
    score_lower = fb1 / p + score * rb
    curvature = bend - score**2
    curvature_upper = fa2 / p - bend * ra - 2 * score * score_upper
    curvature_lower = -fb2 / p + bend * rb - 2 * score * score_lower
    rest = Derivatives(
        weight_eta=curvature_upper + curvature_lower,
        upper=ra,
        lower=-rb,
        score_upper=score_upper,
        score_lower=score_lower,
        weight_upper=-curvature_upper,
        weight_lower=-curvature_lower,
    )
    # The link is log-concave; a weight below 0 is rounding.
    return Pieces(np.log(p), score, np.maximum(-curvature, 0.0), lambda: rest)


def _probability(a: FloatArray, b: FloatArray, link: Link) -> FloatArray:
    """F(a) − F(b), from the tail that both lie in, so that small differences keep their digits."""
    distribution = special.expit if link == "logit" else special.ndtr
    upper_tail = b > 0
    high = np.where(upper_tail, -b, a)
    low = np.where(upper_tail, -a, b)
    return np.maximum(distribution(high) - distribution(low), _SMALLEST)


def _normal_densities(x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """f, f′ and f″ of the normal distribution."""
    f = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    return f, -x * f, (x**2 - 1) * f
