"""The rating page as an annotator's browser meets it, with and without a script."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from annotations.models import Assignment, Rater, Response, Study
from annotations.questions import ALIGNMENT, PREFERENCE
from tests.annotations.looking import fetch_images
from tests.factories import make_image, make_rater, make_study, make_user

pytestmark = pytest.mark.django_db
JSON = {"accept": "application/json"}


def signed_in(rater: Rater) -> Client:
    client = Client()
    assert rater.user is not None
    client.force_login(rater.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def token_in(page: str) -> str:
    found = re.search(r'data-token="([^"]+)"', page)
    assert found, page
    return found.group(1)


def first_token(client: Client, study: Study) -> str:
    return token_in(client.get(reverse("rate", args=[study.token])).content.decode())


def field(study: Study, place: int | None = 0) -> str:
    dimension = study.dimensions.get(name="alignment")
    return f"d{dimension.pk}" if place is None else f"d{dimension.pk}-{place}"


def test_a_card_shows_the_prompt_the_scale_and_nothing_else_about_the_image() -> None:
    study = make_study(n_items=4)
    client = signed_in(make_rater(study))

    page = client.get(reverse("rate", args=[study.token]))

    text = page.content.decode()
    card = Assignment.objects.get(token=token_in(text))
    image = card.item.images.get()
    assert card.item.prompt.text in text
    assert "does not match at all" in text
    assert "Unable to answer" in text
    hidden = [image.method.name, image.sha256, image.digest, image.file.name, image.shown.name, card.item.key]
    assert not [secret for secret in hidden if secret in text + str(page.headers)]


def test_the_image_comes_without_a_name_or_a_trace() -> None:
    study = make_study(n_items=1)
    client = signed_in(make_rater(study))
    token = first_token(client, study)

    response = client.get(reverse("rate-image", args=[token, 0]))

    image = study.items.get().images.get()
    assert b"".join(response.streaming_content) == image.shown.open("rb").read()  # type: ignore[attr-defined]
    assert response.headers["Content-Type"] == "image/webp"
    assert response.headers["Content-Disposition"] == 'inline; filename="image.webp"'
    assert response.headers["Cache-Control"].startswith("private")


def test_a_form_without_script_is_saved_and_led_on() -> None:
    study = make_study(n_items=2)
    client = signed_in(make_rater(study))
    token = first_token(client, study)
    fetch_images(client, token)

    response = client.post(reverse("rate-answer", args=[study.token, token]), {field(study): "3"})

    assert response.status_code == 302
    page = client.get(response.headers["Location"]).content.decode()
    assert "Saved" in page
    assert "1 of 2" in page
    assert token_in(page) != token
    assert Response.objects.get().level == 3


def test_a_script_gets_the_next_card_with_the_receipt() -> None:
    study = make_study(n_items=3)
    client = signed_in(make_rater(study))
    tokens = [first_token(client, study)]

    for _ in range(3):
        url = reverse("rate-answer", args=[study.token, tokens[-1]])
        answer = client.post(url, {field(study): "u", "shown_ms_ago": "4000"}, headers=JSON).json()
        assert answer["outcome"] == "saved"
        tokens += [card["token"] for card in answer["cards"]]

    assert len(set(tokens)) == 3
    assert answer["cards"] == []
    response = Response.objects.last()
    assert response is not None
    assert response.shown_at is not None
    assert 3.9 < (response.answered_at - response.shown_at).total_seconds() < 4.1


def test_the_arrival_is_recorded_whatever_the_browser_says_of_the_time() -> None:
    study = make_study(n_items=1)
    client = signed_in(make_rater(study))
    url = reverse("rate-answer", args=[study.token, first_token(client, study)])
    days_25 = 25 * 24 * 3600 * 1000

    client.post(url, {field(study): "3", "answered_ms_ago": str(days_25)}, headers=JSON)

    response = Response.objects.get()
    now = timezone.now()
    assert response.received_at is not None
    assert timedelta(0) <= now - response.received_at < timedelta(minutes=1)
    assert timedelta(days=25) <= now - response.answered_at < timedelta(days=25, minutes=1)


def test_cards_ahead_are_those_behind_the_one_in_view() -> None:
    study = make_study(n_items=6, order=Study.Order.FIXED)
    client = signed_in(make_rater(study))
    token = first_token(client, study)

    cards = client.get(reverse("rate-upcoming", args=[study.token]), {"after": token, "n": "2"}).json()["cards"]

    positions = [Assignment.objects.get(token=card["token"]).item.position for card in cards]
    assert positions == [1, 2]
    assert all(card["token"] in card["html"] for card in cards)


@pytest.mark.parametrize(
    ("given", "problem"),
    [({}, "not answered yet"), ({"value": "9"}, "no such answer"), ({"value": "-1"}, "no such answer")],
)
def test_a_wrong_answer_is_refused_and_the_card_stays(given: dict[str, str], problem: str) -> None:
    study = make_study(n_items=1)
    client = signed_in(make_rater(study))
    url = reverse("rate-answer", args=[study.token, first_token(client, study)])
    data = {field(study): given["value"]} if given else {}

    page = client.post(url, data)
    by_script = client.post(url, data, headers=JSON)

    assert (page.status_code, by_script.status_code) == (400, 400)
    assert problem in page.content.decode()
    assert problem in by_script.json()["problem"]
    assert not Response.objects.exists()


def test_unable_is_refused_where_it_is_not_offered() -> None:
    study = make_study(n_items=1)
    study.dimensions.update(allows_unable=False)
    client = signed_in(make_rater(study))
    token = first_token(client, study)

    response = client.post(reverse("rate-answer", args=[study.token, token]), {field(study): "u"}, headers=JSON)

    assert response.status_code == 400


def test_back_leads_to_the_last_answer_which_can_be_changed() -> None:
    study = make_study(n_items=3)
    client = signed_in(make_rater(study))
    first = first_token(client, study)
    fetch_images(client, first)
    client.post(reverse("rate-answer", args=[study.token, first]), {field(study): "0"})
    second = first_token(client, study)

    back = client.get(reverse("rate-back", args=[study.token]), {"from": second}, follow=True)

    page = back.content.decode()
    assert token_in(page) == first
    assert re.search(r'value="0"[^>]* checked', page)
    client.post(reverse("rate-answer", args=[study.token, first]), {field(study): "4"})
    assert list(Response.objects.order_by("revision").values_list("level", "is_current")) == [(0, False), (4, True)]


def test_sides_are_the_rater_s_own_and_answers_find_their_image() -> None:
    study = make_study(n_items=1, k=40, item_kind=Study.ItemKind.PAIR, presets=(ALIGNMENT, PREFERENCE))
    slots = list(study.items.get().images.order_by("item_images__slot"))
    preference = study.dimensions.get(name="preference")
    orders = set()
    for _ in range(12):
        rater = make_rater(study)
        client = signed_in(rater)
        token = first_token(client, study)
        card = Assignment.objects.get(token=token)
        orders.add(card.shown_order)
        shown = [slots[int(slot)] for slot in card.shown_order.split(",")]

        answers = {field(study, 0): "4", field(study, 1): "1", f"d{preference.pk}": "0"}
        fetch_images(client, token, 2)
        client.post(reverse("rate-answer", args=[study.token, token]), answers)

        left, right = (card.responses.get(image=image) for image in shown)
        assert (left.level, right.level) == (4, 1)
        served = b"".join(client.get(reverse("rate-image", args=[token, 0])).streaming_content)  # type: ignore[attr-defined]
        assert served == shown[0].shown.open("rb").read()
    assert orders == {"0,1", "1,0"}


def test_pausing_gives_back_what_is_not_answered() -> None:
    study = make_study(n_items=3)
    rater = make_rater(study)
    client = signed_in(rater)
    first_token(client, study)

    response = client.post(reverse("rate-pause", args=[study.token]))

    assert "Paused" in response.content.decode()
    assert not rater.assignments.filter(state="leased").exists()


def test_at_the_end_a_rater_is_thanked() -> None:
    study = make_study(n_items=1)
    client = signed_in(make_rater(study))
    token = first_token(client, study)
    fetch_images(client, token)
    client.post(reverse("rate-answer", args=[study.token, token]), {field(study): "2"})

    assert "You are done" in client.get(reverse("rate", args=[study.token])).content.decode()


def test_while_others_work_on_the_last_ones_a_rater_waits() -> None:
    study = make_study(n_items=1, k=1)
    first_token(signed_in(make_rater(study)), study)

    page = signed_in(make_rater(study)).get(reverse("rate", args=[study.token])).content.decode()

    assert "Nothing to do right now" in page


def test_a_closed_study_gives_no_card_but_keeps_what_was_being_answered() -> None:
    study = make_study(n_items=2)
    client = signed_in(make_rater(study))
    token = first_token(client, study)
    Study.objects.update(state=Study.State.CLOSED)

    response = client.post(reverse("rate-answer", args=[study.token, token]), {field(study): "2"}, headers=JSON)

    assert response.json() == {"outcome": "saved", "cards": [], "is_over": True}
    assert "This study is closed" in client.get(reverse("rate", args=[study.token])).content.decode()


class TestRights:
    """An annotator reaches their own cards and images; nobody else does."""

    def urls(self, study: Study, token: str) -> list[str]:
        return [
            reverse("rate-card", args=[study.token, token]),
            reverse("rate-image", args=[token, 0]),
            reverse("rate-upcoming", args=[study.token]) + f"?after={token}",
        ]

    @pytest.mark.parametrize("who", ["another annotator", "a researcher"])
    def test_others_find_nothing(self, who: str) -> None:
        study = make_study(n_items=2)
        token = first_token(signed_in(make_rater(study)), study)
        other: User = make_user(researcher=True) if who == "a researcher" else make_rater(make_study()).user  # type: ignore[assignment]
        client = Client()
        client.force_login(other, backend="django.contrib.auth.backends.ModelBackend")

        assert {client.get(url).status_code for url in self.urls(study, token)} == {404}
        posted = client.post(reverse("rate-answer", args=[study.token, token]), {field(study): "2"})
        assert posted.status_code == 404
        assert client.get(reverse("rate", args=[study.token])).headers["Location"] == reverse("home")

    def test_strangers_are_sent_to_sign_in(self) -> None:
        study = make_study(n_items=1)
        token = first_token(signed_in(make_rater(study)), study)
        stranger = Client()

        for url in [*self.urls(study, token), reverse("rate", args=[study.token])]:
            assert stranger.get(url).headers["Location"].startswith(reverse("sign-in"))

    def test_a_rater_cannot_reach_an_image_beyond_the_item(self) -> None:
        study = make_study(n_items=1)
        make_image()
        client = signed_in(make_rater(study))

        assert client.get(reverse("rate-image", args=[first_token(client, study), 1])).status_code == 404


@pytest.mark.parametrize("n_items", [5, 60])
def test_the_queries_of_a_loop_do_not_grow(n_items: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    study = make_study(n_items=n_items, batch_size=n_items)
    client = signed_in(make_rater(study))
    token = first_token(client, study)
    data: dict[str, Any] = {field(study): "2"}

    # Session, account; card, questions, images; savepoint, assignment, response, release; next card, its images.
    with django_assert_num_queries(11):
        client.post(reverse("rate-answer", args=[study.token, token]), data, headers=JSON)
