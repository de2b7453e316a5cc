"""The types of arrays that the statistics pass around, and two sums that many of them need."""

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
