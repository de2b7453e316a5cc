"""The content of a rating card, as template context, without anything that would reveal a method."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from unicodedata import east_asian_width

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from annotations.kinds.base import field_name
from annotations.kinds.registry import kind_of
from annotations.models import Assignment, Dimension, Response, Study
from annotations.models.participation import plan_of
from annotations.queries import rating as queries
from annotations.queries.words import asked
from generation.models import Image, Reference

RATING = {
    "home": "rate",
    "answer": "rate-answer",
    "image": "rate-image",
    "upcoming": "rate-upcoming",
    "back": "rate-back",
    "pause": "rate-pause",
}
"""The names of a card's addresses; a preview has the same addresses under its own names."""
LONG_PROMPT = 200
"""A prompt with more characters than this (double-width ones count twice) is shown next to the image in a wide
window."""


def slots_as_shown(assignment: Assignment) -> list[int]:
    """The slots in the order in which they are shown."""
    return [int(slot) for slot in assignment.shown_order.split(",")] if assignment.shown_order else [0]


def images_as_shown(assignment: Assignment) -> list[int]:
    by_slot = queries.image_ids(assignment.item_id)
    return [by_slot[slot] for slot in slots_as_shown(assignment)]


def picture_at(assignment: Assignment, place: int) -> Image | Reference:
    """The picture at this place from the left; after the last one comes the card's reference image. Raises Http404."""
    images, reference = images_as_shown(assignment), assignment.item.reference
    if place < len(images):
        return get_object_or_404(Image.objects.exclude(shown="").only("shown", "width"), pk=images[place])
    if place > len(images) or reference is None:
        raise Http404
    return get_object_or_404(Reference.objects.only("shown", "width"), pk=reference["id"])


def given_answers(assignment: Assignment) -> dict[str, str]:
    """The current answers as form data."""
    return {"flag": assignment.flag} | given_answers_of(assignment, queries.current_answers(assignment))


def given_answers_of(assignment: Assignment, answers: Iterable[Response]) -> dict[str, str]:
    """These answers as form data."""
    places = {image_id: place for place, image_id in enumerate(images_as_shown(assignment))}
    dimensions = {dimension.pk: dimension for dimension in queries.dimensions_of(assignment.study_id)}
    given: dict[str, str] = {}
    for response in answers:
        dimension = dimensions[response.dimension_id]
        place = None if response.image_id is None else places[response.image_id]
        if response.is_unable and dimension.is_ordering:
            place = None  # it is answered once for all images
        given |= kind_of(dimension).fields(dimension, field_name(dimension, place), response)
    return given


def card_contexts(
    study: Study,
    assignments: list[Assignment],
    dimensions: list[Dimension] | None = None,
    *,
    problem: str = "",
    given: Any = None,
    urls: dict[str, str] = RATING,
) -> list[dict[str, Any]]:
    """Everything that a card shows, without anything that would reveal a method."""
    dimensions = queries.dimensions_of(study.pk) if dimensions is None else dimensions
    dimensions = asked(study, dimensions)
    sizes = queries.image_sizes([assignment.item_id for assignment in assignments])
    given = given or {}
    plan = plan_of(study)
    cards = []
    for assignment in assignments:
        slots = slots_as_shown(assignment)
        pictures: list[dict[str, Any]] = [
            {
                "place": place,
                "letter": letter(place),
                "name": _picture_name(place, len(slots)),
                "size": sizes[assignment.item_id][slot],
            }
            for place, slot in enumerate(slots)
        ]
        below = asked_on_card(dimensions, pictures, given, assignment.item.frozen)
        cards.append(
            {
                "token": assignment.token,
                "study_token": study.token,
                "urls": urls,
                "kind": study.item_kind,
                "prompt": assignment.item.prompt.text,
                "is_long": is_long(assignment.item.prompt.text),
                "pictures": pictures,
                "reference": _reference(assignment, len(slots)),
                **below,
                "allows_skip": urls is RATING and plan.pk is not None and plan.allows_skip,
                "is_page": True,  # it also works without a script
                # Requested under another address after a refusal, so that the images come from the server again.
                "asked_at": int(timezone.now().timestamp()) if problem else 1,
                "flag": given.get("flag", ""),
                "is_answered": assignment.state == Assignment.State.ANSWERED,
                "problem": problem,
                "shown_at": timezone.now().isoformat(),
            }
        )
    return cards


def _reference(assignment: Assignment, place: int) -> dict[str, Any] | None:
    """The card's reference image as one of its pictures; no question is about it."""
    found = assignment.item.reference
    return found and {"place": place, "name": _("Reference image"), "size": (found["width"], found["height"])}


def is_long(prompt: str) -> bool:
    return len(prompt) + sum(east_asian_width(character) in "WF" for character in prompt) > LONG_PROMPT


def asked_on_card(
    dimensions: Sequence[Dimension],
    pictures: list[dict[str, Any]],
    given: Mapping[str, str],
    frozen: Mapping[str, Any],
) -> dict[str, Any]:
    """The questions below a card's pictures; questions about each picture are added to that picture.

    frozen: of the card's item, see `Item.frozen`. The words are the same in a preview.
    """

    def question(dimension: Dimension, place: int | None, picture_name: str = "") -> dict[str, Any]:
        kind, name = kind_of(dimension), field_name(dimension, place)
        return {
            "name": name,
            "text": dimension.question,
            "picture_name": picture_name,
            "allows_unable": dimension.allows_unable,
            "given": given.get(name, ""),
            "template": kind.template,
            "module": kind.module,
        } | kind.context(dimension, name, given, frozen.get(dimension.kind))

    orderings = [d for d in dimensions if d.is_ordering]
    about_images = [d for d in dimensions if d.about == Dimension.About.IMAGE and not d.is_ordering]
    about_item = [d for d in dimensions if d.about == Dimension.About.ITEM]
    for picture in pictures:
        picture["questions"] = [question(d, picture["place"], picture["name"]) for d in about_images]
        picture["orderings"] = [question(d, picture["place"], picture["name"]) for d in orderings]
    n_questions = len(orderings) + len(about_images) * len(pictures) + len(about_item)
    return {
        "orderings": [question(d, None) for d in orderings],
        "questions": [question(d, None) for d in about_item],
        # Whether the last press of an answer also submits the card.
        "is_one_press": n_questions == 1 and all(kind_of(d).answers_by_press for d in dimensions),
    }


def letter(place: int) -> str:
    """An image's letter on its card, by its place from the left."""
    return chr(ord("A") + place)


def _picture_name(place: int, n: int) -> str:
    if n == 1:
        return _("The image to rate")
    if n == 2:
        return _("Left image") if place == 0 else _("Right image")
    return _("Image %(letter)s") % {"letter": letter(place)}


def rendered(
    request: HttpRequest,
    study: Study,
    cards: list[Assignment],
    dimensions: list[Dimension] | None = None,
    *,
    urls: dict[str, str] = RATING,
) -> list[dict[str, str]]:
    if not cards:
        return []
    contexts = card_contexts(study, cards, dimensions, urls=urls)
    return [
        {
            "token": context["token"],
            "html": render_to_string(
                "annotations/rate/card.html", {"card": context | {"is_page": False}}, request=request
            ),
        }
        for context in contexts
    ]
