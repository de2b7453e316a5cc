"""Units with the same number of ratings at each level are exchangeable: they are counted together, not one by one."""

import numpy as np

from annotations.stats.arrays import IntArray

_LARGEST_TABLE = 1 << 22
"""Keys below this are counted in a table rather than sorted: 32 MiB."""
_EXACT = 1 << 52
"""numpy.bincount adds its weights as doubles, which are exact up to here."""


def count_patterns(
    unit: IntArray, level: IntArray, per_unit: IntArray, n_levels: int
) -> tuple[IntArray, IntArray, IntArray]:
    """The distinct rows of the units × levels table of counts, without building that table.

    unit, level (n,): the ratings. per_unit (n_units,): ratings of each unit.
    Returns rows (n_patterns, n_levels), their multiplicity (n_patterns,), and the row of each unit (n_units,).

    A unit's counts are the digits of one number in base (most ratings of a unit + 1), summed over its ratings in a
    single pass. Where that number would not fit, levels are taken in blocks and the blocks' codes are joined.
    """
    n_units = len(per_unit)
    if n_units == 0:
        empty = np.zeros(0, dtype=np.int64)
        return np.zeros((0, n_levels), dtype=np.int64), empty, empty
    base = int(per_unit.max()) + 1
    first_codes = 1
    first_level = 0
    code = np.zeros(n_units, dtype=np.int64)
    while first_level < n_levels:
        width = 1
        while first_level + width < n_levels and first_codes * base ** (width + 1) < _EXACT:
            width += 1
        block = _block_key(unit, level, n_units, base, first_level, width, n_levels)
        key = code * np.int64(base**width) + block if first_codes > 1 else block
        distinct, multiplicity, code = _distinct(key, first_codes * base**width)
        first_codes = len(distinct)
        first_level += width
        if first_level == n_levels and width == n_levels:
            powers = np.int64(base) ** np.arange(n_levels, dtype=np.int64)
            return distinct[:, None] // powers % base, multiplicity, code
    return _rows_by_example(unit, level, code, len(distinct), n_levels), multiplicity, code


def _block_key(
    unit: IntArray, level: IntArray, n_units: int, base: int, first_level: int, width: int, n_levels: int
) -> IntArray:
    power = np.zeros(n_levels)
    power[first_level : first_level + width] = float(base) ** np.arange(width)
    return np.bincount(unit, weights=power[level], minlength=n_units).astype(np.int64)


def _distinct(key: IntArray, bound: int) -> tuple[IntArray, IntArray, IntArray]:
    """Ascending distinct keys, how often each occurs, and where each key went; every key is below `bound`."""
    if bound <= _LARGEST_TABLE:
        table = np.bincount(key, minlength=bound)
        distinct = np.flatnonzero(table)
        place = np.zeros(bound, dtype=np.int64)
        place[distinct] = np.arange(len(distinct))
        return distinct, table[distinct], place[key]
    ordered = np.sort(key)
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    distinct = ordered[starts]
    return distinct, np.diff(np.append(starts, len(ordered))), np.searchsorted(distinct, key)


def _rows_by_example(unit: IntArray, level: IntArray, code: IntArray, n_patterns: int, n_levels: int) -> IntArray:
    """The counts of one unit of each pattern."""
    example = np.zeros(n_patterns, dtype=np.int64)
    example[code] = np.arange(len(code))
    chosen = example[code[unit]] == unit
    flat = np.bincount(code[unit[chosen]] * n_levels + level[chosen], minlength=n_patterns * n_levels)
    return flat.reshape(n_patterns, n_levels)
