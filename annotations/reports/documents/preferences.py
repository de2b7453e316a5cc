"""The document of votes and rankings, and its part about one question, which a study's document holds as well."""

from dataclasses import dataclass, field
from typing import Final, Literal

from annotations.reports.documents.comparisons import ReportedInteraction
from annotations.reports.documents.estimates import ReportedEstimate
from annotations.reports.documents.provenance import MadeOfVotes
from annotations.reports.documents.supporting import ReportedExclusion, ReportedFewest

FORMAT: Final = 1
"""Raised when the document's format changes so that older documents can no longer be read."""


@dataclass(frozen=True, kw_only=True)
class ReportedStrength:
    """One of the methods.

    log_worth             strength: log odds of winning against a method of mean strength
    worth                 share of the sum of all worths, 0…1; elo on Elo's scale; both None where it is not ranked
    rank_low, rank_high   the ranks (1 is best) that the votes leave possible
    win_rate              share of its votes, ties as halves
    mean_rank, firsts, n_ranked   for rankings: mean rank, how often it is first, how often it is ranked
    note                  why it is not ranked
    """

    method: str
    log_worth: ReportedEstimate
    worth: float | None
    elo: float | None
    rank_low: int | None
    rank_high: int | None
    letters: str
    n: int
    wins: int
    losses: int
    ties: int
    win_rate: float | None
    note: str
    mean_rank: ReportedEstimate | None
    firsts: int | None
    n_ranked: int | None


@dataclass(frozen=True, kw_only=True)
class StrengthDifference:
    """Two ranked methods' difference of strength, from all votes together."""

    first: str
    second: str
    log_odds: ReportedEstimate
    p: float | None
    p_holm: float | None


@dataclass(frozen=True, kw_only=True)
class ReportedPair:
    """Two methods that met, the stronger one first.

    win_rate       share of decided votes for the first; with_halves: ties as halves
    lefts          share of decided votes for the left side; if_balanced: win_rate if sides had been balanced
    p              of no preference, over what the interval covers; p_prompts: the exact sign test over prompts
    expected       the model's chance that the first wins, ties halved; None where one is not ranked
    """

    first: str
    second: str
    n: int
    wins: int
    losses: int
    ties: int
    win_rate: ReportedEstimate
    with_halves: ReportedEstimate
    tie_share: ReportedEstimate
    lefts: ReportedEstimate
    if_balanced: ReportedEstimate
    p: float | None
    p_prompts: float | None
    expected: float | None


@dataclass(frozen=True, kw_only=True)
class PreferenceTest:
    """A test of all methods together; `statistic` is the value of what `test` names."""

    hypothesis: str
    test: str
    statistic: float | None
    df: int
    p: float | None
    n: int
    note: str


@dataclass(frozen=True, kw_only=True)
class PreferenceCategory:
    """The votes or rankings of one category of prompts.

    n          of its votes or rankings; n_prompts is 0 if their prompts are unknown
    pair       the two methods if there are only two; p_holm: its p corrected over the categories
    """

    category: str
    n: int
    n_prompts: int
    covers: tuple[str, ...]
    note: str
    strengths: tuple[ReportedStrength, ...]
    pair: ReportedPair | None
    p_holm: float | None


@dataclass(frozen=True, kw_only=True)
class PreferenceFacet:
    """All categories of one facet, and the test of method × category."""

    facet: str
    interaction: ReportedInteraction
    categories: tuple[PreferenceCategory, ...]


@dataclass(frozen=True, kw_only=True)
class PreferencePart:
    """Everything about one question, the same whether its votes or rankings came from a file or from a study.

    sentence    the answer in one sentence
    kind        "votes", "rankings" or "best_worst"; n counts votes, or rankings
    covers      populations that the intervals of strengths cover
    strengths   one per method, the strongest first, those that cannot be ranked last
    side        what being on the left adds to the log odds of winning
    chance      of the ranked methods in that order: the model's chance that the row's method beats the column's, ties
                halved
    tests       of one scale for all votes; of no difference between methods (Friedman)
    unbeaten    groups of methods that are joined by wins in both directions and lost to none outside: if there is one,
                it comes before all others; empty with a prior and in older documents
    fewest      votes, prompts and raters that decide which method is first; empty where it is not known
    facets      the same by category of prompts; facets_left_out: why others are not shown
    """

    sentence: str
    kind: str
    n: int
    n_methods: int
    n_prompts: int
    n_raters: int
    n_ties: int
    tie_kinds: dict[str, int]
    model: str
    prior: str
    note: str
    covers: tuple[str, ...]
    strengths: tuple[ReportedStrength, ...]
    side: ReportedEstimate | None
    chance: tuple[tuple[float | None, ...], ...]
    differences: tuple[StrengthDifference, ...]
    pairs: tuple[ReportedPair, ...]
    tests: tuple[PreferenceTest, ...]
    unbeaten: tuple[tuple[str, ...], ...] = ()
    fewest: tuple[ReportedFewest, ...] = ()
    facets: tuple[PreferenceFacet, ...] = ()
    facets_left_out: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PreferenceQuestion(PreferencePart):
    """A question in a document of votes or rankings.

    question    what was asked, "" if unknown
    agreement   of raters in votes, Krippendorff's nominal alpha; None for rankings
    """

    name: str
    question: str = ""
    agreement: ReportedEstimate | None = None

    @property
    def asked(self) -> str:
        """The question in words, or else its name."""
        return self.question or self.name


@dataclass(frozen=True, kw_only=True)
class PreferenceDocument:
    """The whole result on votes or rankings.

    key         names the study in labels of tables
    n_excluded  rows of files that were left out; warnings: what in the files should be checked
    excluded_raters  whose votes or rankings are left out
    """

    format: Literal[1] = FORMAT
    title: str
    key: str
    made: MadeOfVotes
    n_excluded: int = 0
    warnings: tuple[str, ...] = ()
    excluded_raters: tuple[ReportedExclusion, ...] = ()
    preferences: tuple[PreferenceQuestion, ...]
