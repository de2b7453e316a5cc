"""Levels without an order: statistics of categories alone, for the panel and for each rater."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings

from annotations.stats.agreement.report import agreement_report
from annotations.stats.raters.table import Repeats, rater_table
from annotations.stats.ratings import Ratings
from tests.stats.raters.test_table import from_table, matrices

CATEGORIES = ["krippendorff_alpha_nominal", "fleiss_kappa", "gwet_ac1", "brennan_prediger", "percent_agreement"]
ORDERED = ("rank_correlation", "mean_absolute_deviation", "severity", "spread", "self_deviation")
SKIN = [[10, 4, 1, 0], [5, 10, 12, 2], [2, 4, 12, 5], [0, 2, 6, 13]]


def test_agreement_has_the_statistics_of_categories_and_no_other() -> None:
    ratings = from_table(SKIN)
    found = agreement_report(ratings, rng=np.random.default_rng(0), is_ordinal=False, n_resamples=100)
    whole = agreement_report(ratings, rng=np.random.default_rng(0), n_resamples=100)

    assert [one.statistic for one in found.estimates] == CATEGORIES
    for one in found.estimates:
        assert one == whole[one.statistic]


def test_figures_do_not_depend_on_the_order_of_the_levels() -> None:
    rng = np.random.default_rng(4)
    matrix = rng.integers(0, 4, (4, 40)).astype(float)
    shuffled = np.array([2.0, 0.0, 3.0, 1.0])[matrix.astype(int)]
    scale = range(4)
    first, second = (
        rater_table(Ratings.from_matrix(each, scale), order=np.arange(160), is_ordinal=False)
        for each in (matrix, shuffled)
    )
    for one, other in zip(first, second, strict=True):
        assert one.agreement.value == pytest.approx(other.agreement.value, abs=1e-12)
        assert one.suspicion.score == pytest.approx(other.suspicion.score, abs=1e-12)


def test_two_raters_have_cohens_kappa_and_its_interval() -> None:
    from statsmodels.stats.inter_rater import cohens_kappa

    reference = cohens_kappa(np.array(SKIN))
    for row in rater_table(from_table(SKIN), is_ordinal=False):
        assert row.agreement.value == pytest.approx(reference.kappa, abs=1e-12)
        interval = row.agreement.interval("units")
        assert interval is not None
        # Fleiss, Cohen & Everitt's standard error on the plain scale; ours is the same variance on Fisher's z with t.
        assert (interval.high - interval.low) / 2 == pytest.approx(1.987 * reference.std_kappa, rel=0.05)


@settings(max_examples=60, deadline=None)
@given(matrices())
def test_the_slow_definition(matrix: np.ndarray) -> None:
    for rater, row in enumerate(rater_table(Ratings.from_matrix(matrix, [1, 2, 3, 4, 5]), is_ordinal=False)):
        own, same, shares = [], [], []
        for unit in range(matrix.shape[1]):
            others = np.delete(matrix[:, unit], rater)
            others = others[~np.isnan(others)]
            if np.isnan(matrix[rater, unit]) or not len(others):
                continue
            own.append([matrix[rater, unit] == level for level in range(1, 6)])
            same.append(np.mean(others == matrix[rater, unit]))
            shares.append([np.mean(others == level) for level in range(1, 6)])
        chance = np.mean(own, axis=0) @ np.mean(shares, axis=0) if own else 1.0
        if chance > 1 - 1e-9:
            assert not row.agreement.is_defined
            assert row.agreement.reason
        else:
            assert row.agreement.value == pytest.approx((np.mean(same) - chance) / (1 - chance), abs=1e-9)
        for name in ORDERED:
            assert getattr(row, name).reason == "the levels have no order"


def test_a_careless_rater_stands_out_by_agreement() -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 3, 200)
    matrix = np.where(rng.random((6, 200)) < 0.85, truth, rng.integers(0, 3, (6, 200))).astype(float)
    matrix[5] = rng.integers(0, 3, 200)
    rows = rater_table(Ratings.from_matrix(matrix, range(3)), is_ordinal=False)

    assert "agreement with the others" in rows[5].suspicion.words
    assert [row.suspicion.score for row in rows[:5]] == pytest.approx([0] * 5)


def test_gold_must_be_met_exactly_and_repeats_have_no_distance() -> None:
    ratings = Ratings.from_matrix([[1, 2, 3], [1, 2, 2]], [1, 2, 3])
    twice = Repeats(*(np.array(each) for each in ([0, 1], [0, 1], [2, 1])))
    rows = rater_table(ratings, gold=[1, 1, 1], gold_tolerance=1, repeats=twice, is_ordinal=False)

    assert rows[0].gold_pass_rate.value == pytest.approx(1 / 3)
    assert rows[0].self_consistency.value == 0
    assert not rows[0].self_deviation.is_defined


@pytest.mark.parametrize("shape", list(product((1, 2), (1, 2))))
def test_little_data_give_reasons(shape: tuple[int, int]) -> None:
    for row in rater_table(Ratings.from_matrix(np.ones(shape), [1, 2]), is_ordinal=False):
        assert row.agreement.reason
