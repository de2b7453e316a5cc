"""Guessing at passwords: refused by name and address together, and nobody else is met by it."""

from datetime import timedelta
from http import HTTPStatus

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page
from pytest_django import Settings
from sesame.utils import get_query_string

from evalsite.requests.guessing import client_address
from tests.browsing import Watch, assert_accessible
from tests.factories import make_user

pytestmark = pytest.mark.django_db

RIGHT = "a long pass phrase"
PAUSE = timedelta(minutes=15)
SIGN_IN, ADMINISTRATION = "/sign-in/", "/admin/login/"


@pytest.fixture
def rosa() -> User:
    return make_user("rosa", password=RIGHT, is_staff=True)


def sign_in(password: str, *, name: str = "rosa", page: str = SIGN_IN, **head: str) -> HttpResponse:
    """The answer to somebody without any cookie, at 203.0.113.1 unless `head` says otherwise."""
    return Client().post(page, {"username": name, "password": password}, **{"REMOTE_ADDR": "203.0.113.1"} | head)  # type: ignore[return-value, arg-type]


def guess(times: int, *, name: str = "rosa", page: str = SIGN_IN, **head: str) -> list[int]:
    return [sign_in(f"guess {n}", name=name, page=page, **head).status_code for n in range(times)]


def is_let_in(response: HttpResponse) -> bool:
    return response.status_code == HTTPStatus.FOUND and "sessionid" in response.cookies


def move_into_the_past(by: timedelta) -> None:
    for attempt in AccessAttempt.objects.all():
        AccessAttempt.objects.filter(pk=attempt.pk).update(attempt_time=attempt.attempt_time - by)


def test_names_longer_than_any_here_are_counted_by_their_beginning() -> None:
    assert guess(9, name="x" * 2**20) == [HTTPStatus.OK] * 9
    assert guess(1, name="x" * 151) == [HTTPStatus.TOO_MANY_REQUESTS]
    assert AccessAttempt.objects.get().username == "x" * 150


@pytest.mark.parametrize("page", [SIGN_IN, ADMINISTRATION])
def test_the_tenth_wrong_password_ends_the_tries_even_for_the_right_one(page: str, rosa: User) -> None:
    assert guess(10, page=page) == [HTTPStatus.OK] * 9 + [HTTPStatus.TOO_MANY_REQUESTS]

    refused = sign_in(RIGHT, page=page)

    assert refused.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert refused.headers["Retry-After"] == "900"
    assert "no-store" in refused.headers["Cache-Control"]
    assert "sessionid" not in refused.cookies
    text = refused.content.decode()
    for words in ("Too many wrong passwords", "Nothing is lost", "Try again in 15 minutes."):
        assert words in text


def test_both_pages_and_all_browsers_share_one_count(rosa: User) -> None:
    guess(4, HTTP_USER_AGENT="one")
    guess(5, HTTP_USER_AGENT="another", page=ADMINISTRATION)

    assert guess(1, HTTP_USER_AGENT="a third") == [HTTPStatus.TOO_MANY_REQUESTS]


def test_bounds_are_those_of_the_settings(rosa: User, settings: Settings) -> None:
    settings.AXES_FAILURE_LIMIT, settings.AXES_COOLOFF_TIME = 3, timedelta(minutes=1)

    assert guess(3)[-1] == HTTPStatus.TOO_MANY_REQUESTS
    assert "Try again in 1 minute." in sign_in(RIGHT).content.decode()


def test_the_person_comes_in_from_elsewhere_and_others_from_there(rosa: User) -> None:
    make_user("ruth", password=RIGHT)
    guess(10)

    assert is_let_in(sign_in(RIGHT, REMOTE_ADDR="203.0.113.2"))
    assert is_let_in(sign_in(RIGHT, name="ruth"))
    assert not is_let_in(sign_in(RIGHT))


def test_a_name_that_nobody_has_is_treated_alike() -> None:
    assert guess(10, name="nobody") == [HTTPStatus.OK] * 9 + [HTTPStatus.TOO_MANY_REQUESTS]


def test_the_right_password_sets_the_count_to_zero(rosa: User) -> None:
    guess(9)
    assert is_let_in(sign_in(RIGHT))

    assert guess(9) == [HTTPStatus.OK] * 9


def test_the_pause_ends_and_is_not_made_longer_by_trying(rosa: User) -> None:
    guess(10)
    move_into_the_past(PAUSE - timedelta(minutes=1))
    assert not is_let_in(sign_in(RIGHT))
    move_into_the_past(timedelta(minutes=1))

    assert is_let_in(sign_in(RIGHT))


