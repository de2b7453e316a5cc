"""Which rows of a long file occurred before, in 24 bytes per row instead of a dictionary's 200."""

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Earlier(NamedTuple):
    """The first row with the same key, and its value."""

    row: int
    value: float


class SeenRows:
    """Remembers of every key its first row and value.

    Keys are kept as 64-bit hashes: among n rows two different keys are taken for the same with a chance of about
    n² / 2⁶⁵, 3 · 10⁻⁸ for a million. Sorted runs of doubling length are merged as they grow, so a look-up is a few
    binary searches and adding n rows costs n log n in all.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []

    def look(self, keys: Iterable[Hashable], rows: Sequence[int], values: Sequence[float]) -> dict[int, Earlier]:
        """Place of a key → the first row that had it, in earlier calls or before it in this one; then remembers all.

        keys, rows, values: of equal length; keys that come for the first time are absent from the result.
        """
        hashes = np.fromiter(map(hash, keys), np.int64, len(rows))
        found: dict[int, Earlier] = {}
        for run_hashes, run_rows, run_values in self._runs:
            places = np.searchsorted(run_hashes, hashes)
            places[places == len(run_hashes)] = 0
            for i in np.flatnonzero(run_hashes[places] == hashes).tolist():
                found[i] = Earlier(int(run_rows[places[i]]), float(run_values[places[i]]))
        order = np.argsort(hashes, kind="stable")
        is_first = np.diff(hashes[order], prepend=0) != 0
        is_first[:1] = True
        firsts = order[np.flatnonzero(is_first)[np.cumsum(is_first) - 1]]  # of each place in order: the first such key
        for i, first in zip(order[~is_first].tolist(), firsts[~is_first].tolist(), strict=True):
            found.setdefault(i, Earlier(rows[first], values[first]))
        new = order[is_first]
        if found:
            new = new[[i not in found for i in new.tolist()]]
        self._add(hashes[new], np.asarray(rows, np.int64)[new], np.asarray(values, np.float64)[new])
        return found

    def _add(self, hashes: NDArray[np.int64], rows: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """hashes: sorted"""
        run = hashes, rows, values
        while self._runs and len(self._runs[-1][0]) <= 2 * len(run[0]):
            last = self._runs.pop()
            joined = np.concatenate([last[0], run[0]])
            order = np.argsort(joined, kind="stable")
            run = joined[order], np.concatenate([last[1], run[1]])[order], np.concatenate([last[2], run[2]])[order]
        if len(run[0]):
            self._runs.append(run)
