"""Known answers in words, next to what a rater answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _

from annotations.models import Dimension, KnownAnswer, Study
from annotations.queries.raters.known import verdicts
from annotations.queries.words import asked
from annotations.questions import names_sides


@dataclass(frozen=True)
class AnswerInWords:
    """One question about an exercise: the right answer, and the given one (empty before it is answered)."""

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
    """In the order of the known answers. `images`: as shown from left to right.

    With `study`, in the page's language; otherwise in the stored words.
    """
    given = {(row["dimension"], row["image"]): row["level"] for row in answers}
    found = []
    for one, is_right in zip(known, verdicts(known, given, shown_order), strict=True):
        (read,) = asked(study, [one.dimension]) if study is not None else (one.dimension,)
        is_turned = shown_order.startswith("1") and names_sides(one.dimension)
        shown = sorted(1 - level if is_turned and level < 2 else level for level in one.right)
        key = (one.dimension_id, one.image_id)
        level = given.get(key)
        said = "" if key not in given else _("Unable to answer") if level is None else _in_words(read, [level])
        about = ""
        if one.image_id in images and len(images) > 1:
            about = _("Image %(letter)s") % {"letter": chr(ord("A") + images.index(one.image_id))}
        found.append(AnswerInWords(read.question, about, _in_words(read, shown), said, is_right))
    return found


def _in_words(dimension: Dimension, levels: Sequence[int]) -> str:
    """These levels, ascending, of a question; values off its scale are left out, as the scale may have changed.

    For a slider: its values from … to …, and the words of its ends.
    """
    known = [level for level in levels if 0 <= level < dimension.n_levels]
    if not known or dimension.kind != Dimension.Kind.SLIDER:
        return _(" or ").join(dimension.label_of(level) or str(dimension.value_of(level)) for level in known)
    breaks = [place for place, (one, next_one) in enumerate(pairwise(known), start=1) if next_one != one + 1]
    runs = [known[first:end] for first, end in pairwise([0, *breaks, len(known)]) if first < end]
    low, high = dimension.levels
    return _("%(answer)s (%(low)s = %(low_label)s, %(high)s = %(high_label)s)") % {
        "answer": _(" or ").join(_values(dimension, run) for run in runs),
        "low": _number(dimension, 0),
        "low_label": low["label"],
        "high": _number(dimension, dimension.n_levels - 1),
        "high_label": high["label"],
    }


def _values(dimension: Dimension, run: Sequence[int]) -> str:
    if len(run) == 1:
        return _number(dimension, run[0])
    return _("%(low)s to %(high)s") % {"low": _number(dimension, run[0]), "high": _number(dimension, run[-1])}


def _number(dimension: Dimension, level: int) -> str:
    """A slider's value. Its minus sign stays on its left even in a right-to-left language."""
    value = dimension.value_of(level).normalize()
    return f"\u2066{value:f}\u2069" if value < 0 else f"{value:f}"