def test_old_guesses_are_forgotten_when_anybody_signs_in(rosa: User) -> None:
    guess(9, name="somebody else")
    move_into_the_past(PAUSE)
    sign_in(RIGHT)

    assert not AccessAttempt.objects.exists()


def test_no_secret_is_kept_and_no_list_of_who_signed_in(rosa: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get(SIGN_IN)
    token = client.cookies["csrftoken"].value
    client.post(SIGN_IN, {"username": "rosa", "password": "nearly right", "csrfmiddlewaretoken": token})

    kept = AccessAttempt.objects.values().get()

    assert kept["username"] == "rosa"
    assert kept["failures_since_start"] == 1
    assert "nearly right" not in str(kept)
    assert token not in str(kept)
    sign_in(RIGHT)
    assert not AccessLog.objects.exists()


def test_broken_personal_links_shut_nobody_out_and_good_ones_work_during_the_pause() -> None:
    anna = make_user("anna", password=RIGHT)
    for _ in range(20):
        assert Client().get("/s/?sesame=AAAAAAAAAAAAAAAAAAAAAAAA").status_code == HTTPStatus.FORBIDDEN
    assert not AccessAttempt.objects.exists()
    guess(10, name="anna")

    response = Client().get("/s/" + get_query_string(anna), REMOTE_ADDR="203.0.113.1")

    assert is_let_in(response)  # type: ignore[arg-type]


def test_an_invented_header_gives_no_new_tries(rosa: User) -> None:
    for n in range(10):
        sign_in("guess", HTTP_X_FORWARDED_FOR=f"198.51.100.{n}")

    assert not is_let_in(sign_in(RIGHT, HTTP_X_FORWARDED_FOR="198.51.100.99"))


def test_behind_a_proxy_people_are_distinguished(rosa: User, settings: Settings) -> None:
    settings.PROXIES = 1
    for n in range(10):
        sign_in("guess", HTTP_X_FORWARDED_FOR=f"198.51.100.{n}, 192.0.2.1")

    assert not is_let_in(sign_in(RIGHT, HTTP_X_FORWARDED_FOR="192.0.2.1"))
    assert is_let_in(sign_in(RIGHT, HTTP_X_FORWARDED_FOR="192.0.2.2"))


@pytest.mark.parametrize(
    ("proxies", "forwarded", "remote", "expected"),
    [
        (0, "192.0.2.1", "203.0.113.1", "203.0.113.1"),
        (1, "192.0.2.1", "203.0.113.1", "192.0.2.1"),
        (1, "invented, 192.0.2.1", "203.0.113.1", "192.0.2.1"),
        (2, "invented, 192.0.2.1, 198.51.100.1", "203.0.113.1", "192.0.2.1"),
        (2, "192.0.2.1", "203.0.113.1", "203.0.113.1"),  # came by a way that has not both
        (1, "", "203.0.113.1", "203.0.113.1"),
        (1, "unknown", "203.0.113.1", None),
        (0, "", "", None),  # a Unix socket
        (0, "", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        (0, "", "::ffff:192.0.2.1", "192.0.2.1"),
        (0, "", "fe80::1%eth0", "fe80::"),
    ],
)
def test_whose_tries_are_counted_together(
    proxies: int, forwarded: str, remote: str, expected: str | None, settings: Settings
) -> None:
    settings.PROXIES = proxies
    head = {"REMOTE_ADDR": remote} | ({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {})

    assert client_address(RequestFactory().get("/", **head)) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("address", ["", "2001:db8:1:2:3:4:5:6"])
def test_every_kind_of_address_is_counted(address: str, rosa: User) -> None:
    assert guess(10, REMOTE_ADDR=address)[-1] == HTTPStatus.TOO_MANY_REQUESTS


@pytest.mark.browser
def test_what_one_process_counted_another_refuses_with_a_page_for_everybody(page: Page, watch: Watch) -> None:
    AccessAttempt.objects.create(
        username="rosa", ip_address="127.0.0.1", failures_since_start=10, attempt_time=timezone.now()
    )
    page.goto(reverse("sign-in"))
    page.get_by_label("Username").fill("rosa")
    page.get_by_label("Password").fill(RIGHT)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()

    page.get_by_role("heading", name="Too many wrong passwords").wait_for()
    assert_accessible(page)
    watch.expect_trouble("429")
