"""Does one scale describe the votes? Pearson's X² of the Bradley–Terry model, with moments for few votes per pair.

The usual χ² distribution needs many votes of every pair and outcome. Most votes between methods far apart have one
outcome, and G² then rejects true models in up to three quarters of studies. X² has the mean of χ² also there, and its
variance is known: that of a multinomial's X² (Haldane 1937, Biometrika 29:133), less what the fitted parameters explain
(Osius & Rojek 1992, J. Am. Stat. Assoc. 87:1145, section 3). A multiple of χ² with this mean and variance gives p.
"""

from dataclasses import dataclass
from math import nan

import numpy as np

from annotations.stats.distributions import chi2_above
from annotations.stats.preferences.bradley_terry import Fit
from annotations.stats.preferences.votes import TIE, Votes

FEWEST_VOTES = 10
"""Votes that a pair needs on average. With fewer, the fitted strengths follow the votes too closely."""


@dataclass(frozen=True)
class Misfit:
    """The model against one with a separate chance for each pair (on each side).

    x2, p      Pearson's statistic and its p; p is NaN with a reason where votes are too few. A small p means that one
               scale does not describe the votes, such as circles of wins. Takes votes as independent
    deviance   the likelihood ratio G² with the same degrees of freedom, as other programs print it
    """

    x2: float = nan
    deviance: float = nan
    df: int = 0
    p: float = nan
    reason: str = ""


def misfit(votes: Votes, fitted: Fit, *, fewest: int = FEWEST_VOTES) -> Misfit:
    """How well a fit to these votes describes them; fewest: mean votes per pair (and side) from which there is a p."""
    k, n_outcomes = len(votes.methods), 3 if fitted.has_ties else 2
    is_turned = votes.first > votes.second
    low, high = np.minimum(votes.first, votes.second), np.maximum(votes.first, votes.second)
    outcome = np.where(is_turned & (votes.outcome != TIE), 1 - votes.outcome, votes.outcome)
    side = np.where(is_turned, -votes.side, votes.side) if fitted.has_side else np.zeros_like(low)
    pair, index = np.unique((low * k + high) * 3 + side + 1, return_inverse=True)
    counted = np.bincount(index.ravel() * 3 + outcome, weights=votes.count, minlength=3 * len(pair))
    counted = counted.reshape(-1, 3)[:, :n_outcomes]
    n, side, low, high = counted.sum(axis=1), pair % 3 - 1, pair // 3 // k, pair // 3 % k
    x = fitted.log_worth[low] - fitted.log_worth[high] + fitted.side * side
    chance = np.stack(fitted.chances(x), axis=1)[:, :n_outcomes]
    expected = n[:, None] * chance
    x2 = float((np.square(counted - expected) / expected).sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        deviance = max(0.0, 2 * float(np.where(counted > 0, counted * np.log(counted / expected), 0.0).sum()))
    df = len(pair) * (n_outcomes - 1) - (k - 1) - fitted.has_side - fitted.has_ties
    if df <= 0:
        return Misfit(x2, deviance, df, reason="the model has as many parameters as the votes can distinguish")
    if n.mean() < fewest:
        of = "pair on each side" if fitted.has_side else "pair"
        why = f"too few votes for this test: {n.mean():.1f} per {of} on average; at least {fewest} are needed"
        return Misfit(x2, deviance, df, reason=why)
    # Covariance of X² with the score: 1 − c·π of each outcome, times the gradient of its log chance.
    third = 1 - n_outcomes * chance
    win = np.array([0.5, -0.5, 0.0])[:n_outcomes]
    of_x = (third * (win - (chance * win).sum(axis=1, keepdims=True))).sum(axis=1)
    of_strengths = np.bincount(low, of_x, minlength=k) - np.bincount(high, of_x, minlength=k)
    more = [of_x @ side] * fitted.has_side
    if fitted.has_ties:
        more.append(float((third * (np.arange(3) == TIE) - third * chance[:, TIE:]).sum()))
    covariance = np.concatenate([of_strengths, more])
    excess = (1 / chance).sum(axis=1) - n_outcomes**2 - 2 * n_outcomes + 2
    variance = 2 * df + float((excess / n).sum()) - float(covariance @ fitted.inverse() @ covariance)
    if not variance > 0:
        return Misfit(x2, deviance, df, reason="too few votes for this test")
    scale = variance / (2 * df)
    return Misfit(x2, deviance, df, float(chi2_above(x2 / scale, df / scale)))
