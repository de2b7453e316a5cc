"""Concordant, discordant and tied pairs of two scores in O(n log n) time and O(n) memory, also for a tie width above 0.

The counts are those of Kendall (1945) and, with a width of ties in the metric, of Deutsch, Foster and Freitag (2023).
Pairs are never listed. Units are put in the order of the metric; for unit i the units whose metric score is clearly
lower are then a prefix of that order, and "how many of them have a lower human score, how many the same" are
rank queries, answered from counted bits: marks of each human level where there are few, one for each bit of the
human rank otherwise (the wavelet matrix of Claude, Navarro and Ordóñez 2015, Information Systems 47).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

SIGNIFICANT_DIGITS = 12
"""Rounded to so many significant digits, scores lose the noise of sums (0.1 + 0.2 and 0.3 tie) and nothing that
anybody wrote down."""

_TOLERANCE = 1e-12
"""With a tie width ε > 0 two scores tie where they differ by no more than ε + this · the largest absolute score."""

_FEW_LEVELS, _UNITS_A_LEVEL, _MOST_LEVELS = 24, 2000, 255
"""Up to 24 distinct human scores, and one more for every 2,000 units, marks for each are faster than a wavelet matrix:
measured at 5,000 to 333,333 units. A level is one byte."""


@dataclass(frozen=True, slots=True)
class PairCounts:
    """How many of the n(n − 1)/2 unordered pairs are of each kind.

    concordant, discordant: untied in both scores, ordered alike or oppositely
    tied_human, tied_metric: tied in that score *only*; tied_both: in both
    """

    concordant: int
    discordant: int
    tied_human: int
    tied_metric: int
    tied_both: int

    @property
    def pairs(self) -> int:
        return self.concordant + self.discordant + self.tied_human + self.tied_metric + self.tied_both

    @property
    def correct(self) -> int:
        """Pairs that the metric ranks, or ties, as people do."""
        return self.concordant + self.tied_both


@dataclass(frozen=True, slots=True)
class UnitPairs:
    """The same counts for each unit's n − 1 pairs, each (n,) int64; their sums are twice those of `PairCounts`."""

    concordant: NDArray[np.int64]
    discordant: NDArray[np.int64]
    tied_human: NDArray[np.int64]
    tied_metric: NDArray[np.int64]
    tied_both: NDArray[np.int64]

    def total(self) -> PairCounts:
        return PairCounts(
            *(
                int(kind.sum()) // 2
                for kind in (self.concordant, self.discordant, self.tied_human, self.tied_metric, self.tied_both)
            )
        )


def settle(scores: ArrayLike, digits: int = SIGNIFICANT_DIGITS) -> NDArray[np.float64]:
    """Scores of any shape rounded to so many significant digits; NaN stays NaN."""
    given = np.asarray(scores, dtype=float)
    size = np.abs(given)
    usual = (size > 1e-280) & (size < 1e280)
    power = np.ones_like(given)
    power[usual] = 10.0 ** (digits - 1 - np.floor(np.log10(size[usual])))
    settled = given.copy()
    settled[usual] = np.rint(given[usual] * power[usual]) / power[usual]
    return settled


def dense_ranks(scores: NDArray[np.generic]) -> NDArray[np.int64]:
    """Ranks 0, 1, 2… (n,) that order and tie as the scores do."""
    if scores.dtype.kind in "iu" and len(scores) and scores.min() >= 0 and scores.max() < 4 * len(scores):
        present = np.bincount(scores) > 0
        return (np.cumsum(present) - 1)[scores]
    return np.unique(scores, return_inverse=True)[1].astype(np.int64)


def tie_tolerance(metric: NDArray[np.float64], epsilon: float) -> float:
    """What is added to ε against rounding in differences: nothing where ε is 0, for then equality is exact."""
    return _TOLERANCE * float(np.abs(metric).max(initial=0.0)) if epsilon > 0 else 0.0


