"""A study's answers as Label Studio's tasks: one for each image (or item) that was rated."""

from collections.abc import Iterator
from itertools import groupby
from typing import IO

from annotations.kinds.registry import kind_of
from annotations.models import Dimension, Study
from annotations.services.formats.answers import Answered, Given, answered
from exchange.tables.row import JsonValue
from exchange.writing.json_array import array_chunks
from exchange.writing.label_studio import Answer, Question, annotation, configuration

MOST_STARS = 10
"""A rating with more levels than this is a number in Label Studio."""


def write(study: Study, target: IO[bytes]) -> None:
    """Tasks with their annotations, as `opened_ratings` and Label Studio read them."""
    for chunk in array_chunks(_tasks(study)):
        target.write(chunk.encode())


def write_configuration(study: Study, target: IO[bytes]) -> None:
    """The labelling configuration for a project that holds these tasks."""
    found = answered(study)
    target.write(configuration([_question(found, dimension) for dimension in found.dimensions]).encode())


def _question(found: Answered, dimension: Dimension) -> Question:
    """Its control: stars from 1 in steps of 1, numbers on other scales, choices by words, and text for the rest."""
    name, words = dimension.name, dimension.question
    if not kind_of(dimension).has_levels:
        return Question(name, words, "textarea")
    if dimension.kind == Dimension.Kind.NOMINAL:
        return Question(name, words, "choices", found.labels(dimension))
    values = dimension.values
    if len(values) <= MOST_STARS and values == list(range(1, len(values) + 1)):
        return Question(name, words, "rating", most=len(values))
    return Question(name, words, "number")


def _tasks(study: Study) -> Iterator[dict[str, JsonValue]]:
    found = answered(study)
    questions = {dimension.pk: _question(found, dimension) for dimension in found.dimensions}
    raters = dict(study.raters.values_list("name", "pk"))
    for number, (name, answers) in enumerate(groupby(found.given(), lambda given: given.unit.name), start=1):
        annotations: list[JsonValue] = []
        for rater, some in groupby(answers, lambda given: given.rater):
            given = list(some)
            unit = given[0].unit
            annotations.append(
                annotation(
                    id=given[0].pk,
                    rater_id=raters[rater],
                    rater=rater,
                    answers=[Answer(questions[one.dimension.pk], _value(one, questions)) for one in given],
                    created_at=max(one.answered_at for one in given),
                    active_ms=given[0].active_ms,
                )
            )
        data: dict[str, JsonValue] = {
            "image": name,
            "prompt": unit.prompt,
            "prompt_id": unit.prompt_id,
            "method": unit.method,
        }
        yield {"id": number, "data": data, "annotations": annotations}


def _value(given: Given, questions: dict[int, Question]) -> int | float | str | None:
    if given.is_unable:
        return None
    control = questions[given.dimension.pk].control
    if given.value is None or control in ("choices", "textarea"):
        return given.words
    return int(given.value) if given.value == given.value.to_integral_value() else float(given.value)
