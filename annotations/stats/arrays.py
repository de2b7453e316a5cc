"""The types of arrays that the statistics pass around, and a few sums and codes that many of them need."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def ratio(numerator: FloatArray, denominator: FloatArray, smallest: FloatArray | float = 0.0) -> FloatArray:
    """numerator / denominator, NaN where |denominator| ≤ smallest."""
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    result = np.full(denominator.shape, np.nan)
    np.divide(numerator, denominator, out=result, where=np.abs(denominator) > smallest)
    return result


def totals(code: IntArray, weights: FloatArray, n: int) -> FloatArray:
    """(n,): the sum of the weights of each code, as doubles even where there are none."""
    return np.asarray(np.bincount(code, weights=weights, minlength=n), dtype=np.float64)


def distinct(codes: NDArray[np.integer]) -> IntArray:
    """The codes (n,) that occur, ascending; sorted or hashed only where they are negative or spread widely."""
    if not len(codes) or codes.min() < 0 or codes.max() > 8 * len(codes) + 1000:
        return np.unique(codes).astype(np.int64, copy=False)
    is_used = np.zeros(int(codes.max()) + 1, dtype=bool)
    is_used[codes] = True
    return np.flatnonzero(is_used)


def numbered(codes: NDArray[np.integer]) -> tuple[IntArray, IntArray]:
    """`distinct` codes, and (n,) the place of each entry among them."""
    if not len(codes) or codes.min() < 0 or codes.max() > 8 * len(codes) + 1000:
        found, place = np.unique(codes, return_inverse=True)
        return found.astype(np.int64, copy=False), place.astype(np.int64, copy=False)
    found = distinct(codes)
    place_of = np.zeros(int(codes.max()) + 1, dtype=np.int64)
    place_of[found] = np.arange(len(found))
    return found, place_of[codes]
