"""Many methods on one scale from votes: strengths with intervals, ranks as ranges, and which method would beat
which."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isnan, log, nan

import numpy as np
from numpy.typing import NDArray

from annotations.stats.estimate import Estimate
from annotations.stats.intervals.crossed_clusters import Clusters
from annotations.stats.intervals.several import compact_letters
from annotations.stats.preferences import bradley_terry as model
from annotations.stats.preferences.goodness_of_fit import Misfit, misfit
from annotations.stats.preferences.linked import Answers, comparable_groups, why_alone
from annotations.stats.preferences.newton import NotConverged
from annotations.stats.preferences.plackett_luce import RankingFit, RankingSample, fit_rankings
from annotations.stats.preferences.rankings import Rankings
from annotations.stats.preferences.spread import Difference, Ranks, Spread, differences, rank_ranges
from annotations.stats.preferences.votes import LOSES, TIE, WINS, Votes
from annotations.stats.preferences.win_rate import clusters_of

METHOD = "Bradley–Terry with Davidson's ties, maximum likelihood, log-worth with mean 0"
RANKED = "Plackett–Luce with ties, maximum likelihood, log-worth with mean 0"
LEFT = "log odds that being on the left adds"
PLACE = "log odds that each place further forward adds"
MOST_PAIRED = 60
"""Of more methods than this, only the first two are compared."""
BEST_WORST = "sequential best–worst choice, maximum likelihood, log-worth with mean 0"
_ANSWERS: dict[str, Answers] = {METHOD: "votes", RANKED: "rankings", BEST_WORST: "choices"}


@dataclass(frozen=True)
class Strength:
    """One method.

    log_worth          with mean 0 over the ranked methods; its first interval covers prompts and raters where known
    rank_low, rank_high  the ranks (1 is best) that the votes leave possible; None where it is not ranked
    note               why it has no strength, or empty
    """

    method: str
    log_worth: Estimate
    rank_low: int | None
    rank_high: int | None
    n: int
    n_wins: int
    n_losses: int
    n_ties: int
    win_rate: float
    note: str = ""


@dataclass(frozen=True)
class Strengths:
    """All methods of some votes, the strongest first, those without a strength last.

    side     δ: how much being on the left, or each place further forward of a ranking, adds to the log odds of
             winning; None where sides are unknown or fixed
    chance   (k, k) in the order of `rows`: the chance that the row's method beats the column's, ties as halves
    misfit   whether one scale describes the votes, or circles of wins, for example, contradict it; not with a prior
    differences  of all pairs of ranked methods, in the order of `rows`, with indices into them; of more than 60 methods
                 only of the first two
    letters  of each ranked method, in the order of `rows`: two that share one are not distinguished (5%, Holm)
    prior    empty, or the prior in words; note: why nothing is ranked, or empty
    """

    rows: tuple[Strength, ...]
    side: Estimate | None
    chance: NDArray[np.float64]
    misfit: Misfit
    covers: tuple[str, ...]
    method: str = METHOD
    prior: str = ""
    note: str = ""
    differences: tuple[Difference, ...] = ()
    letters: tuple[str, ...] = ()


def strengths(votes: Votes, *, level: float = 0.95, n_pseudo: float = 0.0) -> Strengths:
    """Strengths, intervals and ranks of all methods.

    Methods that no chain of wins in both directions joins to the largest group get no strength, and the reason. With
    `n_pseudo` > 0 all are ranked under a prior of this many wins and losses against a ghost of mean strength.
    """
    group, why = ranked_group(votes, n_pseudo)
    if why:
        return _without_ranks(votes, why)
    inner = only_among(votes, group)
    try:
        fitted, has_bounds = with_side_if_bounded(inner, n_pseudo)
    except NotConverged:
        return _without_ranks(votes, why_unbounded(inner))
    kinds = clusters_of(inner)
    spread = Spread(model.VoteSample(inner, fitted), kinds)
    found = _assembled(votes, group, spread, fitted.chances, METHOD, level, n_pseudo, {"votes": inner.n}, kinds)
    if not n_pseudo:  # the test is that of the likelihood's maximum
        found = replace(found, misfit=misfit(inner, fitted))
    if not has_bounds:
        why = "no finite effect of the side fits these votes, so that strengths are not corrected for it"
        return replace(found, side=Estimate.undefined("side", LEFT, why))
    return replace(found, side=_side(spread, len(group), level)) if fitted.has_side else found


def ranking_strengths(rankings: Rankings, *, level: float = 0.95, n_pseudo: float = 0.0) -> Strengths:
    """The same from rankings of several methods at once: Plackett–Luce with ties, or the best–worst model.

    Wins, losses and ties are those of the pairs that the rankings compare. A method that cannot be ranked says nothing
    about the others, and is left out of the rankings.
    """
    votes = rankings.votes()
    method = BEST_WORST if rankings.is_best_worst else RANKED
    group, why = ranked_group(votes, n_pseudo)
    if why:
        return _without_ranks(votes, why, method)
    inner = rankings.among(group)
    if not inner.n:
        why = "no ranking has both its best and its worst among the methods that can be compared"
        return _without_ranks(votes, why, method)
    try:
        fitted, has_bounds = with_place_if_bounded(inner, n_pseudo)
    except NotConverged:
        why = (
            "no finite strengths fit: the place on the screen explains the rankings, or all or nearly all of them "
            "are ties"
        )
        if rankings.is_best_worst:
            why = "no finite strengths fit: the place on the screen explains the choices, or they are too few"
        return _without_ranks(votes, why, method)
    kinds = [
        Clusters(name, codes)
        for name, codes in (("prompts", inner.prompt), ("raters", inner.rater))
        if codes is not None
    ]
    spread = Spread(RankingSample(inner, fitted), kinds)
    found = _assembled(votes, group, spread, fitted.chances, method, level, n_pseudo, {"rankings": inner.n}, kinds)
    if not has_bounds:
        why = "no finite effect of the place fits these rankings, so that strengths are not corrected for it"
        return replace(found, side=Estimate.undefined("side", PLACE, why))
    return replace(found, side=_side(spread, len(group), level, PLACE)) if fitted.has_place else found


def with_side_if_bounded(votes: Votes, n_pseudo: float) -> tuple[model.Fit, bool]:
    """The fit, and whether the side's effect is finite; where it is not, the fit without it.

    Raises NotConverged where there is no finite maximum either way, or where one side wins every decided vote.
    """
    try:
        return model.fit(votes, n_pseudo=n_pseudo), True
    except NotConverged:
        if _side_decides(votes):
            raise
        return model.fit(votes, with_side=False, n_pseudo=n_pseudo), False


def why_unbounded(votes: Votes) -> str:
    """Why joined methods have no finite strengths."""
    if _side_decides(votes):
        return "the side alone decides the votes, since the image on the same side won every decided one"
    decided = votes.only(votes.outcome != TIE)
    if all(len(group) == 1 for group in comparable_groups(decided)):
        return "only ties join the methods, and all decided votes follow one order: no finite strengths fit them"
    return "no finite strengths fit these votes"


def _side_decides(votes: Votes) -> bool:
    decided = votes.outcome != TIE
    on_left = (votes.side * np.where(votes.outcome == WINS, 1, -1))[decided]
    return bool(len(on_left) and on_left[0] != 0 and (on_left == on_left[0]).all())


def with_place_if_bounded(rankings: Rankings, n_pseudo: float) -> tuple[RankingFit, bool]:
    """The fit, and whether the place's effect is finite; where it is not, the fit without it."""
    try:
        return fit_rankings(rankings, n_pseudo=n_pseudo), True
    except NotConverged:
        return fit_rankings(rankings, with_place=False, n_pseudo=n_pseudo), False


