"""Variance components of a two-way table with gaps: Henderson's method I (1953), Biometrics 9:226."""

import numpy as np
from numpy.typing import NDArray

from annotations.stats.arrays import FloatArray


def two_way_components(
    values: NDArray[np.floating], row: NDArray[np.integer], column: NDArray[np.integer]
) -> FloatArray | None:
    """(3,) of rows, of columns, and the rest, for values (n,) in cells (row, column) of at most one value each.

    The sums of squares of a balanced two-way layout are equated to their expectations under the actual pattern of
    missing cells. Unbiased, so a component may be negative; without gaps they are those of the analysis of variance.
    None where the pattern cannot separate them.
    """
    d = np.asarray(values, dtype=float)
    n = len(d)
    _, p = np.unique(row, return_inverse=True)
    _, r = np.unique(column, return_inverse=True)
    n_rows, n_columns = int(p.max(initial=-1)) + 1, int(r.max(initial=-1)) + 1
    if n_rows < 2 or n_columns < 2 or n <= n_rows or n <= n_columns:
        return None
    of_row, of_column = np.bincount(p).astype(float), np.bincount(r).astype(float)
    d = d - np.mean(d)  # the components do not depend on it, and differences of squares keep their digits
    total = float(np.sum(d**2))
    by_row = float(np.sum(np.bincount(p, d) ** 2 / of_row))
    by_column = float(np.sum(np.bincount(r, d) ** 2 / of_column))
    # Expected uncorrected sums of squares less the correction for the mean, as coefficients of the three components.
    mixed_row, mixed_column = float(np.sum(1 / of_row[p])), float(np.sum(1 / of_column[r]))
    correction = np.array([np.sum(of_row**2) / n, np.sum(of_column**2) / n, 1.0])
    expected = np.array([[n, mixed_row, n_rows], [mixed_column, n, n_columns], [n, n, n]]) - correction
    try:
        return np.asarray(np.linalg.solve(expected, np.array([by_row, by_column, total])))
    except np.linalg.LinAlgError:
        return None
