"""Steps that score images by an automatic metric. A picture that has its score already is not scored again."""

import math
from collections.abc import Sequence

from django.utils.translation import gettext as _

from generation.models import Image, MetricScore, Step
from generation.models.digests import digest
from generation.recipes.contract import BadAnswer, EngineError, Json, Metric, Scored, ScoreRequest
from generation.recipes.decomposition.decomposition import Decomposition as Graph
from generation.services.originals import original_of
from generation.services.runs.steps.job import Job, Stopwatch
from generation.services.runs.steps.results import made_by

LONGEST_VERSION = 100


def score_images(job: Job, steps: Sequence[Step]) -> None:
    metric: Metric = job.engine(job.spec(steps[0]))
    # What waits for another computer is saved one by one: it was paid for.
    job.each(steps, max(1, metric.batch_size), lambda chunk: _score(job, metric, chunk))


def _score(job: Job, metric: Metric, steps: Sequence[Step]) -> None:
    watch = Stopwatch()
    images = {step.pk: _image(job, step) for step in steps}
    known = _known(job, metric, steps, images)
    for step in steps:
        if (score := known.get(step.pk)) is not None:
            _close(job, step, images[step.pk], score, 0.0)
    left = [step for step in steps if step.pk not in known]
    if not left:
        return
    requests = [
        ScoreRequest(original_of(images[step.pk]), step.prompt.text, tuple(_questions(job, step))) for step in left
    ]
    found = metric.score(requests)
    seconds = watch.share(len(left))
    for step, scored in zip(left, found, strict=True):
        job.note_calls(step, scored.calls)
    for step, scored in zip(left, found, strict=True):
        if not math.isfinite(scored.value):
            raise BadAnswer(
                _("%(metric)s returned %(value)s, which is not a score.")
                % {"metric": metric.name, "value": scored.value},
                _("Check the metric's weights and number format."),
            )
        _close(job, step, images[step.pk], _row(job, metric, step, scored), seconds)


def _row(job: Job, metric: Metric, step: Step, scored: Scored) -> MetricScore:
    provenance: Json = made_by(step, engine=metric.identity, spec=step.engine, facts=scored.facts)
    if questions := _questions(job, step):
        provenance["questions"] = questions
    return MetricScore(
        metric=metric.name,
        version=metric.version,
        value=scored.value,
        provenance=provenance,
        added_by_id=step.run.owner_id,
    )


def _close(job: Job, step: Step, image: Image, score: MetricScore, seconds: float) -> None:
    job.close(step, lambda: {"score": _saved(image, score)}, seconds=seconds)


def _saved(image: Image, score: MetricScore) -> MetricScore:
    """The row, or the one that is there. The same metric asked other questions has another version."""
    questions = score.provenance.get("questions", [])
    if score.image_id == image.pk and score.pk:
        return score
    for version in (score.version, _version_of_questions(score.version, questions)):
        row, is_new = MetricScore.objects.get_or_create(
            image=image,
            metric=score.metric,
            version=version,
            defaults={"value": score.value, "provenance": score.provenance, "added_by_id": score.added_by_id},
        )
        if is_new or row.provenance.get("questions", []) == questions:
            break
    return row


def _version_of_questions(version: str, questions: Sequence[str]) -> str:
    ending = f", questions {digest(list(questions))[:8]}"
    return version[: LONGEST_VERSION - len(ending)] + ending


def _known(job: Job, metric: Metric, steps: Sequence[Step], images: dict[int, Image]) -> dict[int, MetricScore]:
    """By step: the score of the same picture by the same metric, asked the same; of this run where it may not reuse."""
    versions = {metric.version} | {_version_of_questions(metric.version, _questions(job, step)) for step in steps}
    rows = MetricScore.objects.filter(
        image__sha256__in={image.sha256 for image in images.values()},
        image__prompt__in={step.prompt_id for step in steps},
        metric=metric.name,
        version__in=versions,
    ).select_related("image")
    found: dict[int, MetricScore] = {}
    for step in steps:
        image, questions = images[step.pk], _questions(job, step)
        for row in rows:
            is_same_picture = row.image.sha256 == image.sha256 and row.image.prompt_id == step.prompt_id
            is_allowed = job.run.may_reuse or row.provenance.get("run") == step.run_id or row.image_id == image.pk
            if is_same_picture and is_allowed and row.provenance.get("questions", []) == questions:
                found[step.pk] = row if row.image_id == image.pk else _copy(step, row, metric.version)
                break
    return found


def _copy(step: Step, row: MetricScore, version: str) -> MetricScore:
    provenance = {**row.provenance, **made_by(step), "copied_from": row.pk}
    return MetricScore(
        metric=row.metric, version=version, value=row.value, provenance=provenance, added_by_id=step.run.owner_id
    )


def _questions(job: Job, step: Step) -> list[str]:
    given = job.given[step.pk].one("decomposition")
    if given is None or given.decomposition is None:
        return []
    return list(Graph.from_json(given.decomposition.graph).questions())


def _image(job: Job, step: Step) -> Image:
    image = job.given[step.pk].image("image")
    if image is None or not image.sha256:
        raise EngineError(_("The image was deleted."), _("Start the run again."))
    return image
