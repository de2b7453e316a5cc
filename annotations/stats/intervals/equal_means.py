"""Do several groups have the same mean, whatever their variances? Welch's test, for one figure or for several at once.

The multivariate test is the Welch–James test in Johansen's approximation (1980, Biometrika 67:85); of one figure it is
Welch's F (1951, Biometrika 38:330).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from annotations.stats.arrays import FloatArray
from annotations.stats.distributions import f_above


@dataclass(frozen=True)
class Interaction:
    """Method × category: the F test of equal effects in all categories; NaN with a reason where there is none.

    left_out  categories that the test does not use, each with its reason
    """

    f: float
    df_above: float
    df_below: float
    p: float
    reason: str = ""
    left_out: tuple[str, ...] = ()

    @classmethod
    def undefined(cls, reason: str, left_out: Sequence[str] = ()) -> "Interaction":
        return cls(nan, nan, nan, nan, reason, tuple(left_out))


def welch_james(groups: Sequence[FloatArray]) -> Interaction:
    """Equal mean vectors of groups (n_g, q), each with its own invertible covariance."""
    q, k = groups[0].shape[1], len(groups)
    means = np.array([group.mean(axis=0) for group in groups])
    of_mean = [np.cov(group, rowvar=False).reshape(q, q) / len(group) for group in groups]
    weight = np.array([np.linalg.inv(each) for each in of_mean])
    whole = np.linalg.inv(weight.sum(axis=0))
    centre = whole @ np.einsum("gij,gj->i", weight, means)
    distance = float(np.einsum("gi,gij,gj->", means - centre, weight, means - centre))
    rest = np.eye(q) - whole @ weight
    lost = sum(
        (float(np.trace(each @ each)) + float(np.trace(each)) ** 2) / (2 * (len(group) - 1))
        for each, group in zip(rest, groups, strict=True)
    )
    above = q * (k - 1)
    scale = above + 2 * lost - 6 * lost / (above + 2)
    below = above * (above + 2) / (3 * lost)
    f = distance / scale
    return Interaction(f, above, below, float(f_above(f, above, below)))
