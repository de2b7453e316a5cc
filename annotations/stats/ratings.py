"""The form in which ratings of one dimension reach the statistics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotations.stats.arrays import FloatArray, IntArray
from annotations.stats.patterns import count_patterns


class BadRatings(ValueError):
    """Invalid ratings; the message names the first offender and how to fix it."""


@dataclass(frozen=True)
class Ratings:
    """Ratings of one dimension in long form: rating i is rater[i]'s answer level[i] about unit[i].

    unit   (n,) int, 0 ≤ unit < n_units    what was rated: an image, an item
    rater  (n,) int, 0 ≤ rater < n_raters
    level  (n,) int, index into `values`
    values (n_levels,) float, ascending: the *full* declared scale, used levels or not
    n_units, n_raters: declared, so that a unit or a rater without ratings still counts as such

    Missing cells are simply absent; "unable to answer" never gets here. A rater answers about a unit at most once.
    Raises BadRatings for codes that are not whole numbers within their bounds, for a bad scale and for a cell
    given twice. Checking costs about 40 ms for three million ratings.
    """

    unit: IntArray
    rater: IntArray
    level: IntArray
    values: FloatArray
    n_units: int
    n_raters: int

    def __post_init__(self) -> None:
        for name in ("unit", "rater", "level"):
            object.__setattr__(self, name, _whole_numbers(getattr(self, name), name))
        object.__setattr__(self, "values", np.asarray(self.values, dtype=float))
        if not len(self.unit) == len(self.rater) == len(self.level):
            raise BadRatings("unit, rater and level differ in length; give one entry of each per rating")
        if (
            self.values.ndim != 1
            or len(self.values) == 0
            or not np.all(np.isfinite(self.values))
            or np.any(np.diff(self.values) <= 0)
        ):
            raise BadRatings("the scale must be finite values in ascending order, each once")
        for name, codes, bound in (
            ("unit", self.unit, self.n_units),
            ("rater", self.rater, self.n_raters),
            ("level", self.level, len(self.values)),
        ):
            if len(codes) and (codes.min() < 0 or codes.max() >= bound):
                first = int(np.argmax((codes < 0) | (codes >= bound)))
                raise BadRatings(f"rating {first}: the {name} code {codes[first]} lies outside 0…{bound - 1}")
        self._refuse_double_cells()

    def _refuse_double_cells(self) -> None:
        cells = self.unit * np.int64(self.n_raters) + self.rater
        # Sorting integers is a hundred times faster than numpy.unique, which hashes them.
        ordered = cells if np.all(cells[1:] > cells[:-1]) else np.sort(cells)
        double = ordered[1:] == ordered[:-1]
        if double.any():
            unit, rater = divmod(int(ordered[int(np.argmax(double))]), self.n_raters)
            raise BadRatings(f"rater {rater} has rated unit {unit} twice; keep one answer per rater and unit")

    @classmethod
    def from_matrix(cls, matrix: ArrayLike, scale: Sequence[float]) -> "Ratings":
        """From raters × units with NaN (or None) for a missing cell; every other value must be on the scale.

        Raises BadRatings naming row, column and value of the first one that is not, and for cells that are not numbers,
        such as blank text.
        """
        try:
            table = np.asarray(matrix, dtype=float)
        except (TypeError, ValueError) as error:
            raise BadRatings(f"a cell is not a number ({error}); mark a missing rating as NaN") from error
        if table.ndim != 2:
            raise BadRatings(f"the matrix has {table.ndim} dimensions; give raters × units")
        values = np.asarray(scale, dtype=float)
        # Unit by unit, so that what follows walks through memory in order.
        unit, rater = np.nonzero(~np.isnan(table.T))
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

    @property
    def n_levels(self) -> int:
        return len(self.values)

    @cached_property
    def per_unit(self) -> IntArray:
        """(n_units,): how many ratings each unit has."""
        return np.bincount(self.unit, minlength=self.n_units)

    @cached_property
    def per_rater(self) -> IntArray:
        """(n_raters,): how many ratings each rater gave."""
        return np.bincount(self.rater, minlength=self.n_raters)

    @cached_property
    def histogram(self) -> IntArray:
        """(n_levels,): how often each level of the scale was given."""
        return np.bincount(self.level, minlength=self.n_levels)

    @cached_property
    def n(self) -> Mapping[str, int]:
        """The counts that go next to every figure.

        units    units with at least one rating
        pairable units with at least two, the only ones that say anything about agreement
        raters   raters with at least one rating
        ratings  all ratings, those of units that are not pairable included
        """
        return MappingProxyType(
            {
                "units": int(np.count_nonzero(self.per_unit)),
                "pairable": int(np.count_nonzero(self.per_unit >= 2)),
                "raters": int(np.count_nonzero(self.per_rater)),
                "ratings": len(self),
            }
        )

    @cached_property
    def counts(self) -> IntArray:
        """(n_units, n_levels): how many raters gave each unit each level. For small data; see `patterns`."""
        n_levels = len(self.values)
        flat = np.bincount(self.unit * n_levels + self.level, minlength=self.n_units * n_levels)
        return flat.reshape(self.n_units, n_levels)

    @cached_property
    def _patterns(self) -> tuple[IntArray, IntArray, IntArray]:
        return count_patterns(self.unit, self.level, self.per_unit, self.n_levels)

    @property
    def patterns(self) -> tuple[IntArray, IntArray]:
        """The distinct rows of `counts`, (n_patterns, n_levels), and how many units have each, (n_patterns,).

        A unit without ratings has the row of zeros. Units of one pattern are exchangeable for every statistic that
        does not ask who gave which rating.
        """
        rows, multiplicity, _ = self._patterns
        return rows, multiplicity

    @cached_property
    def pattern_of_unit(self) -> IntArray:
        """(n_units,): the row of `patterns` that each unit has."""
        return self._patterns[2]

    def only_units(self, units: IntArray) -> "Ratings":
        """The ratings of `units` (k,), distinct codes, as units 0 … k − 1 in this order; raters keep their codes."""
        place = np.full(self.n_units, -1, dtype=np.int64)
        place[units] = np.arange(len(units))
        kept = np.flatnonzero(place[self.unit] >= 0)
        unit = place[self.unit[kept]]
        return Ratings(unit, self.rater[kept], self.level[kept], self.values, len(units), self.n_raters)

    def without_raters(self, excluded: NDArray[np.bool_]) -> "Ratings":
        """The ratings less those of the excluded raters, (n_raters,) True; codes keep their meaning."""
        if not excluded.any():
            return self
        kept = np.flatnonzero(~excluded[self.rater])
        unit, rater, level = self.unit[kept], self.rater[kept], self.level[kept]
        return Ratings(unit, rater, level, self.values, self.n_units, self.n_raters)

    def matrix(self) -> FloatArray:
        """Raters × units of scale values, NaN where missing: for small data and for tests."""
        table = np.full((self.n_raters, self.n_units), np.nan)
        table[self.rater, self.unit] = self.values[self.level]
        return table


def _whole_numbers(codes: ArrayLike, name: str) -> IntArray:
    array = np.asarray(codes)
    if array.ndim != 1:
        raise BadRatings(f"{name} has {array.ndim} dimensions; give one entry per rating")
    if len(array) and not np.issubdtype(array.dtype, np.integer):
        raise BadRatings(f"{name} holds {array.dtype}, not whole numbers; a missing rating is left out, not marked")
    return array.astype(np.int64, copy=False)
