"""What the demo's simulated auditors say about pairs and the parts of a prompt, based on each picture's record.

An error is the same in two pictures of one prompt if its kind, part and words are the same: the words say what the
picture shows instead.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from annotations.models import ElementCheck
from annotations.services.audits import SimulatedAudit, SimulatedListing
from annotations.services.audits.answers import Mark, RepairGiven
from annotations.simulation import AuditorProfile
from generation.models import Claim, Image

PLACES = ("baseline", "refined", "both", "none")
MISSING = ("missing_entity", "missing")  # of the drawn pictures, and in the words of a run's critics
_ELEMENT_STREAM, _PAIR_STREAM = 16, 17
Answer = ElementCheck.Answer
Statement = tuple[str, str, str]


def errors_of(image: Image) -> list[dict[str, Any]]:
    """The true errors on record, in their order: dicts with kind, severity, about, text, box and is_claimed."""
    found: list[dict[str, Any]] = image.provenance["truth"]["errors"]
    return found


def statements(image: Image) -> set[Statement]:
    return {(error["kind"], error["about"], error["text"]) for error in errors_of(image)}


def true_place(claim: Claim, baseline: Image, refined: Image) -> str:
    """Which of two pictures has the error that a claim states: one of PLACES."""
    said = (claim.kind, claim.about, claim.text)
    there = (said in statements(baseline), said in statements(refined))
    return {(True, False): "baseline", (False, True): "refined", (True, True): "both"}.get(there, "none")


def parts_there(image: Image, errors: Sequence[Mapping[str, Any]] | None = None) -> dict[str, bool]:
    """Id of each part of the prompt → whether the picture has it as the prompt describes it.

    A part is wrong if an error is about it; if a thing is missing, so are its relations. errors: those on record by
    default.
    """
    wanted = image.prompt.metadata["decomposition"]
    given = errors_of(image) if errors is None else errors
    spoiled = {error["about"] for error in given}
    missing = {error["about"] for error in given if error["kind"] in MISSING}
    things = {thing["id"]: thing["id"] not in spoiled for thing in wanted["entities"]}
    relations = {
        one["id"]: one["id"] not in spoiled and not missing & {one["subject"], one["object"]}
        for one in wanted["relations"]
    }
    return things | relations


def mark_of(error: Mapping[str, Any]) -> Mark | None:
    """The error's box, cut to the picture; None if the record has no box or the box lies outside."""
    if not error["box"]:
        return None
    left, top, right, bottom = (min(max(side, 0.0), 1.0) for side in error["box"])
    return Mark(left, top, right - left, bottom - top) if right > left and bottom > top else None


def check_parts(
    there: Mapping[str, bool], auditor: AuditorProfile, *, seed: int, who: int, where: int
) -> dict[str, str]:
    """An auditor's check list of one picture, with wrong answers and "cannot tell" as often as in their verdicts.

    there: the truth about the picture, from `parts_there`
    who, where: numbers of the auditor and the picture; the draws depend only on these and the seed.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_ELEMENT_STREAM, who, where)))
    answers: dict[str, str] = {}
    for part, is_there in there.items():
        unsure, slips = rng.random(2) < (auditor.cannot_tell, auditor.error)
        answers[part] = Answer.PRESENT if is_there != slips else Answer.ABSENT
        if unsure:
            answers[part] = Answer.CANNOT_TELL
    return answers


def compare_pair(
    baseline: Image,
    refined: Image,
    claims: Iterable[Claim],
    auditor: AuditorProfile,
    *,
    seed: int,
    who: int,
    where: int,
) -> SimulatedAudit:
    """An auditor's work on one pair: where the error of each claim is, where each part is, and what newly broke.

    A place is wrong with the auditor's `error` (any other one, each as likely) and "cannot tell" with `cannot_tell`; an
    error in both is called weightier in one of them, either as likely, with `partly`. A broken error is listed with
    `detection`. who, where: numbers of the auditor and the pair; the draws depend only on these and the seed.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_PAIR_STREAM, who, where)))
    is_mirrored = bool(rng.random() < 0.5)
    repairs = []
    for claim in claims:
        place = _told(true_place(claim, baseline, refined), auditor, rng)
        is_partly, is_worse_now = rng.random(2) < (auditor.partly, 0.5)
        worse_in = ("refined" if is_worse_now else "baseline") if place == "both" and is_partly else ""
        repairs.append(RepairGiven(claim.pk, place, worse_in))
    before, after = parts_there(baseline), parts_there(refined)
    places = {(True, False): "baseline", (False, True): "refined", (True, True): "both", (False, False): "none"}
    elements = {part: _told(places[before[part], after[part]], auditor, rng) for part in before}
    return SimulatedAudit(
        auditor=auditor.name,
        image_id=baseline.pk,
        refined_id=refined.pk,
        repairs=repairs,
        elements=elements,
        listed=_broken(baseline, refined, auditor, rng),
        is_mirrored=is_mirrored,
    )


def _told(place: str, auditor: AuditorProfile, rng: np.random.Generator) -> str:
    unsure, slips = rng.random(2) < (auditor.cannot_tell, auditor.error)
    others = [other for other in PLACES if other != place]
    other = others[int(rng.integers(len(others)))]
    return "cannot_tell" if unsure else other if slips else place


def _broken(
    baseline: Image, refined: Image, auditor: AuditorProfile, rng: np.random.Generator
) -> Sequence[SimulatedListing]:
    before = statements(baseline)
    return [
        SimulatedListing(
            key=f"{refined.pk}-broken-{number}",
            text=error["text"],
            stage="repair",
            kind=error["kind"],
            about=error["about"],
            severity=error["severity"],
            mark=mark_of(error),
            is_in_refined=True,
        )
        for number, error in enumerate(errors_of(refined))
        if (error["kind"], error["about"], error["text"]) not in before and rng.random() < auditor.detection
    ]
