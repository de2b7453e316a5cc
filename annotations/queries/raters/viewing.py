"""How each rater saw the images, by the account of their browsers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from annotations.kinds.viewing import summary_of
from annotations.models import Assignment, Response, Study

ROWS_AT_ONCE = 2_000


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


def viewings(study: Study, raters: Sequence[int] | None = None) -> dict[int, list[dict[str, Any]]]:
    """By rater, how the images of each rated card were seen at its latest answer. raters: only these."""
    is_rating = Q(assignment__purpose=Assignment.Purpose.RATING)
    rows = Response.objects.filter(is_rating, assignment__study=study, viewing__isnull=False).order_by("pk")
    if raters is not None:
        rows = rows.filter(assignment__rater__in=raters)
    latest: dict[int, dict[int, dict[str, Any]]] = {}
    columns = rows.values_list("assignment__rater_id", "assignment_id", "viewing")
    for rater, card, viewing in columns.iterator(chunk_size=ROWS_AT_ONCE):
        if viewing is not None:
            latest.setdefault(rater, {})[card] = viewing
    return {rater: list(cards.values()) for rater, cards in latest.items()}


def viewing_of(study: Study, raters: Sequence[int]) -> dict[int, Viewing]:
    """By rater; those of whom nothing was reported are left out."""
    named = {"keyboard": _("keyboard"), "mouse": _("mouse"), "touch": _("touch"), "pen": _("pen")}
    found = {}
    for rater, seen in viewings(study, raters).items():
        summary = summary_of(seen)
        inputs = [named[name] for name, _n in summary.inputs.most_common()]
        hidden = None if summary.share_hidden is None else 100 * summary.share_hidden
        found[rater] = Viewing(len(seen), summary.median_px, 100 * summary.share_zoomed, hidden, inputs)
    return found
