"""What every statistic returns: a value, the intervals around it, and what is known about both."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isnan, nan
from types import MappingProxyType

import numpy as np

STATS_VERSION = "3"
"""Raised whenever a figure could change for the same input."""

_NO_COUNTS: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval, named for what was sampled.

    `covers` says which population the interval speaks about ("units", "raters", "units and raters", "prompts",
    "images"…): an interval over units holds for these very raters, one over raters for these very units.
    An interval that cannot be had has NaN ends and a `reason`.
    """

    low: float
    high: float
    covers: str
    method: str
    level: float = 0.95
    n_undefined: int = 0
    """Resamples in which the statistic was undefined; they are left out of the percentiles."""
    reason: str = ""

    @classmethod
    def undefined(cls, covers: str, method: str, reason: str, level: float = 0.95) -> "Interval":
        return cls(nan, nan, covers, method, level, 0, reason)

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


def seed_of(rng: np.random.Generator) -> int | None:
    """The integer that `numpy.random.default_rng(seed)` was given, for the record; None where there was none."""
    sequence = getattr(rng.bit_generator, "seed_seq", None)
    entropy = getattr(sequence, "entropy", None)
    return entropy if isinstance(entropy, int) else None
