from math import nan

import numpy as np
import pytest
from hypothesis import given, settings

from annotations.stats.agreement.report import agreement_report
from annotations.stats.ratings import Ratings
from tests import dsg_tifa160
from tests.stats import reference_data
from tests.stats.agreement.test_alpha import real_ratings
from tests.stats.strategies import matrices

STATISTICS = [
    "krippendorff_alpha_nominal",
    "krippendorff_alpha_ordinal",
    "krippendorff_alpha_interval",
    "krippendorff_alpha_ratio",
    "fleiss_kappa",
    "gwet_ac1",
    "gwet_ac2_linear",
    "gwet_ac2_quadratic",
    "gwet_ac2_ordinal",
    "brennan_prediger",
    "percent_agreement",
    "percent_agreement_within_one",
    "icc_1_1_unbalanced",
    "icc_1_1",
    "icc_a_1",
    "icc_c_1",
    "icc_1_k",
    "icc_a_k",
    "icc_c_k",
    "kendall_w",
]


def report_of(matrix: object, scale: object = (1, 2, 3, 4, 5), seed: int = 0):  # type: ignore[no-untyped-def]
    ratings = Ratings.from_matrix(matrix, scale)  # type: ignore[arg-type]
    return agreement_report(ratings, rng=np.random.default_rng(seed), n_resamples=200)


def test_every_statistic_once_and_in_order() -> None:
    report = report_of(reference_data.KRIPPENDORFF_2011)
    assert [estimate.statistic for estimate in report.estimates] == STATISTICS
    assert report["krippendorff_alpha_ordinal"].value == pytest.approx(0.8153875, abs=5e-8)
    assert report.components == ((0, 1, 2, 3),)
    assert report.histogram == (9, 13, 11, 5, 3)
    assert report.values == (1, 2, 3, 4, 5)
    assert report.seed == 0
    with pytest.raises(KeyError, match="there are krippendorff_alpha_nominal"):
        report["alpha"]


def test_worked_example_of_the_methods_document() -> None:
    # docs/methods/agreement.md, "A worked example", to its three digits.
    report = report_of(reference_data.KRIPPENDORFF_2011)
    documented = [0.743, 0.815, 0.849, 0.797, 0.761, 0.775, 0.859, 0.914, 0.899, 0.773, 0.818, 0.955, 0.850]
    values = [report[name].value for name in STATISTICS[:13]]
    assert values == pytest.approx(documented, abs=5.1e-4)


@pytest.mark.parametrize(
    ("part", "raters"), [("agreement_dsg_5raters", 5), ("agreement_tifa_2raters", 2)], ids=["dsg", "tifa"]
)
def test_real_ratings(part: str, raters: int) -> None:
    expected = dsg_tifa160.expected()[part]
    ratings = next(one for one in real_ratings().values() if one.n["raters"] == raters)
    report = agreement_report(ratings, rng=np.random.default_rng(0))
    for metric in ("nominal", "ordinal", "interval"):
        assert report[f"krippendorff_alpha_{metric}"].value == pytest.approx(expected[f"alpha_{metric}"], abs=1e-6)
    complete = ratings.per_unit == raters
    kept = complete[ratings.unit]
    renumbered = np.cumsum(complete) - 1
    listwise = Ratings(
        renumbered[ratings.unit[kept]],
        ratings.rater[kept],
        ratings.level[kept],
        ratings.values,
        int(complete.sum()),
        ratings.n_raters,
    )
    assert listwise.n["units"] == expected["complete_items"]
    fleiss = agreement_report(listwise, rng=np.random.default_rng(0), n_resamples=10)["fleiss_kappa"]
    assert fleiss.value == pytest.approx(expected["fleiss_kappa_complete_items"], abs=1e-6)
    mean = ratings.histogram @ ratings.values / len(ratings)
    assert mean == pytest.approx(expected["mean"], abs=1e-6)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(matrices())
def test_whatever_the_ratings_undefined_is_nan_with_a_reason_and_nothing_raises(matrix: np.ndarray) -> None:
    report = report_of(matrix)
    for estimate in report.estimates:
        assert np.isnan(estimate.value) == bool(estimate.reason)
        assert set(estimate.n) >= {"units", "pairable", "raters", "ratings"}
        assert estimate.method
        for interval in estimate.intervals:
            assert interval.is_defined != bool(interval.reason)


def test_one_dissent_in_three_hundred_shows_all_sides() -> None:
    matrix = np.ones((3, 100))
    matrix[0, 0] = 2
    report = report_of(matrix, (1, 2))
    # α = 1 − 299 · 2/2 / (299 · 1) = 0; the rest is derived in the tests of each coefficient.
    assert report["krippendorff_alpha_nominal"].value == pytest.approx(0, abs=1e-12)
    assert report["fleiss_kappa"].value == pytest.approx(-0.0033, abs=5e-5)
    assert report["gwet_ac1"].value == pytest.approx(0.993, abs=5e-4)
    assert report["percent_agreement"].value == pytest.approx(298 / 300)
    assert report.histogram == (299, 1)


def test_one_reversed_rater_of_three_leaves_no_impossible_interval() -> None:
    # The third rater answers 6 − v, nearly always.
    rows = (
        "2215534115335454434454535214245441432531",
        "2225534115335445434454534315345341432443",
        "5441133551331222232213131451221325233234",
    )
    report = report_of([[int(digit) for digit in row] for row in rows])
    lowest = {"percent": 0.0, "krippen": -0.5, "fleiss": -0.5, "icc_1_1": -0.5, "kendall": 0.0}
    for estimate in report.estimates:
        end = next((low for name, low in lowest.items() if estimate.statistic.startswith(name)), -1.0)
        for interval in estimate.intervals:
            if interval.is_defined and not estimate.statistic.endswith("_k"):
                assert end <= interval.low <= estimate.value <= interval.high <= 1, (estimate.statistic, interval)
    alpha = report["krippendorff_alpha_ordinal"]
    assert alpha.value == pytest.approx(-0.29, abs=5e-3)
    # Without the third rater the others agree; each of them with the third alone is far below chance.
    assert alpha.without_rater[2] > 0.8 > 0 > max(alpha.without_rater[:2])


def test_groups_of_raters_without_a_shared_unit_are_named() -> None:
    left, right = np.array([[1, 2, 5, 5], [1, 2, 5, 4]]), np.array([[2, 3, 1, 1], [2, 3, 1, 2]])
    gap = np.full((2, 4), nan)
    report = report_of(np.block([[left, gap], [gap, right]]))
    assert report.components == ((0, 1), (2, 3))
    assert not report.is_connected
    # Alpha itself gives no sign of it.
    assert report["krippendorff_alpha_interval"].value > 0.9


def test_a_report_comes_out_the_same_from_the_same_seed_in_any_order_of_ratings() -> None:
    ratings = Ratings.from_matrix(reference_data.GWET_RAW_5, (0, 1, 2, 3))
    order = np.random.default_rng(5).permutation(len(ratings))
    shuffled = Ratings(ratings.unit[order], ratings.rater[order], ratings.level[order], ratings.values, 15, 5)
    first = agreement_report(ratings, rng=np.random.default_rng(3), n_resamples=100)
    second = agreement_report(shuffled, rng=np.random.default_rng(3), n_resamples=100)
    for one, other in zip(first.estimates, second.estimates, strict=True):
        assert one.value == pytest.approx(other.value, abs=1e-12, nan_ok=True)
        for mine, theirs in zip(one.intervals, other.intervals, strict=True):
            assert (mine.low, mine.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9, nan_ok=True)
