"""Which items a rater gets next: those that the fewest raters have had."""

from collections.abc import Collection, Sequence

import numpy as np
from django.db.models import F, QuerySet

from annotations.models import Item, Rater, Study
from annotations.queries import rating as queries
from generation.jobs import locked

Avoided = Sequence[Collection[int]]
"""Sets of items to avoid; a later entry applies if nothing is left when an earlier one is avoided."""
MOST_DRAWN_FROM = 1000
"""Where items come in an order drawn for the rater, at most this many, the first that may come, are drawn from."""


def next_items(rater: Rater, study: Study, wanted: int, avoided: Avoided, *, is_drawn: bool) -> list[Item] | None:
    """The items to be rated next; None if none is left, so that a check is never a rater's last card.

    is_drawn  in an order drawn for the rater, not in the study's
    It runs the same queries if all next cards are checks, so that these take as long as others.
    """
    before = rater.cursor_taken, rater.cursor_position
    items: list[Item] = []
    for some in avoided:
        items = items or _open_items(rater, study, max(1, wanted), some, is_drawn=is_drawn)
    if not items:
        return None
    if wanted < 1:
        rater.cursor_taken, rater.cursor_position = before
        return []
    return items


def _open_items(rater: Rater, study: Study, limit: int, avoided: Collection[int], *, is_drawn: bool) -> list[Item]:
    """Open items at the lowest need level that has any, starting after this rater's cursor and wrapping around once."""
    taken = queries.next_need(study.pk, above=-1)
    while taken is not None:
        start = rater.cursor_position if rater.cursor_taken == taken and not is_drawn else -1
        for after in (start, -1) if start >= 0 else (start,):
            n = MOST_DRAWN_FROM if is_drawn else limit
            open_items = queries.open_items(rater, taken=taken, after_position=after, limit=n, avoided=avoided)
            if is_drawn:
                open_items = _some(rater, study, list(open_items.values_list("pk", flat=True)), limit)
            found = list(locked(open_items))
            if found:
                rater.cursor_taken, rater.cursor_position = taken, found[-1].position
                return found
        taken = queries.next_need(study.pk, above=taken)
    return []


def _some(rater: Rater, study: Study, items: Sequence[int], limit: int) -> QuerySet[Item]:
    """At most `limit` of these items that are still open, drawn from the study's seed for the rater."""
    order = np.random.default_rng([study.seed, 8, rater.pk, rater.next_sequence]).permutation(len(items))
    drawn = [items[place] for place in order[:limit].tolist()]
    return Item.objects.filter(pk__in=drawn, taken__lt=F("wanted")).order_by("position")
