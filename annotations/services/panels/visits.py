"""A visit from a panel: arriving, joining, ending, and the way back with a code."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import quote

from django.db import transaction

from annotations.models import Assignment, Panel, PanelVisit, Rater, Study
from annotations.services.raters.my_data import withdraw
from annotations.services.raters.panel_visits import GOING_ON, forget_visit, mark_of
from annotations.services.rating import pause
from annotations.services.sqlite_writes import empty_log
from annotations.services.studies import join as make_rater

State = PanelVisit.State
ID = re.compile(r"[\w.:@-]{1,100}\Z", re.ASCII)
Refusal = Literal["missing", "bad", "other_study", "other_person", "again", "declined", "ended", "not_open"]


class Refused(Exception):
    """A visitor from a panel cannot take part; `why` is for the page."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class WayBack:
    """The completion code for the panel, and the address that submits it (empty if it must be copied by hand)."""

    code: str
    address: str


def panel_of(study: Study) -> Panel | None:
    return Panel.objects.filter(study=study).first()


def names_somebody(panel: Panel, parameters: Mapping[str, str]) -> bool:
    """Whether a link contains the panel's identifier of a person."""
    return bool(parameters.get(panel.participant_parameter))


def arrive(*, panel: Panel, parameters: Mapping[str, str], may_begin: bool = True) -> PanelVisit:
    """The visit that a link's parameters name; a new one for a person's first visit.

    Opening the same visit again continues it. Raises Refused for identifiers that are missing, malformed or another
    study's, for another person's visit, and for a person who comes a second time, under a new visit or after the first
    has ended, even if they have been forgotten since. Without `may_begin` nothing is stored about new people.
    """
    participant = parameters.get(panel.participant_parameter, "")
    session = parameters.get(panel.session_parameter, "") if panel.session_parameter else ""
    if not participant or (panel.session_parameter and not session):
        raise Refused("missing")
    if not ID.match(participant) or (session and not ID.match(session)):
        raise Refused("bad")
    if panel.panel_study and panel.study_parameter and parameters.get(panel.study_parameter) != panel.panel_study:
        raise Refused("other_study")
    visit = _visit_of(panel, participant) or _begun(panel, participant, session, may_begin=may_begin)
    if visit.is_forgotten:
        raise Refused("declined" if visit.state == State.DECLINED else "again")
    if visit.session != session:
        raise Refused("again")
    if visit.state in (State.RETURNED, State.TIMED_OUT):
        raise Refused("ended")
    return visit


def _visit_of(panel: Panel, participant: str) -> PanelVisit | None:
    """The visit of a person, by their number or, if they have been forgotten, by the hash that replaced it."""
    names = (participant, mark_of(panel, participant))
    return PanelVisit.objects.filter(panel=panel, participant__in=names).select_related("panel", "rater__user").first()


def _begun(panel: Panel, participant: str, session: str, *, may_begin: bool) -> PanelVisit:
    """A new person's visit. Visits of a panel are created one at a time, so that no two people share one session."""
    if not may_begin:
        raise Refused("not_open")
    with transaction.atomic():
        panel = Panel.objects.select_for_update(no_key=True).get(pk=panel.pk)
        if (visit := _visit_of(panel, participant)) is not None:  # the link was opened twice at once
            return visit
        if session and PanelVisit.objects.filter(panel=panel, session=session).exists():
            raise Refused("other_person")
        return PanelVisit.objects.create(panel=panel, participant=participant, session=session)


def decline(*, visit: PanelVisit, now: datetime) -> WayBack | None:
    """The person of this visit does not want to take part: forget them, and return the way back to the panel."""
    if not end(visit=visit, state=State.DECLINED, now=now):
        return way_back(visit) if visit.state == State.DECLINED else None
    visit.refresh_from_db()
    leads_back = way_back(visit)
    forget_visit(visit, now=now, state=State.DECLINED)
    visit.refresh_from_db()
    empty_log()
    return leads_back


