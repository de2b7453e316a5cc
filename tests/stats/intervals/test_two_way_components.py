"""Variance components of a two-way table with gaps, against projections written out."""

import numpy as np
import pytest

from annotations.stats.arrays import FloatArray, IntArray
from annotations.stats.intervals.two_way_components import two_way_components


def slowly(values: FloatArray, row: IntArray, column: IntArray) -> FloatArray:
    """Three equations y'Ay = Σ σ² tr(A Z Z'), A the projection on rows, on columns, or on nothing, less the mean's."""
    n = len(values)
    z = [(code[:, None] == np.unique(code)).astype(float) for code in (row, column)] + [np.eye(n)]
    forms = [each @ np.linalg.inv(each.T @ each) @ each.T - 1 / n for each in z]
    expected = [[np.trace(form @ part @ part.T) for part in z] for form in forms]
    return np.linalg.solve(expected, [values @ form @ values for form in forms])


@pytest.mark.parametrize("seed", range(4))
def test_gaps_are_as_in_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    row, column = np.divmod(np.flatnonzero(rng.random(60) < 0.7), 6)
    values = rng.normal(size=10)[row] + 0.5 * rng.normal(size=6)[column] + rng.normal(size=len(row))
    assert two_way_components(values, row, column) == pytest.approx(slowly(values, row, column), rel=1e-9)


@pytest.mark.parametrize(("row", "column"), [([0, 1, 2], [0, 0, 0]), ([0, 0], [0, 1]), ([0, 1, 2], [0, 1, 0])])
def test_what_cannot_be_separated_is_none(row: list[int], column: list[int]) -> None:
    assert two_way_components(np.arange(len(row), dtype=float), np.array(row), np.array(column)) is None
