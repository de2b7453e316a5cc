"""Where the groups of an eliminated factor meet those that stay: a sparse matrix whose entries keep their places.

A factorisation for every step of a search has its entries in the same places; only their values change. So the places
are found once, with whatever can be looked up beforehand, and the values are plain vectors.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from annotations.stats.arrays import FloatArray, IntArray

_CELLS = 4_000_000
"""Numbers of a dense product that are held at once."""


@dataclass(frozen=True)
class Border:
    """Where the groups of one eliminated factor meet the rest's, entry by entry, rows ascending.

    rows, columns (n_entries,) group of the factor, column of the rest; `rating` (n_rest_factors, n) the entry of each
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

    def summed(self, entries: FloatArray) -> FloatArray:
        """(n_groups,) sums of the entries of each row."""
        return sums_of(self.rows, entries, self.size)

    def of_ratings(self, values: FloatArray) -> FloatArray:
        """(n_entries,) sums over the ratings of each entry."""
        return sums_of(self.rating.ravel(), np.tile(values, len(self.rating)), len(self.rows))

    def outer(self, entries: FloatArray, weight: FloatArray) -> FloatArray:
        """Cᵀ diag(weight) C, dense (n_columns, n_columns), for the matrix C (n_groups, n_columns) of these entries."""
        shape = (self.size, self.n_columns)
        right = sparse.csr_array((entries * weight[self.rows], self.columns, self.starts), shape=shape)
        left = sparse.csr_array((entries, self.columns, self.starts), shape=shape)
        return np.asarray((left.T.tocsr() @ right).toarray(), dtype=np.float64)

    def times(self, entries: FloatArray, matrix: FloatArray) -> FloatArray:
        """Those entries of C · matrix that C has too (n_entries,); matrix (n_columns, n_columns)."""
        found = np.empty(len(entries))
        step = max(1, _CELLS // max(1, self.n_columns))
        for first in range(0, self.size, step):
            starts = self.starts[first : first + step + 1]
            some = slice(starts[0], starts[-1])
            shape = (len(starts) - 1, self.n_columns)
            part = sparse.csr_array((entries[some], self.columns[some], starts - starts[0]), shape=shape)
            found[some] = (part @ matrix)[self.rows[some] - first, self.columns[some]]
        return found


def sums_of(place: IntArray, values: FloatArray, size: int) -> FloatArray:
    """(size,) sums of the values (n,) of each place."""
    return np.bincount(place, values, minlength=size).astype(np.float64, copy=False)
