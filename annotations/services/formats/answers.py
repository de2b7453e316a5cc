"""A study's current answers one by one, each with the name under which results list the rated unit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from django.db.models import Value

from annotations.kinds.registry import kind_of
from annotations.models import Dimension, ItemImage, Study
from annotations.queries.exports import image_name
from annotations.queries.preferences import is_turned
from annotations.queries.results import StudyRows, study_rows
from annotations.queries.studies import current_responses
from annotations.questions import names_sides
from annotations.services.exports import UNABLE

ROWS_AT_ONCE = 2_000
Order = Literal["unit, rater", "unit, question"]


@dataclass(frozen=True)
class Unit:
    """The subject of an answer: an image, or everything that an item shows (then `image` is 0).

    prompt_id  the prompt's key, or else a name that no other prompt of the study has
    """

    name: str
    item: int
    image: int
    prompt_id: str
    prompt: str
    method: str


@dataclass(frozen=True)
class Given:
    """One answer that counts.

    level   its place on the scale, with sides turned back to the item's own images; None if there is none
    value   exact, on the question's scale; None for "unable to answer" and for answers that are not a single level
    words   the level's label, or a structured answer in words
    """

    pk: int
    unit: Unit
    rater: str
    rater_kind: str
    dimension: Dimension
    level: int | None
    value: Decimal | None
    words: str
    is_unable: bool
    answered_at: datetime
    active_ms: int | None

    @property
    def cell(self) -> Decimal | str:
        """The answer as one cell of a table of ratings: a number, "unable to answer", or the words of other answers."""
        if self.is_unable:
            return UNABLE
        return self.words if self.value is None else self.value


@dataclass(frozen=True)
class Answered:
    """A study's questions and rated units, in the order in which the study shows them.

    units   by the primary keys of item and image
    raters  those who gave an answer that counts, in order of arrival
    """

    study: Study
    dimensions: Sequence[Dimension]
    units: dict[tuple[int, int], Unit]
    raters: Sequence[str]
    rows: StudyRows

    def given(self, order: Order = "unit, rater") -> Iterator[Given]:
        """The answers that count, by unit and then as `order` says; a batch at a time in memory."""
        dimensions = {one.pk: one for one in self.dimensions}
        values = {pk: list(zip(one.values, self.labels(one), strict=True)) for pk, one in dimensions.items()}
        alone = self._images_alone()
        has_sides = any(map(names_sides, self.dimensions))
        parts = ("assignment__rater", "dimension__position")
        rest = parts if order == "unit, rater" else parts[::-1]
        answers = current_responses(self.dimensions).order_by("assignment__item__position", "image", *rest, "pk")
        fields = answers.values_list(
            *("pk", "dimension", "assignment__item", "image", "assignment__rater__name", "assignment__rater__kind"),
            *("level", "answer", "is_unable", "answered_at", "active_ms", is_turned() if has_sides else Value(0)),
        )
        for pk, asked, item, image, rater, kind, level, answer, is_unable, at, ms, turned in fields.iterator(
            chunk_size=ROWS_AT_ONCE
        ):
            dimension = dimensions[asked]
            if level is not None and level < 2 and turned and names_sides(dimension):
                level = 1 - level
            value, words = (None, "") if level is None else values[asked][level]
            if answer is not None:
                words = kind_of(dimension).in_words(dimension, answer)
            unit = self.units[item, image or alone.get(item, 0)]
            yield Given(pk, unit, rater, kind, dimension, level, value, words, is_unable, at, ms)

    def labels(self, dimension: Dimension) -> list[str]:
        """The words of every level; where levels are sides, the first two name the item's own images."""
        for one in self.rows.data.dimensions if names_sides(dimension) else ():
            if one.name == dimension.name:
                return list(one.labels)
        return dimension.labels

    def _images_alone(self) -> dict[int, int]:
        """Item → its image, if it shows only one: answers about the item are then answers about the image."""
        shown: dict[int, int] = {}
        for item, image in ItemImage.objects.filter(item__study=self.study).values_list("item", "image"):
            shown[item] = 0 if item in shown else image
        return shown


def answered(study: Study, rows: StudyRows | None = None) -> Answered:
    """The study's questions and what its answers are about; `rows` are those of `study_rows`, if they are known."""
    rows = rows or study_rows(study)
    dimensions = list(study.dimensions.all())
    places = zip(rows.item.tolist(), rows.image.tolist(), strict=True)
    names = dict(zip(places, rows.data.units, strict=True))
    prompt_codes = dict(zip(names, rows.data.prompt.tolist(), strict=True))
    method_codes = dict(zip(names, rows.data.method.tolist(), strict=True))
    units: dict[tuple[int, int], Unit] = {}
    fields = ("item", "item__key", "image", "image__key", "image__method__name", "item__prompt__key")
    shown = ItemImage.objects.filter(item__study=study).order_by("item__position", "slot")
    for item, key, image, image_key, method, prompt_key, text in shown.values_list(
        *fields, "item__prompt__text"
    ).iterator(chunk_size=ROWS_AT_ONCE):
        for place, fallback in ((item, 0), key), ((item, image), f"{image_name(image, image_key)} in {key}"):
            if place in units:
                continue
            code = prompt_codes.get(place, -1)
            prompt_id = rows.data.prompts[code] if code >= 0 else prompt_key or text
            made_by = method_codes.get(place, -1)
            by = rows.data.methods[made_by] if made_by >= 0 else method if place[1] else ""
            units[place] = Unit(names.get(place, fallback), place[0], place[1], prompt_id, text, by)
    raters = current_responses(dimensions).order_by("assignment__rater").values_list("assignment__rater__name")
    return Answered(study, dimensions, units, [name for (name,) in raters.distinct()], rows)
