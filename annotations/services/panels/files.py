"""Files for a panel: whom to approve, whom to reject and why, and what to pay as a bonus."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from django.db.models import QuerySet

from annotations.models import Panel, PanelVisit

Row = Sequence[object]
APPROVALS = ("session", "participant", "rater", "completed_at")
REJECTIONS = ("session", "participant", "rater", "reason")
NAMES = ("approvals", "rejections", "bonuses")


def pay_of(visit: PanelVisit) -> str:
    """Which of the files below names a visit: "approve", "reject", or "" where neither does."""
    if visit.state != PanelVisit.State.COMPLETED or visit.rater is None:
        return ""
    if visit.rater.excluded_at is None:
        return "approve"
    return "reject" if visit.rater.withdrawn_at is None else ""


def approvals(panel: Panel) -> Iterator[Row]:
    """Completed visits of raters who are in the results."""
    completed = _completed(panel).filter(rater__excluded_at=None)
    yield from completed.values_list("session", "participant", "rater__name", "ended_at")


def rejections(panel: Panel) -> Iterator[Row]:
    """Completed visits of raters who were excluded, with the reason that was given. Those who withdrew are not."""
    excluded = _completed(panel).filter(rater__excluded_at__isnull=False, rater__withdrawn_at=None)
    yield from excluded.values_list("session", "participant", "rater__name", "rater__excluded_reason")


def bonuses(panel: Panel, amount: Decimal) -> Iterator[Row]:
    """(participant, amount) of every completed visit of a rater in the results, as Prolific's bulk payment takes it."""
    for participant in _completed(panel).filter(rater__excluded_at=None).values_list("participant", flat=True):
        yield participant, f"{amount:.2f}"


def _completed(panel: Panel) -> QuerySet[PanelVisit]:
    return PanelVisit.objects.filter(panel=panel, state=PanelVisit.State.COMPLETED).order_by("pk")
