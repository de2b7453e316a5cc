"""Steps that choose the best of several images by a metric: a choice after looking, on record as such."""

from collections.abc import Mapping, Sequence
from typing import Any

from generation.models import Image, MetricScore, Step
from generation.recipes.contract import EngineError
from generation.services.runs.steps.job import Job, Stopwatch
from generation.services.runs.steps.results import copy_image, made_by


def choose_images(job: Job, steps: Sequence[Step]) -> None:
    job.each(steps, 1, lambda chunk: _choose(job, chunk[0]))


def _choose(job: Job, step: Step) -> None:
    """The image with the highest score, the first of equals, becomes an image of the method that chooses."""
    watch = Stopwatch()
    given = job.given[step.pk]
    images = [one.image for one in given.all("candidate") if one.image is not None]
    scores = {one.score.image_id: one.score.value for one in given.all("candidate_score") if one.score is not None}
    if not images or any(image.pk not in scores for image in images):
        raise EngineError("An image to choose from, or its score, was deleted.", "Start the run again.")
    values = [scores[image.pk] for image in images]
    chosen = images[values.index(max(values))]
    why = {
        "chosen": chosen.pk,
        "among": [image.pk for image in images],
        "by": step.parameters["by"],
        "values": values,
    }
    job.close(step, lambda: _saved(step, chosen, why), seconds=watch.share(1))


def _saved(step: Step, chosen: Image, why: Mapping[str, Any]) -> dict[str, Image]:
    image = copy_image(step, chosen, parent=chosen.parent, **why)
    MetricScore.objects.bulk_create(
        (
            MetricScore(
                image=image,
                metric=score.metric,
                version=score.version,
                value=score.value,
                provenance={**score.provenance, **made_by(step), "copied_from": score.pk},
                added_by_id=step.run.owner_id,
            )
            for score in chosen.scores.all()
        ),
        ignore_conflicts=True,
    )
    return {"image": image}
