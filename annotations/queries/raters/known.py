"""Known answers of items, and whether a rater's answers agree with them."""

from collections.abc import Iterable, Mapping

from annotations.models import Dimension, Item, KnownAnswer, Rater, Study, Trial
from annotations.questions import names_sides

Given = Mapping[tuple[int, int | None], int | None]
"""(dimension, image or None) → level; None for "unable to answer"."""
BEFORE = (Item.Role.EXAMPLE, Item.Role.PRACTICE, Item.Role.QUIZ)


def verdicts(known: Iterable[KnownAnswer], given: Given, shown_order: str) -> list[bool]:
    """For each known answer, whether the given one is among the accepted levels. "Unable to answer" is not."""
    return [
        _level(one.dimension, given.get((one.dimension_id, one.image_id)), shown_order) in one.right for one in known
    ]


def _level(dimension: Dimension, level: int | None, shown_order: str) -> int | None:
    """The level with sides turned back to the item's own images."""
    if level is not None and level < 2 and shown_order.startswith("1") and names_sides(dimension):
        return 1 - level
    return level


def known_answers(items: Iterable[int]) -> dict[int, list[KnownAnswer]]:
    """The known answers by item, with the questions, in one query."""
    found: dict[int, list[KnownAnswer]] = {}
    for known in KnownAnswer.objects.filter(item__in=list(items)).select_related("dimension").order_by("pk"):
        found.setdefault(known.item_id, []).append(known)
    return found


def exercises(study: Study, *roles: str) -> list[Item]:
    """The study's items of these roles, in their order."""
    items = Item.with_checks.filter(study=study, role__in=roles or [role for role in Item.Role if role != "rated"])
    return list(items.select_related("prompt").order_by("role", "position"))


def has_exercises(study: Study) -> bool:
    return Item.with_checks.filter(study=study, role__in=BEFORE).exists()


def trials(rater: Rater, role: str) -> list[Trial]:
    """The rater's trials on items of a role, in the order in which they began."""
    return list(Trial.objects.filter(rater=rater, item__role=role).select_related("item__prompt").order_by("pk"))


def trial_of(token: str, rater: Rater) -> Trial | None:
    return Trial.objects.filter(token=token, rater=rater).select_related("item__prompt").first()
