"""How each rater saw the images, by the account of their browsers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from annotations.kinds.viewing import Summary, summary_of
from annotations.models import Assignment, Response, Study
from annotations.queries.reports import finished
from annotations.reports.documents.conversion import from_json
from annotations.reports.documents.design import ViewingOfRater

ROWS_AT_ONCE = 2_000
MOST_RATERS = 5_000
MOST_CARDS = 10_000
"""Of more cards than these a page shows what the latest results say."""


@dataclass(frozen=True)
class Viewing:
    """One rater's cards for which the browser reported how the images were seen.

    median_px  width at which images were shown, in pixels of the screen
    zoomed     cards on which the rater zoomed, in per cent
    hidden     time in which the window was hidden, in per cent; None where no time was reported
    inputs     what the cards were sent by, in words, the most frequent first
    """

    n_cards: int
    median_px: float
    zoomed: float
    hidden: float | None
    inputs: list[str]


def summaries(study: Study, raters: Sequence[int] | None = None) -> dict[int, Summary]:
    """By rater, how the images of their rated cards were seen at the latest answer to each. raters: only these.

    One rater's cards are in memory at a time. Those of whom nothing was reported are left out.
    """
    is_rating = Q(assignment__purpose=Assignment.Purpose.RATING)
    rows = Response.objects.filter(is_rating, assignment__study=study, viewing__isnull=False)
    rows = rows.order_by("assignment__rater_id", "assignment_id", "pk")
    if raters is not None:
        rows = rows.filter(assignment__rater__in=raters)
    found: dict[int, Summary] = {}
    columns = rows.values_list("assignment__rater_id", "assignment_id", "viewing").iterator(chunk_size=ROWS_AT_ONCE)
    for rater, own in groupby(columns, key=itemgetter(0)):
        latest: dict[int, dict[str, Any]] = {card: viewing for _rater, card, viewing in own if viewing is not None}
        if latest:
            found[rater] = summary_of(list(latest.values()))
    return found


def reported_viewing(study: Study) -> tuple[ViewingOfRater, ...]:
    """Of each rater who counts, by name; at most MOST_RATERS."""
    found = summaries(study)
    names = study.raters.filter(pk__in=found, excluded_at=None).order_by("name").values_list("pk", "name")
    return tuple(
        ViewingOfRater(
            rater=name,
            n_cards=found[pk].n_cards,
            median_shown_px=found[pk].median_px,
            median_pixel_ratio=found[pk].median_ratio,
            share_zoomed=found[pk].share_zoomed,
            share_hidden=found[pk].share_hidden,
            inputs=dict(found[pk].inputs.most_common()),
        )
        for pk, name in names[:MOST_RATERS]
    )


def viewing_of(study: Study, raters: Sequence[int]) -> dict[int, Viewing]:
    """By rater; those of whom nothing was reported are left out."""
    found = {}
    for rater, summary in summaries(study, raters).items():
        inputs = dict(summary.inputs.most_common())
        found[rater] = _in_percent(
            summary.n_cards, summary.median_px, summary.share_zoomed, summary.share_hidden, inputs
        )
    return found


@dataclass(frozen=True)
class _Reported:
    """What a study's document says of how images were seen."""

    viewing: tuple[ViewingOfRater, ...] = ()


@dataclass(frozen=True)
class Seen:
    """How the images were seen, by rater; those of whom nothing is known are left out.

    reported_at  when the results were calculated that say so; None where it was counted just now, or nothing is known
    is_large     there were too many cards to count
    """

    by_rater: dict[int, Viewing]
    reported_at: datetime | None = None
    is_large: bool = False


def viewing_on_page(study: Study, raters: Sequence[Any], *, most_cards: int = MOST_CARDS) -> Seen:
    """Of raters with `n_answered`. If they answered more than `most_cards`, what the latest results say of them."""
    if sum(rater.n_answered for rater in raters) <= most_cards:
        return Seen(viewing_of(study, [rater.pk for rater in raters]))
    snapshot = finished(study).first()
    if snapshot is None:
        return Seen({}, is_large=True)
    by_name = {one.rater: one for one in from_json(_Reported, snapshot.results or {}).viewing}
    found = {
        rater.pk: _in_percent(one.n_cards, one.median_shown_px, one.share_zoomed, one.share_hidden, one.inputs)
        for rater in raters
        if (one := by_name.get(rater.name)) is not None
    }
    return Seen(found, snapshot.ended_at, is_large=True)


def _in_percent(
    n_cards: int, median_px: float, zoomed: float, hidden: float | None, inputs: Mapping[str, int]
) -> Viewing:
    named = {"keyboard": _("keyboard"), "mouse": _("mouse"), "touch": _("touch"), "pen": _("pen")}
    share = None if hidden is None else 100 * hidden
    return Viewing(n_cards, median_px, 100 * zoomed, share, [named[name] for name in inputs])
