"""How well raters agree in their votes."""

import numpy as np
import pytest

from annotations.reports.votes.agreement import votes_alpha
from tests.stats.preferences.test_strengths import study, votes_between


def test_two_raters_on_three_prompts_by_hand() -> None:
    # a twice (once written the other way round), b twice, and one vote each. Observed disagreement 1/3; expected among
    # three votes for a and three for b: 2 · 3 · 3 / (6 · 5).
    rows = [(0, 1, 0), (1, 0, 1), (0, 1, 1), (0, 1, 1), (0, 1, 0), (0, 1, 1)]
    votes = votes_between(rows, "ab", rater=np.arange(6) % 2, prompt=np.arange(6) // 2)
    assert votes_alpha(votes).value == pytest.approx(1 - (1 / 3) / (18 / 30))


def test_a_repeated_vote_counts_once_and_is_noted() -> None:
    rows = [(0, 1, 0), (1, 0, 1), (0, 1, 1), (0, 1, 1), (0, 1, 0), (0, 1, 1)]
    once = votes_between(rows, "ab", rater=np.arange(6) % 2, prompt=np.arange(6) // 2)
    rater, prompt = np.append(once.rater, 0), np.append(once.prompt, 0)
    twice = votes_between([*rows, (0, 1, 1)], "ab", rater=rater, prompt=prompt)
    assert votes_alpha(twice).value == votes_alpha(once).value
    assert votes_alpha(twice).notes[-1] == "repeated votes left out: 1"


def test_a_clear_winner_goes_with_an_alpha_near_zero() -> None:
    rng = np.random.default_rng(0)
    rows = [(0, 1, int(rng.random() < 0.1)) for _ in range(200)]
    found = votes_alpha(votes_between(rows, "ab", rater=np.arange(200) % 4, prompt=np.arange(200) // 4))
    assert abs(found.value) < 0.15


def test_the_interval_is_over_raters_or_units_of_very_many() -> None:
    assert votes_alpha(study(1)).intervals[0].covers == "raters"
    assert votes_alpha(study(1), most_raters=4).intervals[0].covers == "units"


def test_without_raters_there_is_a_reason() -> None:
    found = votes_alpha(votes_between([(0, 1, 0)], "ab"))
    assert found.reason == "the votes do not say which rater they belong to"
