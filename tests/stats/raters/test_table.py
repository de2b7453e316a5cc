"""The rater table: published agreement, slow definitions, what is undefined, and who stands out and why."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from annotations.stats.raters.table import Repeats, rater_table
from annotations.stats.ratings import BadRatings, Ratings
from tests import dsg_tifa160


def from_table(table):
    """Two raters' ratings with this table of counts, rows the first rater's levels."""
    table = np.asarray(table)
    pairs = np.repeat([list(cell) for cell in product(range(len(table)), repeat=2)], table.ravel(), axis=0)
    return Ratings.from_matrix(pairs.T, range(len(table)))


def test_agreement_of_two_raters_is_quadratic_kappa():
    # SAS PROC FREQ, "skin condition", two dermatologists; quadratic kappa recomputed with statsmodels: .660723.
    table = rater_table(from_table([[10, 4, 1, 0], [5, 10, 12, 2], [2, 4, 12, 5], [0, 2, 6, 13]]))
    for row in table:
        assert row.agreement.value == pytest.approx(0.660723, abs=1e-6)
        interval = row.agreement.interval("units")
        assert interval.low < 0.660723 < interval.high


def test_agreement_interval_matches_the_published_kind_of_standard_error():
    from statsmodels.stats.inter_rater import cohens_kappa

    table = [[10, 4, 1, 0], [5, 10, 12, 2], [2, 4, 12, 5], [0, 2, 6, 13]]
    interval = rater_table(from_table(table))[0].agreement.interval("units")
    error = cohens_kappa(np.array(table), wt="quadratic").std_kappa
    # Fleiss, Cohen & Everitt's standard error on the plain scale; ours is the same variance on Fisher's z with t.
    assert (interval.high - interval.low) / 2 == pytest.approx(1.987 * error, rel=0.05)


@st.composite
def matrices(draw):
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.integers(2, 6)), draw(st.integers(1, 25))
    matrix = generator.integers(1, 6, shape).astype(float)
    matrix[generator.random(shape) < draw(st.sampled_from([0, 0.3]))] = np.nan
    return matrix


@settings(max_examples=60, deadline=None)
@given(matrices())
def test_the_slow_definition(matrix):
    table = rater_table(Ratings.from_matrix(matrix, [1, 2, 3, 4, 5]))
    for rater, row in enumerate(table):
        own, means, pairs = [], [], []
        for unit in range(matrix.shape[1]):
            others = np.delete(matrix[:, unit], rater)
            others = others[~np.isnan(others)]
            if np.isnan(matrix[rater, unit]) or not len(others):
                continue
            own.append(matrix[rater, unit])
            means.append(others.sum() / len(others))
            pairs += [(matrix[rater, unit], other, 1 / len(others)) for other in others]
        assert row.n == int((~np.isnan(matrix[rater])).sum())
        assert row.n_shared == len(own)
        if not own:
            assert not row.severity.is_defined
            continue
        gap = np.subtract(own, means)
        assert row.severity.value == pytest.approx(gap.mean(), abs=1e-12)
        assert row.mean_absolute_deviation.value == pytest.approx(np.abs(gap).mean(), abs=1e-12)
        assert row.agreement.value == pytest.approx(slow_kappa(pairs), nan_ok=True, abs=1e-9)
        if len(own) > 1 and np.ptp(own) > 0 and np.ptp(means) > 1e-9:
            assert row.rank_correlation.value == pytest.approx(spearmanr(own, means)[0], abs=1e-9)
        else:
            assert not row.rank_correlation.is_defined


def slow_kappa(pairs):
    """1 − observed / expected squared distance over weighted pairs, expected from the product of both margins."""
    total = sum(weight for _, _, weight in pairs)
    observed = sum(weight * (x - y) ** 2 for x, y, weight in pairs) / total
    expected = sum(v * w * (x - y) ** 2 for x, _, v in pairs for _, y, w in pairs) / total**2
    return 1 - observed / expected if expected else np.nan


@settings(max_examples=30, deadline=None)
@given(matrices(), st.integers(0, 2**32 - 1))
def test_names_of_raters_and_units_do_not_matter(matrix, seed):
    generator = np.random.default_rng(seed)
    raters, units = generator.permutation(len(matrix)), generator.permutation(matrix.shape[1])
    table = rater_table(Ratings.from_matrix(matrix, [1, 2, 3, 4, 5]))
    shuffled = rater_table(Ratings.from_matrix(matrix[raters][:, units], [1, 2, 3, 4, 5]))
    for place, rater in enumerate(raters):
        for name in ("agreement", "rank_correlation", "severity", "spread", "modal_share"):
            first, second = getattr(table[rater], name), getattr(shuffled[place], name)
            assert first.value == pytest.approx(second.value, nan_ok=True, abs=1e-9)
        assert table[rater].suspicion.score == pytest.approx(shuffled[place].suspicion.score, nan_ok=True, abs=1e-6)


def test_spread_by_hand():
    # Own answers 1, 3, 5 (standard deviation 2); the other gives 2, 3, 4 (1).
    row = rater_table(Ratings.from_matrix([[1, 3, 5], [2, 3, 4]], [1, 2, 3, 4, 5]))[0]
    assert row.spread.value == pytest.approx(2)


def test_means_equal_in_exact_arithmetic_stay_tied():
    """0.1 + 0.2 and 0.3 differ in the last bit; ranks must not."""
    scale = [0.0, 0.1, 0.2, 0.3]
    matrix = np.array([[0.0, 0.1, 0.3, 0.2], [0.1, 0.3, 0.3, 0.1], [0.2, 0.0, 0.3, 0.2]])
    row = rater_table(Ratings.from_matrix(matrix, scale))[0]
    # Others' means .15, .15, .3, .15: one tie of three.
    assert row.rank_correlation.value == pytest.approx(spearmanr([0, 1, 3, 2], [1, 1, 2, 1])[0])


def test_gold_speed_runs_and_repeats_by_hand():
    ratings = Ratings(
        np.array([0, 1, 2, 3, 0, 1, 2, 3]),
        np.repeat([0, 1], 4),
        np.array([2, 2, 2, 0, 2, 1, 0, 0]),
        np.array([1.0, 2.0, 3.0]),
        4,
        3,
    )
    table = rater_table(
        ratings,
        gold=[2, 1, -1, 0],
        seconds=[1.0, 9.0, np.nan, 2.0, 5.0, 6.0, 7.0, 8.0],
        order=[3, 2, 1, 0, 0, 1, 2, 3],
        fast_below_seconds=1.5,
        repeats=Repeats(np.array([0, 0, 0, 0]), np.array([0, 1, 2, 2]), np.array([0, 1, 0, 1])),
    )
    first, second, absent = table
    # The worked example of docs/methods/raters.md.
    assert first.gold_pass_rate.value == pytest.approx(2 / 3)
    interval = first.gold_pass_rate.intervals[0]
    assert (interval.low, interval.high) == pytest.approx((0.208, 0.939), abs=5e-4)
    assert first.severity.value == pytest.approx(0.75)
    assert second.gold_pass_rate.value == 1
    assert first.gold_pass_rate.n["gold units"] == 3
    assert first.longest_run.value == 3
    assert second.longest_run.value == 2
    assert first.median_seconds.value == 2.0
    assert second.median_seconds.value == 6.5
    assert first.fast_share.value == pytest.approx(1 / 3)
    assert "1.5 s" in first.fast_share.method
    assert first.self_consistency.value == pytest.approx(2 / 4)
    # Differences 0, 0, 2, 1 in scale points.
    assert first.self_deviation.value == pytest.approx(3 / 4)
    assert first.modal_share.value == pytest.approx(3 / 4)
    # On the four units the other gave the lowest level twice.
    assert first.modal_share_of_others == pytest.approx(2 / 4)
    assert absent.n == 0
    for name in ("gold_pass_rate", "agreement", "severity", "modal_share", "longest_run", "median_seconds"):
        assert not getattr(absent, name).is_defined
        assert getattr(absent, name).reason
    assert np.isnan(absent.suspicion.score)


def test_gold_may_be_passed_within_a_tolerance():
    ratings = Ratings.from_matrix([[1, 2, 4]], [1, 2, 3, 4])
    assert rater_table(ratings, gold=[1, 1, 1])[0].gold_pass_rate.value == pytest.approx(1 / 3)
    assert rater_table(ratings, gold=[1, 1, 1], gold_tolerance=1)[0].gold_pass_rate.value == pytest.approx(2 / 3)


def test_without_the_data_each_figure_says_what_is_missing():
    row = rater_table(Ratings.from_matrix([[1, 2, 3]], [1, 2, 3]))[0]
    reasons = {
        "gold_pass_rate": "gold",
        "agreement": "another rater",
        "rank_correlation": "another rater",
        "severity": "another rater",
        "spread": "shared units",
        "longest_run": "order",
        "median_seconds": "time",
        "fast_share": "times",
        "self_consistency": "repeats",
    }
    for name, words in reasons.items():
        assert not getattr(row, name).is_defined
        assert words in getattr(row, name).reason


def test_all_ratings_equal_is_not_an_agreement_of_one():
    for row in rater_table(Ratings.from_matrix(np.full((3, 20), 2.0), [1, 2, 3])):
        assert not row.agreement.is_defined
        assert "neither side varies" in row.agreement.reason
        assert not row.rank_correlation.is_defined
        assert not row.spread.is_defined


def test_a_duplicated_rater_agrees_wholly():
    answers = np.random.default_rng(2).integers(1, 6, 40)
    for row in rater_table(Ratings.from_matrix([answers, answers], [1, 2, 3, 4, 5])):
        assert row.agreement.value == pytest.approx(1)
        assert row.rank_correlation.value == pytest.approx(1)
        assert row.severity.value == 0
        assert row.spread.value == pytest.approx(1)


def test_malformed_arguments_are_refused():
    ratings = Ratings.from_matrix([[1, 2], [1, 2]], [1, 2])
    with pytest.raises(BadRatings, match="seconds has shape"):
        rater_table(ratings, seconds=[1.0])
    with pytest.raises(BadRatings, match="below 0 seconds"):
        rater_table(ratings, seconds=[1, 2, 3, -1])
    with pytest.raises(BadRatings, match="gold"):
        rater_table(ratings, gold=[0, 2])
    with pytest.raises(BadRatings, match="order has shape"):
        rater_table(ratings, order=[1])


def panel(n_units=400, n_raters=14, seed=6):
    """Honest raters, and rater 0 who mostly gives 5, 1 who guesses fast, 2 who is a point severer."""
    generator = np.random.default_rng(seed)
    quality = generator.normal(2, 1, n_units)
    matrix = np.clip(np.round(quality + generator.normal(0, 0.7, (n_raters, n_units))), 0, 4)
    matrix[0] = np.where(generator.random(n_units) < 0.9, 4, matrix[0])
    matrix[1] = generator.integers(0, 5, n_units)
    matrix[2] = np.clip(matrix[2] - 1, 0, 4)
    seconds = generator.lognormal(2, 0.4, (n_raters, n_units))
    seconds[1] /= 8
    table = matrix.T.astype(int)
    unit, rater = np.divmod(np.arange(table.size), n_raters)
    ratings = Ratings(unit, rater, table.ravel(), np.arange(1.0, 6), n_units, n_raters)
    return ratings, seconds.T.ravel(), unit


def test_suspicion_names_who_and_why():
    ratings, seconds, order = panel()
    table = rater_table(ratings, seconds=seconds, order=order)
    scores = [row.suspicion.score for row in table]
    assert set(np.argsort(scores)[-3:]) == {0, 1, 2}
    assert max(scores[3:]) < 0.5
    points = [{part.name: part.points for part in row.suspicion.components} for row in table]
    assert points[0]["modal_share"] == 1
    assert points[0]["longest_run"] == 1
    assert points[1]["fast_share"] == 1
    assert points[1]["rank_correlation"] == 1
    assert points[1]["longest_run"] == 0
    assert points[2]["severity"] == 1
    # A severe rater who ranks as the others do: severity, and a little for the pile at the scale's lower end.
    assert points[2]["rank_correlation"] == 0
    assert table[2].suspicion.score < 2
    assert "severity −0.9" in table[2].suspicion.words
    assert "share of fast ratings" in table[1].suspicion.words
    for row in table:
        assert row.suspicion.score == pytest.approx(sum(part.points for part in row.suspicion.components))
        assert all(part.words for part in row.suspicion.components)
    # Gold and repeats were not given.
    assert table[3].suspicion.n_judged == 6
    assert "could not be judged" in table[3].suspicion.components[0].words
    assert table[3].suspicion.words.startswith("nothing unusual")


def test_few_ratings_make_nobody_suspicious():
    """A rater with six unlucky answers is further off than most, and has a standard error that says so."""
    generator = np.random.default_rng(3)
    quality = generator.normal(2, 1, 300)
    matrix = np.clip(np.round(quality + generator.normal(0, 0.7, (8, 300))), 0, 4)
    matrix[0, 4:] = np.nan
    table = rater_table(Ratings.from_matrix(matrix, range(5)))
    assert table[0].n == 4
    assert table[0].suspicion.n_judged == 0
    assert table[0].suspicion.words == "nothing to judge by"


def test_severity_interval_covers():
    """400 honest raters of 60 units: mean deviation 0, covered in 95% ± 3% (2.8 standard errors)."""
    generator = np.random.default_rng(17)
    covered = 0
    for _ in range(100):
        matrix = generator.integers(1, 6, (4, 60)).astype(float)
        for row in rater_table(Ratings.from_matrix(matrix, [1, 2, 3, 4, 5])):
            interval = row.severity.interval("units")
            covered += interval.low <= 0 <= interval.high
    assert 0.92 <= covered / 400 <= 0.98


def test_real_ratings():
    """800 images × 5 raters (3,995 ratings): mean severity weighted by ratings vanishes, and everybody is described."""
    rows = [row for row in dsg_tifa160.rating_rows() if row["dimension"] == "consistency"]
    _, unit = np.unique([row["item"] for row in rows], return_inverse=True)
    names, rater = np.unique([row["rater"] for row in rows], return_inverse=True)
    value = np.array([int(row["value"]) for row in rows])
    table = rater_table(Ratings(unit, rater, value - 1, np.arange(1.0, 6), unit.max() + 1, len(names)))
    assert sum(row.n for row in table) == 3995
    deviations = [(row.n_shared, row.severity.value) for row in table if row.n_shared]
    # Leave-one-out deviations of one unit sum to 0, so those of all ratings do.
    assert sum(n * each for n, each in deviations) == pytest.approx(0, abs=1e-8)


def test_one_component_is_singular():
    row = rater_table(Ratings.from_matrix(np.tile([1, 2, 3, 1, 2], (4, 1)), [1, 2, 3]), gold=[0, 1, 2, 0, 1])[0]
    assert "1 components" not in row.suspicion.words


def test_without_variation_no_interval_has_width_zero() -> None:
    """Rater 1 is always two levels above rater 0, and gives the same answer to each repeat: no unit says how much such
    differences vary."""
    twice = Repeats(*(np.array(each) for each in ([1, 1, 1], [2, 2, 2], [2, 2, 2])))
    rows = rater_table(Ratings.from_matrix([[1, 1, 1, 1], [3, 3, 3, 3]], [1, 2, 3]), repeats=twice)
    for figure in ("severity", "mean_absolute_deviation", "self_deviation"):
        estimate = getattr(rows[1], figure)
        assert not np.isnan(estimate.value)
        (interval,) = estimate.intervals
        assert not interval.is_defined
        assert interval.reason.startswith("no variation in the sample")
    assert rows[0].fast_share.method == "ratings faster than a third of the median of all"
