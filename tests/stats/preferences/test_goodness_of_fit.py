"""Whether one scale describes the votes: circles are found, and true models are rejected as often as stated."""

import numpy as np
import pytest

from annotations.stats.preferences.bradley_terry import fit
from annotations.stats.preferences.goodness_of_fit import misfit
from annotations.stats.preferences.newton import NotConverged
from annotations.stats.preferences.strengths import strengths
from annotations.stats.preferences.votes import Votes
from tests.stats.preferences.test_strengths import votes_between


def drawn(rng: np.random.Generator, k: int, per_pair: int, spread: float, tie: float) -> Votes:
    """Votes of a true Bradley–Terry model with Davidson's ties."""
    worth = spread * rng.normal(size=k)
    first, second = (np.repeat(codes, per_pair) for codes in np.triu_indices(k, 1))
    x = worth[first] - worth[second]
    weights = np.stack([np.exp(x / 2), np.exp(-x / 2), np.full(len(x), tie)])
    outcome = (rng.random(len(x)) > np.cumsum(weights / weights.sum(axis=0), axis=0)).sum(axis=0)
    return Votes([str(code) for code in range(k)], first, second, np.minimum(outcome, 2))


def test_a_circle_of_wins_does_not_fit_one_scale() -> None:
    circle = [(0, 1, 0), (1, 2, 0), (2, 0, 0)] * 20 + [(0, 1, 1), (1, 2, 1), (2, 0, 1)] * 2
    found = strengths(votes_between(circle, "abc")).misfit
    assert found.df == 1
    # All strengths are equal, so that 11 of 22 votes are expected everywhere: six cells of 9²/11.
    assert found.x2 == pytest.approx(6 * 81 / 11)
    assert found.deviance > 30
    assert found.p < 1e-6


def test_statistics_are_those_of_the_table_of_pairs_and_outcomes() -> None:
    votes = drawn(np.random.default_rng(4), 4, 30, 0.7, 0.4)
    fitted = fit(votes)
    x2 = deviance = 0.0
    for one in range(4):
        for other in range(one + 1, 4):
            outcome = votes.between(one, other).outcome
            chances = fitted.chances(np.array(fitted.log_worth[one] - fitted.log_worth[other]))
            for which, chance in enumerate(map(float, chances)):
                n, expected = (outcome == which).sum(), 30 * chance
                x2 += (n - expected) ** 2 / expected
                deviance += 2 * n * np.log(n / expected) if n else 0.0
    found = misfit(votes, fitted)
    assert (found.x2, found.deviance, found.df) == (pytest.approx(x2), pytest.approx(deviance), 6 * 2 - 3 - 1)


@pytest.mark.parametrize(("spread", "tie"), [(0.7, 0.0), (1.5, 0.3)])
def test_a_true_model_is_rejected_in_one_of_twenty_studies(spread: float, tie: float) -> None:
    # G² with χ² rejects the second in a quarter of studies.
    rng = np.random.default_rng(2)
    p = []
    while len(p) < 200:
        votes = drawn(rng, 10, 12, spread, tie)
        try:
            p.append(misfit(votes, fit(votes)).p)
        except NotConverged:  # a method won or lost everything
            continue
    assert 0.01 <= np.mean(np.array(p) < 0.05) <= 0.09
    assert np.mean(np.array(p) < 0.5) == pytest.approx(0.5, abs=0.12)


def test_with_few_votes_per_pair_there_is_a_reason_instead_of_p() -> None:
    votes = drawn(np.random.default_rng(1), 6, 4, 0.5, 0.0)
    found = misfit(votes, fit(votes))
    assert np.isnan(found.p)
    assert found.reason == "too few votes for this test: 4.0 per pair on average; at least 10 are needed"
    assert np.isfinite([found.x2, found.deviance]).all()
