"""Traps that statistics packages fall into, through the doors that `analyze` and the study's page use.

docs/methods/traps.md lists all of them with what is reported instead; those that are shown next to the code of one
statistic are not repeated here.
"""

import re
from math import nan
from pathlib import Path

import krippendorff
import numpy as np
import pytest
from statsmodels.stats import inter_rater

from annotations.stats.agreement.cohen import cohen_matrix
from annotations.stats.agreement.report import AgreementReport, agreement_report
from annotations.stats.comparison.compare import compare
from annotations.stats.critic.accuracy import critic_accuracy
from annotations.stats.metrics.table import metric_table
from annotations.stats.ratings import BadRatings, Ratings
from tests.stats import reference_data
from tests.stats.comparison.comparison_data import paired_scores
from tests.stats.critic.audits import simulate
from tests.stats.metrics.metric_data import simulated

ONE_TO_FIVE = (1, 2, 3, 4, 5)
ROOT = Path(__file__).resolve().parents[2]
CHANCE_CORRECTED = ("krippendorff_alpha_nominal", "krippendorff_alpha_ordinal", "krippendorff_alpha_interval")


def report_of(matrix: object, scale: object = ONE_TO_FIVE) -> AgreementReport:
    return agreement_report(Ratings.from_matrix(matrix, scale), rng=np.random.default_rng(0), n_resamples=300)  # type: ignore[arg-type]


def test_all_ratings_equal() -> None:
    # Elsewhere a ValueError, NaN without a word, or an alpha of 1.
    report = report_of(np.full((3, 40), 4.0))
    for name in (*CHANCE_CORRECTED, "fleiss_kappa", "icc_1_1_unbalanced", "icc_a_1", "kendall_w"):
        assert np.isnan(report[name].value), name
        assert "no variation" in report[name].reason, name
        assert report[name].n["units"] == 40
    assert "observed agreement is 1" in report["krippendorff_alpha_ordinal"].reason
    assert report["percent_agreement"].value == 1
    assert report.histogram == (0, 0, 0, 120, 0)


def test_constant_resamples_are_counted_in_the_report() -> None:
    # One unit of ten differs: a resample lacks it with probability .9^10 = .349.
    matrix = np.ones((3, 10))
    matrix[:, 0] = [2, 2, 1]
    interval = report_of(matrix)["krippendorff_alpha_nominal"].interval("units")
    assert interval is not None
    assert interval.n_undefined == pytest.approx(0.349 * 300, abs=35)
    assert interval.is_defined


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        ([[1, 2, 3]], "only one rater, so no item has two ratings"),
        ([[1, 2, nan, nan], [nan, nan, 3, 4]], "no unit has two ratings: 4 units, 4 ratings, 0 pairable"),
    ],
    ids=["one rater", "nothing to pair"],
)
def test_nothing_to_compare_is_not_estimable_and_gives_the_counts(matrix: object, words: str) -> None:
    report = report_of(matrix)
    for name in (*CHANCE_CORRECTED, "fleiss_kappa", "gwet_ac1", "brennan_prediger", "percent_agreement"):
        assert np.isnan(report[name].value), name
        assert words in report[name].reason, name
        assert report[name].n["pairable"] == 0


def test_units_with_one_rating_count_for_chance_but_not_for_alpha() -> None:
    # Gwet's data: unit 12 has one rating. AC1 .7754 with it, .7752 without; alpha does not change.
    whole, without = report_of(reference_data.GWET_RAW_4), report_of(reference_data.GWET_RAW_4[:, :11])
    assert whole["gwet_ac1"].value == pytest.approx(0.7754, abs=5e-5)
    assert without["gwet_ac1"].value == pytest.approx(0.7752, abs=5e-5)
    alpha = "krippendorff_alpha_ordinal"
    assert whole[alpha].value == pytest.approx(without[alpha].value, abs=1e-12)
    assert (whole[alpha].n["units"], whole[alpha].n["pairable"]) == (12, 11)