def count_pairs(human_key: ArrayLike, metric: ArrayLike, *, epsilon: float = 0.0) -> PairCounts:
    """Count the pairs of units of each kind.

    human_key (n,) any numbers that order and tie as the human scores do, such as `UnitMeans.rank_key`
    metric    (n,) finite scores, higher is better; two tie where they differ by at most `epsilon` (≥ 0)

    O(n log n) for any ε. Raises ValueError for a negative ε or arrays of different lengths.
    """
    scores, key = _checked(human_key, metric, epsilon)
    n = len(key)
    levels = np.bincount(key).astype(np.int64)
    order = _Order.of(key, scores, epsilon)
    n_lower = order.lower()
    concordant = tied_human = 0
    for _, [(lower, same)] in order.below(n_lower):
        concordant += int(lower.sum(dtype=np.int64))
        tied_human += int(same.sum(dtype=np.int64))
    apart = int(n_lower.sum(dtype=np.int64))
    tied_both = _pairs_within(levels) - tied_human
    return PairCounts(
        concordant,
        apart - concordant - tied_human,
        tied_human,
        n * (n - 1) // 2 - apart - tied_both,
        tied_both,
    )


def unit_pairs(human_key: ArrayLike, metric: ArrayLike, *, epsilon: float = 0.0) -> UnitPairs:
    """The counts of `count_pairs` for every unit, (n,) each, in the order of the arguments; O(n log n)."""
    scores, key = _checked(human_key, metric, epsilon)
    n = len(key)
    order = _Order.of(key, scores, epsilon)
    n_lower, n_upto = order.lower(), order.upper()
    units = np.empty(n, dtype=np.int64)
    apart, lower_below, same_below, lower_upto, same_upto = np.empty((5, n), dtype=np.int64)
    begin = 0
    for mine, [(lower, same), (lower_to, same_to)] in order.below(n_lower, n_upto):
        part = slice(begin, begin := begin + len(mine))
        units[part] = mine
        lower_below[part], same_below[part] = lower, same
        lower_upto[part], same_upto[part] = lower_to, same_to
    n_lower, n_upto, own = n_lower[units], n_upto[units], order.key[units]
    per_key = np.bincount(own).astype(np.int64)
    lower_all = (np.cumsum(per_key) - per_key)[own]
    same_all = per_key[own]
    np.subtract(n, n_upto, out=apart)
    higher_above = (apart - lower_all - same_all) + lower_upto + same_upto
    apart += n_lower
    concordant = lower_below + higher_above
    tied_human = same_below + (same_all - same_upto)
    tied_both = same_all - 1 - tied_human
    placed = np.empty((5, n), dtype=np.int64)
    target = order.units[units]
    found = (concordant, apart - concordant - tied_human, tied_human, n - 1 - apart - tied_both, tied_both)
    for row, values in zip(placed, found, strict=True):
        row[target] = values
    return UnitPairs(*placed)


