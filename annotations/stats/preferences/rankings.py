"""Rankings of several methods at once, in the form that the statistics take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from math import nan
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotations.stats.arrays import FloatArray
from annotations.stats.distributions import chi2_above
from annotations.stats.preferences.votes import LOSES, TIE, WINS, Codes, Facet, Votes

NOBODY = -1
"""The method of a place that a shorter ranking leaves empty."""


class BadRankings(ValueError):
    """Invalid rankings; the message names the first offender and how to fix it."""


@dataclass(frozen=True)
class Rankings:
    """Rankings in wide form: ranking i is of the methods item[i], and rank[i] says in which order.

    methods        names; at least two
    item           (n, k) int, indices into `methods`, each at most once in a ranking; −1 where it has fewer than k
    rank           (n, k) int ≥ 1: 1 is best, equal ranks are ties; only their order counts, so that 1, 1, 3 and
                   1, 1, 2 are the same. Anything where item is −1
    rater, prompt  (n,) int codes ≥ 0, or None where unknown
    shown          (n, k) int ≥ 0: the place on the screen, 0 first, or None where unknown; a ranking with unknown
                   places has the same place for all
    facets         ways to put the rankings into categories, by name
    names          of "raters" and "prompts", by code, as far as they are known
    is_best_worst  raters chose only the best and the worst: those of rank 2 were not compared with each other
    Raises BadRankings for arrays that do not fit, codes out of bounds, a method twice and a ranking of fewer than two.
    """

    methods: Sequence[str]
    item: Codes
    rank: Codes
    rater: Codes | None = None
    prompt: Codes | None = None
    shown: Codes | None = None
    is_best_worst: bool = False
    facets: Mapping[str, Facet] = field(default_factory=dict)
    names: Mapping[str, Mapping[int, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        item, rank = _whole(self.item, "item", 2), _whole(self.rank, "rank", 2)
        object.__setattr__(self, "item", item)
        object.__setattr__(self, "rank", rank)
        if rank.shape != item.shape:
            raise BadRankings(f"rank has the shape {rank.shape}, item {item.shape}; give them the same")
        for name in ("rater", "prompt", "shown"):
            values = getattr(self, name)
            if values is None:
                continue
            codes = _whole(values, name, 2 if name == "shown" else 1)
            if len(codes) != len(item) or (name == "shown" and codes.shape != item.shape):
                raise BadRankings(f"{name} has {len(codes)} entries for {len(item)} rankings; give one per ranking")
            if (codes < 0).any() and name != "shown":
                raise BadRankings(f"ranking {int(np.argmax(codes < 0))}: {name} is negative; give a code from 0")
            object.__setattr__(self, name, codes)
        for name, facet in self.facets.items():
            if len(facet.code) != len(item):
                raise BadRankings(f"the facet {name!r} has {len(facet.code)} entries for {len(item)} rankings")
        self._check()

    def _check(self) -> None:
        is_there = self.item >= 0
        outside = (self.item >= len(self.methods)) | (self.item < NOBODY)
        self._refuse(outside.any(axis=1), f"a method is outside 0 … {len(self.methods) - 1}")
        self._refuse((is_there & (self.rank < 1)).any(axis=1), "a rank is below 1; count from 1, the best")
        ordered = np.sort(np.where(is_there, self.item, -1 - np.arange(self.item.shape[1])), axis=1)
        self._refuse((np.diff(ordered, axis=1) == 0).any(axis=1), "a method is in it twice; keep one place")
        self._refuse(is_there.sum(axis=1) < 2, "fewer than two methods are ranked; leave the ranking out")
        if self.is_best_worst:
            first, last = (is_there & (self.rank == end) for end in (1, 3))
            odd = (first.sum(axis=1) != 1) | (last.sum(axis=1) != 1) | (is_there & (self.rank > 3)).any(axis=1)
            self._refuse(odd, "it needs one best (rank 1), one worst (rank 3), and rank 2 for the others")

    def _refuse(self, wrong: NDArray[np.bool_] | np.bool_, why: str) -> None:
        if wrong.any():
            raise BadRankings(f"ranking {int(np.argmax(wrong))}: {why}")

    @property
    def n(self) -> int:
        """How many rankings there are."""
        return len(self.item)

    @property
    def size(self) -> Codes:
        """(n,) how many methods each ranking is of."""
        return np.asarray((self.item >= 0).sum(axis=1), np.int64)

    def only(self, mask: NDArray[np.bool_]) -> "Rankings":
        """The rankings where the mask (n,) is true, with all methods."""
        return replace(self, item=self.item[mask], **self._rows(mask))

    def among(self, group: Sequence[int]) -> "Rankings":
        """The rankings with only the methods of the group, in its order, where at least two of them remain.

        If raters chose only best and worst and one of these is not in the group, nothing is known about the rest, and
        the ranking drops out.
        """
        place = np.full(len(self.methods) + 1, NOBODY, np.int64)  # the last answers for −1
        place[list(group)] = np.arange(len(group))
        item = place[self.item]
        kept = (item >= 0).sum(axis=1) >= 2
        if self.is_best_worst:
            for end in (1, 3):
                kept &= ((item >= 0) & (self.rank == end)).any(axis=1)
        names = [self.methods[method] for method in group]
        return replace(replace(self, item=item[kept], methods=names, **self._rows(kept)))

    def _rows(self, mask: NDArray[np.bool_]) -> dict[str, Any]:
        return {"facets": {name: facet.only(mask) for name, facet in self.facets.items()}} | {
            name: values[mask]
            for name in ("rank", "rater", "prompt", "shown")
            if (values := getattr(self, name)) is not None
        }

    def votes(self) -> Votes:
        """What the rankings say of pairs: one vote for each two methods of a ranking that it compares."""
        parts: list[tuple[Codes, ...]] = []
        for one, other in combinations(range(self.item.shape[1]), 2):
            met = (self.item[:, one] >= 0) & (self.item[:, other] >= 0)
            if self.is_best_worst:
                met &= (self.rank[:, one] != 2) | (self.rank[:, other] != 2)
            rows = np.flatnonzero(met)
            ahead = np.sign(self.rank[rows, other] - self.rank[rows, one])
            outcome = np.choose(ahead + 1, [LOSES, TIE, WINS])
            side = np.zeros(len(rows), np.int64)
            if self.shown is not None:
                side = np.sign(self.shown[rows, other] - self.shown[rows, one])
            parts.append((rows, self.item[rows, one], self.item[rows, other], outcome, side))
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)] or [np.zeros(0, np.int64)] * 5
        rows, first, second, outcome, side = (np.asarray(column, np.int64) for column in columns)
        rater, prompt = (None if codes is None else codes[rows] for codes in (self.rater, self.prompt))
        return Votes(self.methods, first, second, outcome, rater, prompt, side)

    def mid_ranks(self) -> FloatArray:
        """(n, k) ranks from 1 with ties at the mean of their places; NaN where a ranking has no method."""
        is_there = self.item >= 0
        above = (self.rank[:, :, None] > self.rank[:, None, :]) & is_there[:, None, :]
        level = (self.rank[:, :, None] == self.rank[:, None, :]) & is_there[:, None, :]
        return np.where(is_there, above.sum(axis=2) + (level.sum(axis=2) + 1) / 2, nan)

    def firsts(self) -> tuple[Codes, Codes]:
        """(n_methods,) how often each method is first, alone or tied; and how often it is ranked."""
        n, is_there = len(self.methods), self.item >= 0
        best = np.where(is_there, self.rank, np.iinfo(np.int64).max).min(axis=1, keepdims=True)
        won = is_there & (self.rank == best)
        return np.bincount(self.item[won], minlength=n), np.bincount(self.item[is_there], minlength=n)


@dataclass(frozen=True)
class Friedman:
    """Friedman's test of no difference between methods, over prompts. NaN with a reason where it is undefined."""

    chi2: float
    df: int
    p: float
    n_prompts: int
    reason: str = ""


