"""Votes between two methods, in the form that the statistics take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

WINS, LOSES, TIE = 0, 1, 2
Codes = NDArray[np.int64]
_COLUMNS = ("first", "second", "outcome", "side", "count")


class BadVotes(ValueError):
    """Invalid votes; the message names the first offender and how to fix it."""


@dataclass(frozen=True)
class Facet:
    """One way to put votes or rankings into categories: those of their prompts, for example.

    names  of the categories; code (n,) int, indices into them, −1 where a vote has none
    """

    names: Sequence[str]
    code: Codes

    @classmethod
    def coded(cls, names: Sequence[str], code: Codes) -> "Facet":
        """From names in any order and (n,) indices into them, −1 for none; sorted by name."""
        order = sorted(range(len(names)), key=names.__getitem__)
        place = np.full(len(names) + 1, -1, np.int64)  # the last answers for −1
        place[order] = np.arange(len(order))
        return cls([names[at] for at in order], place[code])

    def only(self, mask: NDArray[np.bool_]) -> "Facet":
        """The facet of the votes where the mask (n,) is true."""
        return Facet(self.names, self.code[mask])


@dataclass(frozen=True)
class Votes:
    """Votes in long form: in vote i, method first[i] met second[i], and outcome[i] says how the first fared.

    first, second  (n,) int, indices into `methods`, different in each vote
    outcome        (n,) int: 0 the first wins, 1 the second wins, 2 a tie of any kind
    rater, prompt  (n,) int codes ≥ 0, or None where unknown: whose vote it is, and about which prompt
    side           (n,) int: 1 where the first was on the left, −1 on the right, 0 where unknown
    tie_kind       (n,) int, indices into `tie_kinds` where a vote is a tie of a named kind, −1 elsewhere; or None
    count          (n,) int ≥ 1: how many equal votes the row represents; such votes belong to the same clusters
    facets         ways to put the votes into categories, by name
    names          of "raters" and "prompts", by code, as far as they are known
    Raises BadVotes for arrays of unequal length, codes out of bounds and a method that meets itself.
    """

    methods: Sequence[str]
    first: Codes
    second: Codes
    outcome: Codes
    rater: Codes | None = None
    prompt: Codes | None = None
    side: Codes = field(default_factory=lambda: np.zeros(0, np.int64))
    count: Codes = field(default_factory=lambda: np.zeros(0, np.int64))
    tie_kind: Codes | None = None
    tie_kinds: Sequence[str] = ()
    facets: Mapping[str, Facet] = field(default_factory=dict)
    names: Mapping[str, Mapping[int, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(np.asarray(self.first))
        if not len(np.asarray(self.side)):
            object.__setattr__(self, "side", np.zeros(n, np.int64))
        if not len(np.asarray(self.count)):
            object.__setattr__(self, "count", np.ones(n, np.int64))
        bounds = {
            "first": len(self.methods),
            "second": len(self.methods),
            "outcome": 3,
            "tie_kind": len(self.tie_kinds),
        }
        for name in (*_COLUMNS, "rater", "prompt", "tie_kind"):
            values = getattr(self, name)
            if values is None:
                continue
            codes = _whole(values, name)
            if len(codes) != n:
                raise BadVotes(f"{name} has {len(codes)} entries for {n} votes; give one per vote")
            lowest = {"side": -1, "count": 1, "tie_kind": -1}.get(name, 0)
            highest = bounds.get(name, 2 if name == "side" else np.iinfo(np.int64).max)
            wrong = (codes < lowest) | (codes >= highest)
            if wrong.any():
                at = int(np.argmax(wrong))
                raise BadVotes(f"vote {at}: {name} is {codes[at]}, outside {lowest} … {highest - 1}")
            object.__setattr__(self, name, codes)
        for name, facet in self.facets.items():
            if len(facet.code) != n:
                raise BadVotes(f"the facet {name!r} has {len(facet.code)} entries for {n} votes; give one per vote")
        if (same := self.first == self.second).any():
            at = int(np.argmax(same))
            raise BadVotes(f"vote {at}: the method {self.methods[self.first[at]]!r} meets itself; leave the vote out")

    @property
    def n(self) -> int:
        """How many votes there are, counts included."""
        return int(self.count.sum())

    def only(self, mask: NDArray[np.bool_]) -> "Votes":
        """The votes where the mask (n,) is true, with all methods."""
        return replace(
            self,
            facets={name: facet.only(mask) for name, facet in self.facets.items()},
            **{
                name: values[mask]
                for name in (*_COLUMNS, "rater", "prompt", "tie_kind")
                if (values := getattr(self, name)) is not None
            },
        )

    def between(self, one: int, other: int) -> "Votes":
        """The votes of one pair of methods, turned so that `one` is always the first."""
        of_pair = self.only(
            ((self.first == one) & (self.second == other)) | ((self.first == other) & (self.second == one))
        )
        turned = of_pair.first == other
        outcome = np.where(turned & (of_pair.outcome != TIE), 1 - of_pair.outcome, of_pair.outcome)
        return replace(
            of_pair,
            first=np.full(len(turned), one, np.int64),
            second=np.full(len(turned), other, np.int64),
            outcome=outcome,
            side=np.where(turned, -of_pair.side, of_pair.side),
        )


def _whole(values: ArrayLike, name: str) -> Codes:
    found = np.asarray(values)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iub"):
        raise BadVotes(f"{name} must be one-dimensional and hold whole numbers")
    return found.astype(np.int64)
