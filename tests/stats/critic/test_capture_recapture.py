"""How many errors nobody listed: by hand, against known populations, and where there is nothing to say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.stats.critic.capture_recapture import chao1, chao2, chao_unlike, chapman, unseen_counts


def test_chao2_by_hand():
    # Ten errors on three lists: five on one list, two on two, three on all.
    # f0 = (2/3) · 5·4 / (2·(2+1)) = 20/9.
    result = chao2([1] * 5 + [2] * 2 + [3] * 3, n_lists=3)
    assert result.unseen.value == pytest.approx(20 / 9)
    assert result.total.value == pytest.approx(10 + 20 / 9)
    # Variance 20/9 + (2/3)²·5·9²/(4·3²) + (2/3)²·5²·2·4²/(4·3⁴) = 20/9 + 5 + 800/729
    variance = 20 / 9 + 5 + 800 / 729
    factor = np.exp(1.959964 * np.sqrt(np.log(1 + variance / (20 / 9) ** 2)))
    interval = result.total.interval("errors")
    assert (interval.low, interval.high) == pytest.approx((10 + 20 / 9 / factor, 10 + 20 / 9 * factor), rel=1e-6)
    assert result.unseen.interval("errors").low == pytest.approx(20 / 9 / factor, rel=1e-6)


def test_chao_unlike_by_hand():
    # Three lists; two errors on the first alone, four on one other alone, three on two lists, one on all:
    # f0 = (2·2·4 + 4·3·(1/2)) / (2·(3+1)) = 22/8.
    result = chao_unlike([1] * 6 + [2] * 3 + [3], [True] * 2 + [False] * 5 + [True] * 3, n_lists=3)
    assert result.unseen.value == pytest.approx(22 / 8)
    interval = result.total.interval("errors")
    assert 10 < interval.low < result.total.value < interval.high


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_chao_unlike_with_two_lists_is_chapman(alone, other, both):
    captures, first = [1] * (alone + other) + [2] * both, [True] * alone + [False] * other + [True] * both
    ours = chao_unlike(captures, first, n_lists=2)
    theirs = chapman(alone + both, other + both, both)
    assert ours.total.value == pytest.approx(theirs.total.value, nan_ok=True)


def test_chao1_by_hand():
    # Six errors, mentioned 1, 1, 1, 2, 2, 5 times: f0 = 3·2 / (2·(2+1)) = 1.
    assert chao1([1, 1, 1, 2, 2, 5]).total.value == pytest.approx(7)


def test_chapman_by_hand():
    # 10 marked, 15 caught, 5 of them marked: 11·16/6 − 1 = 85/3; Lincoln–Petersen would be 30.
    result = chapman(10, 15, 5)
    assert result.total.value == pytest.approx(85 / 3)
    assert result.n_observed == 20
    assert result.total.interval("errors").low > 20


def test_lists_that_agree_wholly_leave_nothing_unseen():
    result = chapman(8, 8, 8)
    assert result.unseen.value == 0
    assert not result.unseen.intervals[0].is_defined
    alike = chao2([3] * 8, n_lists=3)
    assert alike.unseen.value == 0
    assert alike.total.interval("errors").low >= 8
    # An estimate of none does not mean that none is certain.
    assert alike.total.interval("errors").high > 8


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (chao2([], n_lists=3), "no error on any list"),
        (chao2([0, 0], n_lists=3), "no error on any list"),
        (chao2([1, 1], n_lists=1), "at least two lists"),
        (chao1([]), "no error on any list"),
        (chao_unlike([], [], n_lists=3), "no error on any list"),
        (chao_unlike([1], [True], n_lists=1), "at least two lists"),
        (chapman(0, 0, 0), "no error on any list"),
    ],
)
def test_nothing_listed_is_undefined_with_its_reason(result, words):
    for estimate in (result.total, result.unseen):
        assert not estimate.is_defined
        assert words in estimate.reason


def test_malformed_counts_are_refused():
    with pytest.raises(ValueError, match="there are 2"):
        chao2([1, 3], n_lists=2)
    with pytest.raises(ValueError, match="whole numbers"):
        chao1([0.5])
    with pytest.raises(ValueError, match="both lists"):
        chapman(3, 4, 5)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 4), max_size=40), st.integers(4, 8))
def test_invariances(captures, n_lists):
    """Order and errors that nobody saw do not matter; never fewer errors than were listed; resample form agrees."""
    result = chao2(captures, n_lists=n_lists)
    again = chao2([*captures[::-1], 0, 0], n_lists=n_lists)
    assert result.total.value == again.total.value or not result.total.is_defined
    if result.total.is_defined:
        assert result.total.value >= result.n_observed
    first = np.random.default_rng(len(captures)).random(len(captures)) < 0.5
    unlike = chao_unlike(captures, first, n_lists=n_lists)
    if unlike.total.is_defined:
        given = np.array(captures)
        counts = (((given == 1) & first).sum(), ((given == 1) & ~first).sum(), (given == 2).sum())
        assert unlike.unseen.value == pytest.approx(float(unseen_counts(*np.array(counts, float), n_lists)))


def _captures(rng, chance, n_lists):
    return (rng.random((len(chance), n_lists)) < chance[:, None]).sum(axis=1)


def test_equal_errors_are_counted_without_bias_and_with_coverage():
    """400 errors, each on each of four lists with chance 0.4: 13% are on no list."""
    rng = np.random.default_rng(11)
    totals, covered = [], 0
    for _ in range(300):
        result = chao2(_captures(rng, np.full(400, 0.4), 4), n_lists=4)
        totals.append(result.total.value)
        interval = result.total.interval("errors")
        covered += interval.low <= 400 <= interval.high
    # Standard error of the mean is about 0.8; bias-correction leaves less than 1%.
    assert np.mean(totals) == pytest.approx(400, rel=0.01)
    assert 0.91 <= covered / 300 <= 0.99


def test_unequal_errors_give_a_lower_bound_that_still_beats_the_count():
    rng = np.random.default_rng(12)
    chance = rng.beta(0.8, 1.6, 2000)
    results = [chao2(_captures(rng, chance, 4), n_lists=4) for _ in range(20)]
    total, observed = np.mean([each.total.value for each in results]), np.mean([each.n_observed for each in results])
    assert observed + 100 < total < 2000


@pytest.mark.parametrize("critic", [0.25, 0.8])
def test_a_critic_unlike_the_auditors(critic):
    """400 errors, two auditors who see 55%: unbiased with coverage, where taking lists as alike is not unbiased."""
    rng = np.random.default_rng(14)
    totals, alike, covered = [], [], 0
    for _ in range(300):
        lists = rng.random((400, 3)) < [critic, 0.55, 0.55]
        result = chao_unlike(lists.sum(axis=1), lists[:, 0], n_lists=3)
        totals.append(result.total.value)
        alike.append(chao2(lists.sum(axis=1), n_lists=3).total.value)
        interval = result.total.interval("errors")
        covered += interval.low <= 400 <= interval.high
    assert np.mean(totals) == pytest.approx(400, rel=0.01)
    assert np.mean(alike) > np.mean(totals)
    assert 0.91 <= covered / 300 <= 0.99


def test_chapman_covers_with_lists_of_unequal_strength():
    rng = np.random.default_rng(13)
    totals, covered = [], 0
    for _ in range(400):
        first, second = rng.random(300) < 0.3, rng.random(300) < 0.7
        result = chapman(int(first.sum()), int(second.sum()), int((first & second).sum()))
        totals.append(result.total.value)
        interval = result.total.interval("errors")
        covered += interval.low <= 300 <= interval.high
    assert np.mean(totals) == pytest.approx(300, rel=0.01)
    assert 0.92 <= covered / 400 <= 0.98
