import re
from math import nan

import numpy as np
import pytest
from hypothesis import given, settings
from scipy import stats

from annotations.stats.agreement.intraclass.icc import icc_family
from annotations.stats.agreement.intraclass.icc_f import f_interval, f_test
from annotations.stats.agreement.intraclass.icc_one_way import icc_one_way_unbalanced
from annotations.stats.agreement.mean_squares import complete_ratings
from annotations.stats.estimate import Estimate
from annotations.stats.ratings import Ratings
from tests import dsg_tifa160
from tests.benchmarks.coverage.agreement import World
from tests.benchmarks.coverage.icc import coverage
from tests.stats import reference_data
from tests.stats.agreement.test_alpha import real_ratings
from tests.stats.strategies import matrices

NAMES = ("icc_1_1", "icc_a_1", "icc_c_1", "icc_1_k", "icc_a_k", "icc_c_k")


def family(matrix: object, scale: object = range(1, 11)) -> dict[str, Estimate]:
    ratings = Ratings.from_matrix(matrix, scale)  # type: ignore[arg-type]
    return {estimate.statistic: estimate for estimate in icc_family(ratings)}


def fisher(icc: float, k: int) -> float:
    return float(np.log((1 + (k - 1) * icc) / (1 - icc)) / 2)


def slow(matrix: np.ndarray) -> dict[str, float]:
    """The analysis of variance by its textbook sums, on raters × units without gaps."""
    k, n = matrix.shape
    grand = matrix.mean()
    msr = k * sum((column.mean() - grand) ** 2 for column in matrix.T) / (n - 1)
    msc = n * sum((row.mean() - grand) ** 2 for row in matrix) / (k - 1)
    msw = sum(((column - column.mean()) ** 2).sum() for column in matrix.T) / (n * (k - 1))
    residual = matrix - matrix.mean(axis=0) - matrix.mean(axis=1, keepdims=True) + grand
    mse = (residual**2).sum() / ((n - 1) * (k - 1))
    single = {
        "1": (msr - msw, msr + (k - 1) * msw),
        "a": (msr - mse, msr + (k - 1) * mse + k * (msc - mse) / n),
        "c": (msr - mse, msr + (k - 1) * mse),
    }
    return {name: top / bottom if bottom > 1e-9 else nan for name, (top, bottom) in single.items()}


class TestShroutAndFleiss:
    """Shrout and Fleiss (1979), tables 2–4; intervals as psych::ICC and pingouin print them."""

    def test_values(self) -> None:
        found = family(reference_data.SHROUT_FLEISS)
        values = [found[name].value for name in NAMES]
        # Published .17 .29 .71 .44 .62 .91.
        assert values == pytest.approx([0.165742, 0.289764, 0.714841, 0.442797, 0.620051, 0.909316], abs=5e-7)

    @pytest.mark.parametrize(
        ("name", "low", "high"),
        [
            ("icc_1_1", -0.13, 0.72),
            ("icc_a_1", 0.02, 0.76),
            ("icc_c_1", 0.34, 0.95),
            ("icc_1_k", -0.88, 0.91),
            ("icc_a_k", 0.07, 0.93),
            ("icc_c_k", 0.68, 0.99),
        ],
    )
    def test_f_intervals(self, name: str, low: float, high: float) -> None:
        interval = next(one for one in family(reference_data.SHROUT_FLEISS)[name].intervals if one.method[0] == "F")
        assert (interval.low, interval.high) == pytest.approx((low, high), abs=5.1e-3)
        assert interval.covers == ("units and raters" if "_a_" in name else "units")

    def test_f_tests(self) -> None:
        ratings = Ratings.from_matrix(reference_data.SHROUT_FLEISS, range(1, 11))
        one_way, two_way = f_test(ratings, "1"), f_test(ratings, "c")
        assert (one_way.value, one_way.p_value) == pytest.approx((1.7947, 0.1648), abs=5e-5)
        assert one_way.freedom == (5, 18)
        assert two_way.value == pytest.approx(11.0272, abs=5e-5)
        assert two_way.p_value == pytest.approx(0.000135, abs=5e-7)
        assert two_way.freedom == (5, 15)