def join(*, visit: PanelVisit, study: Study, group: str = "") -> Rater:
    """The person of this visit becomes a rater, only once even if they agree twice at the same moment.

    They get their own account. Raises Refused for a visit that has ended meanwhile, and the errors of `studies.join`.
    """
    with transaction.atomic():
        # Without the rater's row: after waiting for the lock, PostgreSQL joins what was there before.
        visit = PanelVisit.objects.select_for_update(no_key=True).get(pk=visit.pk)
        if visit.rater_id is not None:
            return Rater.objects.select_related("study", "user").get(pk=visit.rater_id)
        if visit.state not in GOING_ON:
            raise Refused("ended")
        rater = make_rater(study=study, user=None, group=group)
        PanelVisit.objects.filter(pk=visit.pk).update(rater=rater, state=State.JOINED)
    return rater


def end(*, visit: PanelVisit, state: str, now: datetime) -> bool:
    """End an ongoing visit; returns whether it was ongoing. All cards that the rater held are free for others on
    return.

    A rater who returns the place takes their answers with them, since their consent ends; the answers of a rater who
    times out stay. Neither gets further cards.
    """
    with transaction.atomic():
        # A rater who is being assigned cards now gets them before the visit ends, or not at all.
        list(Rater.objects.filter(visit=visit.pk).select_for_update(no_key=True).values_list("pk"))
        went_on = PanelVisit.objects.filter(pk=visit.pk, state__in=GOING_ON).update(state=state, ended_at=now)
        if not went_on:
            return False
        rater = Rater.objects.filter(visit=visit).select_related("study").first()
        if rater is not None and state == State.RETURNED:
            withdraw(rater=rater, now=now)
        elif rater is not None:
            pause(rater=rater)
    return True


def finished(rater: Rater, *, now: datetime) -> WayBack | None:
    """For a rater without further cards: complete their visit if they have answered any, and return the way back to the
    panel."""
    visit = PanelVisit.objects.filter(rater=rater).select_related("panel").first()
    if visit is None:
        return None
    answered = Assignment.with_checks.filter(rater=rater, state=Assignment.State.ANSWERED)
    if visit.state in GOING_ON and rater.excluded_at is None and answered.exists():
        end(visit=visit, state=State.COMPLETED, now=now)
        visit.refresh_from_db(fields=["state"])
    return way_back(visit)


def state_of(rater: Rater) -> str:
    """The state of this rater's visit from a panel; "" if they did not come from a panel."""
    return PanelVisit.objects.filter(rater=rater).values_list("state", flat=True).first() or ""


def ended(rater: Rater, *, state: str, now: datetime) -> WayBack | None:
    """End the visit of a rater who was screened out or stops for good, and return the way back to the panel."""
    visit = PanelVisit.objects.filter(rater=rater).select_related("panel").first()
    if visit is None:
        return None
    end(visit=visit, state=state, now=now)
    visit.refresh_from_db(fields=["state"])
    return way_back(visit)


def way_back(visit: PanelVisit) -> WayBack | None:
    """The code for the visit's outcome; None while it is ongoing, and if the panel has no such code."""
    panel = visit.panel
    code = {
        State.COMPLETED: panel.completed_code,
        State.SCREENED_OUT: panel.screened_out_code,
        State.DECLINED: panel.no_consent_code,
        State.RETURNED: panel.returned_code,
    }.get(State(visit.state), "")
    if not code:
        return None
    filled_in = {
        "{code}": code,
        "{participant}": visit.participant,
        "{session}": visit.session,
        "{study}": panel.panel_study,
    }
    address = panel.return_address
    if visit.is_forgotten and ("{participant}" in address or "{session}" in address):
        address = ""
    for place, text in filled_in.items():
        address = address.replace(place, quote(text, safe=""))
    return WayBack(code, address)
