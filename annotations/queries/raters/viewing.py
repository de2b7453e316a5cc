"""How each rater saw the images, as reported by their browsers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from annotations.kinds.viewing import Summary, summary_of
from annotations.models import Assignment, Response, Study
from annotations.reports.documents.design import ViewingOfRater

ROWS_AT_ONCE = 2_000
MOST_RATERS = 5_000


@dataclass(frozen=True)
class Viewing:
    """One rater's cards for which the browser reported how the images were seen.

    median_px  width at which images were shown, in screen pixels
    zoomed     cards on which the rater zoomed, in per cent
    hidden     time in which the window was hidden, in per cent; None where no time was reported
    inputs     how the cards were sent, in words, the most frequent first
    """

    n_cards: int
    median_px: float
    zoomed: float
    hidden: float | None
    inputs: list[str]


def summaries(study: Study, raters: Sequence[int] | None = None) -> dict[int, Summary]:
    """By rater, how the images of their rated cards were seen at the latest answer to each. raters: only these.

    One rater's cards are in memory at a time. Raters without reports are left out.
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
    """For each rater who counts, by name; at most MOST_RATERS."""
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
    """By rater; raters without reports are left out."""
    found = {}
    for rater, summary in summaries(study, raters).items():
        inputs = dict(summary.inputs.most_common())
        found[rater] = in_percent(
            summary.n_cards, summary.median_px, summary.share_zoomed, summary.share_hidden, inputs
        )
    return found


def in_percent(
    n_cards: int, median_px: float, zoomed: float, hidden: float | None, inputs: Mapping[str, int]
) -> Viewing:
    """For one rater, with shares as 0…1 and inputs by name, the most frequent first."""
    named = {"keyboard": _("keyboard"), "mouse": _("mouse"), "touch": _("touch"), "pen": _("pen")}
    share = None if hidden is None else 100 * hidden
    return Viewing(n_cards, median_px, 100 * zoomed, share, [named[name] for name in inputs])
