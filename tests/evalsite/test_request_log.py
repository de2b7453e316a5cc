"""What the log says of requests."""

import json
import logging

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from evalsite.requests import log_lines
from tests.factories import make_image, make_study, make_user

pytestmark = pytest.mark.django_db


def as_json(record: logging.LogRecord) -> dict[str, str]:
    log_lines.add_request_id(record)
    line: dict[str, str] = json.loads(log_lines.JsonLines().format(record))
    return line


def test_a_refusal_is_one_line(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    study = make_study(n_items=1)
    client.force_login(make_user())
    assert client.get(reverse("study-items", args=[study.token])).status_code == 403
    (record,) = [record for record in caplog.records if record.name == "django.request"]
    assert record.exc_info is None
    assert "PermissionDenied" not in caplog.text


def test_a_fault_of_the_site_keeps_its_traceback() -> None:
    for status, expected in ((403, False), (500, True)):
        try:
            raise PermissionDenied
        except PermissionDenied as error:
            found = (type(error), error, error.__traceback__)
        record = logging.LogRecord("django.request", logging.ERROR, "", 0, "x", None, found)
        record.status_code = status
        assert log_lines.leave_out_harmless_traceback(record)
        assert (record.exc_info is not None) is expected
        assert ("traceback" in as_json(record)) is expected


def test_a_head_has_the_length_of_the_page_and_no_body(client: Client) -> None:
    whole, head = client.get("/sign-in/"), client.head("/sign-in/")
    assert head.content == b""
    assert abs(int(head.headers["Content-Length"]) - len(whole.content)) < 100  # the token differs
    client.force_login(make_user(researcher=True))
    image = client.head(reverse("image-shown", args=[make_image().pk]))
    assert image.status_code == 200
    assert b"".join(image.streaming_content) == b""  # type: ignore[attr-defined]


def test_every_request_has_an_id_and_a_proxy_s_is_taken_over(client: Client, settings: Settings) -> None:
    first, second = (client.get("/livez/").headers["X-Request-ID"] for _ in range(2))
    assert first != second
    given = {"X-Request-ID": "from-the-proxy-1"}
    assert client.get("/livez/", headers=given).headers["X-Request-ID"] != "from-the-proxy-1"
    settings.PROXIES = 1
    assert client.get("/livez/", headers=given).headers["X-Request-ID"] == "from-the-proxy-1"
    assert client.get("/livez/", headers={"X-Request-ID": "a b\tc{}<>"}).headers["X-Request-ID"] != "a b\tc{}<>"


def test_with_an_access_log_each_request_is_a_line_without_secrets(
    client: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    user = make_user()
    client.get("/s/?sesame=secret")
    assert not [record for record in caplog.records if record.name == "evalsite.access"]
    settings.ACCESS_LOG = True
    caplog.set_level(logging.INFO)
    client.get("/s/?sesame=secret")
    client.force_login(user)
    client.get("/")
    refused, home = [record for record in caplog.records if record.name == "evalsite.access"]
    assert refused.getMessage().startswith("GET /s/ 403 ")
    assert refused.getMessage().endswith("user - from 127.0.0.1")
    assert f"user {user.pk} from 127.0.0.1" in home.getMessage()
    assert "secret" not in refused.getMessage()
