"""Exercises and checks of a draft whose questions and items are replaced."""

from dataclasses import dataclass
from typing import Any

from annotations.models import Dimension, Item, ItemImage, KnownAnswer, Study
from annotations.questions import names_sides
from annotations.services.taking_part.exercises import remove_from_rated


@dataclass(frozen=True)
class Remembered:
    """A known answer, by its question's name and the definition of its levels."""

    item: int
    question: str
    scale: Any
    image: int | None
    accepted: list[int]


def known_by_question(study: Study) -> list[Remembered]:
    """The known answers of the study's exercises and checks, before its questions are replaced."""
    rows = KnownAnswer.objects.filter(item__study=study).select_related("dimension").order_by("pk")
    return [
        Remembered(one.item_id, one.dimension.name, _scale(one.dimension), one.image_id, one.accepted) for one in rows
    ]


def relink(*, study: Study, remembered: list[Remembered]) -> None:
    """Tie known answers to the new questions of the same name and levels, and keep exercises out of what is rated.

    Known answers to a question that is gone, or whose levels have changed, are lost; the exercise stays.
    """
    questions = {one.name: one for one in Dimension.objects.filter(study=study)}
    KnownAnswer.objects.bulk_create(
        KnownAnswer(item_id=one.item, dimension=questions[one.question], image_id=one.image, accepted=one.accepted)
        for one in remembered
        if one.question in questions and _scale(questions[one.question]) == one.scale
    )
    hidden = {_shown(item) for item in Item.with_checks.filter(study=study).exclude(role=Item.Role.RATED)}
    images = ItemImage.objects.filter(item__study=study, item__role=Item.Role.RATED)
    of_hidden = images.filter(image__in={image for _prompt, shown in hidden for image in shown})
    for item in Item.objects.filter(pk__in=of_hidden.values("item")).order_by("-position"):
        if _shown(item) in hidden:
            remove_from_rated(item=Item.objects.get(pk=item.pk))


def _scale(dimension: Dimension) -> tuple[bool, bool, list[dict[str, Any]], Any]:
    """What a level's number means: the levels, whether the first two are sides, and the step between them if they are a
    slider's two ends."""
    is_slider = dimension.kind == Dimension.Kind.SLIDER
    return is_slider, names_sides(dimension), dimension.levels, dimension.parameters.get("step")


def _shown(item: Item) -> tuple[int, tuple[int, ...]]:
    """The item's prompt and its images by slot."""
    images = ItemImage.objects.filter(item=item).order_by("slot").values_list("image_id", flat=True)
    return item.prompt_id, tuple(images)
