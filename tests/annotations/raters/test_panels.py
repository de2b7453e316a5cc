"""People of a panel: arriving, going back with the right code, coming twice, returning, timing out."""

import time
from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from annotations.models import Assignment, Item, Panel, PanelVisit, Rater, RaterPlan, Study
from annotations.queries.results import study_data
from annotations.services.exclusions import exclude_rater
from annotations.services.exports import TABLES
from annotations.services.panels.prolific import is_signed
from annotations.services.rating import reserve
from annotations.tasks import poll_panels
from tests.annotations.looking import fetch_exercise, fetch_images
from tests.annotations.raters.prolific_server import SECRET, TOKEN, ProlificServer, sign, status_event
from tests.annotations.raters.test_before import make_exercise
from tests.annotations.raters.test_checks import rate_all
from tests.factories import make_study

pytestmark = pytest.mark.django_db
State = PanelVisit.State
PID, SESSION, STUDY = "5f1a2b3c4d5e6f7a8b9c0d1e", "60aa11bb22cc33dd44ee55ff", "65f0aa"


def make_panel_study(**fields: Any) -> Study:
    study = make_study(**{"n_items": 4, "k": 2} | fields)
    Panel.objects.create(
        study=study,
        participant_parameter="PROLIFIC_PID",
        session_parameter="SESSION_ID",
        study_parameter="STUDY_ID",
        panel_study=STUDY,
        return_address="https://app.prolific.com/submissions/complete?cc={code}",
        completed_code="DONE1111",
        screened_out_code="OUT22222",
        no_consent_code="NO333333",
        returned_code="BACK4444",
    )
    return study


def arrive(client: Client, study: Study, pid: str = PID, session: str = SESSION, panel_study: str = STUDY) -> Any:
    link = f"/join/{study.invitation}/?PROLIFIC_PID={pid}&STUDY_ID={panel_study}&SESSION_ID={session}"
    return client.get(link)


def join(client: Client, study: Study, pid: str = PID, session: str = SESSION) -> Rater:
    arrive(client, study, pid, session)
    client.post(f"/join/{study.invitation}/", {"consent": "on"})
    return Rater.objects.get(visit__participant=pid)


def test_the_identifiers_leave_the_address_and_stay_out_of_names_and_exports(client: Client) -> None:
    study = make_panel_study()

    response = arrive(client, study)

    assert response.headers["Location"] == f"/join/{study.invitation}/"
    page = client.get(f"/join/{study.invitation}/").content.decode()
    assert 'name="name"' not in page  # no panel lets its people be asked who they are
    rater = join(client, study)
    rate_all(rater)
    for table in TABLES.values():
        rows = str(list(table.rows(study)))
        assert PID not in rows
        assert SESSION not in rows


def test_who_answers_everything_gets_the_code_for_completed(client: Client) -> None:
    study = make_panel_study()
    rate_all(join(client, study))

    page = client.get(f"/rate/{study.token}/").content.decode()

    assert "https://app.prolific.com/submissions/complete?cc=DONE1111" in page
    assert PanelVisit.objects.get().state == State.COMPLETED


def test_no_code_before_a_card_is_answered(client: Client) -> None:
    study = make_panel_study(n_items=1, k=1)
    first = join(client, study)
    reserve(rater=first)
    other = Client()
    join(other, study, "6" * 24, "7" * 24)

    page = other.get(f"/rate/{study.token}/").content.decode()

    assert "DONE1111" not in page
    assert PanelVisit.objects.get(participant="6" * 24).state == State.JOINED


def test_declining_gives_the_code_for_no_consent(client: Client) -> None:
    study = make_panel_study()
    arrive(client, study)

    page = client.get(f"/join/{study.invitation}/declined/").content.decode()

    assert "complete?cc=NO333333" in page
    assert not study.raters.exists()
    assert PanelVisit.objects.get().state == State.DECLINED


def test_failing_the_quiz_gives_the_code_for_screened_out(client: Client) -> None:
    study = make_panel_study(n_items=6)
    RaterPlan.objects.create(study=study, quiz_tries=1)
    make_exercise(study, Item.Role.QUIZ, [0])
    rater = join(client, study)
    before = f"/rate/{study.token}/before/"
    client.get(before)
    trial = rater.trials.get()
    fetch_exercise(client, study.token)
    client.post(before, {"trial": trial.token, f"d{study.dimensions.get().pk}-0": 4})

    page = client.get(before).content.decode()

    assert "complete?cc=OUT22222" in page
    assert PanelVisit.objects.get().state == State.SCREENED_OUT


def test_who_comes_twice_under_another_submission_is_refused(client: Client) -> None:
    study = make_panel_study()
    join(client, study)

    response = arrive(Client(), study, session="f" * 24)

    assert response.status_code == HTTPStatus.FORBIDDEN
    assert "each person can take part only once" in response.content.decode()
    assert study.raters.count() == 1


