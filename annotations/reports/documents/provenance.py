"""What a document was made from and how: enough to reproduce its figures."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Made:
    """at: ISO 8601. inputs_hash: SHA-256 of everything that can change a figure."""

    at: str
    code_version: str
    stats_version: str
    inputs_hash: str


@dataclass(frozen=True, kw_only=True)
class MadeOfRatings(Made):
    """comparisons: (baseline, refined) as asked for."""

    seed: int
    n_resamples: int
    n_permutations: int
    comparisons: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class MadeOfVotes(Made):
    """prior: wins and losses of every method against a mean one; 0 for maximum likelihood."""

    prior: float


@dataclass(frozen=True, kw_only=True)
class MadeOfVerdicts(Made):
    """partly: how a partly right claim counts."""

    seed: int
    n_resamples: int
    n_permutations: int
    partly: Literal["right", "half", "wrong"]


@dataclass(frozen=True)
class Source:
    """The scores of one metric, or the critiques of one critic, that came in one way.

    what         "score" or "critique"
    name         the metric or critic, with its version
    added_by     user name; "" if unknown or if there is none
    is_outsider  whether that person is neither the study's owner nor one of its researchers
    way          "import", "command" (an import on the server), "run" (of the generator), or "" where it is not known
    number       of the import or the run
    at           ISO 8601, when the latest of the n rows came
    """

    what: Literal["score", "critique"]
    name: str
    n: int
    added_by: str
    is_outsider: bool
    way: Literal["import", "command", "run", ""]
    number: int | None
    file: str
    at: str
