"""Exact means: ties are ties, whatever the order of raters and whatever the scale's digits."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.stats.exact_means import exact_scale, means_of_sums, unit_means
from annotations.stats.ratings import BadRatings, Ratings


def fractions_of(ratings: Ratings) -> list[Fraction | None]:
    """The slow definition: every unit's mean as a Python fraction of the typed decimals."""
    typed = [Fraction(repr(float(value))) for value in ratings.values]
    out: list[Fraction | None] = []
    for unit in range(ratings.n_units):
        given = [typed[level] for u, level in zip(ratings.unit, ratings.level, strict=True) if u == unit]
        out.append(sum(given, Fraction(0)) / len(given) if given else None)
    return out


@pytest.mark.parametrize(
    ("values", "numerators", "denominator"),
    [
        ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5], 1),
        ([0, 0.5, 1], [0, 1, 2], 2),
        ([0, 0.1, 0.2, 0.3], [0, 1, 2, 3], 10),
        ([0, 1 / 3, 2 / 3, 1], [0, 1, 2, 3], 3),
        ([-2, 0, 0.25], [-8, 0, 1], 4),
        ([0.1235, 1], [247, 2000], 2000),
    ],
)
def test_scale_values_become_integers_over_one_denominator(
    values: list[float], numerators: list[int], denominator: int
) -> None:
    got, common = exact_scale(np.array(values, dtype=float))
    assert got.tolist() == numerators
    assert common == denominator


def test_a_scale_beyond_64_bits_is_rounded() -> None:
    assert exact_scale(np.array([1e-20, 1.0]))[0].tolist() == [0, 10**18]
    assert exact_scale(np.array([1e-20, 1.0]), most=10)[1] == 10**17
    assert exact_scale(np.array([1e-20, 50.0]), most=10)[1] == 10**16


def test_whole_numbers_beyond_64_bits_are_refused() -> None:
    with pytest.raises(BadRatings, match="larger unit"):
        exact_scale(np.array([1.0, 1e18]), most=10)


@pytest.mark.parametrize("largest", [1.0, 100.0, 1e9])
@pytest.mark.parametrize("raters", [1, 4, 300])
def test_means_of_any_numbers_are_those_of_floating_point(largest: float, raters: int) -> None:
    rng = np.random.default_rng(0)
    table = rng.random((raters, 12)) * largest
    table[0, 0] = np.nan
    ratings = Ratings.from_matrix(table, sorted({float(value) for value in table.ravel() if value == value}))
    means = unit_means(ratings)
    plain = np.array([np.nan if np.isnan(column).all() else np.nanmean(column) for column in table.T])
    assert np.allclose(means.mean, plain, rtol=1e-12, atol=0, equal_nan=True)
    order = np.argsort(plain[1:])
    assert (np.diff(means.rank_key[1:][order]) > 0).all()


def test_tenths_tie_on_a_rounded_scale() -> None:
    table = [[0.1, 0.3, 1 / 7 + 1e-15], [0.2, 0.0, 0.7182818284590452]]
    ratings = Ratings.from_matrix(table, sorted({value for row in table for value in row}))
    assert unit_means(ratings).rank_key[0] == unit_means(ratings).rank_key[1]


def test_tenths_tie_where_floating_point_means_do_not() -> None:
    # 0.1 + 0.2 + 0.3 = 0.6000000000000001 but 0.3 + 0.3 + 0 = 0.6: both means are 1/5.
    ratings = Ratings.from_matrix([[0.1, 0.3], [0.2, 0.3], [0.3, 0.0]], [0, 0.1, 0.2, 0.3])
    naive = ratings.matrix().sum(axis=0)
    assert naive[0] != naive[1]
    means = unit_means(ratings)
    assert means.rank_key.tolist() == [0, 0]
    assert means.mean[0] == means.mean[1] == 0.2


def test_unrated_units_are_nan_with_rank_minus_one() -> None:
    means = unit_means(Ratings.from_matrix([[2, np.nan, 1], [np.nan, np.nan, 3]], [1, 2, 3]))
    assert means.rank_key.tolist() == [0, -1, 0]
    assert means.n.tolist() == [1, 0, 2]
    assert np.isnan(means.mean[1])
    assert means.rated.tolist() == [True, False, True]


def test_no_ratings_at_all() -> None:
    means = unit_means(Ratings.from_matrix(np.full((2, 3), np.nan), [1, 2]))
    assert np.isnan(means.mean).all()
    assert means.rank_key.tolist() == [-1, -1, -1]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([[1, 2, 3, 4, 5], [0, 0.5, 1], [0, 0.1, 0.2, 0.7, 1], [-1.25, 0, 3], [0.123456789012, 1, 7.3]]),
    st.integers(0, 2**32 - 1),
)
def test_order_and_ties_are_those_of_the_fractions(scale: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = rng.choice(np.array(scale, dtype=float), size=(rng.integers(1, 8), rng.integers(1, 25)))
    table[rng.random(table.shape) < 0.3] = np.nan
    ratings = Ratings.from_matrix(table, scale)
    means = unit_means(ratings)
    exact = fractions_of(ratings)
    distinct = sorted({fraction for fraction in exact if fraction is not None})
    assert means.rank_key.tolist() == [-1 if fraction is None else distinct.index(fraction) for fraction in exact]
    for fraction, value in zip(exact, means.mean, strict=True):
        assert np.isnan(value) if fraction is None else value == float(fraction)
    shuffled = unit_means(Ratings.from_matrix(table[rng.permutation(len(table))], scale))
    assert np.array_equal(means.mean, shuffled.mean, equal_nan=True)
    assert np.array_equal(means.rank_key, shuffled.rank_key)


def test_large_sums_are_compared_as_integers() -> None:
    # As quotients both are 2**60 in floating point; as fractions they differ by 1/3, and 2·(a/3) = a·2/6 ties.
    total = np.array([3 * 2**60, 3 * 2**60 + 1, 2**60 * 6 + 2])
    n = np.array([3, 3, 6])
    assert total[0] / n[0] == total[1] / n[1]
    assert means_of_sums(total, n, 1).rank_key.tolist() == [0, 1, 1]
