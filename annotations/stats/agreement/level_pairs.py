"""Unordered pairs of levels that the ratings of a unit form: the basis of alphas, kappas and percent agreement."""

import numpy as np
from scipy import sparse

from annotations.stats.arrays import FloatArray
from annotations.stats.intervals.pattern_families import Features

_DENSE_LEVELS = 24
"""Up to this size a unit's pairs are kept as a full row; beyond it, only those that occur."""


class LevelPairs:
    """The K(K + 1)/2 pairs of levels (first ≤ second) of a scale of K levels.

    apart: places of the pairs of different levels.
    """

    def __init__(self, n_levels: int) -> None:
        self.n_levels = n_levels
        self.first, self.second = np.triu_indices(n_levels)
        self.apart = np.flatnonzero(self.first != self.second)
        self.n_pairs = len(self.first)
        self.is_sparse = n_levels > _DENSE_LEVELS

    def counts(self, rows: FloatArray, scale: FloatArray) -> Features:
        """(n, K) counts of ratings and (n,) factors → (n, n_pairs): n_c n_k, and n_c (n_c − 1) on the diagonal."""
        if self.is_sparse:
            return self._sparse_counts(rows, scale)
        pairs = rows[:, self.first] * rows[:, self.second]
        pairs[:, self.first == self.second] -= rows
        return pairs * scale[:, None]

    def _sparse_counts(self, rows: FloatArray, scale: FloatArray) -> sparse.csr_array:
        unit, level = np.nonzero(rows)
        count = rows[unit, level]
        start = np.searchsorted(unit, np.arange(len(rows) + 1))
        entries_left = start[unit + 1] - np.arange(len(unit))
        parts = [(unit, level, level, count * (count - 1))]
        for step in range(1, int(entries_left.max(initial=1))):
            here = np.flatnonzero(entries_left > step)
            parts.append((unit[here], level[here], level[here + step], count[here] * count[here + step]))
        owner, low, high, amount = (np.concatenate(column) for column in zip(*parts, strict=True))
        column = low * self.n_levels - low * (low - 1) // 2 + high - low
        return sparse.csr_array((amount * scale[owner], (owner, column)), shape=(len(rows), self.n_pairs))
