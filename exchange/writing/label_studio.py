"""Label Studio's tasks with annotations (its "Task Format") and the labelling configuration that shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from xml.etree import ElementTree

from exchange.tables.row import JsonValue

Control = Literal["rating", "number", "choices", "textarea"]
UNABLE = "unable to answer"


@dataclass(frozen=True)
class Question:
    """How a question is asked in Label Studio.

    most  the highest value of a rating, which begins at 1
    """

    name: str
    words: str
    control: Control
    choices: Sequence[str] = ()
    most: int = 5


@dataclass(frozen=True)
class Answer:
    """One answer of an annotation; `value` as its control has it, None for "unable to answer"."""

    question: Question
    value: int | float | str | None


def annotation(
    *, id: int, rater_id: int, rater: str, answers: Sequence[Answer], created_at: datetime, active_ms: int | None
) -> dict[str, JsonValue]:
    """One rater's work on one task. Label Studio knows people by `email`, which holds the rater's name here."""
    return {
        "id": id,
        "completed_by": {"id": rater_id, "email": rater},
        "was_cancelled": False,
        "created_at": created_at.isoformat(),
        "lead_time": None if active_ms is None else active_ms / 1000,
        "result": [_result(id, place, answer) for place, answer in enumerate(answers)],
    }


def _result(annotation_id: int, place: int, answer: Answer) -> dict[str, JsonValue]:
    control: Control = "choices" if answer.value is None else answer.question.control
    values: dict[Control, dict[str, JsonValue]] = {
        "rating": {"rating": answer.value},
        "number": {"number": answer.value},
        "choices": {"choices": [UNABLE if answer.value is None else answer.value]},
        "textarea": {"text": [answer.value]},
    }
    return {
        "id": f"{annotation_id}-{place}",
        "from_name": answer.question.name,
        "to_name": "image",
        "type": control,
        "value": values[control],
    }


def configuration(questions: Sequence[Question]) -> str:
    """The labelling configuration of a project that such tasks are imported into."""
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Text", name="prompt", value="$prompt")
    ElementTree.SubElement(view, "Image", name="image", value="$image")
    for question in questions:
        ElementTree.SubElement(view, "Header", value=question.words)
        named = {"name": question.name, "toName": "image"}
        if question.control == "rating":
            ElementTree.SubElement(view, "Rating", named, maxRating=str(question.most))
        elif question.control == "number":
            ElementTree.SubElement(view, "Number", named)
        elif question.control == "textarea":
            ElementTree.SubElement(view, "TextArea", named)
        else:
            choices = ElementTree.SubElement(view, "Choices", named, choice="single")
            for words in (*question.choices, UNABLE):
                ElementTree.SubElement(choices, "Choice", value=words)
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"
