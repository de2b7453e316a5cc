"""A visit from a panel: arriving, joining, its end, and the way back with a code."""

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
    """Somebody from a panel who cannot take part; `why` is for the page."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class WayBack:
    """The code for the panel, and the address that takes it there (empty: to be copied by hand)."""

    code: str
    address: str


def panel_of(study: Study) -> Panel | None:
    return Panel.objects.filter(study=study).first()


def names_somebody(panel: Panel, parameters: Mapping[str, str]) -> bool:
    """Whether a link carries the panel's identifier of a person."""
    return bool(parameters.get(panel.participant_parameter))


def arrive(*, panel: Panel, parameters: Mapping[str, str], may_begin: bool = True) -> PanelVisit:
    """The visit that a link's parameters name; a new one for a person who has not been here.

    The same visit again goes on. Raises Refused for identifiers that are missing or malformed, for another study's,
    for a visit that is another person's, and for a person who comes a second time, under a new visit or after the first
    has ended, also where they have been forgotten since. Without `may_begin` nothing is stored of new people.
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
    """The visit of a person, by their number or, where they are forgotten, by what is left of it."""
    names = (participant, mark_of(panel, participant))
    return PanelVisit.objects.filter(panel=panel, participant__in=names).select_related("panel", "rater__user").first()


def _begun(panel: Panel, participant: str, session: str, *, may_begin: bool) -> PanelVisit:
    """A new person's visit. One at a time at a panel, so that no two people come under one session."""
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
    """The person of this visit does not want to take part: forget them; the way back to the panel."""
    if not end(visit=visit, state=State.DECLINED, now=now):
        return way_back(visit) if visit.state == State.DECLINED else None
    visit.refresh_from_db()
    leads_back = way_back(visit)
    forget_visit(visit, now=now, state=State.DECLINED)
    visit.refresh_from_db()
    empty_log()
    return leads_back


def join(*, visit: PanelVisit, study: Study, group: str = "") -> Rater:
    """The person of this visit becomes a rater, once, also where they agree twice at the same moment.

    They get an account of their own. Raises Refused for a visit that has ended meanwhile, and what `studies.join` does.
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
    """End a visit that goes on; whether it did. Whatever the rater held is free for others when this returns.

    Who returns takes their answers with them, as their consent ends; who is timed out leaves the answers given. Neither
    gets further cards.
    """
    with transaction.atomic():
        # A person who is being given cards now has them before the visit ends, or gets none.
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
    """For a rater whom no card waits for: complete their visit if they have answered any; the way back to the panel."""
    visit = PanelVisit.objects.filter(rater=rater).select_related("panel").first()
    if visit is None:
        return None
    answered = Assignment.with_checks.filter(rater=rater, state=Assignment.State.ANSWERED)
    if visit.state in GOING_ON and rater.excluded_at is None and answered.exists():
        end(visit=visit, state=State.COMPLETED, now=now)
        visit.refresh_from_db(fields=["state"])
    return way_back(visit)


def state_of(rater: Rater) -> str:
    """What has become of this rater's visit from a panel; "" where they came from none."""
    return PanelVisit.objects.filter(rater=rater).values_list("state", flat=True).first() or ""


def ended(rater: Rater, *, state: str, now: datetime) -> WayBack | None:
    """End the visit of a rater who was screened out or stops for good; the way back to the panel."""
    visit = PanelVisit.objects.filter(rater=rater).select_related("panel").first()
    if visit is None:
        return None
    end(visit=visit, state=state, now=now)
    visit.refresh_from_db(fields=["state"])
    return way_back(visit)


def way_back(visit: PanelVisit) -> WayBack | None:
    """The code for what became of the visit; None while it goes on, and where the panel has no such code."""
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