@pytest.mark.parametrize(
    ("table", "observed", "cohen", "ac1"),
    [([[130, 56], [9, 5]], 0.675, 0.022, 0.533), ([[118, 5], [2, 0]], 0.944, -0.023, 0.941)],
)
def test_a_kappa_is_never_reported_alone(table: list[list[int]], observed: float, cohen: float, ac1: float) -> None:
    # PMC7222679, table 1. The report that holds a kappa holds what explains it.
    first, second = np.nonzero(np.array(table))
    times = np.array(table)[first, second]
    matrix = np.array([np.repeat(first, times), np.repeat(second, times)]) + 1.0
    report = report_of(matrix, (1, 2))
    assert cohen_matrix(Ratings.from_matrix(matrix, (1, 2))).kappa[0, 1] == pytest.approx(cohen, abs=5e-4)
    assert report["fleiss_kappa"].value < 0.03
    assert report["percent_agreement"].value == pytest.approx(observed, abs=5e-4)
    assert report["gwet_ac1"].value == pytest.approx(ac1, abs=5e-4)
    assert sum(report.histogram) == 2 * sum(map(sum, table))


def test_a_value_off_the_scale_is_stopped_at_the_door() -> None:
    # A typing error, 41 for 4 and 1, lowers interval alpha elsewhere without a word.
    rng = np.random.default_rng(3)
    latent = rng.normal(size=200)
    matrix = np.clip(np.rint(3 + 1.2 * latent + 0.6 * rng.normal(size=(4, 200))), 1, 5)
    right = krippendorff.alpha(reliability_data=matrix, level_of_measurement="interval")
    matrix[1, 17] = 41
    assert krippendorff.alpha(reliability_data=matrix, level_of_measurement="interval") < right - 0.05
    with pytest.raises(BadRatings, match="row 1, column 17: 41 is not on the scale"):
        Ratings.from_matrix(matrix, ONE_TO_FIVE)


def test_missing_cells_leave_one_icc_over_all_ratings() -> None:
    # Listwise deletion drops five of six units here, and says so; the one-way form drops none.
    matrix = reference_data.SHROUT_FLEISS.copy()
    matrix[[0, 1, 2, 3, 0], [0, 1, 2, 3, 4]] = nan
    report = report_of(matrix, range(1, 11))
    assert report["icc_a_1"].reason == "1 of 6 units were rated by all 4 raters"
    unbalanced = report["icc_1_1_unbalanced"]
    assert unbalanced.is_defined
    assert unbalanced.n["ratings"] == 19
    assert report["krippendorff_alpha_interval"].is_defined


def test_fleiss_takes_unequal_numbers_of_ratings() -> None:
    counts = np.array([[3, 0], [0, 2], [1, 1], [2, 1]])
    with pytest.raises(AssertionError):
        inter_rater.fleiss_kappa(counts)
    matrix = [[1, 2, 1, 1], [1, 2, 2, 1], [1, nan, nan, 2]]
    # p_a = (1 + 1 + 0 + 1/3)/4 = 7/12; shares of 1: (1 + 0 + 1/2 + 2/3)/4 = 13/24, p_e = (13² + 11²)/24² = 290/576.
    expected = (7 / 12 - 290 / 576) / (1 - 290 / 576)
    assert report_of(matrix, (1, 2))["fleiss_kappa"].value == pytest.approx(expected)


def test_each_interval_says_what_it_covers() -> None:
    # Over units alone it holds for these raters only: in simulation it covers 45–82 % of the population's value.
    rng = np.random.default_rng(1)
    matrix = np.clip(np.rint(3 + rng.normal(size=60) + rng.normal(size=(8, 60))), 1, 5)
    for estimate in report_of(matrix).estimates:
        covered = [interval.covers for interval in estimate.intervals]
        assert {"units", "raters"} <= set(covered), estimate.statistic
    both = report_of(matrix)["krippendorff_alpha_ordinal"].interval("units and raters")
    assert both is not None
    assert both.is_defined


