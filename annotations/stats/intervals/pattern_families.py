"""Statistics that depend on the ratings only through how many units have each count pattern."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol, TypeAlias, TypeVar

import numpy as np
from scipy import sparse

from annotations.stats.arrays import FloatArray, IntArray

Features: TypeAlias = FloatArray | sparse.csr_array
Counts = TypeVar("Counts", FloatArray, IntArray)


@dataclass(frozen=True, slots=True)
class Described:
    """A statistic's name and convention; its highest value is 1.

    counts_severity: a severe or mild rater lowers the statistic by the square of that severity, because chance
    agreement is taken from the scale or not at all. The effects of raters then have heavy tails.
    """

    statistic: str
    method: str
    counts_severity: bool = False


class PatternFamily(Protocol):
    """Statistics that are functions of the same sums over units.

    `features` says what one unit with these counts adds to the sums, and `values` computes the statistics from the
    sums. A resample of units, a rater left out, a single rating left out: each is another set of sums, and many are
    evaluated at once.
    """

    described: tuple[Described, ...]
    n_features: int

    def features(self, rows: FloatArray) -> Features:
        """(n, n_levels) counts of n units → (n, n_features); rows of zeros give zeros."""
        ...

    def values(self, sums: FloatArray) -> FloatArray:
        """(b, n_features) → (b, n_statistics), NaN where a statistic is undefined."""
        ...

    def gradient(self, total: FloatArray) -> FloatArray:
        """(1, n_features) → (n_features, n_statistics): the derivative of each value in each sum, exact."""
        ...

    def linearisation(self, total: FloatArray) -> FloatArray:
        """The gradient as the statistic's source takes it for the standard error over units."""
        ...

    def lowest(self, sizes: IntArray) -> FloatArray:
        """(n_statistics,): the lowest value that units with these numbers of ratings, 1 or more each, can have."""
        ...


def with_exchanged(rows: Counts, levels: tuple[int, int]) -> Counts:
    """Counts (n, n_levels) of levels, two of them exchanged."""
    turned = rows.copy()
    turned[:, list(levels)] = rows[:, list(levels[::-1])]
    return turned


class Exchanged:
    """A family for ratings two of whose levels have no meaning in common over units, such as the first of two images.

    Half of each unit counts with the two levels exchanged, so which of the images is called the first changes nothing.
    """

    def __init__(self, family: PatternFamily, levels: tuple[int, int]) -> None:
        self.family = family
        self.described = tuple(
            replace(one, method=f"{one.method}; half of each unit with the first two levels exchanged")
            for one in family.described
        )
        self.n_features = family.n_features
        self.values, self.gradient, self.linearisation = family.values, family.gradient, family.linearisation
        self.lowest = family.lowest
        self._levels = levels

    def features(self, rows: FloatArray) -> Features:
        return (self.family.features(rows) + self.family.features(with_exchanged(rows, self._levels))) * 0.5


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

    def slices(self) -> list[slice]:
        """Where each family's sums lie."""
        ends = np.cumsum([0, *(family.n_features for family in self.families)]).tolist()
        return [slice(first, end) for first, end in pairwise(ends)]

    def values(self, sums: FloatArray) -> FloatArray:
        parts = zip(self.families, self.slices(), strict=True)
        return np.hstack([family.values(sums[:, own]) for family, own in parts])

    def gradient(self, total: FloatArray) -> FloatArray:
        return self._blocks(total, [family.gradient for family in self.families])

    def linearisation(self, total: FloatArray) -> FloatArray:
        return self._blocks(total, [family.linearisation for family in self.families])

    def lowest(self, sizes: IntArray) -> FloatArray:
        return np.concatenate([family.lowest(sizes) for family in self.families])

    def _blocks(self, total: FloatArray, derivatives: Sequence[Callable[[FloatArray], FloatArray]]) -> FloatArray:
        blocks = np.zeros((self.n_features, len(self.described)))
        column = 0
        for own, derivative in zip(self.slices(), derivatives, strict=True):
            block = derivative(total[:, own])
            blocks[own, column : column + block.shape[1]] = block
            column += block.shape[1]
        return blocks


def lowest_of_pairs(sizes: IntArray) -> float:
    """−1/(m − 1) for m the fewest ratings of a pairable unit; NaN without a pairable unit."""
    pairable = sizes[sizes >= 2]
    return -1.0 / (int(pairable.min()) - 1) if len(pairable) else np.nan
