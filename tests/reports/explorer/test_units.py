"""Figures of single units: where metric and people part, where refinement hurt."""

import numpy as np
import pytest
from scipy.stats import rankdata

from annotations.reports.explorer.units import changes, gap, margin, places, unit_figures
from annotations.reports.study.data import StudyData, dimension_data

NAN = np.nan


def test_places_are_mid_ranks_as_shares() -> None:
    assert places(np.array([3.0, 1.0, 2.0, 2.0])).tolist() == [0.875, 0.125, 0.5, 0.5]


def test_a_gap_compares_places_among_units_that_have_both() -> None:
    score = np.array([0.9, 0.1, 0.5, NAN])
    better = np.array([1.0, 2.0, 3.0, 5.0])
    assert gap(score, better)[:3] == pytest.approx([2 / 3, -1 / 3, -1 / 3])
    assert np.isnan(gap(score, better)[3])


def test_a_gap_does_not_depend_on_the_units_of_the_score() -> None:
    rng = np.random.default_rng(3)
    score, better = rng.random(40), rng.random(40)
    assert gap(np.exp(7 * score), better).tolist() == gap(score, better).tolist()


def test_a_refined_image_is_compared_with_the_mean_of_its_parent_over_all_cards() -> None:
    better = np.array([1.0, 3.0, 5.0, 4.0])
    image = np.array([7, 7, 9, 11])
    parent = np.array([0, 0, 7, 8])
    assert changes(better, image, parent).tolist() == pytest.approx([NAN, NAN, 3.0, NAN], nan_ok=True)


def test_without_units_nothing_changes() -> None:
    nothing = np.empty(0, np.int64)
    assert changes(np.empty(0), nothing, nothing).tolist() == []


def test_votes_count_for_the_refined_image_on_whichever_side_it_is() -> None:
    counts = np.array([[3, 1, 0], [3, 1, 0], [0, 0, 2], [1, 2, 5]])
    refined = np.array([1, 0, 1, -1])
    assert margin(counts, refined).tolist() == pytest.approx([-0.5, 0.5, NAN, NAN], nan_ok=True)


def study(kind: str, level: list[int], score: list[float]) -> StudyData:
    """Two raters rate three units on 1–5; the third unit has one rating."""
    dimension = dimension_data(
        "q",
        unit=np.array([0, 0, 1, 1, 2]),
        rater=np.array([0, 1, 0, 1, 0]),
        level=np.array(level),
        values=[1, 2, 3, 4, 5],
        rater_names=["a", "b"],
        n_units=3,
        kind=kind,  # type: ignore[arg-type] (the tests name kinds as texts)
    )
    codes = np.zeros(3, np.int64)
    return StudyData(["x", "y", "z"], [dimension], codes, ["p"], codes, ["m"], {}, ["clip"], np.array([score]))


def test_units_have_mean_counts_and_how_far_raters_part() -> None:
    data = study("ordinal", [0, 4, 2, 2, 1], [0.1, 0.2, 0.3])
    figures = unit_figures(data, data.dimensions[0])
    assert figures.mean.tolist() == [3.0, 3.0, 2.0]
    assert figures.counts.tolist() == [[1, 0, 0, 0, 1], [0, 0, 2, 0, 0], [0, 1, 0, 0, 0]]
    assert figures.distance.tolist() == pytest.approx([1.0, 0.0, NAN], nan_ok=True)
    assert figures.gaps["clip"] == pytest.approx([1 / 6 - 2 / 3, 1 / 2 - 2 / 3, 5 / 6 - 1 / 6])


def test_the_first_place_of_a_ranking_is_the_best() -> None:
    data = study("ranking", [0, 0, 1, 1, 2], [0.3, 0.2, 0.1])
    figures = unit_figures(data, data.dimensions[0])
    assert figures.mean.tolist() == [1.0, 2.0, 3.0]
    assert figures.gaps["clip"].tolist() == pytest.approx([0.0, 0.0, 0.0])


@pytest.mark.parametrize("skips", [0, 1])
def test_the_mean_over_all_images_of_a_ranking_is_that_of_its_ranks(skips: int) -> None:
    """Two raters rank four images on each of two cards, with ties; later places may be left out or not."""
    orders = np.array([[0, 0, 1, 2], [0, 0, 0, 0], [1, 0, 1, 0], [0, 1, 2, 2]]) * (1 + skips)
    dimension = dimension_data(
        "q",
        unit=np.concatenate([np.arange(4), np.arange(4), np.arange(4, 8), np.arange(4, 8)]),
        rater=np.repeat([0, 1, 0, 1], 4),
        level=orders.ravel(),
        values=list(range(1, 13)),
        rater_names=["a", "b"],
        n_units=9,
        kind="ranking",
        card=np.array([5, 5, 5, 5, 3, 3, 3, 3, 9]),
    )
    expected = [rankdata(order) for order in orders]
    assert dimension.ranks is not None
    assert dimension.ranks.tolist() == np.concatenate(expected).tolist()
    assert (
        dimension.unit_means().tolist()
        == np.concatenate([(expected[0] + expected[1]) / 2, (expected[2] + expected[3]) / 2]).tolist()
    )
    assert dimension.unit_means().mean() == 2.5


def test_levels_without_an_order_have_no_mean_and_no_gap() -> None:
    data = study("nominal", [0, 4, 2, 2, 1], [0.1, 0.2, 0.3])
    figures = unit_figures(data, data.dimensions[0])
    assert np.isnan(figures.mean).all()
    assert np.isnan(figures.gaps["clip"]).all()
    assert figures.distance[0] == 1.0
