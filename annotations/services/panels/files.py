"""Files for a panel: submissions to approve, submissions to reject with the reason, and bonuses to pay."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from django.db.models import Q, QuerySet

from annotations.models import Panel, PanelVisit

Row = Sequence[object]
APPROVALS = ("session", "participant", "rater", "completed_at")
REJECTIONS = ("session", "participant", "rater", "reason")
IN_RESULTS = Q(rater__isnull=False, rater__excluded_at=None)
NAMES = ("approvals", "rejections", "bonuses")


def approvals(panel: Panel) -> Iterator[Row]:
    """Completed visits of raters who are in the results, and of erased raters who are still to be paid, of whom only
    the submission is known."""
    completed = _completed(panel).filter(IN_RESULTS | Q(is_forgotten=True) & ~Q(session=""))
    for visit in completed.select_related("rater").iterator(chunk_size=500):
        yield visit.session, visit.shown_participant, visit.rater.name if visit.rater else "", visit.ended_at


def rejections(panel: Panel) -> Iterator[Row]:
    """Completed visits of raters who were excluded, with the reason that was given. Raters who withdrew are not
    included."""
    excluded = _completed(panel).filter(rater__excluded_at__isnull=False, rater__withdrawn_at=None)
    yield from excluded.values_list("session", "participant", "rater__name", "rater__excluded_reason")


def bonuses(panel: Panel, amount: Decimal) -> Iterator[Row]:
    """(participant, amount) of every completed visit of a rater in the results, in the format of Prolific's bulk
    payment."""
    for participant in _completed(panel).filter(IN_RESULTS).values_list("participant", flat=True):
        yield participant, f"{amount:.2f}"


def _completed(panel: Panel) -> QuerySet[PanelVisit]:
    return PanelVisit.objects.filter(panel=panel, state=PanelVisit.State.COMPLETED).order_by("pk")
