"""What the site says of itself to load balancers, and to those who look whether workers are there."""

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from evalsite.serving.health import healthz
from generation.models import ImportRun
from tests.evalsite.test_settings import start_site_with


def ask(**limits: int) -> tuple[int, Any]:
    """Status and content of the page; unless `kept_for_s` says so, nothing is kept from before."""
    response = healthz(RequestFactory().get("/healthz/"), **{"kept_for_s": -1} | limits)
    return response.status_code, json.loads(response.content)


@pytest.mark.django_db
def test_a_site_that_can_save_answers_is_ready() -> None:
    waiting = {"cpu": 0, "imports": 0, "gpu": 0, "clock": 0}
    assert ask() == (200, {"database": "ok", "disk": "ok", "waiting_s": waiting})


@pytest.mark.django_db
def test_whether_something_can_be_written_is_kept_for_a_moment(settings: Settings) -> None:
    """Anyone may ask, as often as they like."""
    assert ask()[0] == 200
    settings.DATA_DIR = settings.DATA_DIR / "gone"
    assert ask(kept_for_s=3600)[0] == 200
    assert ask()[0] == 503
    assert ask(kept_for_s=3600)[0] == 503


@pytest.mark.django_db(transaction=True)
@pytest.mark.sqlite
def test_a_database_that_takes_no_writes_is_not_ready_and_alive(client: Client) -> None:
    with closing(sqlite3.connect(str(connection.settings_dict["NAME"]), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        status, content = ask(lock_patience_ms=100)
        assert (status, content["database"]) == (503, "cannot be written")
        assert client.get("/livez/").status_code == 200
        other.execute("ROLLBACK")
    assert ask()[0] == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.sqlite
def test_a_full_database_is_not_ready() -> None:
    """As on a full disk: no page more may be added."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only=ON")
        assert ask()[0] == 503
    assert ask()[0] == 200  # by a new connection


@pytest.mark.django_db
def test_a_disk_that_takes_no_files_is_not_ready(settings: Settings) -> None:
    settings.DATA_DIR = settings.DATA_DIR / "gone"
    assert ask() == (503, {"database": "ok", "disk": "cannot be written"})


@pytest.mark.django_db
def test_work_that_nobody_begins_is_reported_and_the_site_stays_ready() -> None:
    now = timezone.now()
    run = ImportRun.objects.create(kind="prompts", file_name="a.csv", lease_until=now)
    ImportRun.objects.filter(pk=run.pk).update(created_at=now - timedelta(hours=1))
    status, content = ask()
    assert status == 200
    assert 3600 <= content["waiting_s"]["imports"] < 3660
    # A worker that is busy with another step is not a reason for alarm; a lease that nobody renews is.
    held = {"kind": "prompts", "file_name": "b.csv", "state": ImportRun.State.RUNNING}
    busy = ImportRun.objects.create(**held, lease_until=now + timedelta(minutes=1))
    assert ask()[1]["waiting_s"]["imports"] == 0
    ImportRun.objects.filter(pk=busy.pk).update(lease_until=now - timedelta(minutes=5))
    assert 300 <= ask()[1]["waiting_s"]["clock"] < 360


@pytest.mark.django_db
def test_a_plain_probe_is_not_redirected_to_https(settings: Settings) -> None:
    assert ask()[0] == 200
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_REDIRECT_EXEMPT = [r"^(healthz|livez)/$"]
    assert Client().get("/healthz/").status_code == 200
    assert Client().get("/sign-in/").status_code == 301


def test_over_https_browsers_remember_it_for_a_year_and_probes_are_not_redirected(tmp_path: Path) -> None:
    code = (
        "import django; django.setup(); from django.test import Client; "
        "get = Client(headers={'host': 'localhost'}).get; "
        "print(get('/livez/', secure=True).headers['Strict-Transport-Security'], get('/livez/').status_code, "
        "get('/sign-in/').status_code)"
    )
    result = start_site_with(tmp_path, "-c", code, EVALSITE_HTTPS="true", DJANGO_SETTINGS_MODULE="evalsite.settings")
    assert result.stdout == "max-age=31536000 200 301\n", result.stderr
