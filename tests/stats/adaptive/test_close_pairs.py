"""Which pairs of methods want further prompts, and how often that rule is wrong."""

import numpy as np
import pytest

from annotations.stats.adaptive.close_pairs import PairRule, look_at, pair_state, pair_states
from annotations.stats.comparison.group_sequential import Spending, group_sequential

RULE = PairRule(looks=(20, 40, 60, 80), n_pairs=3)


def test_a_clear_pair_stops_and_a_close_one_goes_on() -> None:
    rng = np.random.default_rng(2)
    clear, close = rng.choice([-1.0, 1.0, 1.0, 1.0, 1.0], 20), np.tile([1.0, -1.0], 10)
    first, second, third = pair_states([clear, close, np.array([1.0])], RULE)
    assert (first.is_decided, first.wants, first.n) == (False, 20, 20)  # O'Brien and Fleming's first bound is high
    assert (second.is_decided, second.wants) == (False, 20)
    assert (third.n, third.wants) == (0, 19)
    assert np.isnan(third.mean)
    more = pair_state(np.r_[clear, rng.choice([-1.0, 1.0, 1.0, 1.0, 1.0], 20)], RULE)
    assert (more.is_decided, more.wants, more.n) == (True, 0, 40)
    assert more.low > 0
    # Prompts that were on their way when it stopped change nothing.
    assert pair_state(np.r_[clear, np.ones(5)], RULE).n == 20


def test_it_stops_where_the_group_sequential_test_of_one_pair_does() -> None:
    rng = np.random.default_rng(8)
    for _pair in range(12):
        d = rng.normal(0.35, 1, 80)
        looks = group_sequential(d, RULE.looks, planned=80, alpha=0.05 / 3)
        crossed = [look.n for look in looks if look.crossed]
        state = pair_state(d, RULE)
        assert state.is_decided == bool(crossed)
        assert state.n == (crossed[0] if crossed else 80)
        assert state.is_decided == (not state.low <= 0 <= state.high)


@pytest.mark.slow
def test_at_most_five_studies_in_a_hundred_call_equal_methods_different() -> None:
    """1,500 studies of three pairs of equal methods, votes of −1, 0 and 1: any false decision counts."""
    rng = np.random.default_rng(6)
    votes = rng.choice([-1.0, 0.0, 1.0], p=[0.35, 0.3, 0.35], size=(1_500, 3, 80))
    wrong = np.mean([any(state.is_decided for state in pair_states(list(study), RULE)) for study in votes])
    assert 0.03 <= wrong <= 0.06
    # Student's t at every look and for every pair is wrong several times as often.
    peeks = np.stack([votes[..., :n].mean(axis=2) / votes[..., :n].std(axis=2) * np.sqrt(n - 1) for n in RULE.looks])
    assert np.mean((np.abs(peeks) > 2).any(axis=(0, 2))) > 0.2


def test_without_variation_nothing_is_decided() -> None:
    state = pair_state(np.ones(80), RULE)
    assert (state.is_decided, state.wants, state.n) == (False, 0, 80)
    assert np.isnan(state.low)


def test_a_rule_that_cannot_be_kept_is_refused() -> None:
    with pytest.raises(ValueError, match="two prompts before the first look"):
        PairRule(looks=(1, 5), n_pairs=1)
    with pytest.raises(ValueError, match="ascend"):
        _ = PairRule(looks=(20, 10), n_pairs=1).nominal_p
    with pytest.raises(ValueError, match="for 3 pairs"):
        pair_states([np.ones(3)], RULE)


@pytest.mark.slow
@pytest.mark.parametrize("spending", ["obrien_fleming", "pocock"])
def test_a_study_of_two_equal_methods_is_decided_in_four_to_six_of_a_hundred(spending: Spending) -> None:
    """As the site looks: 3,000 studies of votes by three raters, in which some prompts have no difference."""
    rule = PairRule(looks=(40, 60, 80, 120), n_pairs=1, spending=spending)
    rng = np.random.default_rng(11)
    wrong = 0
    for _study in range(3_000):
        differences = rng.choice([-1.0, 0.0, 1.0], p=[0.4, 0.2, 0.4], size=(120, 3)).mean(axis=1)
        differences += rng.normal(0, 0.5, 120)  # prompts differ, too
        has_difference = rng.random(120) > 0.03
        wrong += any(
            look_at(differences[:n][has_difference[:n]], rule, place).is_decided for place, n in enumerate(rule.looks)
        )
    assert 0.04 <= wrong / 3_000 <= 0.06
