"""The one shape in which ratings of one dimension reach the statistics."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray


class BadRatings(ValueError):
    """Ratings that no statistic could take at their word; the message names the first offender and the cure."""


@dataclass(frozen=True)
class Ratings:
    """Ratings of one dimension in long form: rating i is rater[i]'s answer level[i] about unit[i].

    unit   (n,) int, 0 ≤ unit < n_units    what was rated: an image, an item
    rater  (n,) int, 0 ≤ rater < n_raters
    level  (n,) int, index into `values`
    values (n_levels,) float, ascending: the *full* declared scale, used levels or not
    n_units, n_raters: declared, so that a unit or a rater without ratings still counts as such

    Missing cells are simply absent; "unable to answer" never gets here. A rater answers about a unit at most once.
    """

    unit: NDArray[np.int64]
    rater: NDArray[np.int64]
    level: NDArray[np.int64]
    values: NDArray[np.float64]
    n_units: int
    n_raters: int

    def __post_init__(self) -> None:
        if not len(self.unit) == len(self.rater) == len(self.level):
            raise BadRatings("unit, rater and level differ in length; give one entry of each per rating")
        if len(self.values) == 0 or np.any(np.diff(self.values) <= 0) or not np.all(np.isfinite(self.values)):
            raise BadRatings("the scale must be finite values in ascending order, each once")
        for name, codes, bound in (
            ("unit", self.unit, self.n_units),
            ("rater", self.rater, self.n_raters),
            ("level", self.level, len(self.values)),
        ):
            if len(codes) and (codes.min() < 0 or codes.max() >= bound):
                raise BadRatings(f"a {name} code lies outside 0…{bound - 1}")
        if len(np.unique(self.unit * np.int64(self.n_raters) + self.rater)) != len(self.unit):
            raise BadRatings("a rater has rated the same unit twice; keep one answer per rater and unit")

    @classmethod
    def from_matrix(cls, matrix: ArrayLike, scale: Sequence[float]) -> "Ratings":
        """From raters × units with NaN for a missing cell; every other value must be on the scale.

        Raises BadRatings naming row, column and value of the first one that is not.
        """
        table = np.asarray(matrix, dtype=float)
        values = np.asarray(scale, dtype=float)
        rater, unit = np.nonzero(~np.isnan(table))
        given = table[rater, unit]
        level = np.searchsorted(values, given)
        wrong = (level == len(values)) | (values[np.minimum(level, len(values) - 1)] != given)
        if wrong.any():
            first = int(np.argmax(wrong))
            raise BadRatings(
                f"row {rater[first]}, column {unit[first]}: {given[first]:g} is not on the scale "
                f"{', '.join(f'{value:g}' for value in values)}; mark a missing rating as NaN"
            )
        return cls(unit, rater, level, values, table.shape[1], table.shape[0])

    def __len__(self) -> int:
        return len(self.unit)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """(n_units, n_levels): how many raters gave each unit each level."""
        n_levels = len(self.values)
        flat = np.bincount(self.unit * n_levels + self.level, minlength=self.n_units * n_levels)
        return flat.reshape(self.n_units, n_levels)

    @cached_property
    def patterns(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The distinct rows of `counts`, (n_patterns, n_levels), and how many units have each, (n_patterns,)."""
        rows, multiplicity = np.unique(self.counts, axis=0, return_counts=True)
        return rows, multiplicity

    def matrix(self) -> NDArray[np.float64]:
        """Raters × units of scale values, NaN where missing: for small data and for tests."""
        table = np.full((self.n_raters, self.n_units), np.nan)
        table[self.rater, self.unit] = self.values[self.level]
        return table
