"""Units that the same raters labelled alike are exchangeable: fit each such pattern once, with its multiplicity."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from annotations.stats.arrays import IntArray


@dataclass(frozen=True, eq=False)
class LabelPatterns:
    """Distinct multisets of (rater, level) over units with labels.

    table         (n_patterns, n_raters·n_levels) sparse; column rater·n_levels + level holds how often it occurs. A
                  cell may be stored in several parts, which add up.
    multiplicity  (n_patterns,) units that have the pattern
    of_unit       (n_units,) the unit's pattern; −1 without labels
    """

    table: csr_array
    multiplicity: NDArray[np.float64]
    of_unit: IntArray


def label_patterns(
    unit: IntArray, rater: IntArray, level: IntArray, *, n_units: int, n_raters: int, n_levels: int
) -> LabelPatterns:
    """Group units by their labels; exact: candidates are found by a 64-bit sum of random keys and then compared.

    unit, rater, level (n,) int codes within their bounds; a rater may label a unit more than once.
    """
    width = n_raters * n_levels
    ordered = np.sort(unit * np.int64(width) + rater * n_levels + level)
    owner, column = np.divmod(ordered, np.int64(width))
    start = np.flatnonzero(np.diff(owner, prepend=-1))
    size = np.diff(start, append=len(owner))
    # Fixed keys: they decide only which units are compared, never a figure.
    keys = np.random.default_rng(20_240_229).integers(0, 2**63, size=width, dtype=np.uint64)
    sketch = np.add.reduceat(keys[column], start) if len(start) else np.zeros(0, np.uint64)
    order = np.argsort(sketch, kind="stable")
    new = np.ones(len(order), bool)
    new[1:] = sketch[order][1:] != sketch[order][:-1]
    pattern = np.empty(len(order), np.int64)
    pattern[order] = np.cumsum(new) - 1
    example = order[new]
    if not _alike(column, start, size, example[pattern]):
        # Two different patterns have the same sketch (chance below 1e-6 at a million units): treat every unit
        # separately.
        pattern, example = np.arange(len(start)), np.arange(len(start))
    inside = np.repeat(start[example], size[example]) + _within(size[example])
    table = csr_array(
        (np.ones(len(inside)), column[inside], np.concatenate([[0], np.cumsum(size[example])])),
        shape=(len(example), width),
    )
    of_unit = np.full(n_units, -1, np.int64)
    of_unit[owner[start]] = pattern
    return LabelPatterns(table, np.bincount(pattern, minlength=len(example)).astype(float), of_unit)


def _within(size: IntArray) -> IntArray:
    """0, 1, … size − 1 for each size, one after the other."""
    return np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)


def _alike(column: IntArray, start: IntArray, size: IntArray, example: IntArray) -> bool:
    """Whether every unit has exactly the labels of its example; labels are sorted within units."""
    if not np.array_equal(size, size[example]):
        return False
    return bool(np.all(column == column[np.repeat(start[example], size) + _within(size)]))
