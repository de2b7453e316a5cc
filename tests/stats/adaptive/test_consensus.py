"""Which items want a further rater, held against every way in which raters could still answer."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.stats.adaptive.consensus import (
    Consensus,
    consensus,
    design_weights,
    differs,
    is_disputed,
    is_open,
    weighted_item_means,
)
from annotations.stats.comparison.paired_tests import paired_t_test


def counted(answers: list[int], n_levels: int) -> np.ndarray:
    return np.bincount(np.array(answers, int), minlength=n_levels)[np.newaxis]


def slow_consensus(answers: list[int], kind: Consensus) -> float | None:
    if not answers:
        return None
    if kind == "median":
        return float(np.median(answers))
    most = max(answers.count(level) for level in answers)
    leaders = {level for level in answers if answers.count(level) == most}
    return float(leaders.pop()) if len(leaders) == 1 else None


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 2), max_size=5), st.integers(0, 3), st.sampled_from(["majority", "median"]))
def test_an_item_is_open_exactly_while_its_consensus_can_change(answers: list[int], left: int, kind: Consensus) -> None:
    ends = {slow_consensus([*answers, *rest], kind) for rest in product(range(3), repeat=left)}
    assert is_open(counted(answers, 3), np.array([left]), kind).tolist() == [len(ends) > 1]
    found = consensus(counted(answers, 3), kind).tolist()[0]
    expected = slow_consensus(answers, kind)
    assert np.isnan(found) if expected is None else found == expected


def test_answers_differ_by_levels_that_were_chosen() -> None:
    counts = np.array([[0, 2, 0, 1], [1, 0, 0, 1], [0, 3, 0, 0], [0, 0, 0, 0], [0, 1, 1, 0]])
    assert differs(counts, 1).tolist() == [True, True, False, False, True]
    assert differs(counts, 2).tolist() == [True, True, False, False, False]
    assert differs(counts, 3).tolist() == [False, True, False, False, False]
    # At the cap nobody is asked, however far apart they are.
    left = np.array([1, 0, 1, 1, 1])
    assert is_disputed(counts, left, rule="differ", distance=2).tolist() == [True, False, False, False, False]
    # 2 of 3 for one level and 1 to come: the fourth can make it 2 to 2.
    assert is_disputed(counts, left, rule="open").tolist() == [True, False, False, True, True]


def test_further_raters_never_change_a_settled_consensus() -> None:
    """Six raters of 300 items, taken one at a time: an early stop keeps the consensus of all six."""
    rng = np.random.default_rng(5)
    ratings = rng.integers(0, 4, (300, 6)) * (rng.random((300, 1)) < 0.6)
    every = np.stack([(ratings == level).sum(axis=1) for level in range(4)], axis=1)
    for kind in ("majority", "median"):
        stopped = np.zeros(300, bool)
        for n in range(1, 6):
            counts = np.stack([(ratings[:, :n] == level).sum(axis=1) for level in range(4)], axis=1)
            done = ~is_open(counts, np.full(300, 6 - n), kind)
            assert not np.any(stopped & ~done)
            stopped = done
            np.testing.assert_array_equal(consensus(counts, kind)[done], consensus(every, kind)[done])
        assert 0 < stopped.sum() < 300


def skewed(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """4 or 5, with mean 4.8: where two raters differ, their mean is 4.5."""
    return 4.0 + (rng.random(shape) < 0.8)


def test_weighted_means_are_unbiased_where_plain_ones_are_not() -> None:
    rng = np.random.default_rng(3)
    ratings = skewed(rng, (40_000, 4))
    base, full = ratings[:, :2].mean(axis=1), ratings.mean(axis=1)
    probability = np.where(ratings[:, 0] != ratings[:, 1], 1.0, 0.2)
    further = rng.random(40_000) < probability
    weighted = weighted_item_means(base, full, further, probability)
    plain = np.where(further, full, base)
    # 32% are disputed, with base mean 4.5; the others' base mean is m = (4.8 − 0.32 · 4.5)/0.68 = 4.9412.
    # 0.32 · (4.5 + 4.8)/2 + 0.68 · (0.2 · (m + 4.8)/2 + 0.8 · m) = 4.8384, and not 4.8.
    assert plain.mean() == pytest.approx(4.8384, abs=0.004)
    assert weighted.mean() == pytest.approx(4.8, abs=4 * weighted.std() / 200)
    assert weighted.std() / 200 < 0.004


@pytest.mark.slow
def test_a_test_of_weighted_means_keeps_its_level() -> None:
    """2,000 studies of 60 prompts: methods with one mean and unlike shapes; 4–6% are called different.

    With plain means, further raters for disputed items alone would call more and more of them different.
    """
    rng = np.random.default_rng(11)
    errors = {"weighted": 0, "plain": 0}
    for _study in range(2_000):
        even = rng.choice([4.6, 5.0], size=(60, 4))
        both: dict[str, list[np.ndarray]] = {"weighted": [], "plain": []}
        for ratings in (skewed(rng, (60, 4)), even):
            base, full = ratings[:, :2].mean(axis=1), ratings.mean(axis=1)
            probability = np.where(ratings[:, 0] != ratings[:, 1], 1.0, 0.25)
            further = rng.random(60) < probability
            both["weighted"].append(weighted_item_means(base, full, further, probability))
            both["plain"].append(np.where(probability == 1, full, base))
        for name, (first, second) in both.items():
            errors[name] += paired_t_test(first - second).p <= 0.05
    assert 0.04 <= errors["weighted"] / 2_000 <= 0.06
    assert errors["plain"] / 2_000 > 0.08


def test_no_weight_represents_items_that_could_not_be_chosen() -> None:
    with pytest.raises(ValueError, match="probability above 0"):
        design_weights(np.array([True, False]), np.array([1.0, 0.0]))
    with pytest.raises(ValueError, match="probability above 0"):
        design_weights(np.array([True]), np.array([np.nan]))
    assert design_weights(np.array([True, False]), np.array([0.25, 1.0])).tolist() == [4.0, 0.0]
