"""People who returned or timed out: no further cards in the open tab or by API, and a page that gives the reason."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from annotations.models import Assignment, Item, LateAnswer, PanelVisit, Rater, Response, Study, Trial
from annotations.queries.results import study_data
from annotations.services.exclusions import exclude_rater
from annotations.services.panels.polling import apply
from annotations.services.panels.prolific import Submission
from annotations.services.raters.my_data import withdraw
from annotations.services.rating import pause, reserve
from tests.annotations.looking import fetch_exercise, fetch_images
from tests.annotations.raters.test_before import make_exercise
from tests.annotations.raters.test_checks import rate_all
from tests.annotations.raters.test_panels import SESSION, arrive, join, make_panel_study, taken
from tests.factories import make_rater, make_study

pytestmark = pytest.mark.django_db
SCRIPT = {"Accept": "application/json"}


def at_work(client: Client, **fields: Any) -> tuple[Study, Rater, list[Assignment]]:
    """Somebody of the panel with the cards that they hold."""
    study = make_panel_study(**{"k": 1} | fields)
    rater = join(client, study)
    reserve(rater=rater)
    return study, rater, list(Assignment.objects.filter(rater=rater).order_by("sequence"))


def press(client: Client, card: Assignment, *, level: int = 1, ago_ms: int = 0, flag: str = "") -> dict[str, Any]:
    """Answer a card as the open tab does, and ask for more."""
    fetch_images(client, card.token)
    fields = {f"d{card.study.dimensions.get().pk}-0": level, "n": 5, "answered_ms_ago": ago_ms, "flag": flag}
    reply: dict[str, Any] = client.post(
        f"/rate/{card.study.token}/answer/{card.token}/", fields, headers={"X-Requested-With": "fetch"} | SCRIPT
    ).json()
    return reply


def say(status: str) -> None:
    assert apply(Submission(SESSION, status), now=timezone.now()) == 1


def test_a_timed_out_person_gets_no_card_in_the_open_tab_and_takes_no_place_again(client: Client) -> None:
    study, rater, cards = at_work(client)
    assert press(client, cards[0])["outcome"] == "saved"
    say("TIMED-OUT")

    reply = press(client, cards[1])

    assert (reply["outcome"], reply["cards"]) == ("late", [])  # "late" leads the open tab to the page that says why
    assert LateAnswer.objects.get().assignment == cards[1]  # kept, and counted nowhere
    assert client.get(f"/rate/{study.token}/upcoming/?after={cards[0].token}").json() == {"cards": [], "is_over": True}
    assert client.get(f"/api/v1/rate/{study.token}/cards/?n=5").json() == []
    assert reserve(rater=rater) == 0
    assert taken(study) == 1
    page = client.get(f"/rate/{study.token}/").content.decode()
    assert "Your time for this study is over" in page
    assert "what you answered after it is kept, but does not count" in page
    assert len(study_data(study).dimensions[0].ratings) == 1


def test_what_was_pressed_before_the_time_was_up_counts_although_it_comes_later(client: Client) -> None:
    study, _rater, cards = at_work(client)
    say("TIMED-OUT")
    PanelVisit.objects.update(ended_at=timezone.now() - timedelta(seconds=30))

    assert press(client, cards[0], ago_ms=60_000)["outcome"] == "saved"
    assert press(client, cards[1], ago_ms=1_000)["outcome"] == "late"

    assert taken(study) == 1


def test_after_the_time_was_up_an_earlier_answer_stays_as_it_was(client: Client) -> None:
    study, _rater, cards = at_work(client)
    press(client, cards[0])
    say("TIMED-OUT")
    PanelVisit.objects.update(ended_at=timezone.now() - timedelta(seconds=30))

    assert press(client, cards[0])["outcome"] == "unchanged"  # the same message sent twice
    assert press(client, cards[0], level=3, ago_ms=1_000, flag="Blurred.")["outcome"] == "late"

    (answer,) = Response.objects.filter(assignment=cards[0])
    assert (answer.level, answer.revision) == (1, 1)
    assert LateAnswer.objects.get().answers["answers"][0]["level"] == 3
    cards[0].refresh_from_db()
    assert cards[0].flag == ""
    # What was pressed before the end and comes late through a bad network is a revision as always.
    assert press(client, cards[0], level=2, ago_ms=60_000)["outcome"] == "changed"
    current = Response.objects.get(assignment=cards[0], is_current=True)
    assert (current.level, current.revision) == (2, 2)
    assert len(study_data(study).dimensions[0].ratings) == 1


@pytest.mark.parametrize("status", ["TIMED-OUT", "RETURNED"])
def test_practice_ends_with_the_visit_and_the_page_says_so(client: Client, status: str) -> None:
    study = make_panel_study(n_items=6)
    make_exercise(study, Item.Role.PRACTICE, [0])
    make_exercise(study, Item.Role.QUIZ, [0])
    rater = join(client, study)
    before = f"/rate/{study.token}/before/"
    assert "This is practice" in client.get(before).content.decode()
    trial = Trial.objects.get(rater=rater)
    fetch_exercise(client, study.token)
    say(status)

    sent = client.post(before, {"trial": trial.token, f"d{study.dimensions.get().pk}-0": 0})

    assert sent.headers["Location"] == f"/rate/{study.token}/"
    trial.refresh_from_db()
    assert trial.answered_at is None
    page = client.get(f"/rate/{study.token}/").content.decode()
    assert ("Your time for this study is over" if status == "TIMED-OUT" else "You have stopped") in page
    rater.refresh_from_db()
    assert rater.must_prepare


def test_who_timed_out_before_consent_cannot_join_and_reads_why(client: Client) -> None:
    study = make_panel_study()
    arrive(client, study)
    say("TIMED-OUT")

    for answer in (
        client.get(f"/join/{study.invitation}/"),
        client.post(f"/join/{study.invitation}/", {"consent": "on"}),
    ):
        assert answer.status_code == 403
        assert "your visit to this study is over: you returned it, or your time was up" in answer.content.decode()
    assert not study.raters.exists()


def test_nothing_more_is_stored_of_who_withdrew(client: Client) -> None:
    _study, rater, cards = at_work(client)
    press(client, cards[0])
    withdraw(rater=rater, now=timezone.now())

    assert press(client, cards[1])["outcome"] == "late"
    assert press(client, cards[0], level=3)["outcome"] == "late"

    assert Response.objects.filter(assignment__rater=rater).count() == 1
    assert not LateAnswer.objects.exists()


def test_who_returned_reads_that_their_answers_are_in_no_result(client: Client) -> None:
    study, _rater, cards = at_work(client)
    press(client, cards[0])
    say("RETURNED")

    assert press(client, cards[1])["cards"] == []
    page = client.get(f"/rate/{study.token}/").content.decode()

    assert "You returned this study to the panel or withdrew" in page
    assert "Your answers are in no result." in page
    assert "ended your part" not in page
    assert not study_data(study).dimensions
    assert taken(study) == 0


def test_who_withdrew_without_a_panel_and_who_was_excluded_read_what_is_true(client: Client) -> None:
    study = make_study(n_items=2)
    for name, said in (("withdrew", "You withdrew from this study"), ("excluded", "have ended your part in it")):
        rate_all(rater := make_rater(study, name=name))
        if name == "withdrew":
            withdraw(rater=rater, now=timezone.now())
        else:
            exclude_rater(rater=rater, reason="too fast", by=None)
        client.force_login(rater.user)  # type: ignore[arg-type]  # a person's rater has a user
        page = client.get(f"/rate/{study.token}/").content.decode()
        assert said in page
        assert ("Your answers are in no result." in page) == (name == "withdrew")


def test_who_has_the_code_for_completed_need_not_wait(client: Client) -> None:
    study, rater, cards = at_work(client, n_items=2, items_per_rater=1)
    press(client, cards[0])
    other = make_rater(study)
    reserve(rater=other)

    page = client.get(f"/rate/{study.token}/").content.decode()

    assert "DONE1111" in page
    assert "You are done. Thank you!" in page
    assert "checks every 20 seconds" not in page
    assert 'http-equiv="refresh"' not in page
    assert pause(rater=rater) == 0
