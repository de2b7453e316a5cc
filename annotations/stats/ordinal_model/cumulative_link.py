"""The likelihood of ordered answers given a linear predictor, with the derivatives that fitting needs.

P(answer ≤ j) = F(threshold_j − predictor), F logistic ("logit": proportional odds) or normal ("probit"); a larger
predictor means higher answers. Source: McCullagh (1980), JRSS B 42:109; the sign convention is that of Agresti (2010),
Analysis of Ordinal Categorical Data, section 3.2, and of R's `ordinal`.
"""

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


@dataclass(frozen=True, slots=True)
class Pieces:
    """Per answer: the log-likelihood and its derivatives; η is the predictor, upper and lower the cut points.

    value  ℓ             score  ∂ℓ/∂η            weight  −∂²ℓ/∂η² (≥ 0)   weight_eta  ∂weight/∂η
    upper, lower         ∂ℓ/∂cut                 score_upper, score_lower  ∂score/∂cut
    weight_upper, weight_lower  ∂weight/∂cut
    """

    value: FloatArray
    score: FloatArray
    weight: FloatArray
    weight_eta: FloatArray
    upper: FloatArray
    lower: FloatArray
    score_upper: FloatArray
    score_lower: FloatArray
    weight_upper: FloatArray
    weight_lower: FloatArray


def log_likelihood(level: NDArray[np.int64], eta: FloatArray, thresholds: FloatArray, link: Link) -> FloatArray:
    """ℓ of every answer; eta may have trailing axes (n, …), which level is broadcast against."""
    cuts = np.concatenate(([-np.inf], thresholds, [np.inf]))
    shape = level.reshape(level.shape + (1,) * (eta.ndim - level.ndim))
    return np.log(_probability(cuts[shape + 1] - eta, cuts[shape] - eta, link))


def pieces(level: NDArray[np.int64], eta: FloatArray, thresholds: FloatArray, link: Link) -> Pieces:
    """All of `Pieces` for answers level (n,) in 0…J−1, predictors eta (n,) and ascending thresholds (J−1,)."""
    cuts = np.concatenate(([-np.inf], thresholds, [np.inf]))
    a = np.clip(cuts[level + 1] - eta, -_FAR, _FAR)
    b = np.clip(cuts[level] - eta, -_FAR, _FAR)
    p = _probability(a, b, link)
    (fa, fa1, fa2), (fb, fb1, fb2) = _densities(a, link), _densities(b, link)
    ra, rb = fa / p, fb / p
    score = rb - ra
    bend = (fa1 - fb1) / p
    score_upper = -fa1 / p - score * ra
    score_lower = fb1 / p + score * rb
    curvature = bend - score**2
    curvature_upper = fa2 / p - bend * ra - 2 * score * score_upper
    curvature_lower = -fb2 / p + bend * rb - 2 * score * score_lower
    return Pieces(
        value=np.log(p),
        score=score,
        # Both links are log-concave; below 0 is rounding.
        weight=np.maximum(-curvature, 0.0),
        weight_eta=curvature_upper + curvature_lower,
        upper=ra,
        lower=-rb,
        score_upper=score_upper,
        score_lower=score_lower,
        weight_upper=-curvature_upper,
        weight_lower=-curvature_lower,
    )


def _probability(a: FloatArray, b: FloatArray, link: Link) -> FloatArray:
    """F(a) − F(b), from the tail that both lie in, so that small differences keep their digits."""
    distribution = special.expit if link == "logit" else special.ndtr
    upper_tail = b > 0
    high = np.where(upper_tail, -b, a)
    low = np.where(upper_tail, -a, b)
    return np.maximum(distribution(high) - distribution(low), _SMALLEST)


def _densities(x: FloatArray, link: Link) -> tuple[FloatArray, FloatArray, FloatArray]:
    """f, f′ and f″ of the link's distribution."""
    if link == "logit":
        up = special.expit(x)
        f = up * special.expit(-x)
        slope = 1 - 2 * up
        return f, f * slope, f * (slope**2 - 2 * f)
    f = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    return f, -x * f, (x**2 - 1) * f
