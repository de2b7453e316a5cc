"""The document about critics: how far their claims can be trusted, what they miss, what refinement repaired."""

from dataclasses import dataclass, field
from typing import Final, Literal

from annotations.reports.documents.estimates import ReportedEstimate
from annotations.reports.documents.provenance import MadeOfVerdicts, Source

FORMAT: Final = 1
"""Raised when the document's format changes so that older documents can no longer be read."""


@dataclass(frozen=True, kw_only=True)
class CriticCounts:
    """The counts behind the figures. searches: images searched for errors; listed: errors that auditors listed."""

    images: int
    claims: int
    auditors: int
    simulated_auditors: int
    verdicts: int
    searches: int
    listed: int
    lists_first: int
    control_claims: int
    planted_claims: int


@dataclass(frozen=True, kw_only=True)
class Settled:
    """How claims came to their verdicts; `several` have verdicts of several auditors, `open` have none yet."""

    several: int
    unanimous: int
    adjudicated: int
    open: int
    cannot_tell: int


@dataclass(frozen=True, kw_only=True)
class CriticAgreement:
    """Agreement of auditors about one critic's claims, or, without a name, about all of them."""

    critic: str
    estimates: tuple[ReportedEstimate, ...]


@dataclass(frozen=True, kw_only=True)
class CriticGroup:
    """The figures of the claims with one value of one property; of all of them, the facet is "".

    recall_corrected   with errors that nobody listed; recall_of_lists: of auditors' own lists
    """

    facet: str
    label: str
    n_images: int
    n_auditors: int
    n_verdicts: int
    precision: ReportedEstimate
    recall: ReportedEstimate
    f1: ReportedEstimate
    recall_corrected: ReportedEstimate
    recall_of_lists: ReportedEstimate


@dataclass(frozen=True, kw_only=True)
class FalseAlarms:
    """On images without errors: the share with a claimed one, and claims per image."""

    false_alarm_rate: ReportedEstimate
    false_claims_per_image: ReportedEstimate


@dataclass(frozen=True, kw_only=True)
class ReportedUnseen:
    """Errors that nobody listed, estimated from the overlap of lists; n_once: errors on one list."""

    total: ReportedEstimate
    unseen: ReportedEstimate
    n_observed: int
    n_once: int
    n_twice: int


@dataclass(frozen=True, kw_only=True)
class CriticDifference:
    """One figure of two critics, or of a critic and its control; p_holm is corrected over all pairs of critics."""

    first: ReportedEstimate
    second: ReportedEstimate
    difference: ReportedEstimate
    p: float | None
    p_method: str
    p_holm: float | None = None


@dataclass(frozen=True, kw_only=True)
class CriticPair:
    """Two critics on the images that both were shown; figures by name."""

    first: str
    second: str
    n_images: int
    figures: dict[str, CriticDifference]


@dataclass(frozen=True, kw_only=True)
class CalibrationBin:
    """Claims whose stated confidence is from low to high; the interval is of the accuracy."""

    low: float
    high: float
    n: int
    confidence: float | None
    accuracy: float | None
    interval_low: float | None
    interval_high: float | None


@dataclass(frozen=True, kw_only=True)
class ReportedCalibration:
    """Stated confidence against the share of right claims."""

    bins: tuple[CalibrationBin, ...]
    brier: ReportedEstimate
    over_confidence: ReportedEstimate
    calibration_error: ReportedEstimate


@dataclass(frozen=True, kw_only=True)
class ReportedCritic:
    """One critic.

    groups          all claims first, then each group
    found_free      false alarms on images in which nobody found an error; known_free: on images known to have none
    unseen          by number of lists in unseen_n_lists; unseen_two_lists: all auditors taken as one list
    floor           precision of claims that were made about another image; above_control: precision minus that
    defects_found   share of planted defects that the critic names
    """

    name: str
    groups: tuple[CriticGroup, ...]
    cannot_tell: ReportedEstimate
    found_free: FalseAlarms
    known_free: FalseAlarms | None
    unseen: tuple[ReportedUnseen, ...]
    unseen_n_lists: tuple[int, ...]
    unseen_two_lists: ReportedUnseen | None
    floor: ReportedEstimate
    above_control: CriticDifference | None
    defects_found: ReportedEstimate
    calibration: ReportedCalibration | None


@dataclass(frozen=True, kw_only=True)
class RepairRow:
    """The share of named errors that were fixed, of one kind of claim; of all of them, the facet is ""."""

    facet: str
    label: str
    rate: ReportedEstimate


@dataclass(frozen=True, kw_only=True)
class GainGroup:
    """Parts of prompts by what claims said of them: how many were gained, lost or absent, and the share fixed."""

    words: str
    gained: int
    lost: int
    lacking: int
    mended: ReportedEstimate


@dataclass(frozen=True, kw_only=True)
class ReportedGains:
    """The gains of refinement; from_right_claims: the share of them that a right claim named."""

    named: tuple[GainGroup, ...]
    from_right_claims: ReportedEstimate


@dataclass(frozen=True, kw_only=True)
class ReportedRepairs:
    """Judgements of baseline and refined images side by side.

    outcomes              claims by outcome: those judged right or partly right, then the others
    placebo_differences   share of judgements that see a difference between equal images
    """

    n_pairs: int
    rows: tuple[RepairRow, ...]
    improved: ReportedEstimate
    worse: ReportedEstimate
    outcomes: tuple[dict[str, int], ...]
    n_open: int
    gains: ReportedGains | None
    placebo_differences: ReportedEstimate
    placebo_left: ReportedEstimate


@dataclass(frozen=True, kw_only=True)
class OrderEffect:
    """A figure for auditors who listed errors first, for those who saw the claims first, and the difference."""

    lists_first: ReportedEstimate
    claims_first: ReportedEstimate
    difference: ReportedEstimate


@dataclass(frozen=True, kw_only=True)
class ReportedAnchoring:
    """Whether seeing the claims first changes the answers."""

    accepted: OrderEffect
    missed_listed: OrderEffect


@dataclass(frozen=True, kw_only=True)
class CriticDocument:
    """The whole result on critics.

    facets_left_out      facet → why claims are not grouped by it
    planted              share of planted claims that auditors accepted
    has_shared_control   whether a control is for every critic
    sources              of critiques, where the site knows them
    """

    format: Literal[1] = FORMAT
    title: str
    made: MadeOfVerdicts
    n_excluded: int = 0
    warnings: tuple[str, ...] = ()
    facets_left_out: dict[str, str] = field(default_factory=dict)
    counts: CriticCounts
    settled: Settled
    agreement: tuple[CriticAgreement, ...]
    critics: tuple[ReportedCritic, ...]
    planted: ReportedEstimate
    has_shared_control: bool
    repairs: ReportedRepairs | None
    anchoring: ReportedAnchoring | None
    differences: tuple[CriticPair, ...]
    sources: tuple[Source, ...] = ()