def ranked_group(votes: Votes, n_pseudo: float) -> tuple[list[int], str]:
    """The methods to rank, or why there are none."""
    if not len(votes.first):
        return [], "no votes"
    if (votes.outcome == TIE).all():
        return [], "all are ties, which distinguish no methods"
    if n_pseudo:
        return list(range(len(votes.methods))), ""
    group = comparable_groups(votes)[0]
    return group, "" if len(group) > 1 else "no two methods are joined by wins in both directions"


def _assembled(
    votes: Votes,
    group: list[int],
    spread: Spread,
    chances: Callable[[NDArray[np.float64]], tuple[NDArray[np.float64], ...]],
    method: str,
    level: float,
    n_pseudo: float,
    counted: dict[str, int],
    kinds: list[Clusters],
) -> Strengths:
    k = len(group)
    worth = spread.parameters[:k] - spread.parameters[:k].mean()
    order = np.argsort(-worth, kind="stable")
    ranges = rank_ranges(spread, k, level)
    rows = []
    for place in order:
        contrast = np.full(k, -1 / k)
        contrast[place] += 1
        estimate = Estimate(
            "log_worth",
            float(worth[place]),
            method,
            counted | {kind.name: kind.n for kind in kinds},
            tuple(spread.interval(contrast, covers, level) for covers in spread.covers),
        )
        rows.append(_row(votes, group[place], estimate, ranges[place]))
    for other in range(len(votes.methods)):
        if other not in group:
            note = why_alone(votes, other, group, answers=_ANSWERS[method])
            rows.append(_row(votes, other, Estimate.undefined("log_worth", method, note), (None, None), note))
    wins, _loses, ties = chances(np.subtract.outer(worth, worth)[np.ix_(order, order)])
    chance = wins + ties / 2
    np.fill_diagonal(chance, nan)
    prior = f"prior of {n_pseudo:g} wins and losses of each method against one of mean strength" if n_pseudo else ""
    place = {int(code): at for at, code in enumerate(order)}
    pairs = tuple(
        replace(each, first=place[each.first], second=place[each.second])
        for each in differences(spread, order.tolist(), level, only_first=k > MOST_PAIRED)
    )
    told_apart = [(each.first, each.second) for each in pairs if each.p_holm < 1 - level]
    is_tested = any(not np.isnan(each.p_holm) for each in pairs)
    return Strengths(
        tuple(rows),
        None,
        chance,
        Misfit(),
        tuple(spread.covers),
        method,
        prior,
        differences=pairs,
        letters=tuple(compact_letters(k, told_apart)) if is_tested else (),
    )


