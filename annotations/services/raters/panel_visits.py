"""What remains of a visit from a panel when the person is forgotten: the fact of the visit, and a code that is not
their number.

The code is a hash of the participant's number with the site's secret key. It keeps people from taking part twice. The
number of a completed submission stays until it is paid, at most `PAID_WITHIN`, because panels pay only by this number.
"""

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.crypto import salted_hmac

from annotations.models import Panel, PanelVisit

State = PanelVisit.State
GOING_ON = (State.ARRIVED, State.JOINED)
PAID_WITHIN = timedelta(days=30)
"""Prolific automatically pays submissions that have not been reviewed for 21 days."""


def mark_of(panel: Panel, participant: str) -> str:
    """“#” and 64 hexadecimal digits: the same for the same person in this panel's study, and useless without the key.

    A panel's own numbers have no “#”, so nobody can present somebody else's mark.
    """
    return (
        "#" + salted_hmac("annotations.panel.participant", f"{panel.pk}:{participant}", algorithm="sha256").hexdigest()
    )


def pay_of(visit: PanelVisit) -> str:
    """Which file for the panel lists a visit: "approve", "reject", or "" for neither."""
    if visit.state == PanelVisit.State.COMPLETED and visit.is_forgotten:
        return "approve" if visit.session else ""
    if visit.state != PanelVisit.State.COMPLETED or visit.rater is None:
        return ""
    if visit.rater.excluded_at is None:
        return "approve"
    return "reject" if visit.rater.withdrawn_at is None else ""


def forget_visit(visit: PanelVisit, *, now: datetime, state: str) -> None:
    """Remove the person's numbers and name from a visit; an ongoing visit ends in this state.

    Call it before the rater is withdrawn or deleted: it checks whether they are to be paid.
    """
    if visit.is_forgotten:
        return
    is_owed = pay_of(visit) == "approve" and visit.ended_at is not None and visit.ended_at > now - PAID_WITHIN
    ends = {"state": state, "ended_at": now} if visit.state in GOING_ON else {}
    PanelVisit.objects.filter(pk=visit.pk).update(
        participant=mark_of(visit.panel, visit.participant),
        session=visit.session if is_owed else "",
        rater=None,
        is_forgotten=True,
        **ends,
    )


def forget_paid(*, now: datetime, session: str = "") -> int:
    """Delete the submission numbers of forgotten people whose time is over, or of one that was paid; returns how
    many."""
    owed = PanelVisit.objects.filter(is_forgotten=True).exclude(session="")
    is_over = Q(session=session) if session else Q(ended_at__lt=now - PAID_WITHIN)
    return owed.filter(is_over).update(session="")


def forget_who_never_joined(panel: Panel, *, before: datetime) -> int:
    """Delete visits before a given time, including the hash, of people who declined, found their group full or never
    joined."""
    is_theirs = Q(state__in=(State.ARRIVED, State.DECLINED)) | Q(state=State.SCREENED_OUT, is_forgotten=False)
    never = PanelVisit.objects.filter(is_theirs, panel=panel, rater=None)
    return never.filter(Q(ended_at__lt=before) | Q(ended_at=None, arrived_at__lt=before)).delete()[0]