def _checked(human_key: ArrayLike, metric: ArrayLike, epsilon: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    scores, human = np.asarray(metric, dtype=float), np.asarray(human_key)
    if scores.shape != human.shape or scores.ndim != 1:
        raise ValueError("human and metric scores must be two arrays of one length")
    if not epsilon >= 0:
        raise ValueError("epsilon, the width of ties, must be 0 or more")
    return scores, dense_ranks(human)


def _pairs_within(sizes: NDArray[np.int64]) -> int:
    return int((sizes * (sizes - 1) // 2).sum())


_Counts = tuple[NDArray[np.int32], NDArray[np.int32]]


@dataclass(frozen=True, slots=True)
class _Marks:
    """Which positions are marked, as bits: how many are, before any position, is one look-up and one count of bits.

    words (n // 64 + 1,) uint64, position p in word p // 64; before_word as many, the marks in all earlier words. The
    rank structure of Jacobson (1989), with the bits of a word counted by the processor.
    """

    words: NDArray[np.uint64]
    before_word: NDArray[np.int32]

    @classmethod
    def of(cls, marked: NDArray[np.bool_]) -> "_Marks":
        padded = np.zeros(len(marked) // 64 + 1, dtype="<u8")
        packed = np.packbits(marked, bitorder="little")
        padded.view(np.uint8)[: len(packed)] = packed
        words = padded.astype(np.uint64, copy=False)
        marks = np.cumsum(np.bitwise_count(words), dtype=np.int32)
        return cls(words, np.concatenate((np.zeros(1, np.int32), marks[:-1])))

    def before(self, position: NDArray[np.int32]) -> NDArray[np.int32]:
        """How many marks stand before each position 0…n."""
        word = position >> 6
        earlier = (np.uint64(1) << (position & 63).astype(np.uint64)) - np.uint64(1)
        return self.before_word[word] + np.bitwise_count(self.words[word] & earlier)


@dataclass(frozen=True, slots=True)
class _Order:
    """Units in ascending order of the metric, with the prefix that is clearly lower and the one that is not higher."""

    units: NDArray[np.int64]
    key: NDArray[np.int32]
    distinct: NDArray[np.float64]
    ends: NDArray[np.int32]
    width: float

    @classmethod
    def of(cls, key: NDArray[np.int64], scores: NDArray[np.float64], epsilon: float) -> "_Order":
        units = np.argsort(scores)
        ascending = scores[units]
        new = np.ones(len(units), dtype=bool)
        np.not_equal(ascending[1:], ascending[:-1], out=new[1:])
        first = np.flatnonzero(new)
        ends = np.append(first, len(units)).astype(np.int32)
        return cls(units, key.astype(np.int32)[units], ascending[first], ends, epsilon + tie_tolerance(scores, epsilon))

    def lower(self) -> NDArray[np.int32]:
        """(n,) how many units have a metric score that is lower by more than ε."""
        if self.width == 0:
            return np.repeat(self.ends[:-1], np.diff(self.ends))
        below = np.searchsorted(self.distinct, self.distinct - self.width, side="left")
        return np.repeat(self.ends[below], np.diff(self.ends))

    def upper(self) -> NDArray[np.int32]:
        """(n,) how many units have a metric score that is not higher by more than ε."""
        if self.width == 0:
            return np.repeat(self.ends[1:], np.diff(self.ends))
        upto = np.searchsorted(self.distinct, self.distinct + self.width, side="right")
        return np.repeat(self.ends[upto], np.diff(self.ends))

    def below(self, *prefixes: NDArray[np.int32]) -> Iterator[tuple[NDArray[np.int64], list[_Counts]]]:
        """Some units, and for each prefix length: how many of so many first units have a lower human rank than
        theirs, and how many the same.

        Few human levels (means of a short scale): marks for each level. Many: a wavelet matrix.
        """
        n_levels = int(self.key.max(initial=-1)) + 1
        if n_levels <= min(_FEW_LEVELS + len(self.key) // _UNITS_A_LEVEL, _MOST_LEVELS):
            yield from self._below_by_level(n_levels, prefixes)
        else:
            yield np.arange(len(self.key)), [self._below_by_bit(n_levels, prefix) for prefix in prefixes]

    def _below_by_level(
        self, n_levels: int, prefixes: tuple[NDArray[np.int32], ...]
    ) -> Iterator[tuple[NDArray[np.int64], list[_Counts]]]:
        key = self.key.astype(np.uint8)
        by_level = np.argsort(key, kind="stable")
        ends = np.cumsum(np.bincount(key, minlength=n_levels)).tolist()
        for level, (start, end) in enumerate(pairwise([0, *ends])):
            mine = by_level[start:end]
            lower, same = _Marks.of(key < level), _Marks.of(key == level)
            queries = [prefix[mine] for prefix in prefixes]
            yield mine, [(lower.before(query), same.before(query)) for query in queries]

    def _below_by_bit(self, n_levels: int, prefix: NDArray[np.int32]) -> _Counts:
        n = len(self.key)
        sequence, position = self.key, prefix
        level = np.arange(n_levels, dtype=np.int32)
        start, already = np.zeros((2, n_levels), dtype=np.int32)
        lower = np.zeros(n, dtype=np.int32)
        zeros = np.zeros(n + 1, dtype=np.int32)
        for bit in range((n_levels - 1).bit_length() - 1, -1, -1):
            zero = (sequence >> bit) & 1 == 0
            np.cumsum(zero, out=zeros[1:], dtype=np.int32)
            n_zeros = zeros[-1]
            left = zeros[position]
            mine = ((self.key >> bit) & 1).astype(bool)
            np.add(lower, left, out=lower, where=mine)
            position = np.where(mine, n_zeros + position - left, left)
            left = zeros[start]
            theirs = ((level >> bit) & 1).astype(bool)
            np.add(already, left, out=already, where=theirs)
            start = np.where(theirs, n_zeros + start - left, left)
            sequence = np.concatenate((sequence[zero], sequence[~zero]))
        return lower - already[self.key], position - start[self.key]
