"""The truth for simulated auditors: the errors of each image, and which of them each claim names."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from generation.models import Claim, Critique, Image
from generation.queries.demo_run import seen_errors


@dataclass(frozen=True)
class Truth:
    """errors: by image id, dicts with kind, severity, about, text, box and is_claimed, whether any claim names it.

    named: by claim id the place among its image's errors of the one that it names; None where the claim is wrong.
    """

    errors: Mapping[int, Sequence[Mapping[str, Any]]]
    named: Mapping[int, int | None]


def recorded_truth(images: Iterable[Image], claims: Iterable[tuple[Claim, Critique]]) -> Truth:
    """The truth about the demo's drawn pictures and its simulated critic, known by construction."""
    return Truth(
        {image.pk: image.provenance["truth"]["errors"] for image in images},
        {claim.pk: row.provenance["truth"]["claims_error"][claim.rank - 1] for claim, row in claims},
    )


def seen_truth(images: Iterable[Image], claims: Iterable[tuple[Claim, Critique]]) -> Truth:
    """The truth that the independent check sees in the pixels of the demo's run.

    A claim names an error of its kind at its part of the prompt. Raises ValueError for an image of other prompts.
    """
    shown = list(images)
    seen = seen_errors(shown)
    if len(seen) < len(shown):
        raise ValueError(f"{len(shown) - len(seen)} images are of no prompt of the demo")
    named = {}
    for claim, row in claims:
        said = (claim.kind, claim.about)
        fitting = [place for place, error in enumerate(seen[row.image_id]) if (error["kind"], error["about"]) == said]
        named[claim.pk] = fitting[0] if fitting else None
    claimed = {(row.image_id, named[claim.pk]) for claim, row in claims}
    errors = {
        key: [{**error, "is_claimed": (key, place) in claimed} for place, error in enumerate(found)]
        for key, found in seen.items()
    }
    return Truth(errors, named)
