"""The Plackett–Luce model with ties, and the best–worst model, by maximum likelihood.

A ranking is made by choosing the best of what is left, again and again. With α = e^λ, the set C is chosen from what is
left with a chance proportional to δ(|C|) · (∏ α)^(1/|C|), over all sets of the sizes of ties that occur; δ(1) = 1. Of
two methods this is Davidson's model with ν = δ(2). Luce (1959), Individual Choice Behavior; Plackett (1975), Appl.
Stat. 24:193; ties: Turner, van Etten, Firth & Kosmidis (2020), Comput. Stat. 35:1027, section 2.

Best and worst: the best is chosen with chances proportional to α, then the worst of the others with chances
proportional to 1/α (sequential best–worst choice: Marley & Louviere 2005, J. Math. Psychol. 49:464).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from annotations.stats.arrays import FloatArray
from annotations.stats.preferences.linked import comparable_groups
from annotations.stats.preferences.newton import maximise, with_ghost
from annotations.stats.preferences.rankings import BadRankings, Rankings

Codes = NDArray[np.int64]
MOST_SETS = 20_000
"""Sets that one choice may be from; a tie of many among many has more."""


@dataclass(frozen=True)
class _Choices:
    """Choices among equally many methods. row (m,) the ranking; left (m, a) methods, those chosen first; outcome (m,)
    index of the set chosen; sign 1 for the best, −1 for the worst; sets (n_sets, a) weights 1/|C| of members; ties
    (n_sets, n_sizes) which size of tie a set has; count (m,)."""

    row: Codes
    left: Codes
    outcome: Codes
    sign: float
    sets: FloatArray
    ties: FloatArray
    count: FloatArray


@dataclass(frozen=True)
class RankingFit:
    """Maximum-likelihood estimates.

    log_worth   (k,) λ, with mean 0
    tie_sizes   the sizes of ties that occur, from 2; log_tie: log δ of each
    information (p, p) of λ and then log δ
    """

    log_worth: FloatArray
    tie_sizes: tuple[int, ...]
    log_tie: FloatArray
    information: FloatArray
    log_likelihood: float

    def chances(self, x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """P(first wins), P(second wins), P(tie) of two methods alone, for differences x of λ."""
        wins, loses = np.exp(x / 2 - np.abs(x) / 2), np.exp(-x / 2 - np.abs(x) / 2)
        pair = self.tie_sizes.index(2) if 2 in self.tie_sizes else None
        ties = np.zeros_like(wins) if pair is None else np.exp(self.log_tie[pair] - np.abs(x) / 2)
        total = wins + loses + ties
        return wins / total, loses / total, ties / total


def fit_rankings(rankings: Rankings, *, n_pseudo: float = 0.0) -> RankingFit:
    """The fit to rankings of methods that are joined in both directions (see `linked`). n_pseudo as in `fit` of votes.

    Raises NotConverged where there is no finite maximum, and BadRankings for ties of too many among too many.
    """
    sizes = _tie_sizes(rankings)
    choices = list(_counted(_choices(rankings, sizes)))
    k = len(rankings.methods)

    def likelihood(theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        value, gradient, information = 0.0, np.zeros(len(theta)), np.zeros((len(theta), len(theta)))
        for each in choices:
            value += _add(each, theta, k, gradient, information)
        return with_ghost(theta, k, n_pseudo, value, gradient, information)

    theta, value, information = maximise(likelihood, np.zeros(k + len(sizes)), k)
    return RankingFit(theta[:k] - theta[:k].mean(), sizes, theta[k:], information, value)


class RankingSample:
    """Rankings and their fit as what `spread` takes."""

    def __init__(self, rankings: Rankings, fitted: RankingFit) -> None:
        self._rankings, self.n_methods = rankings, len(rankings.methods)
        self.information, self.parameters = fitted.information, np.concatenate([fitted.log_worth, fitted.log_tie])
        self._sizes = fitted.tie_sizes

    @property
    def n(self) -> int:
        return self._rankings.n

    def is_joined(self, mask: NDArray[np.bool_]) -> bool:
        return len(comparable_groups(self._rankings.only(mask).votes())[0]) == self.n_methods

    def scores(self) -> sparse.csr_array:
        """(n, p): each ranking's part of the gradient at the maximum."""
        rows, columns, values = [], [], []
        k = self.n_methods
        for each in _choices(self._rankings, self._sizes):
            chance = _chance(each, self.parameters, k)
            of_left = each.sign * (each.sets[each.outcome] - chance @ each.sets)
            rows += [np.repeat(each.row, each.left.shape[1])]
            columns += [each.left.ravel()]
            values += [of_left.ravel()]
            if self._sizes:
                of_ties = each.ties[each.outcome] - chance @ each.ties
                rows += [np.repeat(each.row, len(self._sizes))]
                columns += [np.tile(k + np.arange(len(self._sizes)), len(each.row))]
                values += [of_ties.ravel()]
        shape = (self._rankings.n, len(self.parameters))
        if not rows:
            return sparse.csr_array(shape)
        at = (np.concatenate(rows), np.concatenate(columns))
        return sparse.csr_array(sparse.coo_array((np.concatenate(values), at), shape=shape))

    def information_of(self, mask: NDArray[np.bool_]) -> FloatArray:
        p = len(self.parameters)
        gradient, information = np.zeros(p), np.zeros((p, p))
        for each in _counted(_choices(self._rankings.only(mask), self._sizes)):
            _add(each, self.parameters, self.n_methods, gradient, information)
        return information


