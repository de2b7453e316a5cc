"""Ending sessions, and everything at once, from the page "Your account" and from the administration."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from evalsite.accounts.links import link_to
from evalsite.models import BrowserSession
from tests.factories import make_rater, make_study, make_token, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def ruth() -> User:
    return make_user("ruth", researcher=True, password="a long pass phrase")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def is_in(client: Client) -> bool:
    return client.get("/me/").status_code == 200


def test_a_session_knows_its_person_and_forgets_them_at_sign_out(ruth: User) -> None:
    client = signed_in(ruth)
    assert BrowserSession.objects.get().user == ruth
    client.post("/sign-out/")
    assert not BrowserSession.objects.exists()


def test_other_sessions_end_and_this_one_stays_even_if_its_cookie_was_copied(ruth: User) -> None:
    here, there, thief = signed_in(ruth), signed_in(ruth), Client()
    thief.cookies.load(here.cookies.output(header=""))
    somebody = signed_in(make_user())
    assert is_in(thief)
    assert "In this browser and 1 other." in here.get("/me/").content.decode()

    here.post("/me/end/", {"what": "sessions"})

    assert [is_in(client) for client in (here, there, thief, somebody)] == [True, False, False, True]
    assert "Only in this browser." in here.get("/me/").content.decode()


def test_all_at_once_leaves_this_browser_and_answers(ruth: User) -> None:
    here, there = signed_in(ruth), signed_in(ruth)
    link, key = link_to(ruth, "http://testserver"), make_token(ruth)

    here.post("/me/end/", {"what": "all"})

    assert is_in(here)
    assert not is_in(there)
    assert Client().get(link).status_code == 403
    assert Client(headers={"authorization": f"Token {key}"}).get("/api/v1/studies/").status_code == 401


def test_a_rater_without_a_password_keeps_the_way_in(ruth: User) -> None:
    study = make_study(n_items=1)
    user = make_rater(study).user
    assert user is not None
    here = signed_in(user)
    here.post("/me/end/", {"what": "all"})
    assert is_in(here)
    assert Client().get(link_to(user, "http://testserver")).status_code == 302


@pytest.mark.parametrize("given", [{}, {"what": "everything"}, {"what": "tokens\0"}])
def test_something_else_ends_nothing(given: dict[str, str], ruth: User) -> None:
    here, there = signed_in(ruth), signed_in(ruth)
    assert here.post("/me/end/", given).headers["Location"] == "/me/"
    assert is_in(there)


def test_it_needs_a_post_with_the_page_s_own_token(ruth: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ruth)
    there = signed_in(ruth)
    assert client.get("/me/end/").status_code == 405
    assert client.post("/me/end/", {"what": "all"}).status_code == 403
    assert is_in(there)


def test_an_administrator_ends_another_s(ruth: User) -> None:
    link, key, there = link_to(ruth, "http://testserver"), make_token(ruth), signed_in(ruth)
    root = signed_in(make_user("root", is_staff=True, is_superuser=True))

    done = root.post("/admin/auth/user/", {"action": "end_access", "_selected_action": [ruth.pk]}, follow=True)

    assert "no longer work" in done.content.decode()
    assert not is_in(there)
    assert Client().get(link).status_code == 403
    assert Client(headers={"authorization": f"Token {key}"}).get("/api/v1/studies/").status_code == 401
    assert is_in(root)


def test_an_administrator_s_header_has_no_link_that_leads_nowhere() -> None:
    root = signed_in(make_user("root", is_staff=True, is_superuser=True))
    assert "Your personal link" not in root.get("/me/").content.decode()
    assert "/me/link/" in signed_in(make_user()).get("/me/").content.decode()


@pytest.mark.parametrize("cookie", ['"\\000abcdefgh"', "x" * 10_000, "../../etc", "é" * 10, "short"])
def test_a_cookie_that_is_not_a_session_is_nobody(cookie: str) -> None:
    assert Client().get("/", HTTP_COOKIE=f"sessionid={cookie}".encode().decode("latin-1")).status_code == 200


def test_an_account_that_is_deleted_takes_its_sessions_with_it(ruth: User) -> None:
    client = signed_in(ruth)
    ruth.delete()
    assert not BrowserSession.objects.exists()
    assert client.get("/me/").status_code == 302
