"""Coming in: by password, by personal link; and the page that shows one's own link."""

import re
from datetime import timedelta
from unittest import mock

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape
from sesame.utils import get_query_string

from tests.factories import make_study, make_user

pytestmark = pytest.mark.django_db


def signed_in_as(client: Client) -> str | None:
    return client.session.get("_auth_user_id")


def test_a_password_leads_back_to_where_one_wanted_to_go(client: Client) -> None:
    rosa = make_user("rosa", researcher=True, password="a long pass phrase")
    study = make_study(owner=rosa, n_items=1)

    asked = client.get(study.get_absolute_url())
    assert asked.headers["Location"] == f"/sign-in/?next={study.get_absolute_url()}"
    response = client.post(asked.headers["Location"], {"username": "rosa", "password": "a long pass phrase"})

    assert response.headers["Location"] == study.get_absolute_url()


def test_a_wrong_password_says_so_and_signs_nobody_in(client: Client) -> None:
    make_user("rosa", password="a long pass phrase")

    response = client.post("/sign-in/", {"username": "rosa", "password": "another"})

    assert response.status_code == 200
    assert 'role="alert"' in response.content.decode()
    assert signed_in_as(client) is None


def test_the_next_address_cannot_lead_to_another_site(client: Client) -> None:
    make_user("rosa", password="a long pass phrase")

    response = client.post(
        "/sign-in/?next=https://evil.example/", {"username": "rosa", "password": "a long pass phrase"}
    )

    assert response.headers["Location"] == "/"


def test_a_personal_link_signs_in_and_leaves_no_secret_in_the_address(client: Client) -> None:
    anna = make_user()

    response = client.get("/s/" + get_query_string(anna))

    assert response.status_code == 302
    assert response.headers["Location"] == "/"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response.headers["Cache-Control"]
    assert signed_in_as(client) == str(anna.pk)


def test_a_personal_link_works_again_on_another_device(client: Client) -> None:
    link = "/s/" + get_query_string(make_user())

    assert client.get(link).status_code == 302
    assert Client().get(link).status_code == 302


@pytest.mark.parametrize("query", ["", "?sesame=", "?sesame=nonsense", "?sesame=AAAAAAAAAAAAAAAAAAAAAAAA"])
def test_a_broken_link_says_what_to_do_and_keeps_the_session(client: Client, query: str) -> None:
    anna = make_user()
    client.force_login(anna)

    response = client.get("/s/" + query)

    assert response.status_code == 403
    assert "Copy the whole link again" in response.content.decode()
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert signed_in_as(client) == str(anna.pk)


def test_an_old_link_and_one_of_a_closed_account_do_not_work(client: Client) -> None:
    anna, ben = make_user(), make_user()
    link, other = get_query_string(anna), get_query_string(ben)
    ben.is_active = False
    ben.save()

    assert client.get("/s/" + other).status_code == 403
    later = timezone.now() + timedelta(days=61)
    with mock.patch("time.time", return_value=later.timestamp()):
        assert client.get("/s/" + link).status_code == 403


def test_ones_own_link_can_be_read_and_selected_and_works(client: Client) -> None:
    anna = make_user()
    client.force_login(anna)

    response = client.get("/me/link/")
    link = re.search(r'value="http://testserver(/s/[^"]+)" readonly', response.content.decode())

    assert link
    assert response.headers["Referrer-Policy"] == "no-referrer"
    other_device = Client()
    assert other_device.get(link.group(1).replace("&amp;", "&")).status_code == 302
    assert signed_in_as(other_device) == str(anna.pk)


def test_ones_own_link_needs_a_sign_in(client: Client) -> None:
    assert client.get("/me/link/").headers["Location"] == "/sign-in/?next=/me/link/"


def test_signing_out_needs_a_post(client: Client) -> None:
    client.force_login(make_user())

    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").headers["Location"] == "/"
    assert signed_in_as(client) is None


def test_the_page_for_a_missing_address_leads_on(client: Client) -> None:
    response = client.get("/no/such/page")

    assert response.status_code == 404
    assert escape("Go to the start page") in response.content.decode()


def test_administrators_have_no_link(client: Client) -> None:
    admin = make_user("root", is_staff=True, is_superuser=True)

    refused = client.get("/s/" + get_query_string(admin))

    assert refused.status_code == 403
    assert signed_in_as(client) is None
    client.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")
    text = client.get("/me/link/").content.decode()
    assert "sesame=" not in text
    assert "can only sign in with a password" in text
