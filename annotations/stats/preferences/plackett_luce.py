"""The Plackett–Luce model with ties, and the best–worst model, by maximum likelihood.

A ranking is made by choosing the best of what is left, again and again. With α = e^λ, the set C is chosen from what is
left with a chance proportional to δ(|C|) · (∏ α)^(1/|C|), over all sets of the sizes of ties that occur; δ(1) = 1. For
two methods this is Davidson's model with ν = δ(2). Luce (1959), Individual Choice Behavior; Plackett (1975), Appl.
Stat. 24:193; ties: Turner, van Etten, Firth & Kosmidis (2020), Comput. Stat. 35:1027, section 2.

Where the places on the screen are known, λ of the method at place s (0 is the first) is λ − s·δ: each place further
forward adds δ to the log odds of being chosen. For two methods δ is the effect of the side in Bradley–Terry models.

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
"""The most sets that one choice may be from; a tie of many among many has more."""


@dataclass(frozen=True)
class _Choices:
    """Choices among equally many methods. row (m,) the ranking; left (m, a) methods, those chosen first; forward (m, a)
    how far forward each is on the screen, 0 for all without an effect of the place; outcome (m,) index of the set
    chosen; sign 1 for the best, −1 for the worst; sets (n_sets, a) weights 1/|C| of members; ties (n_sets, n_sizes)
    which size of tie a set has; count (m,)."""

    row: Codes
    left: Codes
    forward: Codes
    outcome: Codes
    sign: float
    sets: FloatArray
    ties: FloatArray
    count: FloatArray


@dataclass(frozen=True)
class RankingFit:
    """Maximum-likelihood estimates.

    log_worth   (k,) λ, with mean 0
    place       δ, 0 where places are unknown; has_place: whether it was fitted
    tie_sizes   the sizes of ties that occur, from 2; log_tie: log δ of each
    information (p, p) of λ, then δ as far as it was fitted, then log δ of ties
    """

    log_worth: FloatArray
    place: float
    has_place: bool
    tie_sizes: tuple[int, ...]
    log_tie: FloatArray
    information: FloatArray
    log_likelihood: float

    def chances(self, x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """P(first wins), P(second wins), P(tie) for only two methods, from differences x of λ."""
        wins, loses = np.exp(x / 2 - np.abs(x) / 2), np.exp(-x / 2 - np.abs(x) / 2)
        pair = self.tie_sizes.index(2) if 2 in self.tie_sizes else None
        ties = np.zeros_like(wins) if pair is None else np.exp(self.log_tie[pair] - np.abs(x) / 2)
        total = wins + loses + ties
        return wins / total, loses / total, ties / total


def fit_rankings(rankings: Rankings, *, with_place: bool = True, n_pseudo: float = 0.0) -> RankingFit:
    """The fit to rankings of methods that are joined in both directions (see `linked`). n_pseudo as in `fit` of votes.

    with_place  fit the effect of the place on the screen where places are known and differ from methods
    Raises NotConverged where there is no finite maximum, and BadRankings for ties of too many among too many.
    """
    sizes = _tie_sizes(rankings)
    k = len(rankings.methods)

    def summed(choices: list[_Choices], theta: FloatArray, has_place: bool) -> tuple[float, FloatArray, FloatArray]:
        value, gradient, information = 0.0, np.zeros(len(theta)), np.zeros((len(theta), len(theta)))
        for each in choices:
            value += _add(each, theta, k, has_place, gradient, information)
        return value, gradient, information

    choices, has_place = [], False
    if with_place and rankings.shown is not None:
        choices = list(_counted(_choices(rankings, sizes, has_place=True)))
        _value, _gradient, start = summed(choices, np.zeros(k + 1 + len(sizes)), True)
        has_place = _is_apart(start, k)
    if not has_place:
        choices = list(_counted(_choices(rankings, sizes, has_place=False)))

    def likelihood(theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        return with_ghost(theta, k, n_pseudo, *summed(choices, theta, has_place))

    theta, value, information = maximise(likelihood, np.zeros(k + has_place + len(sizes)), k)
    place = float(theta[k]) if has_place else 0.0
    worth = theta[:k] - theta[:k].mean()
    return RankingFit(worth, place, has_place, sizes, theta[k + has_place :], information, value)


def _is_apart(information: FloatArray, k: int) -> bool:
    """Whether the place can be distinguished from the methods: no sum of their effects does the same."""
    own = information[k, k]
    if own <= 0:
        return False
    across = information[k, :k]
    return bool(own - across @ np.linalg.pinv(information[:k, :k], hermitian=True) @ across > 1e-8 * own)


class RankingSample:
    """Rankings and their fit, in the form that `spread` takes."""

    def __init__(self, rankings: Rankings, fitted: RankingFit) -> None:
        self._rankings, self.n_methods = rankings, len(rankings.methods)
        self.information, self._sizes, self._has_place = fitted.information, fitted.tie_sizes, fitted.has_place
        self.parameters = np.concatenate([fitted.log_worth, [fitted.place] * fitted.has_place, fitted.log_tie])

    @property
    def n(self) -> int:
        return self._rankings.n

    def is_joined(self, mask: NDArray[np.bool_]) -> bool:
        return len(comparable_groups(self._rankings.only(mask).votes())[0]) == self.n_methods

    def scores(self) -> sparse.csr_array:
        """(n, p): each ranking's part of the gradient at the maximum."""
        rows, columns, values = [], [], []
        k, first_tie = self.n_methods, self.n_methods + self._has_place
        for each in _choices(self._rankings, self._sizes, has_place=self._has_place):
            chance = _chance(each, self.parameters, k, self._has_place)
            of_left = each.sign * (each.sets[each.outcome] - chance @ each.sets)
            rows += [np.repeat(each.row, each.left.shape[1])]
            columns += [each.left.ravel()]
            values += [of_left.ravel()]
            if self._has_place:
                forward = _forward(each)
                own = forward[np.arange(len(each.row)), each.outcome] - (chance * forward).sum(axis=1)
                rows += [each.row]
                columns += [np.full(len(each.row), k)]
                values += [own]
            if self._sizes:
                of_ties = each.ties[each.outcome] - chance @ each.ties
                rows += [np.repeat(each.row, len(self._sizes))]
                columns += [np.tile(first_tie + np.arange(len(self._sizes)), len(each.row))]
                values += [of_ties.ravel()]
        shape = (self._rankings.n, len(self.parameters))
        if not rows:
            return sparse.csr_array(shape)
        at = (np.concatenate(rows), np.concatenate(columns))
        return sparse.csr_array(sparse.coo_array((np.concatenate(values), at), shape=shape))

    def information_of(self, mask: NDArray[np.bool_]) -> FloatArray:
        p = len(self.parameters)
        gradient, information = np.zeros(p), np.zeros((p, p))
        for each in _counted(_choices(self._rankings.only(mask), self._sizes, has_place=self._has_place)):
            _add(each, self.parameters, self.n_methods, self._has_place, gradient, information)
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


