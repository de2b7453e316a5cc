import numpy as np
import pytest
from hypothesis import given, settings

from annotations.stats.cohen import cohen_matrix
from annotations.stats.conger import conger_kappa
from annotations.stats.ratings import Ratings
from tests.stats import reference_data
from tests.stats.strategies import matrices


def test_gwets_data() -> None:
    # irrCAC, raw_4raters .76282; raw_5observers .46927, with ordinal weights .71312.
    four = Ratings.from_matrix(reference_data.GWET_RAW_4, (1, 2, 3, 4, 5))
    assert conger_kappa(four).value == pytest.approx(0.76282, abs=5.1e-6)
    five = Ratings.from_matrix(reference_data.GWET_RAW_5, (0, 1, 2, 3))
    assert conger_kappa(five).value == pytest.approx(0.46927, abs=5.1e-6)
    assert conger_kappa(five, "ordinal").value == pytest.approx(0.71312, abs=5.1e-6)


@settings(max_examples=30, deadline=None)
@given(matrices(max_raters=2, gaps=False))
def test_two_raters_are_cohen(matrix: np.ndarray) -> None:
    ratings = Ratings.from_matrix(matrix, (1, 2, 3, 4, 5))
    for weights in ("identity", "linear"):
        cohen = cohen_matrix(ratings, weights).kappa[0, 1]  # type: ignore[arg-type]
        found = conger_kappa(ratings, weights)  # type: ignore[arg-type]
        assert found.value == pytest.approx(cohen, abs=1e-9, nan_ok=True)
        assert np.isnan(found.value) == bool(found.reason)


def test_nothing_to_compare() -> None:
    assert conger_kappa(Ratings.from_matrix([[1, 2]], (1, 2))).reason
