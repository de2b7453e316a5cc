"""Answers that are not a single level: how often each possible answer was given."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class CountedRow:
    """One possible answer, given `n` of `of` times: `share`, with its 95% interval over `covers`.

    method   "" for all methods together
    key      names it in files; label: in words
    note     why there is no interval
    """

    method: str
    key: str
    label: str
    n: float
    of: float
    share: float | None
    low: float | None
    high: float | None
    covers: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class CountedPart:
    """One question. kind: the kind of question, by its name in the study's design."""

    name: str
    question: str
    kind: str
    n_answers: int
    n_raters: int
    n_unable: int
    rows: tuple[CountedRow, ...]
