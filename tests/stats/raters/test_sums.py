"""Figures per group without a loop over members: each against the loop."""

from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr, rankdata

from annotations.stats.raters.sums import (
    correlation_by,
    deviation_by,
    levels_of_others,
    longest_run_by,
    mean_by,
    median_by,
    peers_of,
    ranks_within,
    run_tail,
    typical_longest_run,
)
from annotations.stats.ratings import Ratings


@st.composite
def groups(draw):
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(0, 60))
    return generator.integers(0, 4, n), generator.integers(0, 5, n) / 2, generator.integers(0, 3, n), generator


@settings(max_examples=80, deadline=None)
@given(groups())
def test_each_against_the_loop(data):
    group, values, level, generator = data
    order = generator.permutation(len(group))
    # Group 4 has no member.
    mean, (_, deviation), median = (
        mean_by(group, values, 5),
        deviation_by(group, values, 5),
        median_by(group, values, 5),
    )
    runs, ranks = longest_run_by(group, order, level, 5), ranks_within(group, values)
    correlation = correlation_by(group, values, level.astype(float), 5)
    for each in range(5):
        members = values[group == each]
        assert mean[each] == pytest.approx(members.mean() if len(members) else np.nan, nan_ok=True)
        assert deviation[each] == pytest.approx(members.std(ddof=1) if len(members) > 1 else np.nan, nan_ok=True)
        assert median[each] == pytest.approx(np.median(members) if len(members) else np.nan, nan_ok=True)
        assert np.array_equal(ranks[group == each], rankdata(members))
        sequence = level[group == each][np.argsort(order[group == each])]
        assert runs[each] == max((len(list(run)) for _, run in groupby(sequence)), default=0)
        other = level[group == each].astype(float)
        varies = len(members) > 1 and np.ptp(members) > 0 and np.ptp(other) > 0
        assert correlation[each] == pytest.approx(pearsonr(members, other)[0] if varies else np.nan, nan_ok=True)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 5), st.integers(1, 12))
def test_leave_one_out_against_the_loop(seed, n_raters, n_units):
    generator = np.random.default_rng(seed)
    matrix = generator.integers(1, 6, (n_raters, n_units)).astype(float)
    matrix[generator.random(matrix.shape) < 0.3] = np.nan
    ratings = Ratings.from_matrix(matrix, [1, 2, 3, 4, 5])
    peers = peers_of(ratings)
    shares = levels_of_others(peers, ratings)
    expected_rows = 0
    for rater in range(n_raters):
        per_unit = []
        for unit in range(n_units):
            others = np.delete(matrix[:, unit], rater)
            others = others[~np.isnan(others)]
            if np.isnan(matrix[rater, unit]) or not len(others):
                continue
            expected_rows += 1
            here = (peers.rater == rater) & (peers.unit == unit)
            assert peers.others[here] == pytest.approx([others.mean()])
            assert peers.others_square[here] == pytest.approx([(others**2).mean()])
            per_unit.append([(others == value).mean() for value in range(1, 6)])
        expected = np.mean(per_unit, axis=0) if per_unit else np.full(5, np.nan)
        assert shares[rater] == pytest.approx(expected, nan_ok=True)
    assert len(peers.rater) == expected_rows


def test_the_chance_of_a_run_against_simulation():
    generator = np.random.default_rng(4)
    share = np.array([0.1, 0.2, 0.4, 0.2, 0.1])
    answers = generator.choice(5, size=(4000, 150), p=share)
    group = np.repeat(np.arange(4000), 150)
    runs = longest_run_by(group, np.tile(np.arange(150), 4000), answers.ravel(), 4000)
    for length in (5, 6, 7, 9):
        estimate = run_tail(np.array([length]), np.array([150]), share[None])[0]
        # Standard error of the simulated share is at most 0.8%.
        assert estimate == pytest.approx((runs >= length).mean(), abs=0.03)
    assert typical_longest_run(np.array([150]), share[None])[0] == np.median(runs)


def test_runs_at_the_edges():
    certain = np.array([[1.0, 0.0]])
    assert run_tail(np.array([40]), np.array([40]), certain)[0] == pytest.approx(1 - np.exp(-1))
    assert run_tail(np.array([1]), np.array([40]), certain)[0] == 1
    unknown = typical_longest_run(np.array([5, 0]), np.array([[np.nan, np.nan], [0.5, 0.5]]))
    assert np.isnan(unknown).all()
