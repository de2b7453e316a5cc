"""People of a panel who are erased, declined or came too early: what is kept of them, and that nobody comes twice."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from annotations.models import PanelVisit, Rater, RaterPlan, Study
from annotations.services.panels.polling import HOURLY_AT, apply, poll_all
from annotations.services.panels.prolific import Submission
from annotations.services.raters.panel_visits import PAID_WITHIN, mark_of
from annotations.tasks import keep_retention_rules
from tests.annotations.raters.prolific_server import TOKEN, ProlificServer
from tests.annotations.raters.test_checks import rate_all
from tests.annotations.raters.test_my_data import everything_stored
from tests.annotations.raters.test_panels import PID, SESSION, STUDY, arrive, join, make_panel_study

pytestmark = pytest.mark.django_db
State = PanelVisit.State
OTHER_PID, OTHER_SESSION = "6" * 24, "7" * 24


def complete(client: Client, study: Study) -> Rater:
    rater = join(client, study)
    rate_all(rater)
    client.get(f"/rate/{study.token}/")
    assert PanelVisit.objects.get(rater=rater).state == State.COMPLETED
    return rater


def approvals(study: Study) -> str:
    researcher = Client()
    researcher.force_login(study.owner)
    return b"".join(researcher.get(f"/study/{study.token}/raters/panel/approvals.csv")).decode()


def test_who_erased_everything_cannot_come_again_and_is_still_paid(client: Client) -> None:
    study = make_panel_study()
    name = complete(client, study).name
    page = client.get(f"/my-data/{study.token}/erase/").content.decode()
    assert "so that nobody takes part twice" in page
    assert "at most 30 days" in page

    page = client.post(f"/my-data/{study.token}/erase/", {"sure": "1"}).content.decode()

    assert "Only what the previous page listed remains" in page
    stored = everything_stored()
    assert PID not in stored
    assert name not in stored
    paid = approvals(study)
    assert SESSION in paid
    assert mark_of(study.panel, PID) not in paid
    researcher = Client()
    researcher.force_login(study.owner)
    (row,) = researcher.get(f"/api/v1/studies/{study.token}/participants/").json()["results"]
    assert (row["participant"], row["session"], row["pay"], row["rater"]) == ("", SESSION, "approve", None)
    assert researcher.get(f"/study/{study.token}/raters/panel/bonuses.csv?amount=1").getvalue() == b""  # type: ignore[attr-defined]

    for session in (SESSION, OTHER_SESSION):
        again = arrive(Client(), study, session=session)
        assert again.status_code == 403
        assert "each person can take part only once" in again.content.decode()
    assert not study.raters.exists()
    assert arrive(Client(), study, OTHER_PID, OTHER_SESSION).status_code == 302


@pytest.mark.parametrize("how", ["approved", "30 days"])
def test_the_number_of_the_submission_goes_once_it_is_paid(client: Client, how: str) -> None:
    study = make_panel_study()
    complete(client, study)
    client.post(f"/my-data/{study.token}/erase/", {"sure": "1"})
    keep_retention_rules()
    assert SESSION in everything_stored()

    if how == "approved":
        apply(Submission(SESSION, "APPROVED"), now=timezone.now())
    else:
        PanelVisit.objects.update(ended_at=timezone.now() - PAID_WITHIN - timedelta(minutes=1))
        keep_retention_rules()

    assert SESSION not in everything_stored()
    assert approvals(study).count("\n") == 1  # the header
    assert arrive(Client(), study).status_code == 403


def test_who_erases_in_the_middle_leaves_no_number_of_a_submission(client: Client) -> None:
    study = make_panel_study()
    join(client, study)

    client.post(f"/my-data/{study.token}/erase/", {"sure": "1"})

    stored = everything_stored()
    assert PID not in stored
    assert SESSION not in stored
    assert PanelVisit.objects.get().state == State.RETURNED
    assert arrive(Client(), study).status_code == 403


def test_an_identity_forgotten_by_rule_cannot_come_again(client: Client) -> None:
    study = make_panel_study()
    RaterPlan.objects.create(study=study, erase_after_days=30)
    rater = complete(client, study)
    long_ago = timezone.now() - timedelta(days=31)
    rater.assignments.update(answered_at=long_ago)
    PanelVisit.objects.update(ended_at=long_ago)

    assert keep_retention_rules() == 1

    stored = everything_stored()
    assert PID not in stored
    assert SESSION not in stored
    assert arrive(Client(), study, session=OTHER_SESSION).status_code == 403


def test_of_somebody_who_declines_a_hash_is_kept_until_the_retention_rule(client: Client) -> None:
    study = make_panel_study()
    RaterPlan.objects.create(study=study, erase_after_days=30)
    arrive(client, study)

    page = client.get(f"/join/{study.invitation}/declined/").content.decode()

    assert "Your identifier at the panel is deleted." in page
    stored = everything_stored()
    assert PID not in stored
    assert SESSION not in stored
    assert "complete?cc=NO333333" in client.get(f"/join/{study.invitation}/declined/").content.decode()  # a reload
    for browser in (client, Client()):
        again = arrive(browser, study)
        assert again.status_code == 403
        assert "decided not to take part" in again.content.decode()
    assert client.post(f"/join/{study.invitation}/", {"consent": "on"}).status_code == 403
    assert not study.raters.exists()
    PanelVisit.objects.update(ended_at=timezone.now() - timedelta(days=31))
    keep_retention_rules()
    assert not PanelVisit.objects.exists()


def test_the_retention_rule_forgets_who_came_and_never_joined(client: Client) -> None:
    study = make_panel_study()
    RaterPlan.objects.create(study=study, erase_after_days=30)
    arrive(client, study)
    keep_retention_rules()
    assert PanelVisit.objects.exists()
    PanelVisit.objects.update(arrived_at=timezone.now() - timedelta(days=31))

    keep_retention_rules()

    assert PID not in everything_stored()


@pytest.mark.parametrize("state", [Study.State.DRAFT, Study.State.CLOSED])
def test_a_visit_to_a_study_that_is_not_open_is_not_stored(client: Client, state: str) -> None:
    study = make_panel_study(state=state)

    response = arrive(client, study)

    assert response.status_code == 403
    assert "each person can take part only once" not in response.content.decode()
    assert not PanelVisit.objects.exists()
    Study.objects.filter(pk=study.pk).update(state=Study.State.OPEN)
    assert arrive(client, study, session=OTHER_SESSION).status_code == 302


def test_two_people_do_not_come_under_one_session(client: Client) -> None:
    study = make_panel_study()
    join(client, study)

    response = arrive(Client(), study, OTHER_PID, SESSION)

    assert response.status_code == 403
    assert "This link was made for somebody else." in response.content.decode()
    assert PanelVisit.objects.get().participant == PID


def test_who_comes_with_the_hash_of_another_is_not_taken_for_them(client: Client) -> None:
    study = make_panel_study()
    complete(client, study)
    client.post(f"/my-data/{study.token}/erase/", {"sure": "1"})

    response = arrive(Client(), study, mark_of(study.panel, PID), OTHER_SESSION)

    assert response.status_code == 403
    assert "Please open this study from the panel" in response.content.decode()
    assert PanelVisit.objects.get(is_forgotten=True).session == SESSION


def test_once_an_hour_prolific_is_asked_whether_erased_people_are_paid_also_after_the_study_is_closed(
    client: Client, settings: Settings
) -> None:
    study = make_panel_study()
    complete(client, study)
    client.post(f"/my-data/{study.token}/erase/", {"sure": "1"})
    Study.objects.update(state=Study.State.CLOSED)
    quiet, asked = (timezone.now().replace(minute=minute) for minute in (HOURLY_AT + 1, HOURLY_AT))
    with ProlificServer(STUDY) as prolific:
        settings.PROLIFIC_ADDRESS, settings.PROLIFIC_TOKEN = prolific.url, TOKEN
        prolific.submissions = {SESSION: "AWAITING REVIEW"}
        poll_all(now=quiet)
        assert prolific.n_requests == 0
        poll_all(now=asked)
        assert SESSION in approvals(study)
        prolific.submissions = {SESSION: "APPROVED"}
        poll_all(now=asked)

        assert SESSION not in everything_stored()
        n_requests = prolific.n_requests
        poll_all(now=asked)
        assert prolific.n_requests == n_requests
        assert prolific.wrong == []
