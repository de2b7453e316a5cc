"""Holm's correction and the compact letter display."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.stats.intervals.several import compact_letters, holm


def test_holm_by_hand() -> None:
    """.01 · 4, .02 · 3, max(.06, .03 · 2), .5 · 1; NaN does not count."""
    assert holm([0.5, 0.01, 0.03, 0.02]) == pytest.approx([0.5, 0.04, 0.06, 0.06])
    assert np.isnan(holm([0.01, np.nan])[1])
    assert holm([0.01, np.nan])[0] == pytest.approx(0.01)
    assert len(holm([])) == 0


@given(
    st.integers(1, 7).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.sampled_from([*combinations(range(7), 2)]))))
)
def test_two_share_a_letter_unless_they_differ(drawn: tuple[int, set[tuple[int, int]]]) -> None:
    n, pairs = drawn
    different = {pair for pair in pairs if max(pair) < n}
    letters = compact_letters(n, different)
    for one, other in combinations(range(n), 2):
        assert bool(set(letters[one]) & set(letters[other])) == ((one, other) not in different)
    assert all(letters)


def test_letters_of_an_ordinary_case() -> None:
    """The first differs from the last two, the second from the last."""
    assert compact_letters(4, [(0, 2), (0, 3), (1, 3)]) == ["a", "ab", "bc", "c"]
