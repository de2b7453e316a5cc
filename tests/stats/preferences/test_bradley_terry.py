"""Fits with published figures, and the model's slow definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from annotations.stats.preferences import bradley_terry
from annotations.stats.preferences.goodness_of_fit import misfit
from annotations.stats.preferences.linked import comparable_groups
from annotations.stats.preferences.votes import Votes
from tests.stats.preferences import published


def test_wikipedias_worked_example() -> None:
    votes = published.games()
    strength = np.exp(bradley_terry.fit(votes).log_worth)  # geometric mean 1
    assert dict(zip(votes.methods, strength, strict=True)) == pytest.approx(
        {"A": 0.640, "B": 1.043, "C": 0.660, "D": 2.270}, abs=0.0005
    )


def test_citations_between_statistics_journals() -> None:
    votes = published.citations()
    fitted = bradley_terry.fit(votes)
    worth = dict(zip(votes.methods, fitted.log_worth - fitted.log_worth[0], strict=True))
    assert worth == pytest.approx(
        {"Biometrika": 0, "Comm Statist": -2.9491, "JASA": -0.4796, "JRSS-B": 0.2690}, abs=0.00005
    )
    found = misfit(votes, fitted)
    assert (found.deviance, found.df) == (pytest.approx(4.293, abs=0.0005), 3)


@pytest.mark.parametrize(
    ("with_side", "boston", "milwaukee", "deviance"), [(False, 1.1077, 1.5814, 44.053), (True, 1.1438, 1.6196, 38.643)]
)
def test_baseball_with_and_without_the_effect_of_playing_at_home(
    with_side: bool, boston: float, milwaukee: float, deviance: float
) -> None:
    votes = published.baseball()
    fitted = bradley_terry.fit(votes, with_side=with_side)
    base = fitted.log_worth[votes.methods.index("Baltimore")]
    worth = {name: value - base for name, value in zip(votes.methods, fitted.log_worth, strict=True)}
    assert (worth["Boston"], worth["Milwaukee"]) == pytest.approx((boston, milwaukee), abs=0.00005)
    # The published deviance is that of the 42 rows: a chance of its own for each pair and side.
    columns = (votes.first, votes.second, votes.side, votes.outcome, votes.count)
    won: dict[tuple[int, ...], list[int]] = {}
    for first, second, side, outcome, count in np.transpose(columns).tolist():
        row = (first, second, side) if first < second else (second, first, -side)
        won.setdefault(row, [0, 0])[outcome if first < second else 1 - outcome] += count
    saturated = sum(n * np.log(n / sum(row)) for row in won.values() for n in row if n)
    assert (len(won), 2 * (saturated - fitted.log_likelihood)) == (42, pytest.approx(deviance, abs=0.0005))
    if with_side:
        found = misfit(votes, fitted)
        assert (found.deviance, found.df) == (pytest.approx(deviance, abs=0.0005), 42 - 7)
        assert fitted.side == pytest.approx(0.3023, abs=0.00005)
        variance = fitted.inverse()
        one, other = votes.methods.index("Boston"), votes.methods.index("Baltimore")
        standard_error = variance[one, one] + variance[other, other] - 2 * variance[one, other]
        assert standard_error**0.5 == pytest.approx(0.3378, abs=0.00005)
        assert variance[7, 7] ** 0.5 == pytest.approx(0.1309, abs=0.00005)


def test_davidsons_puddings_with_ties() -> None:
    fitted = bradley_terry.fit(published.pudding())
    worth = np.exp(fitted.log_worth)
    # Davidson stopped after seven iterations: .1388005, .1729985, .1617420, .1653930, .1586805, .2023855.
    assert worth / worth.sum() == pytest.approx([0.138803, 0.173002, 0.161747, 0.165373, 0.158685, 0.202389], abs=2e-6)
    assert np.exp(fitted.tie) == pytest.approx(0.746823, abs=2e-6)
    variance = fitted.inverse()
    assert (variance[0, 0] + variance[1, 1] - 2 * variance[0, 1]) ** 0.5 == pytest.approx(0.1872, abs=0.00005)
    assert variance[-1, -1] ** 0.5 == pytest.approx(0.0825, abs=0.00005)


def test_choices_between_universities_with_ties() -> None:
    """4,454 choices; R 4.2.2, psychotools 0.7-2: btmodel(preference, undecided = TRUE) of psychotree's CEMSChoice."""
    votes = published.universities()
    fitted = bradley_terry.fit(votes)
    assert votes.n == 4454
    last = votes.methods.index("Stockholm")
    worth = dict(zip(votes.methods, fitted.log_worth - fitted.log_worth[last], strict=True))
    right = {
        "London": 1.8228020,
        "Paris": 1.0325339,
        "Milano": 0.4419722,
        "StGallen": 0.5983221,
        "Barcelona": 0.6129325,
    }
    assert worth == pytest.approx(right | {"Stockholm": 0}, abs=5e-7)
    assert fitted.tie == pytest.approx(-1.3171797, abs=5e-7)
    assert fitted.log_likelihood == pytest.approx(-3964.378, abs=5e-4)
    variance, london = fitted.inverse(), votes.methods.index("London")
    of_london = variance[london, london] + variance[last, last] - 2 * variance[london, last]
    assert (of_london**0.5, variance[-1, -1] ** 0.5) == pytest.approx((0.08314489, 0.04850828), abs=1e-6)


