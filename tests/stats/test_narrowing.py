"""Ratings of some units are those columns of the matrix."""

from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.stats.ratings import Ratings
from tests.stats.strategies import matrices


@settings(max_examples=40, deadline=None)
@given(matrices(), st.randoms(use_true_random=False))
def test_units_become_the_columns_that_were_asked_for(matrix: np.ndarray, random: Random) -> None:
    ratings = Ratings.from_matrix(matrix, (1, 2, 3, 4, 5))
    n = matrix.shape[1]
    units = np.array(random.sample(range(n), random.randint(0, n)), dtype=np.int64)
    kept = ratings.only_units(units)
    assert kept.n_units == len(units)
    assert np.array_equal(kept.matrix(), matrix[:, units], equal_nan=True)


@settings(max_examples=40, deadline=None)
@given(matrices(), st.data())
def test_raters_leave_empty_rows(matrix: np.ndarray, data: st.DataObject) -> None:
    excluded = np.array(data.draw(st.lists(st.booleans(), min_size=len(matrix), max_size=len(matrix))))
    kept = Ratings.from_matrix(matrix, (1, 2, 3, 4, 5)).without_raters(excluded)
    assert np.array_equal(kept.matrix(), np.where(excluded[:, None], np.nan, matrix), equal_nan=True)
