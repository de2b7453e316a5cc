"""The form in which an audited critic's data reach the statistics, and how verdicts of several auditors become one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

RIGHT, PARTLY, WRONG, CANNOT_TELL = range(4)
"""Verdict codes. "Cannot tell" is not a verdict on the claim: such claims stay out of precision and recall."""
VERDICTS = ("right", "partly right", "wrong", "cannot tell")

CRITIC, WRONG_IMAGE, PLANTED = range(3)
"""Where a claim comes from: the critic that saw the image, the same critic shown another image, a planted falsehood."""

PartlyCounts = Literal["right", "half", "wrong"]
_PARTLY_CREDIT: Mapping[str, float] = MappingProxyType({"right": 1.0, "half": 0.5, "wrong": 0.0})
_NO_FACETS: Mapping[str, NDArray[np.str_]] = MappingProxyType({})


class BadAudit(ValueError):
    """An invalid audit; the message names what is wrong and how to fix it."""


@dataclass(frozen=True, eq=False)
class Audit:
    """One critic's claims about errors in images, each with one settled verdict, and the errors it missed.

    n_images     every image the critic was shown, those without a claim included
    image        (n_claims,) int, 0 ≤ image < n_images
    verdict      (n_claims,) int, RIGHT, PARTLY, WRONG or CANNOT_TELL
    source       (n_claims,) int, CRITIC, WRONG_IMAGE or PLANTED; all CRITIC where omitted. Only CRITIC claims reach
                 the headline figures
    error        (n_claims,) int: claims with the same code name the same error of an image, −1 is an error of its own
    lists        (n_claims,) int: how many auditors' own lists contain the claim's error; 0 where omitted
    missed_image (n_missed,) int: the image of each distinct error that no claim named, not even partly
    missed_lists (n_missed,) int ≥ 1: how many auditors' lists contain it; 1 where omitted
    searched     (n_images,) bool: somebody looked for missed errors there; only these enter recall. Where omitted, all
                 images if `missed_image` is given (even if empty) and none if it is not: verdicts alone do not
                 determine recall
    n_auditors   how many auditors listed errors, one number or (n_images,); None where the lists were not kept apart,
                 and then nothing is said about errors that nobody listed
    error_free   (n_images,) bool: images known to have no errors, where every claim of one is a false alarm
    facets, missed_facets: name → (n_claims,) or (n_missed,) labels: kind, category, severity…
    """

    n_images: int
    image: NDArray[np.int64]
    verdict: NDArray[np.int64]
    # None where omitted; __post_init__ puts the default in its place.
    source: NDArray[np.int64] = None  # type: ignore[assignment]
    error: NDArray[np.int64] = None  # type: ignore[assignment]
    lists: NDArray[np.int64] = None  # type: ignore[assignment]
    missed_image: NDArray[np.int64] = None  # type: ignore[assignment]
    missed_lists: NDArray[np.int64] = None  # type: ignore[assignment]
    searched: NDArray[np.bool_] = None  # type: ignore[assignment]
    n_auditors: NDArray[np.int64] | int | None = None
    error_free: NDArray[np.bool_] = None  # type: ignore[assignment]
    facets: Mapping[str, NDArray[np.str_]] = field(default_factory=lambda: _NO_FACETS)
    missed_facets: Mapping[str, NDArray[np.str_]] = field(default_factory=lambda: _NO_FACETS)

    def __post_init__(self) -> None:
        n_claims = len(self.image)
        n_missed = 0 if self.missed_image is None else len(self.missed_image)
        # Omitted arrays are filled in once, here, so that no statistic has to know the defaults.
        fill = {
            "source": np.zeros(n_claims, np.int64),
            "error": np.full(n_claims, -1, np.int64),
            "lists": np.zeros(n_claims, np.int64),
            "missed_image": np.zeros(0, np.int64),
            "missed_lists": np.ones(n_missed, np.int64),
            "searched": np.full(self.n_images, self.missed_image is not None),
            "error_free": np.zeros(self.n_images, bool),
        }
        for name, default in fill.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, default)
        if self.n_auditors is not None:
            object.__setattr__(self, "n_auditors", np.broadcast_to(self.n_auditors, (self.n_images,)))
        lengths = dict.fromkeys(("image", "verdict", "source", "error", "lists"), n_claims)
        lengths |= dict.fromkeys(("missed_image", "missed_lists"), n_missed)
        lengths |= dict.fromkeys(("searched", "error_free"), self.n_images)
        for name, length in lengths.items():
            if getattr(self, name).shape != (length,):
                raise BadAudit(f"{name} has shape {getattr(self, name).shape}; it must be ({length},)")
        for name, low, bound in (
            ("image", 0, self.n_images),
            ("missed_image", 0, self.n_images),
            ("verdict", 0, len(VERDICTS)),
            ("source", 0, 3),
            ("error", -1, np.iinfo(np.int64).max),
            ("lists", 0, np.iinfo(np.int64).max),
            ("missed_lists", 1, np.iinfo(np.int64).max),
        ):
            codes = getattr(self, name)
            if codes.size and (codes.min() < low or codes.max() >= bound):
                raise BadAudit(f"a {name} code lies below {low} or above {bound - 1}")
        for kind, facets, length in (("claim", self.facets, n_claims), ("missed error", self.missed_facets, n_missed)):
            for name, labels in facets.items():
                if len(labels) != length:
                    raise BadAudit(f"facet {name} has {len(labels)} labels; give one per {kind} ({length})")


def credit(verdict: NDArray[np.int64], partly: PartlyCounts) -> NDArray[np.float64]:
    """(n_claims,) how far each claim counts as right, in [0, 1]: right 1, partly by the convention, the rest 0."""
    if partly not in _PARTLY_CREDIT:
        raise ValueError(f"partly counts as {', '.join(_PARTLY_CREDIT)}, not {partly!r}")
    return np.array([1.0, _PARTLY_CREDIT[partly], 0.0, 0.0])[verdict]


@dataclass(frozen=True, eq=False)
class Settled:
    """One verdict per claim, from several auditors and, where they disagreed, an adjudicator."""

    verdict: NDArray[np.int64]
    """(n_claims,) the settled code; CANNOT_TELL where open, −1 where nobody judged the claim."""
    n_judged: NDArray[np.int64]
    """(n_claims,) verdicts that the claim has, "cannot tell" included, the adjudicator's not."""
    unanimous: NDArray[np.bool_]
    """(n_claims,) at least two verdicts and all the same."""
    open: NDArray[np.bool_]
    """(n_claims,) no verdict has the most votes and nobody has adjudicated yet."""
    adjudicated: NDArray[np.bool_]


