"""Chosen and rejected images for training on preferences, from counts of what raters preferred."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

Evidence = Literal["votes", "rankings", "ratings"]


@dataclass
class Tally:
    """How raters compared two images, the first of which has the smaller primary key.

    n_first, n_second, n_ties   how many preferred each, and how many neither
    differences                 of ratings: the first's value minus the second's, summed
    """

    n_first: int = 0
    n_second: int = 0
    n_ties: int = 0
    differences: float = 0.0

    @property
    def n(self) -> int:
        return self.n_first + self.n_second + self.n_ties

    def add(self, sign: float) -> None:
        """Count one comparison: positive if the first is preferred, zero for a tie."""
        if sign > 0:
            self.n_first += 1
        elif sign < 0:
            self.n_second += 1
        else:
            self.n_ties += 1
        self.differences += sign


@dataclass
class Tallies:
    """Tallies of one question, by the two images' primary keys, smaller first."""

    evidence: Evidence
    by_pair: dict[tuple[int, int], Tally] = field(default_factory=dict)

    def add(self, one: int, other: int, sign: float) -> None:
        """One rater's comparison: positive if `one` is preferred. An image compared with itself is skipped."""
        if one != other:
            pair, sign = ((one, other), sign) if one < other else ((other, one), -sign)
            self.by_pair.setdefault(pair, Tally()).add(sign)

    def decided(self) -> Iterator[tuple[int, int, Tally]]:
        """(chosen, rejected, tally with the chosen image first), without tied pairs."""
        for (one, other), tally in self.by_pair.items():
            if tally.n_first > tally.n_second:
                yield one, other, tally
            elif tally.n_second > tally.n_first:
                yield other, one, Tally(tally.n_second, tally.n_first, tally.n_ties, -tally.differences)


def confidence(tally: Tally) -> float:
    """The chance that the next rater prefers the first image, a tie counting half; between 0 and 1.

    It is (n_first + n_ties / 2 + 1) / (n + 2), the posterior mean under a uniform prior (Laplace's rule of succession),
    so that one vote out of one is 0.67 and not certainty.
    """
    return (tally.n_first + tally.n_ties / 2 + 1) / (tally.n + 2)


def compare_ranked(tallies: Tallies, ranked: Iterable[tuple[int, float]]) -> None:
    """Every two images of one rater's card: `ranked` are (image, rank); a smaller rank is better."""
    known = list(ranked)
    for at, (one, rank) in enumerate(known):
        for other, other_rank in known[at + 1 :]:
            tallies.add(one, other, other_rank - rank)