def test_football_with_draws_and_the_effect_of_playing_at_home() -> None:
    """1,900 matches of 29 teams; R 4.2.2, BradleyTerry2 1.1-2 and gnm: GenDavidson with home.adv and tie.max of ~ 1.

    Its tie.max is the log odds of a tie between equals, ln(ν / 2).
    """
    votes = published.football()
    fitted = bradley_terry.fit(votes)
    assert votes.n == 1900
    assert fitted.side == pytest.approx(0.6683513, abs=5e-7)
    assert fitted.tie - np.log(2) == pytest.approx(-0.8199122, abs=5e-7)
    assert fitted.log_likelihood == pytest.approx(-1826.922, abs=1e-3)
    right = {
        "Ars": 1.9475936,
        "Bur": -0.6266249,
        "Che": 2.1741430,
        "MnU": 2.8741674,
        "QPR": -0.3057237,
        "Wol": -0.1649376,
    }
    found = {name: fitted.log_worth[votes.methods.index(name)] for name in right}
    shift = found["Ars"] - right["Ars"]
    assert {name: value - shift for name, value in found.items()} == pytest.approx(right, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 5), st.booleans())
def test_the_fit_is_where_a_general_optimiser_finds_the_maximum(seed: int, k: int, with_ties: bool) -> None:
    rng = np.random.default_rng(seed)
    n = 60
    first = rng.integers(0, k, n)
    votes = Votes(
        [f"m{i}" for i in range(k)],
        first,
        (first + rng.integers(1, k, n)) % k,
        rng.integers(0, 3 if with_ties else 2, n),
        side=rng.choice([-1, 1], n),
    )
    if len(comparable_groups(votes)[0]) < k:
        return

    def loss(theta: np.ndarray) -> float:
        # P(win) : P(loss) : P(tie) = e^(x/2) : e^(−x/2) : ν, vote by vote.
        total = 0.0
        for i, j, outcome, side in zip(votes.first, votes.second, votes.outcome, votes.side, strict=True):
            x = theta[i] - theta[j] + theta[k] * side
            weights = [np.exp(x / 2), np.exp(-x / 2), np.exp(theta[k + 1]) if with_ties else 0.0]
            total -= np.log(weights[outcome] / sum(weights))
        return total + 1e-6 * float(theta[:k].sum()) ** 2

    fitted = bradley_terry.fit(votes)
    found = minimize(loss, np.zeros(k + 2), method="BFGS", options={"gtol": 1e-6})
    assert fitted.log_worth == pytest.approx(found.x[:k] - found.x[:k].mean(), abs=2e-3)
    assert fitted.log_likelihood >= -loss(found.x) - 1e-6


def test_a_prior_draws_strengths_together_and_keeps_their_order() -> None:
    plain, shrunk = bradley_terry.fit(published.games()), bradley_terry.fit(published.games(), n_pseudo=5.0)
    assert np.array_equal(np.argsort(plain.log_worth), np.argsort(shrunk.log_worth))
    assert np.ptp(shrunk.log_worth) < np.ptp(plain.log_worth) * 2 / 3