def _choices(rankings: Rankings, sizes: tuple[int, ...], *, has_place: bool) -> Iterator[_Choices]:
    place_of = _forward_of(rankings) if has_place else None
    if rankings.is_best_worst:
        yield from _best_worst(rankings, place_of)
        return
    for rows, left, size in _stages(rankings):
        sets, ties, place = _sets(left.shape[1], sizes)
        outcome = np.array([place[int(t)] for t in size], np.int64)
        yield _Choices(rows, left, _looked_up(place_of, rows, left), outcome, 1.0, sets, ties, np.ones(len(rows)))


def _forward_of(rankings: Rankings) -> Codes:
    """(n, n_methods): how far forward each method of a ranking is, 0 for the last place on its screen."""
    assert rankings.shown is not None  # noqa: S101  (narrowing; asked for only where places are known)
    found = np.zeros((rankings.n, len(rankings.methods)), np.int64)
    rows, columns = np.nonzero(rankings.item >= 0)
    found[rows, rankings.item[rows, columns]] = rankings.shown.max(axis=1)[rows] - rankings.shown[rows, columns]
    return found


def _looked_up(forward_of: Codes | None, rows: Codes, left: Codes) -> Codes:
    return np.zeros_like(left) if forward_of is None else forward_of[rows[:, None], left]


def _best_worst(rankings: Rankings, place_of: Codes | None) -> Iterator[_Choices]:
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
            outcome, forward = np.full(len(rows), place[1]), _looked_up(place_of, rows, left)
            yield _Choices(rows, left, forward, outcome, sign, sets, ties, np.ones(len(rows)))


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
    """Equal choices once, with their number; it does not matter whose they were."""
    for each in choices:
        a = each.left.shape[1]
        keys = np.column_stack([each.left, each.forward, each.outcome])
        found, inverse = np.unique(keys, axis=0, return_inverse=True)
        count = np.bincount(inverse.ravel(), weights=each.count, minlength=len(found)).astype(float)
        rows = np.zeros(len(found), np.int64)
        yield _Choices(rows, found[:, :a], found[:, a:-1], found[:, -1], each.sign, each.sets, each.ties, count)


def _forward(each: _Choices) -> FloatArray:
    """(m, n_sets) how far forward every set is."""
    return np.asarray(each.sign * each.forward @ each.sets.T)


def _chance(each: _Choices, theta: FloatArray, k: int, has_place: bool) -> FloatArray:
    """(m, n_sets) the chance of every set in every choice."""
    utility = each.sign * theta[each.left] @ each.sets.T + each.ties @ theta[k + has_place :]
    if has_place:
        utility = utility + theta[k] * _forward(each)
    raised = np.exp(utility - utility.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _add(
    each: _Choices, theta: FloatArray, k: int, has_place: bool, gradient: FloatArray, information: FloatArray
) -> float:
    """The log-likelihood of the choices; their part of the gradient and the information is added in place."""
    chance = _chance(each, theta, k, has_place)
    rows = np.arange(len(each.left))
    features = np.concatenate([each.sign * each.sets, each.ties], axis=1)
    mean = chance @ features
    off = each.count[:, None] * (features[each.outcome] - mean)
    first_tie, n_sizes = k + has_place, each.ties.shape[1]
    at = np.concatenate([each.left, np.broadcast_to(first_tie + np.arange(n_sizes), (len(rows), n_sizes))], axis=1)
    np.add.at(gradient, at, off)
    second = np.einsum("ms,sa,sb->mab", chance, features, features, optimize=True)
    curve = each.count[:, None, None] * (second - mean[:, :, None] * mean[:, None, :])
    np.add.at(information, (at[:, :, None], at[:, None, :]), curve)
    if has_place:
        forward = _forward(each)
        usual = (chance * forward).sum(axis=1)
        gradient[k] += each.count @ (forward[rows, each.outcome] - usual)
        information[k, k] += each.count @ ((chance * forward**2).sum(axis=1) - usual**2)
        across = each.count[:, None] * ((chance * forward) @ features - usual[:, None] * mean)
        np.add.at(information[k], at, across)
        np.add.at(information[:, k], at, across)
    with np.errstate(divide="ignore"):  # too long a step, which is shortened
        return float(each.count @ np.log(chance[rows, each.outcome]))