def settle_verdicts(
    claim: ArrayLike, verdict: ArrayLike, *, n_claims: int, adjudicated: ArrayLike | None = None
) -> Settled:
    """The verdict with the most votes; a tie is left open (CANNOT_TELL), and no hidden rule decides it.

    claim (n,) int, verdict (n,) int: one row per auditor and claim. "Cannot tell" counts only if every auditor said so:
    one auditor who can tell outweighs any number who cannot.
    adjudicated (n_claims,) int or None: an adjudicator's code that replaces the vote, −1 where there is none.
    """
    claims, codes = np.asarray(claim, np.int64), np.asarray(verdict, np.int64)
    if len(claims) != len(codes) or (len(codes) and (codes.min() < 0 or codes.max() > CANNOT_TELL)):
        raise BadAudit("give one verdict code from 0 to 3 for every claim code")
    votes = np.bincount(claims * 4 + codes, minlength=n_claims * 4).reshape(n_claims, 4)
    n_judged = votes.sum(axis=1)
    decisive = votes[:, :CANNOT_TELL]
    best = decisive.max(axis=1)
    tied = (best > 0) & ((decisive == best[:, None]).sum(axis=1) > 1)
    settled = np.where((best > 0) & ~tied, decisive.argmax(axis=1), CANNOT_TELL)
    settled[n_judged == 0] = -1
    decided = np.zeros(n_claims, bool)
    if adjudicated is not None:
        given = np.asarray(adjudicated, np.int64)
        decided = given >= 0
        settled = np.where(decided, given, settled)
    return Settled(settled, n_judged, (n_judged > 1) & (votes.max(axis=1) == n_judged), tied & ~decided, decided)