def _side(spread: Spread, k: int, level: float, method: str = LEFT) -> Estimate:
    contrast = np.zeros(k + 1)
    contrast[-1] = 1
    intervals = tuple(spread.interval(contrast, covers, level) for covers in spread.covers)
    return Estimate("side", float(spread.parameters[k]), method, {}, intervals)


def elo(log_worth: float) -> float:
    """The same strength on Elo's scale, mean 1000: 400 points are odds of ten to one."""
    return 1000 + 400 / log(10) * log_worth


def only_among(votes: Votes, group: Sequence[int]) -> Votes:
    """The votes between two methods of a group, with only these methods, in the group's order."""
    place = np.full(len(votes.methods), -1)
    place[list(group)] = np.arange(len(group))
    inner = votes.only((place[votes.first] >= 0) & (place[votes.second] >= 0))
    return Votes(
        [votes.methods[method] for method in group],
        place[inner.first],
        place[inner.second],
        inner.outcome,
        inner.rater,
        inner.prompt,
        inner.side,
        inner.count,
        facets=inner.facets,
    )


def _row(votes: Votes, method: int, log_worth: Estimate, ranks: Ranks, note: str = "") -> Strength:
    turned = votes.second == method
    own = turned | (votes.first == method)
    outcome = np.where(turned & (votes.outcome != TIE), 1 - votes.outcome, votes.outcome)
    n_wins, n_losses, n_ties = (int(votes.count[own & (outcome == one)].sum()) for one in (WINS, LOSES, TIE))
    n = n_wins + n_losses + n_ties
    rate = (n_wins + n_ties / 2) / n if n else nan
    return Strength(votes.methods[method], log_worth, *ranks, n, n_wins, n_losses, n_ties, rate, note)


def _without_ranks(votes: Votes, why: str, method: str = METHOD) -> Strengths:
    """No strengths, and why; the methods in the order of their win rates."""
    rows = []
    groups = comparable_groups(votes)
    is_joined = len(groups[0]) == len(votes.methods) if groups else True
    for code in range(len(votes.methods)):
        own = next(group for group in groups if code in group)
        others = [other for other in range(len(votes.methods)) if other not in own]
        is_split = bool(len(votes.first)) and not is_joined
        note = why_alone(votes, code, others, them="the others", answers=_ANSWERS[method]) if is_split else why
        rows.append(_row(votes, code, Estimate.undefined("log_worth", method, note), (None, None), note))
    rows.sort(key=lambda row: (isnan(row.win_rate), -row.win_rate))
    k = len(votes.methods)
    return Strengths(tuple(rows), None, np.full((k, k), nan), Misfit(), (), method, note=why)
