"""Passwords: what is refused, changing one, forgetting one, and what a new one ends."""

import io
import re

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from evalsite.accounts.links import link_to
from tests.factories import make_token, make_user

pytestmark = pytest.mark.django_db
OLD, NEW = "a long pass phrase", "quite another phrase"


@pytest.fixture
def ruth() -> User:
    return make_user("ruth", researcher=True, password=OLD, email="ruth@example.org")


def signs_in(password: str, name: str = "ruth") -> bool:
    return Client().post("/sign-in/", {"username": name, "password": password}).status_code == 302


@pytest.mark.parametrize(
    "password",
    [
        *("87654321a", "Winter2026!", "12characters"[:11]),
        *(
            "evalsite2026",
            "my EvalSite password",
            "eval-site-2026-x",
            "3v4ls1te forever",
            "ＥＶＡＬＳＩＴＥ in wide letters",
        ),
        *("aaaaaaaaaaaa", "abababababab", "abcdefghijkl", "987654321098", "1234567890123456", "zyxwvutsrqponm"),
        *("ruth-example-1", "ruth@example.org"),
    ],
)
def test_weak_passwords_are_refused(password: str, ruth: User) -> None:
    with pytest.raises(ValidationError):
        validate_password(password, ruth)


@pytest.mark.parametrize("password", [OLD, NEW, "correct horse battery", "xk7$Lq!9pWz2", "Überall nur Wörter"])
def test_good_passwords_are_taken(password: str, ruth: User) -> None:
    validate_password(password, ruth)


def test_how_long_is_a_setting(ruth: User) -> None:
    from django.conf import settings

    (length,) = [one["OPTIONS"] for one in settings.AUTH_PASSWORD_VALIDATORS if "OPTIONS" in one]
    assert length == {"min_length": settings.PASSWORD_LETTERS} == {"min_length": 12}


# --- changing --------------------------------------------------------------------------------------------------------
def change(client: Client, old: str = OLD, new: str = NEW, again: str = NEW) -> int:
    return client.post("/me/password/", {"old_password": old, "new_password1": new, "new_password2": again}).status_code


def test_a_changed_password_ends_links_tokens_and_other_sessions_and_keeps_this_one(ruth: User) -> None:
    here, there = Client(), Client()
    for client in (here, there):
        client.force_login(ruth, backend="django.contrib.auth.backends.ModelBackend")
    link, key = link_to(ruth, "http://testserver"), make_token(ruth)

    assert change(here) == 302

    assert (signs_in(OLD), signs_in(NEW)) == (False, True)
    assert here.get("/me/").status_code == 200
    assert there.get("/me/").status_code == 302
    assert Client().get(link).status_code == 403
    assert Client(headers={"authorization": f"Token {key}"}).get("/api/v1/studies/").status_code == 401


@pytest.mark.parametrize(
    ("old", "new", "again"), [("wrong", NEW, NEW), (OLD, NEW, NEW + "x"), (OLD, "evalsite2026", "evalsite2026")]
)
def test_what_does_not_do_changes_nothing(old: str, new: str, again: str, ruth: User, client: Client) -> None:
    client.force_login(ruth, backend="django.contrib.auth.backends.ModelBackend")
    link = link_to(ruth, "http://testserver")
    assert change(client, old, new, again) == 200
    assert signs_in(OLD)
    assert Client().get(link).status_code == 302


def test_who_has_no_password_has_none_to_change(client: Client) -> None:
    client.force_login(make_user())
    assert "Change your password" not in client.get("/me/").content.decode()
    page = client.get("/me/password/", follow=True)
    assert page.redirect_chain == [("/me/", 302)]
    assert "Your account has no password" in page.content.decode()


def test_an_administrator_sets_one_and_it_ends_the_rest(ruth: User, client: Client) -> None:
    link = link_to(ruth, "http://testserver")
    root = make_user("root", is_staff=True, is_superuser=True)
    client.force_login(root, backend="django.contrib.auth.backends.ModelBackend")
    client.post(
        f"/admin/auth/user/{ruth.pk}/password/", {"password1": NEW, "password2": NEW, "usable_password": "true"}
    )
    assert signs_in(NEW)
    assert Client().get(link).status_code == 403


# --- forgetting ------------------------------------------------------------------------------------------------------
def set_by(link: str) -> None:
    client = Client()
    form = client.get(link, follow=True)
    client.post(form.redirect_chain[-1][0], {"new_password1": NEW, "new_password2": NEW})


def test_by_mail_where_the_site_sends_it(ruth: User, client: Client, settings: Settings) -> None:
    settings.SENDS_MAIL = True
    key = make_token(ruth)
    for address in ("nobody@example.org", "ruth@example.org"):
        answer = client.post("/password/forgotten/", {"email": address})
        assert answer.headers["Location"] == "/password/sent/"  # says nothing of who has an account
    (message,) = mail.outbox
    assert message.to == ["ruth@example.org"]
    link = re.search(r"http://testserver(/password/\S+)", str(message.body))
    assert link

    set_by(link.group(1))

    assert signs_in(NEW)
    assert Client(headers={"authorization": f"Token {key}"}).get("/api/v1/studies/").status_code == 401
    assert "no longer works" in Client().get(link.group(1), follow=True).content.decode()


def test_where_it_sends_none_the_page_says_whom_to_ask(ruth: User, client: Client) -> None:
    assert "Ask the people who run it" in client.get("/password/forgotten/").content.decode()
    client.post("/password/forgotten/", {"email": "ruth@example.org"})
    assert not mail.outbox


def test_by_a_link_of_the_command(ruth: User) -> None:
    out = io.StringIO()
    call_command("password_link", "ruth", base_url="https://rate.example.org/", stdout=out)
    assert out.getvalue().startswith("https://rate.example.org/password/")
    set_by(out.getvalue().strip().removeprefix("https://rate.example.org"))
    assert signs_in(NEW)
    with pytest.raises(CommandError, match="no active account 'nobody'"):
        call_command("password_link", "nobody")


@pytest.mark.parametrize(
    "link", ["/password/MQ/x/", "/password/é/x/", "/password/MQ/set-password/", "/password/x/y-z/"]
)
def test_a_made_up_link_sets_nothing(link: str, ruth: User, client: Client) -> None:
    page = client.get(link, follow=True)
    assert page.status_code == 200
    assert "no longer works" in page.content.decode()


def test_the_sign_in_page_leads_there(client: Client) -> None:
    assert "/password/forgotten/" in client.get("/sign-in/").content.decode()