def test_a_constant_metric_has_no_correlation_and_the_accuracy_of_ties() -> None:
    human, metrics, prompt, method = simulated(30, 4, np.random.default_rng(2))
    ratings = Ratings.from_matrix(np.stack([human, human]), range(3, 16))
    scores = np.stack([metrics[0], np.full(len(human), 0.5)])
    table = metric_table(
        ratings,
        scores,
        metric_names=["a", "constant"],
        prompt=prompt,
        method=method,
        rng=np.random.default_rng(0),
        n_resamples=50,
        n_permutations=50,
    )
    figures = {one.statistic: one for one in table.metrics[1].estimates}
    for name in ("pearson", "spearman", "kendall_tau_b", "kendall_tau_c"):
        assert np.isnan(figures[name].value)
        assert figures[name].reason == "the metric's scores do not vary"
    ties = next(one for one in table.baseline if one.statistic == "pairwise_accuracy")
    assert figures["pairwise_accuracy"].value == ties.value
    equal = np.mean([a == b for i, a in enumerate(human) for b in human[:i]])
    assert ties.value == pytest.approx(equal)


def test_every_rank_correlation_names_its_variant() -> None:
    # A published "Spearman" was Pearson, a published "Kendall" τ-b in one paper and τ-c in the next.
    human, metrics, prompt, method = simulated(20, 4, np.random.default_rng(2))
    ratings = Ratings.from_matrix(np.stack([human, human]), range(3, 16))
    table = metric_table(
        ratings,
        metrics,
        metric_names=["a", "b"],
        prompt=prompt,
        method=method,
        rng=np.random.default_rng(0),
        n_resamples=20,
        n_permutations=20,
    )
    words = {"kendall_tau_b": "τ-b", "kendall_tau_c": "τ-c", "spearman": "rank", "pearson": "product-moment"}
    named = 0
    for estimate in (*table.metrics[0].estimates, *table.ceiling):
        base = re.sub("_(grouped_by_prompt|method_level)$", "", estimate.statistic)
        named += base in words
        assert words.get(base, "") in estimate.method, estimate.statistic
        assert base not in ("kendall", "kendall_tau", "correlation")
    # Four statistics, each at three levels (τ-c at one), of a metric and of one rater against the rest.
    assert named == 2 * (3 * 3 + 1)


def test_zeros_that_wilcoxon_drops_are_next_to_it() -> None:
    ratings, prompt, method = paired_scores([3, 3, 3, 3, 3, 2], [3, 3, 3, 3, 4, 4])
    got = compare(ratings, prompt=prompt, method=method, baseline=0, refined=1, rng=np.random.default_rng(0))
    assert (got.wins, got.ties, got.losses) == (2, 4, 0)
    assert got.n == 6
    assert "zeros dropped" in got.wilcoxon_method
    # The two that differ: 1 and 2; both signs plus is one of four assignments, two-sided 2/4.
    assert got.wilcoxon_p == pytest.approx(0.5)


def test_an_interval_that_knows_images_is_next_to_wilsons() -> None:
    audit = simulate(np.random.default_rng(0), 40)
    row = critic_accuracy(audit, rng=np.random.default_rng(0), n_resamples=200, n_permutations=9).overall
    assert [interval.covers for interval in row.precision.intervals] == ["images", "claims"]
    assert all(interval.is_defined for interval in row.precision.intervals)


def test_no_copyleft_package_reaches_the_product() -> None:
    # krippendorff, pingouin and irrCAC are GPL: they may check the product, never be part of it.
    forbidden = re.compile(r"^\s*(?:import|from)\s+(krippendorff|pingouin|irrCAC)\b", re.MULTILINE)
    for package in ("annotations", "generation", "exchange", "evalsite"):
        for path in (ROOT / package).rglob("*.py"):
            found = forbidden.search(path.read_text())
            assert found is None, f"{path.relative_to(ROOT)} imports {found.group(1) if found else ''}"
    assert forbidden.search("\n    from krippendorff import alpha"), "the search must find what it looks for"
