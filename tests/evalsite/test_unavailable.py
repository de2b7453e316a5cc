"""What a request gets while the database or the disk takes no writes."""

import errno
import json
import sqlite3

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.test import Client, RequestFactory

from evalsite.middleware import UnavailableForNow
from tests.factories import make_user


def answer_to(error: Exception, path: str = "/") -> HttpResponse | None:
    request = RequestFactory().post(path)
    return UnavailableForNow(lambda request: HttpResponse()).process_exception(request, error)


def of_sqlite(sql: str) -> OperationalError:
    """The error that SQLite has for a statement, as Django passes it on."""
    try:
        sqlite3.connect(":memory:").execute(sql)
    except sqlite3.OperationalError as cause:
        error = OperationalError(str(cause))
        error.__cause__ = cause
        return error
    raise AssertionError(sql)


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("database is locked"),
        OperationalError("server closed the connection unexpectedly"),
        InterfaceError("connection already closed"),
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EROFS, "Read-only file system"),
    ],
)
def test_what_passes_is_answered_by_503_which_clients_repeat(error: Exception) -> None:
    page = answer_to(error)
    assert page is not None
    assert (page.status_code, page.headers["Retry-After"]) == (503, "10")
    assert "was not saved" in page.content.decode()
    reply = answer_to(error, "/api/v1/runs/")
    assert reply is not None
    assert reply.status_code == 503
    assert "later" in json.loads(reply.content)["detail"]


@pytest.mark.parametrize(
    "error", [ZeroDivisionError(), FileNotFoundError(errno.ENOENT, ""), of_sqlite("SELECT * FROM nowhere")]
)
def test_what_does_not_pass_stays_an_error(error: Exception) -> None:
    assert answer_to(error) is None


@pytest.mark.django_db
def test_a_session_that_cannot_be_saved_is_answered_in_the_same_way(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outside the views, where no view's error is caught."""

    def fail(self: SessionStore, must_create: bool = False) -> None:
        raise OperationalError("database is locked")

    make_user("ann", password="Tr0ub4dor-ann")
    monkeypatch.setattr(SessionStore, "save", fail)
    client.raise_request_exception = False
    response = client.post("/sign-in/", {"username": "ann", "password": "Tr0ub4dor-ann"})
    assert response.status_code == 503