def test_the_same_submission_goes_on_in_another_browser(client: Client) -> None:
    study = make_panel_study()
    rater = join(client, study)
    other = Client()

    assert arrive(other, study).headers["Location"] == f"/rate/{study.token}/"
    assert other.session["_auth_user_id"] == str(rater.user_id)
    assert study.raters.count() == 1


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "Please open this study from the panel"),
        (f"?PROLIFIC_PID={PID}", "Please open this study from the panel"),
        (f"?PROLIFIC_PID={PID}&SESSION_ID={SESSION}&STUDY_ID=other", "another study of the panel"),
        (f"?PROLIFIC_PID={'x' * 101}&SESSION_ID={SESSION}&STUDY_ID={STUDY}", "Please open this study"),
        (f"?PROLIFIC_PID=<b>&SESSION_ID={SESSION}&STUDY_ID={STUDY}", "Please open this study"),
    ],
)
def test_a_link_without_good_identifiers_lets_nobody_in(client: Client, query: str, said: str) -> None:
    study = make_panel_study()

    response = client.get(f"/join/{study.invitation}/{query}")

    assert response.status_code == HTTPStatus.FORBIDDEN
    assert said in response.content.decode()
    assert not PanelVisit.objects.exists()
    assert client.post(f"/join/{study.invitation}/", {"consent": "on"}).status_code == HTTPStatus.FORBIDDEN


# --- who returns or times out ----------------------------------------------------------------------------------------
@pytest.fixture
def prolific(settings: Settings) -> Iterator[ProlificServer]:
    with ProlificServer(STUDY) as server:
        settings.PROLIFIC_ADDRESS, settings.PROLIFIC_TOKEN = server.url, TOKEN
        settings.PROLIFIC_WEBHOOK_SECRET = SECRET
        yield server
        assert server.wrong == []


def taken(study: Study) -> int:
    return sum(study.items.values_list("taken", flat=True))


def test_a_signed_message_that_somebody_returned_frees_their_places_at_once(
    client: Client, prolific: ProlificServer
) -> None:
    study = make_panel_study(k=1)
    rater = join(client, study)
    reserve(rater=rater)
    card = Assignment.objects.filter(rater=rater).order_by("sequence")[0]
    fetch_images(client, card.token)
    client.post(f"/rate/{study.token}/answer/{card.token}/", {f"d{study.dimensions.get().pk}-0": 1})
    assert taken(study) > 1
    body, began = status_event(SESSION, "RETURNED", PID), time.monotonic()

    response = Client().post("/panel/prolific/webhook/", body, content_type="application/json", headers=sign(body))

    assert response.status_code == HTTPStatus.NO_CONTENT
    assert time.monotonic() - began < 2
    assert taken(study) == 0  # what they had answered too: who returns takes their consent back
    assert not study_data(study).dimensions
    assert PanelVisit.objects.get().state == State.RETURNED
    assert arrive(Client(), study).status_code == HTTPStatus.FORBIDDEN


def test_a_time_out_frees_what_was_held_and_keeps_what_was_answered(client: Client, prolific: ProlificServer) -> None:
    study = make_panel_study(k=1)
    rater = join(client, study)
    reserve(rater=rater)
    card = Assignment.objects.filter(rater=rater).order_by("sequence")[0]
    fetch_images(client, card.token)
    client.post(f"/rate/{study.token}/answer/{card.token}/", {f"d{study.dimensions.get().pk}-0": 1})
    body = status_event(SESSION, "TIMED-OUT", PID)

    Client().post("/panel/prolific/webhook/", body, content_type="application/json", headers=sign(body))

    assert taken(study) == 1
    assert len(study_data(study).dimensions[0].ratings) == 1


def test_the_same_is_found_out_by_asking(client: Client, prolific: ProlificServer) -> None:
    study = make_panel_study(k=1)
    reserve(rater=join(client, study))
    prolific.submissions = {f"{n:024d}": "ACTIVE" for n in range(130)} | {SESSION: "ACTIVE"}
    assert poll_panels() == 0
    assert taken(study) > 0
    prolific.submissions[SESSION] = "RETURNED"

    assert poll_panels() == 1

    assert taken(study) == 0
    n_requests = prolific.n_requests
    assert poll_panels() == 0
    assert prolific.n_requests == n_requests  # nobody is at work any more, so nobody is asked about


def test_an_unreachable_prolific_changes_nothing(client: Client, settings: Settings) -> None:
    settings.PROLIFIC_ADDRESS, settings.PROLIFIC_TOKEN = "http://127.0.0.1:9", TOKEN
    study = make_panel_study()
    reserve(rater=join(client, study))
    before = taken(study)

    assert poll_panels() == 0
    assert taken(study) == before > 0


