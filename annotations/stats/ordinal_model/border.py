"""Where the groups of an eliminated factor meet those that remain: a sparse matrix whose entries keep their places.

Every step of a search factorises a matrix with entries in the same places; only their values change. So the places are
found once, with everything else that can be computed beforehand, and the values are plain vectors.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from annotations.stats.arrays import FloatArray, IntArray

_CELLS = 4_000_000
"""How many numbers of a dense product are held at once."""
_PAIRS = 500_000
"""How many pairs of entries of one row are held at once."""
NARROW = 12
"""Rows of up to this many entries are multiplied pair by pair of entries, longer ones with whole rows of a matrix."""
FEW = 20_000
"""Up to this many pairs of entries of the same row have their places listed for the products of columns."""


@dataclass(frozen=True)
class Border:
    """Where the groups of one eliminated factor meet the columns of the rest, entry by entry, rows ascending.

    rows, columns (n_entries,) group of the factor, column of the rest; `rating` (n_column_factors, n) the entry of each
    rating; `parents` the group of each later eliminated factor that a group lies in, (n_groups,) each; `above` the
    entry of that group in the same column, (n_entries,) each.
    """

    size: int
    n_columns: int
    rows: IntArray
    columns: IntArray
    rating: IntArray
    parents: tuple[IntArray, ...]
    above: tuple[IntArray, ...]
    starts: IntArray
    """(n_groups + 1,) where each row's entries begin."""
    narrow: int = NARROW
    few: int = FEW

    def summed(self, entries: FloatArray) -> FloatArray:
        """(n_groups,) sums of the entries of each row."""
        return sums_of(self.rows, entries, self.size)

    def of_ratings(self, values: FloatArray) -> FloatArray:
        """(n_entries,) sums over the ratings of each entry."""
        tiled = values if len(self.rating) == 1 else np.tile(values, len(self.rating))
        return sums_of(self.rating.ravel(), tiled, len(self.rows))

    def outer(self, entries: FloatArray, weight: FloatArray) -> FloatArray:
        """Cᵀ diag(weight) C, dense (n_columns, n_columns), for the matrix C (n_groups, n_columns) of these entries."""
        if self._pairs is not None:
            # The same sums in the same order as below. For few entries, most of the time would go into making matrices.
            one, other, place = self._pairs
            products = entries[one] * (entries * weight[self.rows])[other]
            return sums_of(place, products, self.n_columns**2).reshape(self.n_columns, self.n_columns)
        shape = (self.size, self.n_columns)
        right = sparse.csr_array((entries * weight[self.rows], self.columns, self.starts), shape=shape)
        left = sparse.csr_array((entries, self.columns, self.starts), shape=shape)
        return np.asarray((left.T.tocsr() @ right).toarray(), dtype=np.float64)

    def times(self, entries: FloatArray, matrix: FloatArray) -> FloatArray:
        """Those entries of C · matrix that C has too (n_entries,); matrix (n_columns, n_columns), symmetric."""
        found = np.zeros(len(entries))
        cells = matrix.ravel()
        for places in self._narrow_rows:
            n_entries = places.shape[1]
            step = max(1, _PAIRS // n_entries**2)
            for first in range(0, len(places), step):
                some = places[first : first + step]
                values, columns = entries[some], self.columns[some]
                for own in range(n_entries):
                    picked = cells[columns[:, own, np.newaxis] * self.n_columns + columns]
                    found[some[:, own]] = np.einsum("ij,ij->i", values, picked)
        places, rows, starts = self._wide_rows
        step = max(1, _CELLS // max(1, self.n_columns))
        for first in range(0, len(starts) - 1, step):
            ends = starts[first : first + step + 1]
            some = places[ends[0] : ends[-1]]
            shape = (len(ends) - 1, self.n_columns)
            part = sparse.csr_array((entries[some], self.columns[some], ends - ends[0]), shape=shape)
            found[some] = (part @ matrix)[rows[ends[0] : ends[-1]] - first, self.columns[some]]
        return found

    @cached_property
    def _pairs(self) -> tuple[IntArray, IntArray, IntArray] | None:
        """Every two entries of the same row, rows ascending, and their cell of the columns' products; None if many."""
        counts = np.diff(self.starts)[self.rows]
        if counts.sum() > self.few:
            return None
        one = np.repeat(np.arange(len(counts)), counts)
        other = np.arange(len(one)) + np.repeat(self.starts[self.rows] - (np.cumsum(counts) - counts), counts)
        return one, other, self.columns[one] * self.n_columns + self.columns[other]

    @cached_property
    def _narrow_rows(self) -> list[IntArray]:
        """For each number of entries up to `narrow`, the places of the entries of all such rows (n_rows, number)."""
        counts = np.diff(self.starts)
        numbers = [number for number in np.unique(counts).tolist() if 0 < number <= self.narrow]
        return [self.starts[:-1][counts == number, np.newaxis] + np.arange(number) for number in numbers]

    @cached_property
    def _wide_rows(self) -> tuple[IntArray, IntArray, IntArray]:
        """For the longer rows: the places of their entries, the row number of each entry, and where each row begins."""
        counts = np.diff(self.starts)
        wide = counts > self.narrow
        places = np.flatnonzero(wide[self.rows])
        starts = np.append(0, np.cumsum(counts[wide]))
        return places, np.repeat(np.arange(len(starts) - 1), np.diff(starts)), starts


def sums_of(place: IntArray, values: FloatArray, size: int) -> FloatArray:
    """(size,) sums of the values (n,) of each place."""
    return np.bincount(place, values, minlength=size).astype(np.float64, copy=False)
