"""Personal links: whom they sign in, for how long, what ends them, and that nobody is switched without being asked."""

from contextlib import AbstractContextManager
from datetime import timedelta
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page
from pytest_django import Settings
from sesame.utils import get_query_string

from evalsite.accounts.access import end_links
from evalsite.accounts.links import link_to, owner_of
from tests.browsing import Watch, assert_accessible
from tests.factories import make_member, make_study, make_user

pytestmark = pytest.mark.django_db


def link(user: User) -> str:
    return link_to(user, "http://testserver")


def person(client: Client) -> str | None:
    return client.session.get("_auth_user_id")


def later(days: float) -> AbstractContextManager[object]:
    return mock.patch("time.time", return_value=(timezone.now() + timedelta(days=days)).timestamp())


@pytest.fixture
def anna() -> User:
    return make_user("anna", password="a long pass phrase")


def test_its_owner_ends_all_links_of_before_and_the_next_one_works(client: Client, anna: User) -> None:
    before = link(anna)
    client.force_login(anna)

    client.post("/me/end/", {"what": "links"})

    assert Client().get(before).status_code == 403
    assert Client().get(link(anna)).status_code == 302
    assert client.get("/me/").status_code == 200  # a session is not a link


def test_others_links_go_on_working(anna: User) -> None:
    other = link(make_user())
    end_links(user=anna)
    assert Client().get(other).status_code == 302


def test_a_new_password_ends_links_however_it_is_set(client: Client, anna: User) -> None:
    before = link(anna)
    anna.set_password("another pass phrase")
    anna.save()
    assert Client().get(before).status_code == 403
    assert Client().get(link(anna)).status_code == 302


def test_a_renewed_hash_of_the_same_password_ends_nothing(client: Client, anna: User, settings: Settings) -> None:
    before = link(anna)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher", *settings.PASSWORD_HASHERS]
    client.post("/sign-in/", {"username": "anna", "password": "a long pass phrase"})
    anna.refresh_from_db()
    assert anna.password.startswith("pbkdf2")
    assert Client().get(before).status_code == 302


def test_links_of_before_links_had_numbers_go_on_working(anna: User) -> None:
    assert Client().get("/s/" + get_query_string(anna)).status_code == 302


def test_who_runs_a_study_has_links_of_a_shorter_life() -> None:
    study = make_study(n_items=1)
    for user, days in (
        (make_user(), 60),
        (make_user(researcher=True), 7),
        (make_member(study), 7),
        (study.owner, 7),
    ):
        secret = link(user).partition("=")[2]
        with later(days - 0.01):
            assert owner_of(secret) == user
        with later(days + 0.01):
            assert owner_of(secret) is None


def test_how_long_is_a_setting_and_said_on_the_page(client: Client, settings: Settings) -> None:
    settings.RESEARCHER_LINK_DAYS = 1
    client.force_login(make_user(researcher=True))
    assert "The link works for 1 day." in client.get("/me/link/").content.decode()


@pytest.mark.parametrize("secret", ["", "x", "AAAA", "é", "a" * 5_000, "1:2:3"])
def test_what_no_link_has_signs_nobody_in(secret: str, client: Client) -> None:
    make_user()
    assert client.get("/s/", {"sesame": secret}).status_code == 403
    assert person(client) is None


# --- somebody else is signed in --------------------------------------------------------------------------------------
def test_who_is_signed_in_is_asked_before_somebody_else_is(client: Client, anna: User) -> None:
    ruth = make_user("ruth")
    client.force_login(ruth)

    asked = client.get(link(anna))

    assert asked.headers["Location"] == "/s/switch/"
    assert asked.headers["Referrer-Policy"] == "no-referrer"
    page = client.get("/s/switch/")
    assert person(client) == str(ruth.pk)
    assert b"ruth" in page.content
    assert b"anna" in page.content
    assert b"sesame" not in page.content
    assert client.post("/s/switch/").headers["Location"] == "/"
    assert person(client) == str(anna.pk)
    assert client.post("/s/switch/").headers["Location"] == "/"  # asked and answered


def test_switching_needs_the_form_s_own_token(anna: User) -> None:
    client = Client(enforce_csrf_checks=True)
    ruth = make_user("ruth")
    client.force_login(ruth)
    client.get(link(anna))

    assert client.post("/s/switch/").status_code == 403
    assert person(client) == str(ruth.pk)


def test_a_link_that_was_ended_meanwhile_switches_nothing(client: Client, anna: User) -> None:
    ruth = make_user("ruth")
    client.force_login(ruth)
    client.get(link(anna))
    end_links(user=anna)

    assert client.post("/s/switch/").status_code == 403
    assert person(client) == str(ruth.pk)


def test_ones_own_link_asks_nothing(client: Client, anna: User) -> None:
    client.force_login(anna)
    assert client.get(link(anna)).headers["Location"] == "/"
    assert person(client) == str(anna.pk)


def test_head_changes_nothing(client: Client, anna: User) -> None:
    assert client.head(link(anna)).status_code == 200
    assert not client.cookies
    client.force_login(make_user("ruth"))
    client.head(link(anna))
    assert client.get("/s/switch/").headers["Location"] == "/"  # nothing waits


@pytest.mark.browser
def test_a_link_is_opened_over_another_session_in_the_browser(page: Page, watch: Watch, live_site: str) -> None:
    anna, ruth = make_user("anna"), make_user("ruth")
    page.goto(link_to(ruth, live_site))
    page.goto(link_to(anna, live_site))
    page.get_by_role("heading", name="Switch accounts?").wait_for()
    assert "sesame" not in page.url
    assert_accessible(page)
    page.get_by_role("link", name="Stay signed in as ruth").click()
    page.goto("/me/")
    page.get_by_text("You are signed in as ruth.").wait_for()
    page.goto(link_to(anna, live_site))
    page.get_by_role("button", name="Switch to anna").click()
    page.goto("/me/")
    page.get_by_text("You are signed in as anna.").wait_for()
