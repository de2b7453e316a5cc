"""Statistics that depend on the ratings only through how many units have each count pattern."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

FloatArray = NDArray[np.float64]
Features: TypeAlias = FloatArray | sparse.csr_array

_CHUNK = 1 << 22
"""Numbers held at once: 32 MiB of doubles."""


@dataclass(frozen=True, slots=True)
class Described:
    """A statistic's name and convention, and the range that its intervals are kept to."""

    statistic: str
    method: str
    low: float = -np.inf
    high: float = 1.0


class PatternFamily(Protocol):
    """Statistics that are functions of the same sums over units.

    `features` says what one unit with these counts adds to the sums, `values` what the sums amount to. A resample of
    units, a rater taken away, a single rating taken away: each is another set of sums, and many are valued at once.
    """

    described: tuple[Described, ...]
    n_features: int

    def features(self, rows: FloatArray) -> Features:
        """(n, n_levels) counts of n units → (n, n_features); rows of zeros give zeros."""
        ...

    def values(self, sums: FloatArray) -> FloatArray:
        """(b, n_features) → (b, n_statistics), NaN where a statistic is undefined."""
        ...

    def linearisation(self, total: FloatArray) -> FloatArray:
        """(1, n_features) → (n_features, n_statistics): derivatives for the analytic standard error over units."""
        ...


class Joined:
    """Several families as one, so that they share their resamples."""

    def __init__(self, families: Sequence[PatternFamily]) -> None:
        self.families = tuple(families)
        self.described = tuple(one for family in self.families for one in family.described)
        self.n_features = sum(family.n_features for family in self.families)

    def features(self, rows: FloatArray) -> Features:
        parts = [family.features(rows) for family in self.families]
        if any(sparse.issparse(part) for part in parts):
            return sparse.csr_array(sparse.hstack([sparse.csr_array(part) for part in parts], format="csr"))
        return np.hstack([np.asarray(part) for part in parts])

    def values(self, sums: FloatArray) -> FloatArray:
        results = []
        first = 0
        for family in self.families:
            results.append(family.values(sums[:, first : first + family.n_features]))
            first += family.n_features
        return np.hstack(results)

    def linearisation(self, total: FloatArray) -> FloatArray:
        blocks = np.zeros((self.n_features, len(self.described)))
        row = column = 0
        for family in self.families:
            below, right = row + family.n_features, column + len(family.described)
            blocks[row:below, column:right] = family.linearisation(total[:, row:below])
            row, column = below, right
        return blocks


def gradient(values: Callable[[FloatArray], FloatArray], total: FloatArray) -> FloatArray:
    """(n_features, n_statistics): derivative of each value in each sum, by central differences."""
    n_features = total.shape[1]
    width = 1e-5 * max(1.0, float(np.abs(total).max(initial=0.0)))
    step = max(1, _CHUNK // n_features)
    parts = []
    for first in range(0, n_features, step):
        nudge = np.zeros((min(step, n_features - first), n_features))
        nudge[np.arange(len(nudge)), first + np.arange(len(nudge))] = width
        parts.append((values(total + nudge) - values(total - nudge)) / (2 * width))
    return np.concatenate(parts)


def ratio(numerator: FloatArray, denominator: FloatArray, smallest: FloatArray | float = 0.0) -> FloatArray:
    """numerator / denominator, NaN where |denominator| ≤ smallest."""
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    result = np.full(denominator.shape, np.nan)
    np.divide(numerator, denominator, out=result, where=np.abs(denominator) > smallest)
    return result


def totals(code: NDArray[np.int64], weights: FloatArray, n: int) -> FloatArray:
    """(n,): the sum of the weights of each code, as doubles even where there are none."""
    return np.asarray(np.bincount(code, weights=weights, minlength=n), dtype=np.float64)
