"""The outcome of any critic's critique of an image: claims by rank and the prompt for the next drawing."""

from dataclasses import dataclass
from typing import Literal, get_args

from generation.recipes.critique.refined_prompt import RefinedPrompt

KindSaid = Literal["missing", "extra", "count", "attribute", "relation", "anatomy", "text", "look"]
"""missing thing, thing nobody asked for, wrong number, wrong look of a thing, wrong action or place, wrong body or
broken shape, wrong letters, wrong style: the same kinds that auditors are offered for errors no critic named."""
KINDS: tuple[str, ...] = get_args(KindSaid)
Severity = Literal["", "minor", "major"]
LONGEST_ABOUT = 300
NOTHING_WRONG = "Nothing in this image contradicts the prompt."


@dataclass(frozen=True)
class ClaimFound:
    """One checkable statement: that this is wrong in the image. The fields are those of the stored claim.

    rank      from 1, which matters most
    kind      one of KINDS; empty where the critic gave none
    about     the id of an entity or relation; without a decomposition the critic's own words; empty where unknown
    confidence  0 … 1, how sure the critic is; None where it did not say
    """

    rank: int
    text: str
    kind: str = ""
    about: str = ""
    severity: Severity = ""
    confidence: float | None = None


@dataclass(frozen=True)
class CritiqueOutcome:
    """Claims in the order of their rank and the refined prompt, which is the original if nothing is wrong.

    text       the critique for people to read: as the critic wrote it, or its claims as a numbered list
    split      "given": the critic answered in claims; "numbered": they were split out of its text
    shortened  empty, or a sentence on what found no room in the refined prompt
    adds       whether the refined prompt says more than the original
    """

    claims: tuple[ClaimFound, ...]
    refined_prompt: str
    text: str
    split: Literal["given", "numbered"] = "given"
    shortened: str = ""
    adds: bool = False


def outcome_of(
    claims: tuple[ClaimFound, ...],
    refined: RefinedPrompt,
    text: str = "",
    split: Literal["given", "numbered"] = "given",
) -> CritiqueOutcome:
    """The outcome, its text by default the claims as a numbered list."""
    listed = "\n".join(f"{claim.rank}. {claim.text}" for claim in claims) or NOTHING_WRONG
    return CritiqueOutcome(claims, refined.text, text or listed, split, refined.shortened, refined.adds)


def is_finished(outcome: CritiqueOutcome) -> str:
    """Why a further round would be useless, or the empty text if it would not.

    Only two things end the rounds before their number is used up: the critic finds nothing, or nothing that it finds
    gets into the prompt, so that the next image would be drawn with the words of this one.
    """
    if not outcome.claims:
        return "The critic finds nothing wrong."
    if not outcome.adds:
        return outcome.shortened or "The critic names errors, but says nothing that should hold instead."
    return ""
