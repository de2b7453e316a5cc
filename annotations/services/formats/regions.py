"""Places marked by raters and errors marked by auditors, as COCO and, with the ratings, as Web Annotations."""

import json
from collections.abc import Iterator
from itertools import chain
from typing import IO

from django.utils import timezone

from annotations.models import Dimension, MissedError, Rater, Study
from annotations.queries.exports import image_name
from annotations.queries.studies import current_responses
from annotations.services.formats.answers import answered
from exchange.tables.row import JsonValue
from exchange.writing.json_array import array_chunks
from exchange.writing.regions import Picture, Region, assessment, coco, web_annotation

ROWS_AT_ONCE = 2_000


def write_coco(study: Study, target: IO[bytes]) -> None:
    """Boxes and points of the places and errors that count; errors without a place are counted in `info`."""
    made = coco(
        _regions(study),
        description=f"Places and errors that people marked: {study.title}",
        made_at=timezone.now().isoformat(timespec="seconds"),
    )
    target.write(f"{json.dumps(made, ensure_ascii=False)}\n".encode())


def write_web_annotations(study: Study, target: IO[bytes]) -> None:
    """An annotation for each rating, for each place that a rater marked, and for each error that an auditor listed."""
    for chunk in array_chunks(chain(_assessments(study), map(web_annotation, _regions(study)))):
        target.write(chunk.encode())


def _regions(study: Study) -> Iterator[Region]:
    return chain(_places(study), _errors(study))


def _places(study: Study) -> Iterator[Region]:
    """Answers that count to questions about places, with one region per place. "None" marks nothing."""
    for dimension in study.dimensions.filter(kind=Dimension.Kind.PLACES).order_by("position"):
        labels = [level["label"] for level in dimension.levels]
        rows = current_responses([dimension]).filter(answer__isnull=False).order_by("image", "pk")
        columns = ("image_id", "image__key", "image__width", "image__height")
        given = rows.values_list(
            "pk", "answer", "answered_at", "assignment__rater__name", "assignment__rater__kind", *columns
        )
        for pk, answer, at, rater, kind, image, key, *size in given.iterator(chunk_size=ROWS_AT_ONCE):
            for number, place in enumerate(answer, start=1):
                yield Region(
                    id=f"place:{pk}:{number}",
                    picture=Picture(image_name(image, key), *size),
                    by=rater,
                    is_person=kind != Rater.Kind.SIMULATED,
                    kind=labels[place["kind"]],
                    text=labels[place["kind"]],
                    at=at,
                    x=place["x"],
                    y=place["y"],
                    width=place.get("width"),
                    height=place.get("height"),
                    more={"question": dimension.name},
                )


def _errors(study: Study) -> Iterator[Region]:
    """Errors that were not withdrawn. For two compared images, errors of the refined one say so."""
    errors = MissedError.objects.filter(study=study, withdrawn_at=None).order_by("image", "pk")
    for one in errors.select_related("image", "auditor", "group").iterator(chunk_size=ROWS_AT_ONCE):
        yield Region(
            id=f"error:{one.pk}",
            picture=Picture(image_name(one.image_id, one.image.key), one.image.width, one.image.height),
            by=one.auditor.name,
            is_person=one.auditor.kind != Rater.Kind.SIMULATED,
            kind=one.kind,
            text=one.text,
            at=one.answered_at,
            x=one.x,
            y=one.y,
            width=one.width,
            height=one.height,
            more={
                "about": one.about,
                "severity": one.severity,
                "stage": one.stage,
                "is_in_refined": one.is_in_refined,
                "group": one.group.number if one.group else None,
            },
        )


def _assessments(study: Study) -> Iterator[dict[str, JsonValue]]:
    for one in answered(study).given():
        yield assessment(
            id=one.pk,
            item=one.unit.name,
            by=one.rater,
            is_person=one.rater_kind != Rater.Kind.SIMULATED,
            at=one.answered_at,
            question=one.dimension.name,
            value=str(one.cell),
            words=one.words,
        )
