"""Two methods side by side: how often each wins, how often they tie, and how the side of the screen affects it."""

from dataclasses import dataclass
from math import nan

import numpy as np
from scipy.special import bdtr

from annotations.stats.estimate import Estimate, Interval
from annotations.stats.intervals.crossed_clusters import ClusteredShare, Clusters, clustered_share
from annotations.stats.preferences.votes import LOSES, TIE, WINS, Votes

BOTH = "prompts and raters"


@dataclass(frozen=True)
class WinRate:
    """How one method fares against another.

    win_rate       share of the decided votes that the first won
    with_halves    the same with each tie as half a win
    ties           share of ties among all votes
    lefts          share of the decided votes, with known sides, that went to the image on the left
    if_balanced    the win rate if each had been on the left equally often: the mean of its win rates on either side
    p_prompts      exact two-sided sign test over prompts: a prompt counts for the method that won more of its votes
    p              two-sided, over what the first interval of `win_rate` covers
    """

    first: str
    second: str
    n: int
    n_wins: int
    n_losses: int
    n_ties: int
    win_rate: Estimate
    with_halves: Estimate
    ties: Estimate
    lefts: Estimate
    if_balanced: Estimate
    p_prompts: float
    p: float


def win_rate(votes: Votes, first: int, second: int, *, level: float = 0.95) -> WinRate:
    """The votes between two methods. Intervals cover prompts and raters, then prompts, then raters, as far as known."""
    pair = votes.between(first, second)
    count = pair.count.astype(float)
    won, lost, tied = (count * (pair.outcome == outcome) for outcome in (WINS, LOSES, TIE))
    kinds = clusters_of(pair)
    decided = clustered_share(won, won + lost, kinds)
    known = pair.side != 0
    to_the_left = np.where(pair.side == 1, won, lost) * known
    names = (votes.methods[first], votes.methods[second])
    return WinRate(
        *names,
        n=int(count.sum()),
        n_wins=int(won.sum()),
        n_losses=int(lost.sum()),
        n_ties=int(tied.sum()),
        win_rate=_estimate("win_rate", decided, "wins / (wins + losses)", won + lost, kinds, level),
        with_halves=_estimate(
            "win_rate_ties_half",
            clustered_share(won + tied / 2, count, kinds),
            "(wins + ties / 2) / votes",
            count,
            kinds,
            level,
        ),
        ties=_estimate("tie_share", clustered_share(tied, count, kinds), "ties / votes", count, kinds, level),
        lefts=_estimate(
            "left_share",
            clustered_share(to_the_left, (won + lost) * known, kinds),
            "decided votes for the image on the left / decided votes with known sides",
            (won + lost) * known,
            kinds,
            level,
        ),
        if_balanced=_balanced(pair.side, won, lost),
        p_prompts=_sign_test(pair, won, lost),
        p=decided.p_value(covered(kinds)[0]),
    )


def clusters_of(votes: Votes) -> list[Clusters]:
    """Prompts and raters, as far as the votes have them."""
    known = {"prompts": votes.prompt, "raters": votes.rater}
    return [Clusters(name, code) for name, code in known.items() if code is not None]


def covered(kinds: list[Clusters]) -> list[str]:
    """What intervals cover, the most general first: the only kind, or both together and then each."""
    names = [kind.name for kind in kinds]
    return [" and ".join(names), *names] if len(names) == 2 else names or ["votes"]


def _estimate(
    name: str, share: ClusteredShare, method: str, weights: np.ndarray, kinds: list[Clusters], level: float
) -> Estimate:
    n = {"votes": round(float(weights.sum()))} | {kind.name: Clusters("", kind.code[weights > 0]).n for kind in kinds}
    if np.isnan(share.value):
        return Estimate.undefined(name, method, "no votes" if name == "tie_share" else "no decided votes", n)
    intervals: tuple[Interval, ...] = tuple(share.interval(covers, level=level) for covers in covered(kinds))
    return Estimate(name, share.value, method, n, intervals)


def _balanced(side: np.ndarray, won: np.ndarray, lost: np.ndarray) -> Estimate:
    name, method = "win_rate_if_balanced", "mean of the win rates on the left and on the right"
    rates = []
    for where in (1, -1):
        wins, decided = float(won[side == where].sum()), float((won + lost)[side == where].sum())
        rates.append(wins / decided if decided else nan)
    if np.isnan(rates).any():
        return Estimate.undefined(name, method, "no decided votes with the method on one of the sides")
    return Estimate(name, float(np.mean(rates)), method)


def _sign_test(pair: Votes, won: np.ndarray, lost: np.ndarray) -> float:
    if pair.prompt is None:
        return nan
    net = np.sign(np.bincount(pair.prompt, weights=won - lost))
    n_for, n_against = int((net > 0).sum()), int((net < 0).sum())
    if n_for + n_against == 0:
        return 1.0
    return float(min(1.0, 2 * bdtr(min(n_for, n_against), n_for + n_against, 0.5)))
