"""How the images were seen, in a form that a page can show without waiting: counted now, or from the latest results."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from annotations.models import Study
from annotations.queries.raters.viewing import Viewing, in_percent, viewing_of
from annotations.queries.reports import finished
from annotations.reports.documents.conversion import from_json
from annotations.reports.documents.design import ViewingOfRater

MOST_CARDS = 10_000
"""With more cards than this a page shows the latest results."""


@dataclass(frozen=True)
class _Reported:
    """The part of a study's document about how images were seen."""

    viewing: tuple[ViewingOfRater, ...] = ()


@dataclass(frozen=True)
class Seen:
    """How the images were seen, by rater; raters without reports are left out.

    reported_at  when the underlying results were calculated; None if it was counted just now, or nothing is known
    is_large     there were too many cards to count
    """

    by_rater: dict[int, Viewing]
    reported_at: datetime | None = None
    is_large: bool = False


def viewing_on_page(study: Study, raters: Sequence[Any], *, most_cards: int = MOST_CARDS) -> Seen:
    """For raters with `n_answered`. If they answered more than `most_cards`, the figures come from the latest
    results."""
    if sum(rater.n_answered for rater in raters) <= most_cards:
        return Seen(viewing_of(study, [rater.pk for rater in raters]))
    snapshot = finished(study).first()
    if snapshot is None:
        return Seen({}, is_large=True)
    by_name = {one.rater: one for one in from_json(_Reported, snapshot.results or {}).viewing}
    found = {
        rater.pk: in_percent(one.n_cards, one.median_shown_px, one.share_zoomed, one.share_hidden, one.inputs)
        for rater in raters
        if (one := by_name.get(rater.name)) is not None
    }
    return Seen(found, snapshot.ended_at, is_large=True)
