"""Where raters disagree most: the fast sums against every pair of ratings, and the order."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.reports.study.data import dimension_data
from annotations.reports.study.disputed import most_disputed, pair_distance
from annotations.stats.ratings import Ratings

CELL = st.one_of(st.none(), st.integers(0, 4))


@given(st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=6), st.booleans())
def test_the_distance_is_the_mean_over_all_pairs(table: list[list[int | None]], is_ordinal: bool) -> None:
    """table: units × raters of level codes."""
    cells = [(u, r, code) for u, row in enumerate(table) for r, code in enumerate(row) if code is not None]
    unit, rater, level = (np.array([cell[i] for cell in cells], np.int64) for i in range(3))
    found = pair_distance(Ratings(unit, rater, level, np.arange(5.0), len(table), 3), is_ordinal=is_ordinal)
    for row, distance in zip(table, found, strict=True):
        pairs = list(combinations([code for code in row if code is not None], 2))
        if not pairs:
            assert np.isnan(distance)
            continue
        each = [((a - b) / 4) ** 2 if is_ordinal else float(a != b) for a, b in pairs]
        assert distance == pytest.approx(sum(each) / len(each), abs=1e-12)


def test_the_most_disputed_come_first_and_agreement_is_left_out() -> None:
    # Unit 0: 1 and 5, distance 1. Unit 1: all agree. Unit 2: 3 and 4, (1/4)² = 1/16. Unit 3: one rating.
    dimension = dimension_data(
        "a",
        unit=np.array([2, 2, 0, 0, 1, 1, 3]),
        rater=np.array([0, 1, 0, 1, 0, 1, 0]),
        level=np.array([2, 3, 0, 4, 1, 1, 0]),
        values=[1, 2, 3, 4, 5],
        rater_names=["x", "y"],
        n_units=5,
    )
    assert most_disputed(dimension, 8) == [(0, 1.0, [1, 0, 0, 0, 1]), (2, 1 / 16, [0, 0, 1, 1, 0])]
    assert len(most_disputed(dimension, 1)) == 1
