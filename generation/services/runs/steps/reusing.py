"""Results that an earlier run made in exactly the same way are reused instead of being made again."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.files.storage import default_storage

from generation.models import Image, Step
from generation.queries.runs.steps import made_before
from generation.services.runs.steps.job import Job
from generation.services.runs.steps.results import copy_critique, copy_image

_TAKEN_AS_IT_IS = {Step.Kind.DECOMPOSE: "decomposition", Step.Kind.WORDS: "variant"}


def reuse(job: Job, steps: Sequence[Step]) -> list[Step]:
    """Close the steps whose result is there, and return the others. A run that may not reuse returns them all."""
    if not job.run.may_reuse:
        return list(steps)
    before = made_before(steps)
    left = []
    for step in steps:
        results = next((found for one in before.get(step.digest, []) if (found := _results(job, step, one))), None)
        if results is None:
            left.append(step)
        else:
            job.close(step, results, is_reused=True)
    return left


def _results(job: Job, step: Step, before: Step) -> Any:
    """What makes the step's results of an earlier step's; None where something is gone or does not suffice."""
    given = job.given[step.pk]
    if step.kind in _TAKEN_AS_IT_IS:
        name = _TAKEN_AS_IT_IS[Step.Kind(step.kind)]
        return _as_it_is(name, getattr(before, name))
    if step.kind == Step.Kind.DRAW and before.image is not None and _suffices(step, before.image):
        image, parent = before.image, given.image("parent")
        # A method of another name that is drawn in the same way has rows of its own.
        if image.method_id == step.method_id and image.parent_id == (parent.pk if parent else None):
            return _as_it_is("image", image)
        return lambda: {"image": copy_image(step, image, parent=parent)}
    if step.kind == Step.Kind.CRITIQUE and before.critique is not None:
        critique, seen = before.critique, given.image("image")
        if seen is None or critique.image_id == seen.pk:
            return _as_it_is("critique", critique)
        return lambda: {"critique": copy_critique(step, critique, seen)}
    if step.kind == Step.Kind.SCORE and before.score is not None:
        seen = given.image("image")
        return _as_it_is("score", before.score) if seen and before.score.image_id == seen.pk else None
    return None  # a choice is quickly made again


def _as_it_is(name: str, row: Any) -> Any:
    def results() -> Mapping[str, Any]:
        return {name: row}

    return results if row is not None else None


def _suffices(step: Step, image: Image) -> bool:
    """Whether the file is there, and every state that is to be kept for others."""
    kept = {row.n_done for row in image.latents.all()}
    return bool(image.sha256) and set(step.keep_after) <= kept and default_storage.exists(str(image.file.name))
