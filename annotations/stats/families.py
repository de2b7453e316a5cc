"""Statistics that depend on the ratings only through how many units have each count pattern."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

FloatArray = NDArray[np.float64]
Features: TypeAlias = FloatArray | sparse.csr_array


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


def ratio(numerator: FloatArray, denominator: FloatArray, smallest: FloatArray | float = 0.0) -> FloatArray:
    """numerator / denominator, NaN where |denominator| ≤ smallest."""
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    result = np.full(denominator.shape, np.nan)
    np.divide(numerator, denominator, out=result, where=np.abs(denominator) > smallest)
    return result
