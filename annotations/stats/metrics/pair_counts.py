"""Concordant, discordant and tied pairs of two scores in O(n log n) time and O(n) memory, also for a tie width above 0.

The counts are those of Kendall (1945) and, with a width of ties in the metric, of Deutsch, Foster and Freitag (2023).
Pairs are never listed. Units are put in the order of the metric; for unit i the units whose metric score is clearly
lower are then a prefix of that order, and "how many of them have a lower human score, how many the same" are
rank queries, answered from counted bits: marks of each human level where there are few, one for each bit of the
human rank otherwise (the wavelet matrix of Claude, Navarro and Ordóñez 2015, Information Systems 47).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

SIGNIFICANT_DIGITS = 12
"""Rounded to this many significant digits, scores lose the rounding noise of sums (0.1 + 0.2 and 0.3 tie) but no digit
that anybody wrote down."""

_TOLERANCE = 1e-12
"""With a tie width ε > 0 two scores tie where they differ by no more than ε + this · the largest absolute score."""

MOST_LEVELS, _MOST_MARKS = 255, 100_000_000
"""Up to this many distinct human scores, and marks (37 MB), marks for each are faster than a wavelet matrix."""
_CELLS = 4_000_000


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
    """Scores of any shape rounded to this many significant digits; NaN stays NaN."""
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
    """What is added to ε against rounding in differences: zero if ε is 0, since equality is then exact."""
    return _TOLERANCE * float(np.abs(metric).max(initial=0.0)) if epsilon > 0 else 0.0


def count_pairs(
    human_key: ArrayLike, metric: ArrayLike, *, epsilon: float = 0.0, most_levels: int = MOST_LEVELS
) -> PairCounts:
    """Count the pairs of units of each kind.

    human_key (n,) any numbers that order and tie as the human scores do, such as `UnitMeans.rank_key`
    metric    (n,) finite scores, higher is better; two tie where they differ by at most `epsilon` (≥ 0)
    Up to `most_levels` distinct human scores are counted by marks, more by a wavelet matrix: the counts are the same.

    O(n log n) for any ε. Raises ValueError for a negative ε or arrays of different lengths.
    """
    scores, key = _checked(human_key, metric, epsilon)
    n = len(key)
    levels = np.bincount(key).astype(np.int64)
    order = _Order.of(key, scores, epsilon)
    n_lower = order.lower()
    lower, same = order.below(n_lower, most_levels)
    concordant, tied_human = int(lower.sum(dtype=np.int64)), int(same.sum(dtype=np.int64))
    apart = int(n_lower.sum(dtype=np.int64))
    tied_both = _pairs_within(levels) - tied_human
    return PairCounts(
        concordant,
        apart - concordant - tied_human,
        tied_human,
        n * (n - 1) // 2 - apart - tied_both,
        tied_both,
    )


def unit_pairs(
    human_key: ArrayLike, metric: ArrayLike, *, epsilon: float = 0.0, most_levels: int = MOST_LEVELS
) -> UnitPairs:
    """The counts of `count_pairs` for every unit, (n,) each, in the order of the arguments; O(n log n)."""
    scores, key = _checked(human_key, metric, epsilon)
    n = len(key)
    order = _Order.of(key, scores, epsilon)
    n_lower, n_upto = order.lower(), order.upper()
    lower_below, same_below = order.below(n_lower, most_levels)
    lower_upto, same_upto = order.below(n_upto, most_levels)
    per_key = np.bincount(key).astype(np.int32)
    lower_all = (np.cumsum(per_key, dtype=np.int32) - per_key)[order.key]
    same_above = per_key[order.key] - same_upto
    above = np.int32(n) - n_upto
    # Back to the order of the arguments, in 32 bits and no more than needed: places at random are what takes long.
    concordant = order.returned(lower_below + (above - (lower_all - lower_upto) - same_above))
    tied_human = order.returned(same_below + same_above)
    apart = order.returned(n_lower + above)
    tied_both = per_key[key] - 1 - tied_human
    return UnitPairs(concordant, apart - concordant - tied_human, tied_human, n - 1 - apart - tied_both, tied_both)


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


@dataclass(frozen=True)
class _Marks:
    """The positions of each level, as bits: how often it is before a position is one look-up and one count of bits.

    same, lower (n_levels, n // 64 + 1) uint64: bit p % 64 of word p // 64 says whether the unit at p has this level, or
    a lower one; the counts before each word next to them. This is the rank structure of Jacobson (1989), with the bits
    of a word counted by the processor.
    """

    same: NDArray[np.uint64]
    lower: NDArray[np.uint64]

    @classmethod
    def of(cls, key: NDArray[np.int32], n_levels: int) -> "_Marks":
        packed = np.zeros((n_levels, 8 * (len(key) // 64 + 1)), dtype=np.uint8)
        small = key.astype(np.uint8)
        step = max(1, _CELLS // max(1, len(key)))
        for first in range(0, n_levels, step):
            some = np.arange(first, min(first + step, n_levels), dtype=np.uint8)
            bits = np.packbits(small == some[:, np.newaxis], axis=1, bitorder="little")
            packed[first : first + step, : bits.shape[1]] = bits
        same = packed.view("<u8").astype(np.uint64, copy=False)
        lower = np.zeros_like(same)
        np.bitwise_or.accumulate(same[:-1], axis=0, out=lower[1:])
        return cls(same, lower)

    @cached_property
    def _earlier(self) -> _Counts:
        """The marks in all words before each, of `lower` and of `same`."""
        lower, same = (np.bitwise_count(words).astype(np.int32) for words in (self.lower, self.same))
        return np.cumsum(lower, axis=1, dtype=np.int32) - lower, np.cumsum(same, axis=1, dtype=np.int32) - same

    def before(self, level: NDArray[np.int32], position: NDArray[np.int32]) -> _Counts:
        """How many units before each position 0…n have a lower level than this, and how many the same."""
        place = level * np.int64(self.same.shape[1]) + (position >> 6)
        bits = (np.uint64(1) << (position & 63).astype(np.uint64)) - np.uint64(1)
        lower, same = (
            earlier.ravel()[place] + np.bitwise_count(words.ravel()[place] & bits)
            for earlier, words in zip(self._earlier, (self.lower, self.same), strict=True)
        )
        return lower, same


@dataclass(frozen=True)
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

    def returned(self, values: NDArray[np.int32]) -> NDArray[np.int64]:
        """Values (n,) of units in this order, in the order in which the units came."""
        placed = np.empty(len(values), dtype=np.int32)
        placed[self.units] = values
        return placed.astype(np.int64)

    def below(self, prefix: NDArray[np.int32], most_levels: int) -> _Counts:
        """For each unit, among this many first units (n,): how many have a lower human rank than it, how many the same.

        Few human levels (means of a short scale): marks for each level. Many: a wavelet matrix.
        """
        if self.n_levels <= most_levels and self.n_levels * len(self.key) <= _MOST_MARKS:
            return self._marks.before(self.key, prefix)
        return self._below_by_bit(self.n_levels, prefix)

    @cached_property
    def n_levels(self) -> int:
        return int(self.key.max(initial=-1)) + 1

    @cached_property
    def _marks(self) -> _Marks:
        return _Marks.of(self.key, self.n_levels)

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
