"""Learns how visits from Prolific ended: from a webhook at once, or by polling."""

import logging
from datetime import datetime

from django.conf import settings
from django.db.models import Q

from annotations.models import Panel, PanelVisit, Study
from annotations.services.panels.prolific import ENDED, PAID, Client, ProlificFailed, Submission
from annotations.services.panels.visits import GOING_ON, end
from annotations.services.raters.panel_visits import forget_paid

HOURLY_AT = 17
"""The minute of the hour in which less urgent questions are polled, too."""
logger = logging.getLogger(__name__)


def apply(submission: Submission, *, now: datetime, panel: Panel | None = None) -> int:
    """End the visit of a submission that was returned or timed out; returns how many ended (0 or 1)."""
    if submission.status == PAID and submission.session:
        forget_paid(now=now, session=submission.session)
    state = ENDED.get(submission.status)
    if state is None or not submission.session:
        return 0
    visits = PanelVisit.objects.filter(
        panel__kind=Panel.Kind.PROLIFIC, session=submission.session, state__in=GOING_ON
    ).select_related("panel")
    if panel is not None:
        visits = visits.filter(panel=panel)
    return sum(end(visit=visit, state=state, now=now) for visit in visits)


def poll_all(*, now: datetime) -> int:
    """Ask about every open study with ongoing visits, if the site has a token; returns how many visits ended.

    Once an hour also ask about studies with erased raters who are still to be paid: their numbers are deleted once they
    are paid.
    """
    if not settings.PROLIFIC_TOKEN:
        return 0
    client = Client(settings.PROLIFIC_ADDRESS, settings.PROLIFIC_TOKEN)
    is_asked = Q(study__state=Study.State.OPEN, visits__state__in=GOING_ON)
    if now.minute == HOURLY_AT:
        is_asked |= Q(visits__is_forgotten=True, visits__session__gt="")
    panels = Panel.objects.filter(is_asked, kind=Panel.Kind.PROLIFIC).exclude(panel_study="")
    n_ended = 0
    for panel in panels.distinct():
        try:
            for submission in client.submissions(panel.panel_study):
                n_ended += apply(submission, now=now, panel=panel)
        except ProlificFailed as problem:
            logger.warning("Prolific could not be asked about study %s: %s", panel.study_id, problem)
    return n_ended
