"""Everything people answered in a study, in one file that outlives the study."""

import json
import tempfile
from collections.abc import Iterator
from typing import Any

from django.core.files import File
from django.core.files.storage import default_storage
from django.core.serializers.json import DjangoJSONEncoder

from annotations.models import Dimension, LateAnswer, MissedError, Response, Study, Verdict

ROWS_AT_ONCE = 2_000


def archive_name(study: Study) -> str:
    """Where the file lies in the default storage. The study's random token keeps it from being guessed."""
    return f"exports/{study.token}/answers.jsonl"


def archive_answers(*, study: Study) -> str:
    """Write every answer, with all its revisions, as JSON lines; replaces an earlier file. Returns its storage name.

    Each line has a `type`: study (first, with its questions), response, late_answer, verdict, missed_error. A response
    has its level's value as exact decimal text, or null where the rater was unable to answer. Bounded memory.
    """
    name = archive_name(study)
    with tempfile.TemporaryFile("w+b") as file:
        for row in _rows(study):
            file.write(json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False).encode() + b"\n")
        file.seek(0)
        default_storage.delete(name)
        return default_storage.save(name, File(file))


def _rows(study: Study) -> Iterator[dict[str, Any]]:
    dimensions = {dimension.pk: dimension for dimension in study.dimensions.all()}
    yield {
        "type": "study",
        "title": study.title,
        "owner": str(study.owner),
        "item_kind": study.item_kind,
        "seed": study.seed,
        "dimensions": [_dimension(dimension) for dimension in dimensions.values()],
    }
    responses = Response.objects.filter(assignment__study=study).select_related(
        "assignment__item__prompt", "assignment__rater", "image__method"
    )
    for response in responses.order_by("pk").iterator(chunk_size=ROWS_AT_ONCE):
        assignment, image = response.assignment, response.image
        dimension = dimensions[response.dimension_id]
        level = None if response.level is None else dimension.levels[response.level]
        yield {
            "type": "response",
            "item": assignment.item.key,
            "prompt": assignment.item.prompt.text,
            "image": None if image is None else image.key or image.sha256,
            "method": None if image is None else image.method.name,
            "shown_order": assignment.shown_order,
            "rater": assignment.rater.name,
            "rater_kind": assignment.rater.kind,
            "dimension": dimension.name,
            "value": level and level["value"],
            "label": level and level["label"],
            "is_unable": response.is_unable,
            "revision": response.revision,
            "is_current": response.is_current,
            "shown_at": response.shown_at,
            "answered_at": response.answered_at,
            "active_ms": response.active_ms,
        }
    late_answers = LateAnswer.objects.filter(assignment__study=study).select_related(
        "assignment__item", "assignment__rater"
    )
    for late in late_answers.order_by("pk").iterator(chunk_size=ROWS_AT_ONCE):
        yield {
            "type": "late_answer",
            "item": late.assignment.item.key,
            "rater": late.assignment.rater.name,
            "answers": late.answers,
            "received_at": late.received_at,
        }
    verdicts = Verdict.objects.filter(study=study).select_related("claim__critique", "auditor")
    for verdict in verdicts.order_by("pk").iterator(chunk_size=ROWS_AT_ONCE):
        yield {
            "type": "verdict",
            "critic": verdict.claim.critique.critic,
            "claim": verdict.claim.text,
            "auditor": verdict.auditor.name,
            **{name: getattr(verdict, name) for name in ("value", "severity", "reason", "revision", "is_current")},
            "answered_at": verdict.answered_at,
        }
    missed = MissedError.objects.filter(study=study).select_related("image", "auditor")
    for error in missed.order_by("pk").iterator(chunk_size=ROWS_AT_ONCE):
        names = ("text", "kind", "about", "severity", "x", "y", "width", "height", "answered_at")
        yield {
            "type": "missed_error",
            "image": error.image.key or error.image.sha256,
            "auditor": error.auditor.name,
            **{name: getattr(error, name) for name in names},
        }


def _dimension(dimension: Dimension) -> dict[str, Any]:
    return {name: getattr(dimension, name) for name in ("name", "question", "kind", "about", "levels", "allows_unable")}