@pytest.mark.parametrize(
    ("part", "raters"), [("agreement_dsg_5raters", 5), ("agreement_tifa_2raters", 2)], ids=["dsg", "tifa"]
)
def test_real_ratings_have_the_recorded_iccs(part: str, raters: int) -> None:
    expected = dsg_tifa160.expected()[part]
    ratings = next(one for one in real_ratings().values() if one.n["raters"] == raters)
    found = {estimate.statistic: estimate for estimate in icc_family(ratings)}
    assert found["icc_a_1"].n["complete_units"] == expected["complete_items"]
    for name in NAMES:
        model, form = name[4:].split("_")
        recorded = expected["ICC_complete_items"][f"ICC({model.upper()},{form})"]
        assert found[name].value == pytest.approx(recorded, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(matrices(gaps=False, max_units=7))
def test_fast_equals_slow_definition(matrix: np.ndarray) -> None:
    if matrix.shape[1] < 2:
        return
    found = family(matrix)
    k = matrix.shape[0]
    for model, value in slow(matrix).items():
        single, average = found[f"icc_{model}_1"], found[f"icc_{model}_k"]
        assert single.value == pytest.approx(value, abs=1e-9, nan_ok=True)
        if np.isnan(value):
            assert single.reason
        else:
            below = 1 + (k - 1) * value
            stepped = k * value / below if below > 1e-9 else nan
            assert average.value == pytest.approx(stepped, rel=1e-6, nan_ok=True)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("matrix", [[[24, 88], [79, 8]], [[74, 96], [81, 49]], [[3, 9], [55, 17], [73, 85], [77, 87]]])
def test_too_few_degrees_of_freedom_are_the_reason_for_no_interval_and_not_a_warning(matrix: list[list[int]]) -> None:
    """Two complete units: the F quantiles are so large, some 1e300, that products with them are infinite."""
    found = f_interval("a", complete_ratings(Ratings.from_matrix(matrix, range(101))).mean_squares, 0.95)
    assert not found.is_defined
    assert re.fullmatch(r"0\.00\d+ degrees of freedom are too few", found.reason)


def test_the_icc_of_a_mean_below_minus_1_has_no_interval_and_says_why() -> None:
    found = family([[1, 3, 3], [3, 2, 1]], range(1, 4))
    assert found["icc_1_k"].value == pytest.approx(-8)
    reasons = {interval.reason for interval in found["icc_1_k"].intervals if interval.method.startswith("F,")}
    assert reasons == {
        "the value is below -1, where intervals of the ICC of a mean are cut; its values have no lower end"
    }


def test_intervals_of_unequal_numbers_stop_at_their_own_limit() -> None:
    """Units of 2, 2, 1, 1 and 2 ratings: m₀ = (8 − 14/8)/4 = 25/16, so the limit is −16/9, below −1."""
    matrix = [[0, 4, 2, nan, 1], [4, 0, nan, 2, 2]]
    found = icc_one_way_unbalanced(Ratings.from_matrix(matrix, range(5)), rng=np.random.default_rng(0))
    lows = [interval.low for interval in found.intervals if interval.is_defined and interval.cut_low]
    assert lows == pytest.approx([-16 / 9] * 2)
    assert -16 / 9 < found.value < -1


@settings(max_examples=15, deadline=None)
@given(matrices(gaps=False, max_units=7))
def test_leaving_out_by_sums_equals_leaving_out(matrix: np.ndarray) -> None:
    k, n = matrix.shape
    if n < 3 or k < 3:
        return
    complete = complete_ratings(Ratings.from_matrix(matrix, range(1, 6)))
    for model in ("1", "a", "c"):
        by_unit = [slow(np.delete(matrix, i, axis=1))[model] for i in range(n)]
        by_rater = [slow(np.delete(matrix, j, axis=0))[model] for j in range(k)]
        assert complete.without_each_unit().icc(model) == pytest.approx(by_unit, abs=1e-7, nan_ok=True)
        assert complete.without_each_rater().icc(model) == pytest.approx(by_rater, abs=1e-7, nan_ok=True)


def test_pingouin_agrees_with_values_and_f_intervals() -> None:
    import pandas as pd  # here: it takes as long as hundreds of these tests, and every process collects this file
    import pingouin

    rng = np.random.default_rng(3)
    quality = rng.normal(size=40)
    latent = quality + rng.normal(size=(4, 1)) * 0.4 + rng.normal(size=(4, 40)) * 0.7
    matrix = np.clip(np.round(latent * 1.5 + 4), 1, 7)
    rater, unit = np.indices(matrix.shape)
    frame = pd.DataFrame({"unit": unit.ravel(), "rater": rater.ravel(), "value": matrix.ravel()})
    table = pingouin.intraclass_corr(frame, targets="unit", raters="rater", ratings="value")
    found = family(matrix, range(1, 8))
    assert len(table) == 6
    for (_, row), name in zip(table.iterrows(), NAMES, strict=True):
        assert found[name].value == pytest.approx(row["ICC"], abs=1e-6)
        interval = next(one for one in found[name].intervals if one.method[0] == "F")
        column = next(label for label in table.columns if label.startswith("CI95"))
        assert (interval.low, interval.high) == pytest.approx(tuple(row[column]), abs=5.1e-3)


@pytest.mark.slow
def test_intervals_cover_what_they_claim() -> None:
    # 300 replications: at a true .95 fewer than 272 hits has probability .001. Skewed ratings are where F fails.
    share = coverage(World("flat"), 200, 20, 300, np.random.default_rng(5))
    for name in NAMES[:3]:
        for covers in ("units", "raters", "units and raters"):
            assert share[name, f"{covers}, jackknife"] >= 272 / 300
    skewed = coverage(World("skewed"), 1000, 20, 150, np.random.default_rng(6))
    assert skewed["icc_a_1", "units and raters, jackknife"] > skewed["icc_a_1", "units and raters, F"] + 0.05


class TestOneWayUnbalanced:
    def test_equals_icc_1_1_without_gaps(self) -> None:
        estimate = icc_one_way_unbalanced(Ratings.from_matrix(reference_data.SHROUT_FLEISS, range(1, 11)))
        assert estimate.value == pytest.approx(0.165742, abs=5e-7)

    def test_by_hand(self) -> None:
        # Units (1, 3), (4, 4, 4), (2): N = 6, n = 3, grand mean 3. Means 2, 4, 2.
        # SSB = 2·1 + 3·1 + 1·1 = 6, MSB = 3. SSW = 2, MSW = 2/3. m₀ = (6 − 14/6)/2 = 11/6.
        # ICC = (3 − 2/3)/(3 + (5/6)(2/3)) = (7/3)/(32/9) = 21/32.
        matrix = [[1, 4, 2], [3, 4, nan], [nan, 4, nan]]
        assert icc_one_way_unbalanced(Ratings.from_matrix(matrix, range(1, 6))).value == pytest.approx(21 / 32)

    @settings(max_examples=40, deadline=None)
    @given(matrices())
    def test_fast_equals_slow_definition(self, matrix: np.ndarray) -> None:
        units = [column[~np.isnan(column)] for column in matrix.T]
        units = [unit for unit in units if len(unit)]
        n, total = len(units), sum(len(unit) for unit in units)
        value = nan
        if n > 1 and total > n:
            grand = np.concatenate(units).mean()
            msb = sum(len(unit) * (unit.mean() - grand) ** 2 for unit in units) / (n - 1)
            msw = sum(((unit - unit.mean()) ** 2).sum() for unit in units) / (total - n)
            m0 = (total - sum(len(unit) ** 2 for unit in units) / total) / (n - 1)
            bottom = msb + (m0 - 1) * msw
            value = (msb - msw) / bottom if bottom > 1e-9 else nan
        found = icc_one_way_unbalanced(Ratings.from_matrix(matrix, range(1, 6)))
        assert found.value == pytest.approx(value, abs=1e-9, nan_ok=True)


class TestTraps:
    def test_missing_cells_leave_complete_units_and_say_so(self) -> None:
        matrix = reference_data.SHROUT_FLEISS.copy()
        matrix[0, 0] = nan
        estimate = family(matrix)["icc_a_1"]
        assert estimate.n["complete_units"] == 5
        assert estimate.n["units"] == 6
        assert "5 complete units of 6 (listwise)" in estimate.method
        assert estimate.value == pytest.approx(slow(matrix[:, 1:])["a"])

    def test_no_complete_unit(self) -> None:
        estimate = family([[1, 2, nan], [nan, 2, 3], [1, nan, 3]])["icc_c_1"]
        assert np.isnan(estimate.value)
        assert estimate.reason == "0 of 3 units were rated by all 3 raters"

    def test_all_ratings_equal(self) -> None:
        estimate = family(np.full((3, 4), 7.0))["icc_1_k"]
        assert np.isnan(estimate.value)
        assert "no variation" in estimate.reason

    def test_one_rater(self) -> None:
        assert "needs two" in family([[1, 2, 3]])["icc_1_1"].reason

    def test_perfect_agreement_is_one_without_a_made_up_interval(self) -> None:
        estimate = family([[1, 2, 3, 4]] * 3)["icc_a_1"]
        assert estimate.value == 1.0
        assert not any(interval.is_defined for interval in estimate.intervals)
        assert all(interval.reason for interval in estimate.intervals)

    def test_two_raters_have_no_jackknife_over_raters(self) -> None:
        interval = family(reference_data.SHROUT_FLEISS[:2])["icc_c_1"].interval("raters")
        assert interval is not None
        assert interval.reason == "2 raters; leaving one out must leave two"

    def test_intervals_over_raters_by_hand(self) -> None:
        rng = np.random.default_rng(1)
        matrix = np.clip(
            np.round(rng.normal(5, 1.5, size=30) + rng.normal(size=(12, 1)) + rng.normal(size=(12, 30))), 1, 10
        )
        for model in ("a", "c"):
            rho = slow(matrix)[model]
            z = np.array([-np.log(1 - slow(np.delete(matrix, j, axis=0))[model]) for j in range(12)])
            variance = 11 / 12 * ((z - z.mean()) ** 2).sum()
            # Fisher's z of 12 raters changes by 12/2/(1 + 11ρ) times as much as −ln(1 − ρ).
            reach = stats.t.ppf(0.975, 1 / (1 / 11 + 1.5 / 24)) * np.sqrt(variance) * 6 / (1 + 11 * rho)
            interval = family(matrix)[f"icc_{model}_1"].interval("raters")
            assert interval is not None
            value = fisher(rho, 12)
            ends = [fisher(end, 12) for end in (interval.low, interval.high)]
            assert ends == pytest.approx([value - reach, value + reach])

    def test_a_reversed_rater_leaves_intervals_within_their_range(self) -> None:
        rng = np.random.default_rng(2)
        matrix = np.clip(np.round(rng.normal(3, 1, size=20) + 0.3 * rng.normal(size=(3, 20))), 1, 5)
        matrix[2] = 6 - matrix[2]
        found = family(matrix)
        for name in ("icc_1_1", "icc_a_1", "icc_c_1"):
            for covers in ("raters", "units and raters"):
                interval = found[name].interval(covers)
                assert interval is not None
                assert -0.5 <= interval.low <= found[name].value <= interval.high <= 1
        # Without the third rater the others agree.
        assert found["icc_c_1"].without_rater[2] > 0.6 > 0 > max(found["icc_c_1"].without_rater[:2])

    def test_intervals_of_means_are_cut_at_minus_one(self) -> None:
        found = family(np.random.default_rng(3).integers(1, 6, (3, 30)))
        for name in ("icc_1_k", "icc_a_k", "icc_c_k"):
            for interval in found[name].intervals:
                assert not interval.is_defined or -1 <= interval.low <= found[name].value <= interval.high <= 1
        low = [interval for name in ("icc_1_k", "icc_a_k", "icc_c_k") for interval in found[name].intervals]
        assert any(interval.cut_low for interval in low)

    def test_severity_counts_in_a_and_not_in_c(self) -> None:
        matrix = np.array([[1, 2, 3, 4, 5], [3, 4, 5, 6, 7]])
        found = family(matrix)
        assert found["icc_c_1"].value == 1.0
        # MSR 5, MSC 10, MSE 0: 5/(5 + 2·10/5) = 5/9.
        assert found["icc_a_1"].value == pytest.approx(5 / 9)
