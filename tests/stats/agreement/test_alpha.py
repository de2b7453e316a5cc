from math import nan

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.stats.agreement.alpha import METRICS, krippendorff_alpha, krippendorff_alphas
from annotations.stats.ratings import BadRatings, Ratings
from tests import dsg_tifa160
from tests.stats import reference_data, slow_definitions
from tests.stats.strategies import matrices

ONE_TO_FIVE = (1, 2, 3, 4, 5)


def alphas(matrix: np.ndarray, scale: tuple[float, ...] = ONE_TO_FIVE) -> list[float]:
    return [estimate.value for estimate in krippendorff_alphas(Ratings.from_matrix(matrix, scale))]


def test_canonical_example_has_the_published_alphas() -> None:
    # Krippendorff (2011), example C: nominal .743, ordinal .815, interval .849, ratio .797.
    # Nominal by hand: pairable units 1–11 hold 40 ratings, n_c = 9, 13, 10, 5, 3; Σ n_c² = 384.
    # Off-diagonal coincidences: units 2, 8 two each (three pairs apart of 4·3 / 3), unit 6 four: 2 + 2 + 4 = 8.
    # α = 1 − 39 · 8 / (1600 − 384) = 1 − 312/1216 = 113/152.
    values = alphas(reference_data.KRIPPENDORFF_2011)
    assert values[0] == pytest.approx(113 / 152, abs=1e-14)
    assert values == pytest.approx([0.743421052631579, 0.8153875037548814, 0.8491071428571428, 0.7974027747116121])


def test_a_unit_with_one_rating_changes_nothing() -> None:
    whole = alphas(reference_data.KRIPPENDORFF_2011)
    assert alphas(reference_data.KRIPPENDORFF_2011[:, :11]) == pytest.approx(whole, abs=1e-14)
    assert alphas(reference_data.GWET_RAW_4) == pytest.approx(whole, abs=1e-14)


def test_three_coder_example() -> None:
    # krippendorff package, README and tests: nominal 0.691358, interval 0.810845.
    nominal, _, interval, _ = alphas(reference_data.THREE_CODERS, (1, 2, 3, 4))
    assert nominal == pytest.approx(0.691358, abs=5e-7)
    assert interval == pytest.approx(0.810845, abs=5e-7)


@pytest.mark.parametrize(
    ("part", "raters"), [("agreement_dsg_5raters", 5), ("agreement_tifa_2raters", 2)], ids=["dsg", "tifa"]
)
def test_real_ratings_have_the_recorded_alphas(part: str, raters: int) -> None:
    expected = dsg_tifa160.expected()[part]
    ratings = next(one for one in real_ratings().values() if one.n["raters"] == raters)
    assert dict(ratings.n) == {
        "units": expected["items"],
        "pairable": expected["items"],
        "raters": raters,
        "ratings": expected["ratings"],
    }
    for metric in ("nominal", "ordinal", "interval"):
        assert krippendorff_alpha(ratings, metric).value == pytest.approx(expected[f"alpha_{metric}"], abs=1e-6)


def real_ratings() -> dict[str, Ratings]:
    by_dimension: dict[str, list[dict[str, str]]] = {}
    for row in dsg_tifa160.rating_rows():
        by_dimension.setdefault(row["dimension"], []).append(row)
    result = {}
    for dimension, rows in by_dimension.items():
        items, unit = np.unique([row["item"] for row in rows], return_inverse=True)
        people, rater = np.unique([row["rater"] for row in rows], return_inverse=True)
        level = np.array([int(row["value"]) - 1 for row in rows])
        result[dimension] = Ratings(unit, rater, level, np.arange(1.0, 6.0), len(items), len(people))
    return result


@settings(max_examples=60, deadline=None)
@given(matrices())
def test_fast_equals_slow_definition(matrix: np.ndarray) -> None:
    for metric, value in zip(METRICS, alphas(matrix), strict=True):
        assert value == pytest.approx(slow_definitions.alpha(matrix, metric), abs=1e-9, nan_ok=True)


@settings(max_examples=25, deadline=None)
@given(matrices(tuple(float(x) for x in range(1, 31)), max_units=6))
def test_a_long_scale_uses_sparse_coincidences_with_the_same_result(matrix: np.ndarray) -> None:
    for metric, value in zip(METRICS, alphas(matrix, tuple(range(1, 31))), strict=True):
        assert value == pytest.approx(slow_definitions.alpha(matrix, metric), abs=1e-9, nan_ok=True)


@settings(max_examples=30, deadline=None)
@given(matrices(), st.randoms(use_true_random=False))
def test_order_of_raters_and_units_is_nothing(matrix: np.ndarray, random: object) -> None:
    raters = random.sample(range(matrix.shape[0]), matrix.shape[0])  # type: ignore[attr-defined]
    units = random.sample(range(matrix.shape[1]), matrix.shape[1])  # type: ignore[attr-defined]
    assert alphas(matrix[np.ix_(raters, units)]) == pytest.approx(alphas(matrix), abs=1e-12, nan_ok=True)


@settings(max_examples=30, deadline=None)
@given(matrices((1.0, 2.0, 3.0)), st.permutations([1.0, 2.0, 3.0]))
def test_nominal_alpha_does_not_know_the_labels(matrix: np.ndarray, labels: list[float]) -> None:
    swapped = np.select([matrix == 1, matrix == 2, matrix == 3], labels, nan)
    assert alphas(swapped, (1, 2, 3))[0] == pytest.approx(alphas(matrix, (1, 2, 3))[0], abs=1e-12, nan_ok=True)


