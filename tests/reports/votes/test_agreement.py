"""How well raters agree in their votes."""

from dataclasses import replace

import numpy as np
import pytest

from annotations.reports.votes.agreement import votes_alpha
from annotations.stats.agreement.cohen import cohen_matrix
from annotations.stats.agreement.report import agreement_report
from annotations.stats.preferences.votes import Votes
from annotations.stats.ratings import Ratings
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


def renamed(votes: Votes, order: list[int]) -> Votes:
    """The same votes with methods in another order."""
    to = np.array(order)
    names = [votes.methods[order.index(place)] for place in range(len(order))]
    return replace(votes, methods=names, first=to[votes.first], second=to[votes.second])


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1], [1, 2, 0], [2, 1, 0]])
def test_of_three_methods_the_order_of_their_names_changes_nothing(order: list[int]) -> None:
    """Two raters, six prompts, a beats b beats c, and one unit of 18 in dispute.

    Half of each unit exchanged, 18 votes are for the first and 18 for the second: expected 2 · 18 · 18 / (36 · 35).
    """
    pairs = [(0, 1), (0, 2), (1, 2)]
    rows = [(*pair, 0) for pair in pairs for _prompt in range(6) for _rater in range(2)]
    rows[-1] = (1, 2, 1)
    votes = votes_between(rows, "abc", rater=np.arange(36) % 2, prompt=np.arange(36) // 2 % 6)
    found = votes_alpha(renamed(votes, order))
    assert found.value == pytest.approx(1 - (2 / 36) / (2 * 18 * 18 / (36 * 35)))


def test_which_method_of_a_pair_is_called_first_changes_no_figure_of_agreement() -> None:
    rng = np.random.default_rng(1)
    unit, rater = (part.ravel() for part in np.indices((40, 4)))
    level = np.where(rng.random(160) < 0.7, np.repeat(rng.integers(0, 3, 40), 4), rng.integers(0, 3, 160))
    turned = np.where((unit % 3 == 0) & (level < 2), 1 - level, level)
    found = []
    for each in (level, turned):
        ratings = Ratings(unit, rater, each, np.arange(3.0), 40, 4)
        report = agreement_report(ratings, rng=np.random.default_rng(0), is_ordinal=False, exchanged=(0, 1))
        kappas = cohen_matrix(ratings, exchanged=(0, 1))
        found.append(
            [one.value for one in report.estimates]
            + [end for one in report.estimates for each in one.intervals[1:] for end in (each.low, each.high)]
            + kappas.kappa.ravel().tolist()
            + kappas.standard_error.ravel().tolist()
        )
    assert found[0] == pytest.approx(found[1], nan_ok=True)
    alpha, fleiss, _ac1, plain, *_ = found[0]
    assert alpha == pytest.approx(fleiss, abs=0.01)
    assert fleiss != pytest.approx(plain, abs=1e-6), "ties are rarer than wins"
