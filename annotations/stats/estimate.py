"""What every statistic returns: a value, its intervals, and how both were computed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf, isnan, nan
from types import MappingProxyType

import numpy as np

STATS_VERSION = "12"
"""Raised whenever a figure could change for the same input."""

_NO_COUNTS: Mapping[str, int] = MappingProxyType({})
_ROUNDING = 1e-12


ROUNDING = 1e-12
"""Relative rounding error that is allowed in a value."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval, named for what was sampled.

    `covers` says which population the interval speaks about ("units", "raters", "units and raters", "prompts",
    "images"…): an interval over units holds for these very raters, one over raters for these very units.
    An undefined interval has NaN ends and a `reason`.
    """

    low: float
    high: float
    covers: str
    method: str
    level: float = 0.95
    n_undefined: int = 0
    """Resamples in which the statistic was undefined; they are left out of the percentiles."""
    reason: str = ""
    cut_low: bool = False
    cut_high: bool = False
    """Whether the computed interval reached beyond this end, which is the limit of the quantity's range."""

    @classmethod
    def undefined(cls, covers: str, method: str, reason: str, level: float = 0.95) -> "Interval":
        return cls(nan, nan, covers, method, level, 0, reason)

    @classmethod
    def around(
        cls,
        value: float,
        low: float,
        high: float,
        covers: str,
        method: str,
        level: float = 0.95,
        *,
        within: tuple[float, float] = (-inf, inf),
        n_undefined: int = 0,
        unmoved: str = "no variation in the sample, which does not show that there is none beyond it",
    ) -> "Interval":
        """low … high as an interval that can be shown: cut at the attainable range, and containing `value`.

        Undefined where low and high are equal up to rounding, with the reason `unmoved`; where either is NaN; where the
        value itself is not within the range; and where nothing is left of the interval within it.
        """
        near = _ROUNDING * max(1.0, abs(value))
        if isnan(low + high + value):
            return cls.undefined(covers, method, "the interval has no ends", level)
        if high - low <= near:
            return cls.undefined(covers, method, unmoved, level)
        if not within[0] - near <= value <= within[1] + near:
            end = within[0] if value < within[0] else within[1]
            return cls.undefined(covers, method, f"the value is beyond {end:.3g}, the end of its range", level)
        found = cls(min(low, value), max(high, value), covers, method, level, n_undefined).within(*within)
        if found.high - found.low <= near:
            return cls.undefined(covers, method, "the value is at the end of its range", level)
        return found

    def within(self, lowest: float, highest: float) -> "Interval":
        """The part of it between the lowest and the highest attainable value."""
        if not self.is_defined or (lowest <= self.low and self.high <= highest):
            return self
        low, high = (float(min(max(end, lowest), highest)) for end in (self.low, self.high))
        cut_low, cut_high = self.cut_low or bool(self.low < lowest), self.cut_high or bool(self.high > highest)
        return replace(self, low=low, high=high, cut_low=cut_low, cut_high=cut_high)

    @property
    def is_defined(self) -> bool:
        return not (isnan(self.low) or isnan(self.high))


@dataclass(frozen=True, slots=True)
class Estimate:
    """One statistic's result. Undefined is NaN with a `reason`, never 0 and never 1."""

    statistic: str
    """Lower-case snake case, the name used in every file and table: "krippendorff_alpha_ordinal"."""
    value: float
    method: str
    """The convention in words: variant, weights, treatment of ties and of missing cells."""
    n: Mapping[str, int] = field(default_factory=lambda: _NO_COUNTS)
    """Counts of each kind: "units", "pairable", "raters", "ratings", "prompts"…"""
    intervals: tuple[Interval, ...] = ()
    seed: int | None = None
    reason: str = ""
    version: str = STATS_VERSION
    notes: tuple[str, ...] = ()
    """What a reader must know to judge how far to trust the figure: for example, that it rests on few ratings."""
    without_rater: tuple[float, ...] = field(default=(), compare=False)
    """(n_raters,) the value with each rater left out, NaN where undefined; empty if not computed."""

    def __post_init__(self) -> None:
        """Moves a value that lies outside its interval only through rounding to the interval's end, which is exact."""
        for interval in self.intervals:
            for end, is_outside in (
                (interval.low, self.value < interval.low),
                (interval.high, self.value > interval.high),
            ):
                if is_outside and abs(self.value - end) <= ROUNDING * max(1.0, abs(end)):
                    object.__setattr__(self, "value", end)

    @classmethod
    def undefined(
        cls, statistic: str, method: str, reason: str, n: Mapping[str, int] = _NO_COUNTS, seed: int | None = None
    ) -> "Estimate":
        return cls(statistic, nan, method, n, (), seed, reason)

    @property
    def is_defined(self) -> bool:
        return not isnan(self.value)

    def interval(self, covers: str) -> Interval | None:
        """The interval that covers this population, or None where none was asked for."""
        return next((interval for interval in self.intervals if interval.covers == covers), None)


@dataclass(frozen=True, slots=True)
class NullTest:
    """A test that there is no agreement at all, as published tables give it; NaN with a reason when undefined."""

    statistic: str
    value: float
    freedom: tuple[float, ...]
    p_value: float
    method: str
    reason: str = ""

    @classmethod
    def undefined(cls, statistic: str, method: str, reason: str) -> "NullTest":
        return cls(statistic, nan, (), nan, method, reason)

    @property
    def is_defined(self) -> bool:
        return not isnan(self.value)


def seed_of(rng: np.random.Generator) -> int | None:
    """The integer that `numpy.random.default_rng(seed)` was given, for the record; None where there was none."""
    sequence = getattr(rng.bit_generator, "seed_seq", None)
    entropy = getattr(sequence, "entropy", None)
    return entropy if isinstance(entropy, int) else None


@dataclass(frozen=True, slots=True)
class Fewest:
    """How few of one kind (“ratings”, “votes”, “raters”, “prompts”) must be removed before the leader no longer leads.

    n           how many; 0 if no method leads; None if only removing all of them is sufficient, or if the search found
                no sufficient number
    of          the total number
    codes       (n,) which ones, as codes or places in the data
    is_exact    no smaller number is sufficient; if False, there may be one that the search has not found
    """

    kind: str
    n: int | None
    of: int
    codes: tuple[int, ...] = ()
    is_exact: bool = True
