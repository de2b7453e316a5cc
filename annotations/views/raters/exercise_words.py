"""Known answers in words, next to what a rater answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from annotations.models import KnownAnswer, Study
from annotations.queries.raters.known import verdicts
from annotations.queries.words import asked
from annotations.questions import names_sides


@dataclass(frozen=True)
class AnswerInWords:
    """One question about an exercise: what is right, and what was answered (empty before)."""

    question: str
    about: str
    right: str
    given: str
    is_right: bool


def answers_in_words(
    known: Sequence[KnownAnswer],
    answers: Sequence[Mapping[str, Any]],
    shown_order: str,
    images: Sequence[int],
    *,
    study: Study | None = None,
) -> list[AnswerInWords]:
    """In the order of what is known. `images`: as they are shown from left to right.

    With `study` in the words of the page's language, else in those that are stored.
    """
    given = {(row["dimension"], row["image"]): row["level"] for row in answers}
    found = []
    for one, is_right in zip(known, verdicts(known, given, shown_order), strict=True):
        (read,) = asked(study, [one.dimension]) if study is not None else (one.dimension,)
        labels = [level["label"] for level in read.levels]
        is_turned = shown_order.startswith("1") and names_sides(one.dimension)
        shown = [1 - level if is_turned and level < 2 else level for level in one.accepted]
        key = (one.dimension_id, one.image_id)
        level = given.get(key)
        said = "" if key not in given else _("Unable to answer") if level is None else labels[level]
        about = ""
        if one.image_id in images and len(images) > 1:
            about = _("Image %(letter)s") % {"letter": chr(ord("A") + images.index(one.image_id))}
        right = _(" or ").join(labels[level] for level in sorted(shown) if level < len(labels))
        found.append(AnswerInWords(read.question, about, right, said, is_right))
    return found
