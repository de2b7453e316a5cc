"""Newton's ascent for models of preferences, whose strengths are known up to a constant."""

from collections.abc import Callable

import numpy as np

from annotations.stats.arrays import FloatArray

Likelihood = Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]
"""Parameters → log-likelihood, gradient (p,) and information (p, p)."""
MOST_STEPS = 100
_UNBOUNDED = 30.0
"""Log odds beyond this are those of a likelihood that stays flat on the way to infinity."""
_FLAT = 1e-13
"""Information smaller than this share of the largest is a product of rounding."""


class NotConverged(RuntimeError):
    """Newton's steps did not end at a maximum: the methods are not joined by wins in both directions."""


def maximise(likelihood: Likelihood, start: FloatArray, k: int) -> tuple[FloatArray, float, FloatArray]:
    """The maximum, its log-likelihood and information. k: how many of the parameters are strengths, the first ones.

    Raises NotConverged where there is no finite maximum.
    """
    theta = start
    value, gradient, information = likelihood(theta)
    for _step in range(MOST_STEPS):
        step = invert(information, k) @ gradient
        length = 1.0
        while True:
            tried = theta + length * step
            new = likelihood(tried)
            if new[0] >= value - 1e-12 * abs(value) or length < 1e-6:
                break
            length /= 2
        gain = new[0] - value
        theta, (value, gradient, information) = tried, new
        if np.abs(theta).max(initial=0) > _UNBOUNDED:
            break
        if np.abs(step).max(initial=0) * length < 1e-10 and abs(gain) < 1e-9 * (1 + abs(value)):
            if _is_flat(information, k):
                break
            return theta, value, information
    raise NotConverged(f"no maximum after {MOST_STEPS} steps, or within log odds of {_UNBOUNDED:g}")


def _is_flat(information: FloatArray, k: int) -> bool:
    """Whether the likelihood rises for ever in some direction, so slowly in the end that a step there is lost in
    rounding."""
    values = np.linalg.eigvalsh(information + _constant(information, k))
    return bool(values[0] < _FLAT * values[-1])


def with_ghost(
    theta: FloatArray, k: int, n_pseudo: float, value: float, gradient: FloatArray, information: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """A likelihood with a prior: this many wins and losses of each method against a ghost of mean strength.

    Turner et al. (2020), Comput. Stat. 35:1027, section 4.
    """
    if n_pseudo:
        worth = theta[:k]
        ghost = worth - worth.mean()
        up = 1 / (1 + np.exp(-ghost))
        centring = np.eye(k) - 1 / k
        value += n_pseudo * float(np.sum(-np.logaddexp(0, -ghost) - np.logaddexp(0, ghost)))
        gradient[:k] += centring @ (n_pseudo * (1 - 2 * up))
        information[:k, :k] += centring @ np.diag(2 * n_pseudo * up * (1 - up)) @ centring
    return value, gradient, information


def invert(information: FloatArray, k: int) -> FloatArray:
    """The inverse under Σ λ = 0: strengths are known up to a constant, so the constant's direction is set to 0."""
    inverse = np.linalg.pinv(information + _constant(information, k), hermitian=True)
    centring = np.eye(len(information))
    centring[:k, :k] -= 1 / k
    return np.asarray(centring @ inverse @ centring)


def _constant(information: FloatArray, k: int) -> FloatArray:
    """What fills the direction of the constant, of which nothing is known."""
    ones = np.zeros_like(information)
    ones[:k, :k] = max(float(np.trace(information[:k, :k])) / max(k, 1), 1e-12) / k
    return ones