def friedman(rankings: Rankings) -> Friedman:
    """Friedman's χ² over prompts: within a prompt the methods' rank sums over raters are ranked, ties at mid-ranks.

    It uses the rankings of all methods; a prompt counts once however many raters ranked it, so that raters of one
    prompt are not taken as independent (Friedman 1937, J. Am. Stat. Assoc. 32:675; with the correction for ties).
    """
    k = len(rankings.methods)
    if rankings.prompt is None:
        return Friedman(nan, k - 1, nan, 0, "the rankings do not say which prompt they are about")
    if rankings.is_best_worst:
        return Friedman(nan, k - 1, nan, 0, "best and worst alone give no ranks of the others")
    complete = rankings.only(rankings.size == k)
    if not complete.n:
        return Friedman(nan, k - 1, nan, 0, "no ranking is of all methods")
    assert complete.prompt is not None  # noqa: S101  (narrowing; `only` keeps it)
    prompts, index = np.unique(complete.prompt, return_inverse=True)
    is_there = complete.item >= 0
    cell = (index[:, None] * k + complete.item)[is_there]
    sums = np.bincount(cell, weights=complete.mid_ranks()[is_there], minlength=len(prompts) * k).reshape(-1, k)
    sums = np.round(sums, 9)
    above, level = (sums[:, :, None] > sums[:, None, :]).sum(2), (sums[:, :, None] == sums[:, None, :]).sum(2)
    ranks = above + (level + 1) / 2
    n = len(prompts)
    spread = float(np.square(ranks).sum()) - n * k * (k + 1) ** 2 / 4
    if spread <= 0:
        return Friedman(nan, k - 1, nan, n, "all methods tie on every prompt")
    chi2 = (k - 1) * float(np.square(ranks.sum(axis=0) - n * (k + 1) / 2).sum()) / spread
    return Friedman(chi2, k - 1, float(chi2_above(chi2, k - 1)), n)


def _whole(values: ArrayLike, name: str, dimensions: int) -> Codes:
    found = np.asarray(values)
    if found.ndim != dimensions or (found.size and found.dtype.kind not in "iub"):
        shape = "one number per ranking" if dimensions == 1 else "a row per ranking and a column per place"
        raise BadRankings(f"{name} must hold whole numbers, {shape}")
    return found.astype(np.int64)
