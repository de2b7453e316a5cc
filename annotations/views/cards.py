"""What a rating card shows, as template context, and nothing that would tell a method."""

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from annotations.forms.rating import UNABLE, field_name
from annotations.models import Assignment, Dimension, Study
from annotations.queries import rating as queries


def slots_as_shown(assignment: Assignment) -> list[int]:
    """The slots in the order in which they are shown."""
    return [int(slot) for slot in assignment.shown_order.split(",")] if assignment.shown_order else [0]


def images_as_shown(assignment: Assignment) -> list[int]:
    by_slot = queries.image_ids(assignment.item_id)
    return [by_slot[slot] for slot in slots_as_shown(assignment)]


def given_answers(assignment: Assignment) -> dict[str, str]:
    """The standing answers as form data."""
    places = {image_id: place for place, image_id in enumerate(images_as_shown(assignment))}
    dimensions = {dimension.pk: dimension for dimension in queries.dimensions_of(assignment.study_id)}
    given = {"flag": assignment.flag}
    for response in queries.current_answers(assignment):
        place = None if response.image_id is None else places[response.image_id]
        given[field_name(dimensions[response.dimension_id], place)] = (
            UNABLE if response.is_unable else str(response.level)
        )
    return given


def card_contexts(
    study: Study,
    assignments: list[Assignment],
    dimensions: list[Dimension] | None = None,
    *,
    problem: str = "",
    given: Any = None,
) -> list[dict[str, Any]]:
    """Everything a card shows, and nothing that would tell a method."""
    dimensions = queries.dimensions_of(study.pk) if dimensions is None else dimensions
    sizes = queries.image_sizes([assignment.item_id for assignment in assignments])
    given = given or {}
    cards = []
    for assignment in assignments:
        slots = slots_as_shown(assignment)
        pictures: list[dict[str, Any]] = [
            {"place": place, "name": _picture_name(place, len(slots)), "size": sizes[assignment.item_id][slot]}
            for place, slot in enumerate(slots)
        ]
        about_images = [d for d in dimensions if d.about == Dimension.About.IMAGE]
        for picture in pictures:
            picture["questions"] = [_question(d, picture["place"], picture["name"], given) for d in about_images]
        about_item = [_question(d, None, "", given) for d in dimensions if d.about == Dimension.About.ITEM]
        cards.append(
            {
                "token": assignment.token,
                "study_token": study.token,
                "kind": study.item_kind,
                "prompt": assignment.item.prompt.text,
                "pictures": pictures,
                "questions": about_item,
                "n_questions": len(about_images) * len(pictures) + len(about_item),
                "flag": given.get("flag", ""),
                "is_answered": assignment.state == Assignment.State.ANSWERED,
                "problem": problem,
                "shown_at": timezone.now().isoformat(),
            }
        )
    return cards


def _question(dimension: Dimension, place: int | None, picture_name: str, given: Any) -> dict[str, Any]:
    name = field_name(dimension, place)
    return {
        "name": name,
        "text": dimension.question,
        "picture_name": picture_name,
        "options": dimension.options(),
        "allows_unable": dimension.allows_unable,
        "given": given.get(name, ""),
    }


def _picture_name(place: int, n: int) -> str:
    if n == 1:
        return _("The image to rate")
    if n == 2:
        return _("Left image") if place == 0 else _("Right image")
    return _("Image %(letter)s") % {"letter": chr(ord("A") + place)}


def rendered(
    request: HttpRequest, study: Study, cards: list[Assignment], dimensions: list[Dimension] | None = None
) -> list[dict[str, str]]:
    if not cards:
        return []
    contexts = card_contexts(study, cards, dimensions)
    return [
        {
            "token": context["token"],
            "html": render_to_string("annotations/rate_card.html", {"card": context}, request=request),
        }
        for context in contexts
    ]
