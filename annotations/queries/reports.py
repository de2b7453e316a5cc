"""Reads for reports: what a study's results depend on, told cheaply, and the snapshots there are."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Max, Q

from annotations.models import Item, ItemImage, LateAnswer, ReportSnapshot, Response, Study
from annotations.queries.result_units import images_of, scores_of
from annotations.reports.document import FORMAT

Comparisons = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Inputs:
    """How large a study's data are, and a hash that changes when they do.

    Rows of answers are only ever added, so their number and the newest key tell whether any came: the hash costs a
    few counts, not a reading of all answers.
    """

    n_ratings: int
    n_metrics: int
    inputs_hash: str


def inputs_of(study: Study, comparisons: Comparisons) -> Inputs:
    """The state of everything that can change a figure of the study's report, in six queries."""
    dimensions = list(study.dimensions.order_by("position").values_list("pk", "name", "question", "kind", "levels"))
    answers = Response.objects.filter(dimension__in=[row[0] for row in dimensions]).aggregate(
        current=Count("pk", filter=Q(is_current=True)), last=Max("pk")
    )
    scores = scores_of(study).aggregate(n=Count("pk"), last=Max("pk"), metrics=Count("metric", distinct=True))
    images = images_of(study).aggregate(
        n=Count("pk"), described=Count("pk", filter=~Q(provenance={})), methods=Count("method", distinct=True)
    )
    raters = study.raters.aggregate(n=Count("pk"), last=Max("pk"))
    state = [study.pk, dimensions, answers, scores, images, raters, late_answers(study), [*map(list, comparisons)]]
    text = json.dumps(state, sort_keys=True, ensure_ascii=False)
    return Inputs(answers["current"], scores["metrics"], hashlib.sha256(text.encode()).hexdigest())


def late_answers(study: Study) -> int:
    """Answers to cards that others had meanwhile answered in full: kept, counted nowhere."""
    return LateAnswer.objects.filter(assignment__study=study).count()


def newest_report(study: Study, inputs_hash: str, seed: int, code_version: str) -> ReportSnapshot | None:
    """The latest attempt at exactly these results, whatever became of it."""
    return study.snapshots.filter(inputs_hash=inputs_hash, seed=seed, code_version=code_version).first()


def last_finished(study: Study, seed: int) -> ReportSnapshot | None:
    """The latest results of the study that this version can draw, of whatever state of its answers."""
    done = study.snapshots.filter(state=ReportSnapshot.State.DONE, seed=seed, results__format=FORMAT)
    return done.first()


def report_at_work(study: Study) -> ReportSnapshot | None:
    states = (ReportSnapshot.State.WAITING, ReportSnapshot.State.RUNNING)
    return study.snapshots.filter(state__in=states).first()


@dataclass(frozen=True)
class Shown:
    """What stands behind a unit of a report: its item, and a picture of it."""

    item_key: str
    prompt: str
    images: list[int]


def shown_units(items: Sequence[int]) -> dict[int, Shown]:
    """Item → key, prompt and images by slot, those whose files are held here, in two queries."""
    images: dict[int, list[int]] = {}
    with_file = ItemImage.objects.filter(item__in=items).exclude(image__file="").order_by("slot")
    for item, image in with_file.values_list("item_id", "image_id"):
        images.setdefault(item, []).append(image)
    rows = Item.objects.filter(pk__in=items).values_list("pk", "key", "prompt__text")
    return {pk: Shown(key, prompt, images.get(pk, [])) for pk, key, prompt in rows}
