"""API tokens: made and listed on the page, kept as digests, expiring, and revoked."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from annotations.models import Membership
from evalsite.accounts.tokens import MOST_TOKENS, digest_of
from evalsite.models import ApiToken
from tests.factories import make_member, make_rater, make_study, make_token, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def ruth() -> User:
    return make_user("ruth", researcher=True, password="a long pass phrase")


@pytest.fixture
def browser(ruth: User) -> Client:
    client = Client()
    client.force_login(ruth)
    return client


def ask(key: str) -> int:
    return Client(headers={"authorization": f"Token {key}"}).get("/api/v1/studies/").status_code


def make_on_page(
    browser: Client, name: str = "notebook", days: int = 30, scopes: tuple[str, ...] = ("read", "data", "studies")
) -> str:
    page = browser.post("/me/tokens/", {"name": name, "days": days, "scopes": scopes}).content.decode()
    found = re.search(r'id="token-key" type="text" value="([^"]+)"', page)
    assert found
    return found.group(1)


def test_made_on_the_page_shown_once_and_kept_nowhere(browser: Client, ruth: User) -> None:
    key = make_on_page(browser)

    assert ask(key) == 200
    token = ApiToken.objects.get()
    assert (token.user, token.name) == (ruth, "notebook")
    assert timedelta(days=29) < token.expires_at - timezone.now() < timedelta(days=30)  # type: ignore[operator]
    assert key not in str(ApiToken.objects.values().get())
    page = browser.get("/me/").content.decode()
    assert "notebook" in page
    assert token.hint in page
    assert key not in page


def test_several_at_once_and_each_revoked_alone(browser: Client) -> None:
    first, second = make_on_page(browser, "first"), make_on_page(browser, "second")

    browser.post(f"/me/tokens/{ApiToken.objects.get(name='first').pk}/revoke/")

    assert (ask(first), ask(second)) == (401, 200)


def test_nobody_revokes_another_s(browser: Client) -> None:
    key = make_token(make_user(researcher=True))
    assert browser.post(f"/me/tokens/{ApiToken.objects.get().pk}/revoke/").status_code == 404
    assert ask(key) == 200


def test_an_expired_one_says_so(ruth: User) -> None:
    key = make_token(ruth)
    ApiToken.objects.update(expires_at=timezone.now())
    refused = Client(headers={"authorization": f"Token {key}"}).get("/api/v1/studies/")
    assert refused.status_code == 401
    assert "has expired" in refused.json()["detail"]


def test_its_use_is_noted_once_an_hour(ruth: User) -> None:
    key = make_token(ruth)
    ask(key)
    first = ApiToken.objects.get().last_used_at
    ask(key)
    assert first is not None
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(hours=1))
    ask(key)
    assert ApiToken.objects.get().last_used_at > first  # type: ignore[operator]


def test_a_new_password_ends_them_and_so_does_an_account_s_end(ruth: User) -> None:
    key = make_token(ruth)
    ruth.set_password("another pass phrase")
    ruth.save()
    assert ask(key) == 401
    key = make_token(ruth)
    User.objects.update(is_active=False)
    assert ask(key) == 401


@pytest.mark.parametrize("key", ["", "x", "a b", "é", "x" * 100_000, "\udcff"])
def test_what_no_token_is_lets_nobody_in(key: str, ruth: User) -> None:
    make_token(ruth)
    header = f"Token {key}".encode("utf-8", "surrogateescape").decode("latin-1")
    assert Client().get("/api/v1/studies/", HTTP_AUTHORIZATION=header).status_code == 401


def test_only_for_researchers(ruth: User) -> None:
    study = make_study(n_items=1)
    client = Client()
    for user, status in (
        (make_user(), 403),
        (make_rater(study).user, 403),
        (make_member(study, role=Membership.Role.AUDITOR), 403),
        (make_member(study), 200),
        (study.owner, 200),
        (ruth, 200),
    ):
        assert user is not None
        client.force_login(user)
        assert client.post("/me/tokens/", {"name": "n", "days": 30, "scopes": ["read"]}).status_code == status
        assert ("API tokens" in client.get("/me/").content.decode()) == (status == 200)


@pytest.mark.parametrize("given", [{"name": "", "days": 30}, {"name": "n", "days": 10_000}, {"name": "n" * 101}, {}])
def test_a_form_that_says_too_little_or_too_much_is_given_back(given: dict[str, object], browser: Client) -> None:
    assert browser.post("/me/tokens/", given).status_code == 422
    assert not ApiToken.objects.exists()


def test_a_person_has_a_bounded_number(browser: Client, ruth: User) -> None:
    for _ in range(MOST_TOKENS):
        make_token(ruth)
    refused = browser.post("/me/tokens/", {"name": "one more", "days": 30, "scopes": ["read"]})
    assert refused.status_code == 422
    assert "Revoke one" in refused.content.decode()


def test_by_the_api_one_that_replaces_itself_and_leaves_the_others(browser: Client) -> None:
    own = make_on_page(browser)
    first = browser.post("/api/v1/token/").json()
    second = browser.post("/api/v1/token/").json()
    assert first["expires_at"] > timezone.now().isoformat()
    assert (ask(first["token"]), ask(second["token"]), ask(own)) == (401, 200, 200)
    assert browser.delete("/api/v1/token/").status_code == 204
    assert (ask(second["token"]), ask(own)) == (401, 200)


def test_administrators_see_whose_they_are_but_no_key_and_end_them(ruth: User) -> None:
    key = make_token(ruth)
    client = Client()
    client.force_login(
        make_user("root", is_staff=True, is_superuser=True), backend="django.contrib.auth.backends.ModelBackend"
    )
    page = client.get("/admin/evalsite/apitoken/").content.decode()
    assert "ruth" in page
    assert digest_of(key) not in page
    assert client.get(f"/admin/evalsite/apitoken/{ApiToken.objects.get().pk}/change/").status_code == 200
    assert client.get("/admin/evalsite/apitoken/add/").status_code == 403
    client.post(f"/admin/evalsite/apitoken/{ApiToken.objects.get().pk}/delete/", {"post": "yes"})
    assert ask(key) == 401
