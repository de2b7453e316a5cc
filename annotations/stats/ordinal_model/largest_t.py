"""The distribution of the largest |t| of several estimates at once, without random numbers.

Estimates Z ~ N(0, R) over a common error S are Z = r L u: the distance r, with r² ~ χ² of R's rank, and a direction u
that is uniform on the sphere and independent of it. So P(max |Z| / S > t) is the mean over u of an F distribution's
tail at t² / (rank · max |L u|²) (Somerville 1998, J. Comput. Graph. Stat. 7:529), and only the directions need points:
equally spaced ones on a circle, else those of Richtmyer's sequence, folded (Genz & Bretz 2009, section 4.2.2).
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from annotations.stats.arrays import FloatArray
from annotations.stats.distributions import normal_quantile, t_above, t_quantile

_DIRECTIONS = 1 << 15
"""Of each of the two orders: the quantile of 95% is then right to about 2e-4 of itself."""
_GROUPS = 1024
_AT_ONCE = 64
_DEPENDENT = 1e-9
"""A row whose correlation with those before leaves less variance than this depends on them."""


@dataclass(frozen=True)
class LargestT:
    """The largest |t| of n estimates of `rank` dimensions, with a common error of df degrees of freedom.

    reach  the largest of the standardised estimates in each direction, ascending: (n_groups,) means of equally many
    """

    n: int
    rank: int
    df: float
    reach: FloatArray

    def above(self, t: FloatArray) -> FloatArray:
        """(m,) P(largest |t| > t), for t ≥ 0: never below that of one estimate, or above n times it (Bonferroni)."""
        t = np.asarray(t, float)
        alone = 2 * t_above(t, self.df)
        if self.rank == 1:
            return np.minimum(alone, 1.0)
        scaled = np.square(t[:, None] / self.reach) / self.rank
        together = special.fdtrc(self.rank, self.df, scaled).mean(axis=1)
        return np.clip(together, alone, np.minimum(self.n * alone, 1.0))

    def quantile(self, level: float) -> float:
        """t with P(largest |t| > t) = 1 − level, to rounding: an interval of this reach agrees with `above`."""
        low, high = (float(t_quantile(1 - (1 - level) / (2 * n), self.df)) for n in (1, self.n))
        while high - low > 1e-14 * high:
            middle = (low * high) ** 0.5
            if not low < middle < high:
                break
            if self.above(np.array([middle]))[0] > 1 - level:
                low = middle
            else:
                high = middle
        return high


def largest_t(covariance: FloatArray, df: float) -> LargestT:
    """Of estimates with this covariance (m, m), at least one, each with a variance above 0.

    The rows' order changes the result by the error of the points; the opposite order does not. Callers for whom the
    result must not depend on names sort the rows by a figure of the data.
    """
    scale = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(scale, scale)
    roots = [_root(correlation), _root(correlation[::-1, ::-1])]
    rank = roots[0].shape[1]
    points = _directions(rank)
    found = np.sort(np.concatenate([_largest(points, root) for root in roots]))
    groups = min(_GROUPS, len(found))
    return LargestT(len(covariance), rank, df, found.reshape(groups, -1).mean(axis=1))


def _root(correlation: FloatArray) -> FloatArray:
    """(m, rank) L with L Lᵀ = correlation, by Cholesky's rule on the rows that do not depend on those before them."""
    left, columns = correlation.copy(), list[FloatArray]()
    for row in range(len(left)):
        if left[row, row] > _DEPENDENT:
            columns.append(left[:, row] / np.sqrt(left[row, row]))
            left -= np.outer(columns[-1], columns[-1])
    return np.column_stack(columns)


def _directions(rank: int) -> FloatArray:
    """(n, rank) unit vectors, one of each opposite two."""
    if rank == 1:
        return np.ones((1, 1))
    if rank == 2:
        angle = np.pi * (np.arange(_DIRECTIONS) + 0.5) / _DIRECTIONS
        return np.column_stack([np.cos(angle), np.sin(angle)])
    sequence = np.outer(np.arange(1, _DIRECTIONS + 1), np.sqrt(_primes(rank))) % 1
    normal = normal_quantile(np.clip(np.abs(2 * sequence - 1), 1e-15, 1 - 1e-15))
    return np.asarray(normal / np.linalg.norm(normal, axis=1, keepdims=True))


def _primes(n: int) -> list[int]:
    found: list[int] = []
    candidate = 2
    while len(found) < n:
        if all(candidate % prime for prime in found):
            found.append(candidate)
        candidate += 1
    return found


def _largest(points: FloatArray, root: FloatArray) -> FloatArray:
    """(n,) the largest |L u| of each direction."""
    found = np.zeros(len(points))
    for start in range(0, len(root), _AT_ONCE):
        values = np.abs(points @ root[start : start + _AT_ONCE].T)
        np.maximum(found, values.max(axis=1), out=found)
    return found
