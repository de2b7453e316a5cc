"""Joint counts of every two raters over the units they share, without a loop over ratings."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from annotations.stats.arrays import FloatArray, IntArray, totals
from annotations.stats.ratings import Ratings

_DENSE_SIDE = 2048
"""Raters × levels up to which a well-filled table is multiplied densely: 32 MiB of doubles."""
DENSE_GAIN = 400
"""How many times faster a term of the dense product is than one of the sparse product."""
_BLOCK = 1 << 24
"""Numbers held at once in a dense block of units: 64 MiB of single floats."""


@dataclass(frozen=True)
class RaterPairs:
    """How often rater `a` gave level `c` where rater `b` gave level `k`, only entries with count > 0, in both orders.

    a, b, c, k, count (n_entries,). Pairs of a rater with themselves are left out.
    """

    a: IntArray
    b: IntArray
    c: IntArray
    k: IntArray
    count: FloatArray
    n_raters: int
    n_levels: int

    @cached_property
    def pair(self) -> IntArray:
        return self.a * self.n_raters + self.b

    @cached_property
    def n_shared(self) -> FloatArray:
        """(R, R): units that both rated; zero on the diagonal."""
        return self.sum_over_entries(self.count)

    @cached_property
    def margin(self) -> FloatArray:
        """(R, R, K): levels that rater a gave on the units shared with b."""
        size = self.n_raters**2 * self.n_levels
        flat = totals(self.pair * self.n_levels + self.c, self.count, size)
        return flat.reshape(self.n_raters, self.n_raters, self.n_levels)

    def sum_over_entries(self, weights: FloatArray) -> FloatArray:
        """(n_entries,) → (R, R)."""
        flat = totals(self.pair, weights, self.n_raters**2)
        return flat.reshape(self.n_raters, self.n_raters)


def rater_pairs(ratings: Ratings, *, dense_gain: float = DENSE_GAIN) -> RaterPairs:
    """Joint counts of all pairs of raters: the product of the units × (rater, level) indicator table with itself.

    Sparse where a unit is rated by few of the raters, dense in blocks of units where most cells are filled: where
    that takes fewer than `dense_gain` times as many terms.
    """
    n_raters, n_levels = ratings.n_raters, ratings.n_levels
    side = n_raters * n_levels
    column = ratings.rater * n_levels + ratings.level
    sparse_terms = int(ratings.per_unit @ ratings.per_unit)
    if side <= _DENSE_SIDE and ratings.n_units * side**2 < dense_gain * sparse_terms:
        table = _dense_product(ratings.unit, column, ratings.n_units, side)
        first, second = np.nonzero(table)
        count = table[first, second]
    else:
        indicator = sparse.csr_array((np.ones(len(ratings)), (ratings.unit, column)), shape=(ratings.n_units, side))
        product = sparse.coo_array(indicator.T @ indicator)
        first, second = (np.asarray(code, dtype=np.int64) for code in product.coords)
        count = product.data
    a, c = np.divmod(first, max(n_levels, 1))
    b, k = np.divmod(second, max(n_levels, 1))
    other = a != b
    return RaterPairs(a[other], b[other], c[other], k[other], count[other], n_raters, n_levels)


def _dense_product(unit: IntArray, column: IntArray, n_units: int, side: int) -> FloatArray:
    if np.any(unit[1:] < unit[:-1]):
        order = np.argsort(unit, kind="stable")
        unit, column = unit[order], column[order]
    total = np.zeros((side, side))
    step = max(1, _BLOCK // side)
    for first in range(0, n_units, step):
        begin, end = np.searchsorted(unit, (first, first + step))
        block = np.zeros((min(step, n_units - first), side), dtype=np.float32)
        block[unit[begin:end] - first, column[begin:end]] = 1.0
        # Counts of at most `step` ones stay exact in single precision.
        total += block.T @ block
    return total
