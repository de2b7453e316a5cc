"""The multiverse: every universe is run, the reference is among them, and what breaks the conclusion is named."""

from statistics import multimode

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.stats.comparison.multiverse import exclusion_rules, multiverse, unit_scores
from annotations.stats.estimate import Estimate, Interval
from annotations.stats.raters.table import rater_table
from annotations.stats.ratings import BadRatings, Ratings


def mean_above_three(scores):
    """Mean score minus 3 with a normal interval: positive where the images are better than the middle of the scale."""
    known = scores[~np.isnan(scores)]
    if len(known) < 2:
        return Estimate.undefined("mean_above_three", "mean", "fewer than two scored units")
    half = 1.96 * known.std(ddof=1) / np.sqrt(len(known))
    value = known.mean() - 3
    return Estimate("mean_above_three", value, "mean", {}, (Interval(value - half, value + half, "units", "normal"),))


def ratings_with_a_flatterer():
    """Three raters see images just below the middle; a fourth gives 5 to everything and turns the mean."""
    generator = np.random.default_rng(1)
    honest = generator.choice([2, 3], size=(3, 200), p=[0.4, 0.6])
    return Ratings.from_matrix(np.vstack([honest, np.full(200, 5)]), [1, 2, 3, 4, 5])


def test_every_combination_is_a_universe_and_the_reference_is_first():
    ratings = ratings_with_a_flatterer()
    rules = {"without rater 3": np.array([False, False, False, True])}
    halves = {"first half": np.arange(200) < 100}
    result = multiverse(ratings, mean_above_three, exclusions=rules, subsets=halves)
    assert len(result.universes) == 2 * 4 * 2
    assert result.universes[0] is result.reference
    assert (result.reference.exclusion, result.reference.subset) == ("nobody excluded", "all units")
    by_key = {(each.exclusion, each.aggregation, each.subset): each for each in result.universes}
    assert len(by_key) == 16
    without = by_key["without rater 3", "mean", "first half"]
    assert (without.n_excluded, without.n_ratings, without.n_units) == (1, 300, 100)


def test_a_conclusion_that_hangs_on_one_rater_is_shown_to():
    ratings = ratings_with_a_flatterer()
    rules = {"without rater 3": np.array([False, False, False, True])}
    result = multiverse(ratings, mean_above_three, exclusions=rules, aggregations=["mean"])
    assert result.reference.sign == 1
    assert result.reference.significant
    assert result.universes[1].sign == -1
    assert result.survives is False
    assert (result.n_same_sign, result.n_same_conclusion) == (1, 1)
    assert result.words == (
        "Of 2 analyses, 1 gives the same sign and 1 also the same significance. "
        "Support is weakest with the rule “without rater 3” (0 of 1), the mean rating (1 of 2), all units (1 of 2)."
    )


def test_a_conclusion_that_survives_says_so():
    ratings = Ratings.from_matrix(np.random.default_rng(1).choice([4, 5], size=(4, 100)), [1, 2, 3, 4, 5])
    result = multiverse(ratings, mean_above_three, exclusions={"without rater 0": np.arange(4) == 0})
    assert result.survives
    assert result.n_same_conclusion == len(result.universes) == 8
    assert all(choice.n_same_significance == choice.n_universes for choice in result.choices)


def test_an_undefined_universe_supports_nothing():
    ratings = ratings_with_a_flatterer()
    result = multiverse(
        ratings, mean_above_three, exclusions={"everybody": np.ones(4, bool)}, aggregations=["mean", "dawid_skene"]
    )
    nobody_left = [each for each in result.universes if each.exclusion == "everybody"]
    assert all(each.sign is None and each.significant is None and each.n_units == 0 for each in nobody_left)
    assert result.survives is False
    assert "2 are undefined" in result.words


def test_no_reference_no_verdict():
    ratings = Ratings.from_matrix([[np.nan, 1]], [1, 2])
    result = multiverse(ratings, mean_above_three, aggregations=["mean"])
    assert result.survives is None
    assert "fewer than two scored units" in result.words


