"""Where the variance of ratings comes from, and what more raters buy."""

import csv

import numpy as np
import pytest

from annotations.stats.raters.generalisability import (
    BadDesign,
    d_study,
    disattenuated,
    g_study_crossed,
    g_study_nested,
    g_study_of_ratings,
    raters_for,
    spearman_brown,
)
from annotations.stats.ratings import Ratings
from tests.stats.preferences.published import DATA

SHROUT_AND_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7.0]])


def brennan() -> np.ndarray:
    """(persons, tasks, raters) of table 3.2; each task has four raters of its own."""
    with (DATA / "brennan_3_2.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    scores = np.full((10, 3, 4), np.nan)
    for row in rows:
        task, rater = int(row["Task"]) - 1, int(row["Rater"]) - 1
        scores[int(row["Person"]) - 1, task, rater - 4 * task] = float(row["Score"])
    return scores


def test_brennans_table_3_2_and_its_d_study() -> None:
    study = g_study_nested(brennan())
    assert study.components == pytest.approx(
        {"object": 0.4731, "task": 0.3252, "rater:task": 0.6475, "object×task": 0.5596, "residual": 2.3802}, abs=5e-5
    )
    found = d_study(study, n_tasks=3, n_raters=4)
    assert (found.generalisability, found.dependability) == pytest.approx((0.5514, 0.4637), abs=5e-5)


def test_of_crossed_raters_it_is_the_icc_of_shrout_and_fleiss() -> None:
    """ICC(2,1) .29, ICC(3,1) .71, ICC(2,4) .62, ICC(3,4) .91."""
    study = g_study_crossed(SHROUT_AND_FLEISS)
    one, four = d_study(study, n_raters=1), d_study(study, n_raters=4)
    assert (one.dependability, one.generalisability) == pytest.approx((0.289764, 0.714841), abs=1e-6)
    assert (four.dependability, four.generalisability) == pytest.approx((0.620051, 0.909316), abs=1e-6)
    assert four.generalisability == pytest.approx(spearman_brown(one.generalisability, 4))


def test_of_ratings_without_gaps_it_is_the_crossed_design() -> None:
    """2.556, 5.244 and 1.019 of Shrout and Fleiss: shares .290, .595 and .116 of a single rating's variance."""
    found = g_study_of_ratings(Ratings.from_matrix(SHROUT_AND_FLEISS.T, range(1, 11)))
    assert found.components == pytest.approx(g_study_crossed(SHROUT_AND_FLEISS).components)
    assert found.shares == pytest.approx({"object": 0.2898, "rater": 0.5946, "residual": 0.1156}, abs=5e-5)
    assert d_study(found, n_raters=4).dependability == pytest.approx(0.620051, abs=1e-6)


def test_ratings_that_cannot_be_separated_are_refused() -> None:
    each_their_own = np.where(np.eye(3, dtype=bool), 2.0, np.nan)
    with pytest.raises(BadDesign, match="3 ratings of 3 units by 3 raters"):
        g_study_of_ratings(Ratings.from_matrix(each_their_own, [1, 2, 3]))


def test_how_many_raters_reach_a_reliability() -> None:
    """From .5, .8 needs .8 · .5 / (.5 · .2) = 4 raters."""
    assert raters_for(0.5, 0.8) == 4
    assert spearman_brown(0.5, 4) == pytest.approx(0.8)
    assert raters_for(0.0, 0.8) is None
    assert raters_for(0.9, 0.8) == 1


def test_a_correlation_corrected_for_noise() -> None:
    assert disattenuated(0.6, 0.64) == pytest.approx(0.75)
    assert np.isnan(disattenuated(0.6, 0.0))


def test_incomplete_designs_are_refused_with_what_is_missing() -> None:
    with pytest.raises(BadDesign, match="1 scores are missing"):
        g_study_crossed(np.array([[1, 2], [3, np.nan]]))
    with pytest.raises(BadDesign, match="at least two"):
        g_study_crossed(np.ones((3, 1)))
    with pytest.raises(BadDesign, match="needs 3"):
        g_study_nested(np.ones((3, 3)))
