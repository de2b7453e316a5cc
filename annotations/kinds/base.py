"""The definition of a kind of question, and the words that all kinds share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, Literal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from annotations.models import Dimension, Response

UNABLE = "u"
"""The form's value for "unable to answer"."""


class BadAnswers(ValueError):
    """Invalid answers, which cannot be saved; the message is for the annotator."""


@dataclass(frozen=True)
class Answer:
    """One answer to one dimension, about one image or (None) about everything shown.

    level: for a question whose answer is one of its levels. answer: for any other, in its kind's own format. Neither:
    unable to answer.
    """

    dimension_id: int
    image_id: int | None
    level: int | None
    answer: Any = None

    @property
    def is_unable(self) -> bool:
        return self.level is None and self.answer is None


@dataclass(frozen=True)
class Design:
    """A researcher's input for a question, besides its words. levels: as text, one per line."""

    levels: str
    step: Decimal | None = None
    shows_value: bool = True
    is_required: bool = True
    shape: str = ""
    names_sides: bool = False


OF_KIND = tuple(field.name for field in fields(Design) if field.name != "levels")
"""Fields that not every kind of question has; they become `Dimension.parameters`."""
Measured = Literal["ordinal", "interval", "nominal", "ranking"]
"""What levels are: ordered; ordered at known distances; categories; places in an order of images."""


@dataclass(frozen=True)
class Count:
    """One possible answer that is counted. key names it in files, label is for readers.

    part: for one answer, how often it says so, and how often it could have: (hits, weight) with 0 ≤ hits ≤ weight.
    """

    key: str
    label: str
    part: Callable[[Any], tuple[float, float]]


class QuestionKind:
    """How one kind of question works. `key` is the member of `Dimension.Kind`; one object serves all studies.

    template     the template for the part of the card that asks it
    module       its name in the page's script (`data-kind`); static/annotations/rate/kinds has its module
    parameters   the fields of `Design` that it takes besides the levels; the design page shows no others
    has_levels   the answer is one of the question's levels; otherwise it is a structure in `Response.answer`
    measured_as  how statistics take its levels; None without levels
    in_files     the format of a structure in exported files, for the data dictionary
    scored_as    the meaning of the score of an answer that is not a level; empty: it has none
    answers_by_press  the last press of an answer may submit a card that asks nothing else
    about        what the question can be about; empty: each image, or everything shown
    """

    key: str
    template = "annotations/rate/kinds/levels.html"
    module = "levels"
    parameters: tuple[str, ...] = ()
    has_levels = True
    measured_as: Measured | None = None
    in_files = ""
    scored_as = ""
    answers_by_press = True
    about: tuple[str, ...] = ()

    @property
    def is_ordered(self) -> bool:
        """Whether its levels have an order, so that they have a mean and a median."""
        return self.measured_as in ("ordinal", "interval")

    @property
    def has_parts(self) -> bool:
        """Whether its answers have parts, each a row of the exported table of parts."""
        return type(self).parts is not QuestionKind.parts

    # --- design -----------------------------------------------------------------------------------------------------
    def designed(self, design: Design, parse: Callable[[str, str], list[dict[str, str]]]) -> tuple[Any, dict[str, Any]]:
        """(levels, parameters) as a `Dimension` stores them. parse(text, kind) reads lines of levels.

        Raises ValidationError, which says what is wrong and how to fix it.
        """
        if not design.levels.strip():
            raise ValidationError(_("This field is required."))
        return parse(design.levels, self.key), {}

    def typed(self, dimension: Dimension) -> dict[str, Any]:
        """The fields of `Design` besides the levels, from a stored question."""
        return {}

    def frozen(self, prompts: Sequence[int]) -> dict[int, Any]:
        """For each prompt, what an item must store for this kind (see `Item.frozen`). Raises ValidationError."""
        return {}

    # --- the card ---------------------------------------------------------------------------------------------------
    def places(self, dimension: Dimension, n_images: int) -> Sequence[int | None]:
        """The places at which a card asks it: once for each image from the left, or once (None) for all."""
        return range(n_images) if dimension.about == Dimension.About.IMAGE else [None]

    def context(self, dimension: Dimension, name: str, given: Mapping[str, str], frozen: Any) -> dict[str, Any]:
        """The template's context besides what every question has (see `annotations.views.cards`)."""
        return {}

    def parse(
        self, dimension: Dimension, data: Mapping[str, str], images: Sequence[int], frozen: Any = None
    ) -> list[Answer]:
        """The answers in a card's form. images: ids in the order shown. Raises BadAnswers."""
        answers = []
        for place in self.places(dimension, len(images)):
            name, image = field_name(dimension, place), None if place is None else images[place]
            if dimension.allows_unable and data.get(name) == UNABLE:
                answers.append(Answer(dimension.pk, image, None))
                continue
            read = self.read(dimension, name, data, frozen)
            if read is not None:
                answers.append(Answer(dimension.pk, image, *read))
        return answers

    def read(
        self, dimension: Dimension, name: str, data: Mapping[str, str], frozen: Any
    ) -> tuple[int | None, Any] | None:
        """(level, answer) of one question from its fields; None if an optional question is unanswered. Raises
        BadAnswers."""
        raise NotImplementedError  # every kind of question has its own

    def fields(self, dimension: Dimension, name: str, response: Response) -> dict[str, str]:
        """The form fields that reproduce this answer: the inverse of `read`."""
        return {name: UNABLE if response.is_unable else str(response.level)}

    # --- files and figures ------------------------------------------------------------------------------------------
    def in_words(self, dimension: Dimension, answer: Any) -> str:
        """An answer that is not a level, in words."""
        return ""

    def parts(self, dimension: Dimension, answer: Any, frozen: Any) -> list[tuple[str, str, Any]]:
        """(part, what it is, the answer about it) for each part of an answer, for files with one row per part."""
        return []

    def bars(self, dimension: Dimension) -> list[tuple[str, str]]:
        """(value, words) of each bar of a histogram of the answers."""
        if self.has_levels:
            return [(level["value"], level["label"]) for level in dimension.levels]
        return [(count.key, count.label) for count in self.counts(dimension)]

    def in_bars(self, dimension: Dimension, level: int | None, answer: Any) -> list[int]:
        """The bars that an answer counts in."""
        if level is not None:
            return [level]
        if answer is None:
            return []
        return [
            place for place, count in enumerate(self.counts(dimension)) for _time in range(round(count.part(answer)[0]))
        ]

    def score(self, dimension: Dimension, answer: Any) -> float | None:
        """An answer that is not a level as a share from 0 to 1, which statistics of scales accept; None without a
        score."""
        return None

    def counts(self, dimension: Dimension) -> list[Count]:
        """What is counted in an answer that is not a level, and shown as shares."""
        return []


def field_name(dimension: Dimension, place: int | None) -> str:
    """The form field of a dimension: about the image at a place from the left, or about everything shown."""
    return f"d{dimension.pk}" if place is None else f"d{dimension.pk}-{place}"


def unanswered(dimension: Dimension) -> BadAnswers:
    return BadAnswers(_("One question is not answered yet: “%s”") % dimension.question)


def unknown(dimension: Dimension) -> BadAnswers:
    return BadAnswers(_("“%s” has no such answer. Choose one of those shown.") % dimension.question)


def whole(text: str) -> int | None:
    """A whole number; None for anything else, and for more digits than any number here can have (Python refuses
    4,301)."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
