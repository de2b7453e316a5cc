"""How fragile is the first place? The fewest votes, raters or prompts without which the strongest method is not first.

For two methods everything is counted exactly. For more, votes and clusters are removed in the order of their influence
on the difference to the next methods, and the model is fitted again without them (Huang et al. 2025, arXiv 2508.11847,
found leaderboards whose first place depends on 0.003% of the votes). The number found is sufficient; a smaller one may
be too.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from annotations.stats.arrays import FloatArray, totals
from annotations.stats.estimate import Fewest
from annotations.stats.preferences import bradley_terry as model
from annotations.stats.preferences.linked import before, comparable_groups
from annotations.stats.preferences.newton import NotConverged, invert
from annotations.stats.preferences.plackett_luce import RankingFit, RankingSample, fit_rankings
from annotations.stats.preferences.rankings import Rankings
from annotations.stats.preferences.votes import LOSES, WINS, Votes
from annotations.stats.removals import fewest_removed

_TIE = 1e-9
_RIVALS = 3
"""Methods next to the first that are tried as its successor."""
MOST_VOTES = 50_000
"""With more rows than this there is a search only between two methods, since each trial counts all of them."""
MOST_RANKINGS = 5_000
"""The same for rankings, to which each trial fits the model again."""
Lead = Callable[[NDArray[np.bool_], int, int], float | None]
"""Which rows are kept, and two methods → how much stronger the first is; infinite where only one of them beats or ties
the other, directly or through other methods; None where neither does."""


def fewest_votes(votes: Votes, *, most_rows: int = MOST_VOTES) -> tuple[Fewest, ...]:
    """Votes, then prompts and raters as far as they are known, of the largest group of methods that votes join.

    Methods that have no finite strength are left out, as in `strengths`; among the others, those of the group count.
    The codes are rows of `votes` (each row counted as its votes), prompts and raters. n is 0 where two methods are
    level in first place. Empty where no methods are joined, there are fewer than two, or more than two and more than
    `most_rows` rows.
    """
    groups = comparable_groups(votes)
    if not groups or len(groups[0]) < 2:
        return ()
    rows = np.arange(len(votes.first))
    if len(groups) > 1:
        place = np.full(len(votes.methods), -1, np.int64)
        place[groups[0]] = np.arange(len(groups[0]))
        inside = (place[votes.first] >= 0) & (place[votes.second] >= 0)
        rows, some = rows[inside], votes.only(inside)
        names = [votes.methods[code] for code in groups[0]]
        votes = replace(some, methods=names, first=place[some.first], second=place[some.second])
    kinds: dict[str, NDArray[np.int64]] = {"votes": rows}
    kinds |= {name: codes for name, codes in (("prompts", votes.prompt), ("raters", votes.rater)) if codes is not None}
    if len(votes.methods) == 2:
        return tuple(_of_two(votes, kind, codes) for kind, codes in kinds.items())
    if len(votes.first) > most_rows:
        return ()
    try:
        fitted = model.fit(votes)
    except NotConverged:
        return ()
    gradient = (fitted.inverse() @ model.contributions(votes, fitted).T).T
    order = np.argsort(-fitted.log_worth, kind="stable")
    if fitted.log_worth[order[0]] - fitted.log_worth[order[1]] <= _TIE:
        return tuple(Fewest(kind, 0, _size(votes, kind, codes)) for kind, codes in kinds.items())
    lead = _Cells(votes).lead
    return tuple(
        _of_many(lead, kind, codes, gradient, order, votes.count, _size(votes, kind, codes))
        for kind, codes in kinds.items()
    )


def fewest_rankings(rankings: Rankings, *, most_rows: int = MOST_RANKINGS) -> tuple[Fewest, ...]:
    """The same for prompts and raters of rankings. Their model is fitted again without them.

    Rankings of two methods are votes between them, and are counted as these. Otherwise the votes that rankings imply
    need not put the same method first.
    """
    groups = comparable_groups(rankings.votes())
    if not groups or len(groups[0]) < 2:
        return ()
    inner = rankings.among(groups[0])
    if len(groups[0]) == 2:
        votes = inner.votes()
        found = (("prompts", votes.prompt), ("raters", votes.rater))
        return tuple(_of_two(votes, kind, codes) for kind, codes in found if codes is not None)
    kinds = {name: codes for name, codes in (("prompts", inner.prompt), ("raters", inner.rater)) if codes is not None}
    if not 0 < inner.n <= most_rows:
        return ()
    try:
        fitted = _ranked(inner)
    except NotConverged:
        return ()
    k = len(inner.methods)
    gradient = (invert(fitted.information, k) @ RankingSample(inner, fitted).scores().T).T
    order = np.argsort(-fitted.log_worth, kind="stable")
    if fitted.log_worth[order[0]] - fitted.log_worth[order[1]] <= _TIE:
        return tuple(Fewest(kind, 0, len(np.unique(codes))) for kind, codes in kinds.items())

    def lead(kept: NDArray[np.bool_], first: int, rival: int) -> float | None:
        some = inner.only(kept)
        implied = some.votes()
        group = next((each for each in comparable_groups(implied) if first in each and rival in each), None)
        if group is None:
            return before(implied, first, rival)
        among = some.among(group)
        if not among.n:
            return None
        try:
            worth = _ranked(among).log_worth
        except NotConverged:
            return None
        return float(worth[group.index(first)] - worth[group.index(rival)])

    ones = np.ones(inner.n, np.int64)
    return tuple(
        _of_many(lead, kind, codes, gradient, order, ones, len(np.unique(codes))) for kind, codes in kinds.items()
    )


def _ranked(rankings: Rankings) -> RankingFit:
    """The fit with the effect of the place, or without it where it has no bounds."""
    try:
        return fit_rankings(rankings)
    except NotConverged:
        return fit_rankings(rankings, with_place=False)


def _size(votes: Votes, kind: str, codes: NDArray[np.int64]) -> int:
    return votes.n if kind == "votes" else len(np.unique(codes))


def _of_two(votes: Votes, kind: str, codes: NDArray[np.int64]) -> Fewest:
    """Exact, for the win rate: until no more wins than losses are left."""
    pair = votes.between(0, 1)
    net = pair.count * ((pair.outcome == WINS).astype(float) - (pair.outcome == LOSES))
    lead, size = float(net.sum()), _size(votes, kind, codes)
    if not lead:
        return Fewest(kind, 0, size)
    net *= np.sign(lead)
    if kind == "votes":
        # A row may represent several votes, any number of which may be absent.
        for_leader = np.flatnonzero(net > 0)
        ends = np.cumsum(net[for_leader])
        some = for_leader[: int(np.searchsorted(ends, abs(lead))) + 1]
        return Fewest(kind, int(abs(lead)), size, tuple(codes[some].tolist()))
    names, index = np.unique(codes, return_inverse=True)
    of_each = np.bincount(index, net)
    order = np.argsort(-of_each, kind="stable")
    n = int(np.argmax(abs(lead) - np.cumsum(of_each[order]) <= 0)) + 1
    if n == len(names):
        return Fewest(kind, None, size)
    return Fewest(kind, n, size, tuple(names[order[:n]].tolist()))


def _of_many(
    lead: Lead,
    kind: str,
    codes: NDArray[np.int64],
    gradient: FloatArray,
    order: NDArray[np.intp],
    count: NDArray[np.int64],
    size: int,
) -> Fewest:
    """gradient (n, ≥ k): what each row adds to each strength; order: methods, the strongest first."""
    names, index = np.unique(codes, return_inverse=True)
    first = int(order[0])
    best: tuple[int, tuple[int, ...]] | None = None
    for rival in order[1 : 1 + _RIVALS].tolist():
        fall = totals(index.astype(np.int64), gradient[:, first] - gradient[:, rival], len(names))
        found = _search(lead, index, fall, first, rival, None if best is None else best[0])
        if found is not None:
            best = len(found), tuple(names[found].tolist())
    if best is None:
        return Fewest(kind, None, size, is_exact=False)
    n = int(count[np.isin(codes, best[1])].sum()) if kind == "votes" else best[0]
    return Fewest(kind, n, size, best[1], is_exact=best[0] == 1)


def _search(
    lead: Lead, index: NDArray[np.intp], fall: FloatArray, first: int, rival: int, below: int | None
) -> NDArray[np.intp] | None:
    """The fewest clusters, taken by influence, that are found to put the rival level; None if they are not fewer than
    `below`.

    Influences add up to zero, so that without the clusters of positive influence alone the lead may well remain: the
    search goes on to the last cluster but one.
    """
    # Equal influences differ in their last digits with the order of the rows: without rounding, so would the result.
    largest = np.abs(fall).max(initial=0.0) or 1.0
    ranked = np.argsort(-np.round(fall / largest, 9), kind="stable")

    def does_it(n: int) -> bool | None:
        gone = np.zeros(len(fall), bool)
        gone[ranked[:n]] = True
        left = lead(~gone[index], first, rival)
        return None if left is None else left <= _TIE

    n = fewest_removed(does_it, len(fall) - 1 if below is None else below - 1)
    return None if n is None else ranked[:n]


class _Cells:
    """Votes with equal rows counted once, so that the remaining votes can be counted again quickly."""

    def __init__(self, votes: Votes) -> None:
        self.votes = votes
        k = len(votes.methods)
        code = ((votes.first * k + votes.second) * 3 + votes.outcome) * 3 + votes.side + 1
        _, first, self._cell = np.unique(code, return_index=True, return_inverse=True)
        one = np.zeros(len(code), bool)
        one[first] = True
        self._order = np.argsort(self._cell[one])
        some = votes.only(one)
        self._columns = [getattr(some, name)[self._order] for name in ("first", "second", "outcome", "side")]

    def lead(self, kept: NDArray[np.bool_], first: int, rival: int) -> float | None:
        """How much stronger the first is than the rival in the votes kept (n,); None where they cannot be compared."""
        count = np.bincount(self._cell[kept], self.votes.count[kept], minlength=len(self._columns[0]))
        there = count > 0
        one, other, outcome, side = (column[there] for column in self._columns)
        some = Votes(self.votes.methods, one, other, outcome, side=side, count=count[there].astype(np.int64))
        group = next((group for group in comparable_groups(some) if first in group and rival in group), None)
        if group is None:
            return before(some, first, rival)
        place = np.full(len(self.votes.methods), -1, np.int64)
        place[group] = np.arange(len(group))
        inside = some.only((place[one] >= 0) & (place[other] >= 0))
        names = [self.votes.methods[code] for code in group]
        narrowed = replace(inside, methods=names, first=place[inside.first], second=place[inside.second])
        try:
            worth = model.fit(narrowed).log_worth
        except NotConverged:
            return None
        return float(worth[place[first]] - worth[place[rival]])