@settings(max_examples=30, deadline=None)
@given(matrices())
def test_turning_the_scale_round_and_unused_levels_change_nothing(matrix: np.ndarray) -> None:
    _, ordinal, interval, _ = alphas(matrix)
    _, turned_ordinal, turned_interval, _ = alphas(6 - matrix)
    assert (turned_ordinal, turned_interval) == pytest.approx((ordinal, interval), abs=1e-12, nan_ok=True)
    assert alphas(matrix, tuple(range(1, 12))) == pytest.approx(alphas(matrix), abs=1e-12, nan_ok=True)


def test_the_krippendorff_package_agrees_on_larger_data() -> None:
    rng = np.random.default_rng(5)
    matrix = rng.integers(1, 6, (20, 300)).astype(float)
    matrix[rng.random(matrix.shape) < 0.8] = nan
    for metric, value in zip(METRICS, alphas(matrix), strict=True):
        theirs = krippendorff.alpha(reliability_data=matrix, level_of_measurement=metric, value_domain=ONE_TO_FIVE)
        assert value == pytest.approx(theirs, abs=1e-12)


class TestTraps:
    def test_one_pairable_unit_has_no_alpha(self) -> None:
        # α = 1 − (n − 1) Do/De, and for a single unit of m ratings Do = De/(m − 1), n = m.
        matrix = [[5, nan, 1], [1, 2, nan], [1, nan, nan]]
        for metric in METRICS:
            estimate = krippendorff_alpha(Ratings.from_matrix(matrix, (1, 2, 3, 4, 5)), metric)
            assert np.isnan(estimate.value)
            assert estimate.reason == "one pairable unit: alpha is 0 by construction"

    def test_all_ratings_equal_is_undefined_for_want_of_variation(self) -> None:
        estimate = krippendorff_alpha(Ratings.from_matrix(np.full((3, 4), 2.0), ONE_TO_FIVE))
        assert np.isnan(estimate.value)
        assert "no variation" in estimate.reason
        assert "observed agreement is 1" in estimate.reason
        assert estimate.n["pairable"] == 4

    def test_constant_resamples_are_counted(self) -> None:
        matrix = np.full((2, 20), 1.0)
        matrix[0, 0] = 2.0
        estimate = krippendorff_alpha(Ratings.from_matrix(matrix, (1, 2)), "nominal", rng=np.random.default_rng(0))
        units = estimate.interval("units")
        assert units is not None
        # A resample lacks the one dissent with probability (19/20)^20 = .358.
        assert units.n_undefined == pytest.approx(358, abs=60)
        assert units.is_defined

    @pytest.mark.parametrize("matrix", [[[1, 2, 3]], [[1, 2, nan, nan], [nan, nan, 3, 4]]], ids=["one", "apart"])
    def test_nothing_to_pair_is_not_estimable(self, matrix: list[list[float]]) -> None:
        estimate = krippendorff_alpha(Ratings.from_matrix(matrix, ONE_TO_FIVE), rng=np.random.default_rng(0))
        assert np.isnan(estimate.value)
        assert estimate.n["pairable"] == 0
        assert "has two ratings" in estimate.reason

    def test_no_ratings_at_all(self) -> None:
        empty = Ratings.from_matrix(np.full((3, 4), nan), ONE_TO_FIVE)
        assert krippendorff_alpha(empty, rng=np.random.default_rng(0)).reason == "no ratings"

    def test_units_with_one_rating_show_in_n(self) -> None:
        estimate = krippendorff_alpha(Ratings.from_matrix(reference_data.KRIPPENDORFF_2011, ONE_TO_FIVE))
        assert dict(estimate.n) == {"units": 12, "pairable": 11, "raters": 4, "ratings": 41}

    @pytest.mark.parametrize("missing", [-1, 0, 41], ids=["minus one", "zero", "forty-one"])
    def test_a_value_off_the_scale_is_refused_with_its_place(self, missing: float) -> None:
        matrix = reference_data.KRIPPENDORFF_2011.copy()
        matrix[2, 5] = missing
        with pytest.raises(BadRatings, match=f"row 2, column 5: {missing:g} is not on the scale"):
            Ratings.from_matrix(matrix, ONE_TO_FIVE)

    def test_none_is_missing_and_blank_text_is_refused(self) -> None:
        assert len(Ratings.from_matrix([[1, None], [2, 3]], ONE_TO_FIVE)) == 3  # type: ignore[list-item]
        with pytest.raises(BadRatings, match="not a number"):
            Ratings.from_matrix([[1, ""], [2, 3]], ONE_TO_FIVE)  # type: ignore[list-item]

    def test_ratio_needs_a_scale_above_zero(self) -> None:
        estimate = krippendorff_alpha(Ratings.from_matrix(reference_data.GWET_RAW_5, (0, 1, 2, 3)), "ratio")
        assert np.isnan(estimate.value)
        assert "above zero" in estimate.reason

    def test_an_unknown_metric_names_the_known_ones(self) -> None:
        with pytest.raises(ValueError, match="nominal, ordinal, interval, ratio"):
            krippendorff_alpha(Ratings.from_matrix([[1], [2]], (1, 2)), "median")  # type: ignore[arg-type]
