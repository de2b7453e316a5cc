"""An audited critic as arrays, the start of every analysis, whether the data came from the database or from a file."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from annotations.stats.arrays import IntArray

Labels = Mapping[str, NDArray[np.object_]]
Flags = NDArray[np.bool_]

ORDINARY, CLEAN, DEFECT = range(3)
"""The role of an image in the audit: an ordinary one, a control known to have no errors, or one with a planted
defect."""
FIXED, IMPROVED, UNCHANGED, WORSE, NO_ERROR, UNSURE = range(6)
"""What refinement did to a claimed error. NO_ERROR: in neither image; UNSURE: the auditor could not tell."""
OUTCOMES = ("fixed", "improved", "unchanged", "worse", "no_error", "cannot_tell")
IN_BASELINE, IN_REFINED, IN_BOTH, IN_NEITHER, NOT_SURE = range(5)
"""In which of two images a part of the prompt is present."""
ANSWERS = ("baseline", "refined", "both", "none", "cannot_tell")
NOT_STATED = "not stated"
EVERY_CRITIC = -1


def no_codes() -> IntArray:
    return np.zeros(0, np.int64)


def no_flags() -> Flags:
    return np.zeros(0, bool)


@dataclass(frozen=True)
class Claims:
    """(n_claims,) each. `source` as in `annotations.stats.critic.audit`: the critic, a wrong-image control, planted.

    critic      code into the critics; EVERY_CRITIC for a control that belongs to no particular critic
    group       code of the distinct error that a person said the claim names, −1 for one of its own
    confidence  in [0, 1], NaN where none was stated
    about       the part of the prompt that the claim is about, "" where not stated
    facets      labels that belong to the claim: kind, severity, category, method…
    """

    image: IntArray
    critic: IntArray
    source: IntArray
    group: IntArray
    confidence: NDArray[np.float64]
    about: NDArray[np.object_]
    facets: Labels = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.image)


@dataclass(frozen=True)
class Verdicts:
    """One row per judgement of a claim by an auditor, at most one per claim and auditor; adjudicators' are separate.

    value        RIGHT, PARTLY, WRONG or CANNOT_TELL
    lists_first  1 where the auditor had listed errors before seeing the claims, 0 where not, −1 unknown
    facets       labels that differ between judgements of one claim
    adjudicated  (n_claims,) the adjudicator's verdict, −1 where there is none
    has_partly   whether "partly right" could be answered, which decides the scale of agreement
    """

    claim: IntArray
    auditor: IntArray
    value: IntArray
    adjudicated: IntArray
    lists_first: IntArray
    facets: Labels = field(default_factory=dict)
    has_partly: bool = True

    def __len__(self) -> int:
        return len(self.claim)


@dataclass(frozen=True)
class Lists:
    """Who searched which image for errors, (n_searches,), and what they listed, (n_listed,).

    is_first    the search began before the claims were seen
    group       code of the distinct error, as in `Claims.group`; −1 where nobody matched it
    is_own      listed before the claims were seen
    facets      labels of what was listed, by the same names as those of claims
    """

    image: IntArray = field(default_factory=no_codes)
    auditor: IntArray = field(default_factory=no_codes)
    is_first: Flags = field(default_factory=no_flags)
    listed_image: IntArray = field(default_factory=no_codes)
    listed_auditor: IntArray = field(default_factory=no_codes)
    group: IntArray = field(default_factory=no_codes)
    is_own: Flags = field(default_factory=no_flags)
    facets: Labels = field(default_factory=dict)


@dataclass(frozen=True)
class Repairs:
    """Baseline and refined side by side: pairs, judgements of claims, and in which image each part of the prompt is.

    pair_image, pair_method, pair_is_placebo  (n_pairs,) the baseline, the refined image's method, the same one twice
    pair, claim, outcome   (n_judgements,) one row per auditor and claim
    on_left     (n_judgements,) 1 if the error was placed only on the left side, 0 if only on the right, −1 otherwise
    element_pair, element, answer  (n_answers,) one row per auditor and part of the prompt
    """

    pair_image: IntArray = field(default_factory=no_codes)
    pair_method: NDArray[np.object_] = field(default_factory=lambda: np.zeros(0, object))
    pair_is_placebo: Flags = field(default_factory=no_flags)
    pair: IntArray = field(default_factory=no_codes)
    claim: IntArray = field(default_factory=no_codes)
    outcome: IntArray = field(default_factory=no_codes)
    on_left: IntArray = field(default_factory=no_codes)
    element_pair: IntArray = field(default_factory=no_codes)
    element: NDArray[np.object_] = field(default_factory=lambda: np.zeros(0, object))
    answer: IntArray = field(default_factory=no_codes)

    def __len__(self) -> int:
        return len(self.pair) + len(self.element)


@dataclass(frozen=True)
class CriticData:
    """All answers of auditors about critics.

    images, critics, auditors  names; n_simulated of the auditors are programs
    seen     (n_critics, n_images) bool: the critic was shown the image, whether it claimed anything or not
    control  (n_images,) ORDINARY, CLEAN or DEFECT; only ordinary images reach the headline figures
    defects  by image with a planted defect, what each of them is about ("" where not said)
    """

    images: Sequence[str]
    critics: Sequence[str]
    auditors: Sequence[str]
    seen: Flags
    control: IntArray
    claims: Claims
    verdicts: Verdicts
    lists: Lists = field(default_factory=Lists)
    repairs: Repairs = field(default_factory=Repairs)
    defects: Mapping[int, Sequence[str]] = field(default_factory=dict)
    n_simulated: int = 0
    facets_left_out: Mapping[str, str] = field(default_factory=dict)

    def inputs_hash(self) -> str:
        """SHA-256 of everything that can change a figure."""
        hasher = hashlib.sha256()
        for text in (*self.images, "|", *self.critics, "|", *self.auditors, repr(sorted(self.defects.items()))):
            hasher.update(text.encode() + b"\0")
        hasher.update(self.seen.tobytes() + self.control.tobytes() + bytes([self.verdicts.has_partly]))
        for part in (self.claims, self.verdicts, self.lists, self.repairs):
            for one in fields(part):
                _add(hasher, getattr(part, one.name))
        return hasher.hexdigest()


def _add(hasher: "hashlib._Hash", value: object) -> None:
    if isinstance(value, Mapping):
        for name, labels in sorted(value.items()):
            hasher.update(name.encode() + b"\0")
            _add(hasher, labels)
    elif isinstance(value, np.ndarray):
        hasher.update("\0".join(map(str, value)).encode() if value.dtype == object else value.tobytes())


def critic_of(name: str, critics: Sequence[str]) -> int:
    """The critic that a name of claims belongs to: the critic of this name, or else the one with the longest name that
    it begins with, as its control.

    "some critic, wrong image" is thus a control of "some critic". If there is only one critic, every control belongs to
    it; with several, a control without such a name is EVERY_CRITIC's.
    """
    if name in critics:
        return critics.index(name)
    if len(critics) == 1:
        return 0
    begins = [critic for critic in critics if name.startswith(critic)]
    return critics.index(max(begins, key=len)) if begins else EVERY_CRITIC