def test_the_scores():
    nan = np.nan
    ratings = Ratings.from_matrix(
        [[1, 2, nan, 4], [1, 5, nan, nan], [3, 5, nan, nan], [4, 1, nan, nan]], [1, 2, 3, 4, 5]
    )
    assert unit_scores(ratings, "mean") == pytest.approx([9 / 4, 13 / 4, nan, 4], nan_ok=True)
    assert unit_scores(ratings, "median") == pytest.approx([2, 3.5, nan, 4], nan_ok=True)
    assert unit_scores(ratings, "majority") == pytest.approx([1, 5, nan, 4], nan_ok=True)
    tied = Ratings.from_matrix([[1.0], [2.0]], [1, 2])
    assert np.isnan(unit_scores(tied, "majority")[0])
    expected = unit_scores(ratings, "dawid_skene")
    assert np.isnan(expected[2])
    assert np.all((expected[[0, 1, 3]] >= 1) & (expected[[0, 1, 3]] <= 5))
    with pytest.raises(ValueError, match="is not an aggregation"):
        unit_scores(ratings, "mode")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 15))
def test_scores_against_the_loop(seed, n_raters, n_units):
    generator = np.random.default_rng(seed)
    matrix = generator.choice([0.0, 1, 2, 5], size=(n_raters, n_units))
    matrix[generator.random(matrix.shape) < 0.4] = np.nan
    ratings = Ratings.from_matrix(matrix, [0, 1, 2, 5])
    mean, median, majority = (unit_scores(ratings, how) for how in ("mean", "median", "majority"))
    for unit in range(n_units):
        given_here = matrix[:, unit][~np.isnan(matrix[:, unit])].tolist()
        assert mean[unit] == pytest.approx(np.mean(given_here) if given_here else np.nan, nan_ok=True)
        assert median[unit] == pytest.approx(np.median(given_here) if given_here else np.nan, nan_ok=True)
        modes = multimode(given_here)
        assert majority[unit] == pytest.approx(modes[0] if len(modes) == 1 else np.nan, nan_ok=True)


def test_without_raters_keeps_codes():
    kept = ratings_with_a_flatterer().without_raters(np.array([True, False, False, False]))
    assert (kept.n_raters, kept.n_units, len(kept)) == (4, 200, 600)
    assert 0 not in kept.rater


def test_rules_name_their_threshold_and_exclude_whom_they_say():
    ratings = ratings_with_a_flatterer()
    rules = exclusion_rules(rater_table(ratings, gold=np.full(200, 2)), gold_below=0.5)
    assert rules["gold passed below 0.5"].tolist() == [False, False, False, True]
    assert not rules["fewer than 10 ratings"].any()
    # No times and no repeats: those rules have nothing to go by.
    assert not any("fast" in name or "consistency" in name for name in rules)
    # The flatterer never varies: his correlation is undefined, and an undefined figure excludes nobody.
    assert not rules["correlation with the others below 0.2"][3]


def test_masks_of_the_wrong_length_are_refused():
    ratings = ratings_with_a_flatterer()
    with pytest.raises(BadRatings, match="exclusion 'x'"):
        multiverse(ratings, mean_above_three, exclusions={"x": np.array([True])})
    with pytest.raises(BadRatings, match="subset 'x'"):
        multiverse(ratings, mean_above_three, subsets={"x": np.array([True])})


def test_significance_by_the_named_interval_and_another_null():
    def conclude(scores):
        intervals = (Interval(-0.1, 0.3, "raters", "jackknife"), Interval(0.05, 0.15, "units", "bootstrap"))
        return Estimate("gain", 0.1, "", {}, intervals)

    ratings = ratings_with_a_flatterer()
    assert multiverse(ratings, conclude, aggregations=["mean"]).reference.significant is False
    assert multiverse(ratings, conclude, aggregations=["mean"], covers="units").reference.significant is True
    assert multiverse(ratings, conclude, aggregations=["mean"], covers="units", null=0.1).reference.significant is False
    assert multiverse(ratings, conclude, aggregations=["mean"], covers="prompts").reference.significant is None