def _tie_sizes(rankings: Rankings) -> tuple[int, ...]:
    if rankings.is_best_worst:
        return ()
    found: set[int] = set()
    for _rows, _left, size in _stages(rankings):
        found |= set(np.unique(size).tolist())
    return tuple(sorted(found - {1}))


def _stages(rankings: Rankings) -> Iterator[tuple[Codes, Codes, Codes]]:
    """Rows, the methods left (those chosen first, the rest in the order of their codes), and how many were chosen."""
    n, width = rankings.item.shape
    there = rankings.item >= 0
    rank = np.where(there, rankings.rank, np.iinfo(np.int64).max)
    order = np.lexsort((rankings.item, rank))
    item, rank = np.take_along_axis(rankings.item, order, 1), np.take_along_axis(rank, order, 1)
    size = rankings.size
    for start in range(width - 1):
        begins = (rank[:, start] != rank[:, start - 1]) if start else np.ones(n, bool)
        begins &= size - start >= 2
        for a in np.unique(size[begins] - start):
            rows = np.flatnonzero(begins & (size - start == a))
            left = item[rows, start : start + a]
            chosen = (rank[rows, start : start + a] == rank[rows, start, None]).sum(axis=1)
            rest = np.arange(a)[None] >= chosen[:, None]
            yield rows, np.take_along_axis(left, np.lexsort((left, rest)), 1), chosen


def _choices(rankings: Rankings, sizes: tuple[int, ...]) -> Iterator[_Choices]:
    if rankings.is_best_worst:
        yield from _best_worst(rankings)
        return
    for rows, left, size in _stages(rankings):
        sets, ties, place = _sets(left.shape[1], sizes)
        outcome = np.array([place[int(t)] for t in size], np.int64)
        yield _Choices(rows, left, outcome, 1.0, sets, ties, np.ones(len(rows)))


def _best_worst(rankings: Rankings) -> Iterator[_Choices]:
    size = rankings.size
    last = np.iinfo(np.int64).max
    for a in np.unique(size):
        rows = np.flatnonzero(size == a)
        rank = np.where(rankings.item[rows] >= 0, rankings.rank[rows], last)
        item = np.take_along_axis(rankings.item[rows], np.lexsort((rankings.item[rows], rank)), 1)[:, :a]
        for left, sign in ((item, 1.0), (np.concatenate([item[:, -1:], item[:, 1:-1]], axis=1), -1.0)):
            if left.shape[1] < 2:
                continue
            sets, ties, place = _sets(left.shape[1], ())
            yield _Choices(rows, left, np.full(len(rows), place[1]), sign, sets, ties, np.ones(len(rows)))


def _sets(a: int, sizes: tuple[int, ...]) -> tuple[FloatArray, FloatArray, dict[int, int]]:
    """All sets that may be chosen from `a` methods, and by size the place of the set of the first that many."""
    allowed = [1, *(size for size in sizes if size <= a)]
    if sum(comb(a, size) for size in allowed) > MOST_SETS:
        raise BadRankings(f"ties of {allowed[-1]} among {a} methods are too many to count; break some of them")
    rows: list[FloatArray] = []
    kinds: list[list[float]] = []
    place: dict[int, int] = {}
    for size in allowed:
        place[size] = len(rows)
        for members in combinations(range(a), size):
            weights = np.zeros(a)
            weights[list(members)] = 1 / size
            rows.append(weights)
            kinds.append([float(size == other) for other in sizes])
    return np.array(rows), np.array(kinds).reshape(len(rows), len(sizes)), place


def _counted(choices: Iterator[_Choices]) -> Iterator[_Choices]:
    """Equal choices once, with how many there are; whose they were is of no account."""
    for each in choices:
        keys = np.column_stack([each.left, each.outcome])
        found, inverse = np.unique(keys, axis=0, return_inverse=True)
        count = np.bincount(inverse.ravel(), weights=each.count, minlength=len(found)).astype(float)
        rows = np.zeros(len(found), np.int64)
        yield _Choices(rows, found[:, :-1], found[:, -1], each.sign, each.sets, each.ties, count)


def _utility(each: _Choices, theta: FloatArray, k: int) -> FloatArray:
    return np.asarray(each.sign * theta[each.left] @ each.sets.T + each.ties @ theta[k:])


def _chance(each: _Choices, theta: FloatArray, k: int) -> FloatArray:
    """(m, n_sets) the chance of every set in every choice."""
    utility = _utility(each, theta, k)
    raised = np.exp(utility - utility.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _add(each: _Choices, theta: FloatArray, k: int, gradient: FloatArray, information: FloatArray) -> float:
    """The log-likelihood of the choices; their part of the gradient and the information is added in place."""
    chance = _chance(each, theta, k)
    rows = np.arange(len(each.left))
    features = np.concatenate([each.sign * each.sets, each.ties], axis=1)
    mean = chance @ features
    off = each.count[:, None] * (features[each.outcome] - mean)
    ties = np.broadcast_to(k + np.arange(each.ties.shape[1]), (len(rows), each.ties.shape[1]))
    at = np.concatenate([each.left, ties], axis=1)
    np.add.at(gradient, at, off)
    second = np.einsum("ms,sa,sb->mab", chance, features, features, optimize=True)
    curve = each.count[:, None, None] * (second - mean[:, :, None] * mean[:, None, :])
    np.add.at(information, (at[:, :, None], at[:, None, :]), curve)
    return float(each.count @ np.log(chance[rows, each.outcome]))
