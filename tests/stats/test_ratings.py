from math import nan

import numpy as np
import pytest
from hypothesis import given, settings

from annotations.stats.arrays import distinct, numbered
from annotations.stats.patterns import count_patterns
from annotations.stats.ratings import BadRatings, Ratings
from tests.stats.strategies import matrices


def ratings_of(unit: object, rater: object, level: object, n_levels: int = 3) -> Ratings:
    arrays = [np.asarray(codes) for codes in (unit, rater, level)]
    return Ratings(*arrays, values=np.arange(1.0, n_levels + 1), n_units=4, n_raters=3)


class TestValidation:
    @pytest.mark.parametrize(
        ("unit", "rater", "level", "message"),
        [
            ([0, 4], [0, 0], [0, 0], "rating 1: the unit code 4 lies outside 0…3"),
            ([0, 1], [0, -1], [0, 0], "rating 1: the rater code -1 lies outside 0…2"),
            ([0, 1], [0, 0], [3, 0], "rating 0: the level code 3 lies outside 0…2"),
            ([2, 1, 2], [0, 0, 0], [0, 0, 1], "rater 0 has rated unit 2 twice"),
            ([0, 1], [0], [0, 0], "differ in length"),
            ([0.0, 1.0], [0, 0], [0, 0], "unit holds float64, not whole numbers"),
            ([[0], [1]], [0, 0], [0, 0], "2 dimensions"),
        ],
    )
    def test_the_first_offender_is_named(self, unit: object, rater: object, level: object, message: str) -> None:
        with pytest.raises(BadRatings, match=message):
            ratings_of(unit, rater, level)

    @pytest.mark.parametrize("scale", [(), (1, 1, 2), (3, 2, 1), (1, nan), (1, np.inf)])
    def test_a_bad_scale(self, scale: tuple[float, ...]) -> None:
        nothing = np.zeros(0, dtype=int)
        with pytest.raises(BadRatings, match="ascending"):
            Ratings(nothing, nothing, nothing, np.array(scale, dtype=float), 0, 0)

    def test_a_matrix_must_have_two_dimensions(self) -> None:
        with pytest.raises(BadRatings, match="raters × units"):
            Ratings.from_matrix([1, 2, 3], (1, 2, 3))


@settings(max_examples=50, deadline=None)
@given(matrices())
def test_matrix_there_and_back(matrix: np.ndarray) -> None:
    ratings = Ratings.from_matrix(matrix, (1, 2, 3, 4, 5))
    assert np.array_equal(ratings.matrix(), matrix, equal_nan=True)
    given_cells = ~np.isnan(matrix)
    assert dict(ratings.n) == {
        "units": given_cells.any(axis=0).sum(),
        "pairable": (given_cells.sum(axis=0) >= 2).sum(),
        "raters": given_cells.any(axis=1).sum(),
        "ratings": given_cells.sum(),
    }
    assert list(ratings.histogram) == [(matrix == value).sum() for value in (1, 2, 3, 4, 5)]


@settings(max_examples=50, deadline=None)
@given(matrices())
def test_patterns_are_the_distinct_rows_of_counts(matrix: np.ndarray) -> None:
    check_patterns(Ratings.from_matrix(matrix, (1, 2, 3, 4, 5)))


@pytest.mark.parametrize("n_levels", [2, 12, 40, 101])
@pytest.mark.parametrize("n_raters", [3, 30])
def test_patterns_of_long_scales_and_many_raters(n_levels: int, n_raters: int) -> None:
    # From one table of keys, through sorted keys, to several blocks of levels.
    rng = np.random.default_rng(0)
    unit, rater = np.nonzero(rng.random((400, n_raters)) < 0.6)
    order = rng.permutation(len(unit))
    level = (rng.integers(0, n_levels, len(unit)) // 2) * 2 % n_levels
    check_patterns(Ratings(unit[order], rater[order], level, np.arange(float(n_levels)), 405, n_raters))


def check_patterns(ratings: Ratings) -> None:
    rows, multiplicity = ratings.patterns
    expected, counts = np.unique(ratings.counts, axis=0, return_counts=True)
    order = np.lexsort(rows.T[::-1])
    assert np.array_equal(rows[order], expected)
    assert np.array_equal(multiplicity[order], counts)
    assert np.array_equal(rows[ratings.pattern_of_unit], ratings.counts)


def test_patterns_of_nothing() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    rows, multiplicity, code = count_patterns(nothing, nothing, nothing, 5)
    assert rows.shape == (0, 5)
    assert len(multiplicity) == len(code) == 0


@pytest.mark.parametrize("codes", [[], [3], [2, 0, 2, 5], [-1, 4, -1, 0], [10**9, 3, 10**9]])
def test_codes_are_numbered_as_numpy_does(codes: list[int]) -> None:
    array = np.array(codes, np.int64)
    found, place = np.unique(array, return_inverse=True)
    assert distinct(array).tolist() == found.tolist()
    ours, at = numbered(array)
    assert ours.tolist() == found.tolist()
    assert at.tolist() == place.tolist()
    assert ours.dtype == at.dtype == np.int64
