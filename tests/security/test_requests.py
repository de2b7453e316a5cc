"""Odd and oversized requests, and what answers say to caches."""

from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from annotations.models import Assignment
from annotations.services.rating import reserve
from tests.annotations.looking import fetch_images
from tests.factories import make_image, make_rater, make_study, make_user

pytestmark = pytest.mark.django_db
LARGER = str(7 * 2**20)


class Unread:
    """A body that must not be touched."""

    def read(self, *_: Any) -> bytes:
        raise AssertionError("the body was read")

    readline = close = __iter__ = read


@pytest.mark.parametrize("address", ["sign-in", "sign-out", "home", "api-token", "join"])
def test_a_large_body_is_refused_before_it_is_read(address: str, client: Client) -> None:
    study = make_study(n_items=1)
    client.force_login(make_user())
    url = reverse(address, args=[study.invitation] if address == "join" else [])
    head = {"CONTENT_LENGTH": LARGER, "CONTENT_TYPE": "multipart/form-data; boundary=x", "wsgi.input": Unread()}

    response = client.generic("POST", url, **head)  # type: ignore[arg-type]

    assert response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


@pytest.mark.parametrize("length", ["-1", "1e3", "9" * 30, "٣"])
def test_a_length_that_is_not_a_number_is_refused(length: str, client: Client) -> None:
    response = client.generic("POST", reverse("sign-in"), CONTENT_LENGTH=length)
    assert response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def test_a_form_within_its_bounds_is_taken(client: Client) -> None:
    response = client.post(reverse("sign-in"), {"username": "x" * 2**20, "password": "y"})
    assert response.status_code == HTTPStatus.OK


def test_an_address_with_a_nul_is_refused(client: Client) -> None:
    study = make_study(n_items=1)
    client.force_login(study.owner)
    items = reverse("study-items", args=[study.token])

    for url in ("/join/%00/", "/study/a%00b/", f"{items}?q=%00", f"{items}?q=a%00b", "/s/?sesame=%00"):
        assert client.get(url).status_code == HTTPStatus.BAD_REQUEST, url


def test_numbers_beyond_any_row_are_absent_and_not_an_error(client: Client) -> None:
    study = make_study(n_items=1)
    client.force_login(study.owner)
    huge = 10**30
    urls = [
        reverse("image-file", args=[huge]),
        reverse("study-results-state", args=[study.token, huge]),
        reverse("import-run", args=[huge]),
        reverse("study-audit-image", args=[study.token, huge]),
    ]
    assert {client.get(url).status_code for url in urls} == {HTTPStatus.NOT_FOUND}
    for page in ("-1", "9" * 400, "nan", "last", "١"):
        assert client.get(reverse("study-items", args=[study.token]), {"page": page}).status_code == HTTPStatus.OK


@pytest.mark.parametrize(
    "changed",
    [
        {"active_ms": "9" * 5000},
        {"answered_ms_ago": "9" * 5000},
        {"shown_ms_ago": "9" * 5000},
        {"shown_at": "9" * 5000},
        {"flag": "a\0b" + "c" * 10_000},
    ],
)
def test_what_no_page_sends_with_an_answer_does_no_harm(changed: dict[str, str], client: Client) -> None:
    card, dimension = card_of(client)
    url = reverse("rate-answer", args=[card.study.token, card.token])

    fetch_images(client, card.token)
    response = client.post(url, {f"d{dimension}-0": "1"} | changed)

    assert response.status_code == HTTPStatus.FOUND
    card.refresh_from_db()
    assert card.state == Assignment.State.ANSWERED
    assert "\0" not in card.flag
    assert len(card.flag) <= 1000


@pytest.mark.parametrize("level", ["9" * 5000, "-1", "٣", "1.0", "0x1", "\0"])
def test_a_level_that_was_not_offered_is_refused(level: str, client: Client) -> None:
    card, dimension = card_of(client)

    response = client.post(reverse("rate-answer", args=[card.study.token, card.token]), {f"d{dimension}-0": level})

    assert response.status_code == HTTPStatus.BAD_REQUEST
    card.refresh_from_db()
    assert card.state == Assignment.State.LEASED


def card_of(client: Client) -> tuple[Assignment, int]:
    study = make_study(n_items=1)
    rater = make_rater(study)
    assert rater.user is not None
    client.force_login(rater.user)
    reserve(rater=rater)
    return Assignment.objects.get(rater=rater), study.dimensions.get().pk


def test_only_files_that_never_change_may_be_kept_and_by_one_browser_alone(client: Client) -> None:
    study = make_study(n_items=1)
    client.force_login(study.owner)
    kept = client.get(reverse("image-file", args=[study.items.get().images.get().pk]))
    assert "private" in kept.headers["Cache-Control"]
    assert "Cookie" in kept.headers["Vary"]
    page = reverse("study", args=[study.token])
    asked: list[Callable[[], Any]] = [
        lambda: client.get(page),
        lambda: client.get("/no/such/page"),
        lambda: client.get(reverse("api-studies")),
        lambda: client.get(reverse("api-study-responses", args=[study.token])),
        lambda: client.get(reverse("study-export-table", args=[study.token, "answers", "csv"])),
        lambda: Client().get(page),
        lambda: client.post(reverse("study-state", args=[study.token])),
    ]
    for ask in asked:
        assert "no-store" in ask().headers["Cache-Control"]
    client.force_login(make_user())
    for refused in (page, reverse("image-file", args=[make_image().pk])):
        response = client.get(refused)
        assert response.status_code == HTTPStatus.FORBIDDEN
        assert "no-store" in response.headers["Cache-Control"]


def test_a_page_that_fails_reveals_nothing(client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret detail")

    study = make_study(n_items=1)
    client.force_login(study.owner)
    client.raise_request_exception = False
    monkeypatch.setattr("annotations.views.studies.overview.queries.overview", broken)

    response = client.get(reverse("study", args=[study.token]))

    assert response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    assert b"secret detail" not in response.content
    assert b"Traceback" not in response.content


def test_every_answer_turns_off_what_no_page_asks_the_browser_for(client: Client) -> None:
    for url in ("/sign-in/", "/nowhere/", "/api/v1/runs/"):
        policy = client.get(url).headers["Permissions-Policy"]
        assert "camera=()" in policy, url
        assert "geolocation=()" in policy, url


@pytest.mark.parametrize("url", ["/sign-out/", "/admin/logout/"])
def test_after_signing_out_the_browser_keeps_no_image(url: str, client: Client) -> None:
    client.force_login(make_user(is_staff=True))
    response = client.post(url)
    assert response.status_code == HTTPStatus.FOUND
    assert response.headers["Clear-Site-Data"] == '"cache"'
    assert "_auth_user_id" not in client.session


def test_an_image_stays_in_the_browser_for_a_day_at_most(client: Client) -> None:
    image = make_image()
    client.force_login(make_user(researcher=True))
    for name in ("image-shown", "image-small", "image-file"):
        cache = client.get(reverse(name, args=[image.pk])).headers["Cache-Control"]
        assert "private" in cache, name
        assert "max-age=86400" in cache, name


def test_what_is_uploaded_is_the_owners_alone(client: Client) -> None:
    image = make_image()
    path = Path(image.file.path)
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0