@pytest.mark.parametrize("how", ["other secret", "no signature", "old", "changed body"])
def test_a_message_that_prolific_did_not_sign_is_refused(client: Client, prolific: ProlificServer, how: str) -> None:
    study = make_panel_study()
    reserve(rater=join(client, study))
    before = taken(study)
    body = status_event(SESSION, "RETURNED", PID)
    headers = {
        "other secret": sign(body, secret="guessed"),
        "no signature": {},
        "old": sign(body, at=time.time() - 3600),
        "changed body": sign(status_event(SESSION, "ACTIVE", PID)),
    }[how]

    response = Client().post("/panel/prolific/webhook/", body, content_type="application/json", headers=headers)

    assert response.status_code == HTTPStatus.FORBIDDEN
    assert taken(study) == before > 0


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[1]", b'{"event_type": "submission.status.change"}', b"\xff"])
def test_a_signed_message_of_another_shape_changes_nothing(prolific: ProlificServer, body: bytes) -> None:
    response = Client().post("/panel/prolific/webhook/", body, content_type="application/json", headers=sign(body))

    assert response.status_code == HTTPStatus.NO_CONTENT


def test_a_message_that_is_too_long_is_refused(prolific: ProlificServer) -> None:
    body = b" " * (64 * 1024 + 1)

    response = Client().post("/panel/prolific/webhook/", body, content_type="application/json", headers=sign(body))

    assert response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def test_without_a_secret_no_message_is_taken() -> None:
    body = b"{}"
    headers = sign(body, secret="")
    assert not is_signed(
        body=body,
        signature=headers["X-Prolific-Request-Signature"],
        timestamp=headers["X-Prolific-Request-Timestamp"],
        secret="",
    )


def test_withdrawing_by_oneself_gives_the_code_for_stopping_early(client: Client) -> None:
    study = make_panel_study()
    reserve(rater=join(client, study))

    page = client.post(f"/my-data/{study.token}/withdraw/").content.decode()

    assert "complete?cc=BACK4444" in page
    assert taken(study) == 0


# --- for researchers -------------------------------------------------------------------------------------------------
def test_files_name_whom_to_approve_whom_to_reject_and_what_to_pay(client: Client) -> None:
    study = make_panel_study(k=3)
    raters = [join(Client(), study, f"{n}" * 24, f"{n + 3}" * 24) for n in range(3)]
    for rater in raters[:2]:
        rate_all(rater)
        one = Client()
        one.force_login(rater.user)  # type: ignore[arg-type]  # a person's rater has a user
        one.get(f"/rate/{study.token}/")
    exclude_rater(rater=raters[1], reason="every answer within a second", by=None)
    client.force_login(study.owner)
    address = f"/study/{study.token}/raters/panel/"

    files = {
        name: b"".join(client.get(f"{address}{name}.csv?amount=1.5")).decode()
        for name in ("approvals", "rejections", "bonuses")
    }

    assert "3" * 24 in files["approvals"]
    assert "4" * 24 not in files["approvals"]
    assert "every answer within a second" in files["rejections"]
    assert files["bonuses"] == "0" * 24 + ",1.50\n"
    assert client.get(f"{address}bonuses.csv?amount=lots").status_code == HTTPStatus.FOUND

    rows = client.get(f"/api/v1/studies/{study.token}/participants/").json()["results"]
    assert [(row["participant"], row["state"], row["pay"], row["reason"]) for row in rows] == [
        ("0" * 24, "completed", "approve", ""),
        ("1" * 24, "completed", "reject", "every answer within a second"),
        ("2" * 24, "joined", "", ""),
    ]
    assert rows[0]["rater_name"] == raters[0].name


@pytest.mark.parametrize("kind", Panel.Kind.values)
def test_every_kind_of_panel_gets_a_link_and_codes(client: Client, kind: str) -> None:
    study = make_study()
    client.force_login(study.owner)
    address = f"/study/{study.token}/raters/panel/"
    assert f"?kind={kind}" in client.get(address).content.decode()
    form = client.get(f"{address}?kind={kind}").context["form"]

    response = client.post(f"{address}?kind={kind}", {key: form[key].value() or "" for key in form.fields})

    assert response.status_code == HTTPStatus.FOUND
    panel = Panel.objects.get()
    assert panel.kind == kind
    parameters = {panel.participant_parameter: "worker-1"}
    if panel.session_parameter:
        parameters[panel.session_parameter] = "visit-1"
    assert client.get(f"/join/{study.invitation}/", parameters).status_code == HTTPStatus.FOUND
    assert PanelVisit.objects.get().participant == "worker-1"


def test_pay_below_the_floor_warns(client: Client) -> None:
    study = make_study(n_items=40)
    RaterPlan.objects.create(study=study, reward=50, currency="GBP", pay_floor=900)
    client.force_login(study.owner)

    page = client.get(f"/study/{study.token}/raters/plan/").content.decode()
    # 40 cards × 15 s = 10 min for 0.50: 3.00 an hour
    assert "less than the lowest hourly pay that you set, 9.00 GBP" in page
    assert "Pay at least 1.50 GBP" in page


def test_a_visit_ends_once(client: Client) -> None:
    study = make_panel_study()
    rate_all(join(client, study))
    client.get(f"/rate/{study.token}/")
    ended_at = PanelVisit.objects.get().ended_at
    assert ended_at is not None

    client.get(f"/rate/{study.token}/")

    assert PanelVisit.objects.get().ended_at == ended_at
    assert ended_at > timezone.now() - timedelta(minutes=5)
