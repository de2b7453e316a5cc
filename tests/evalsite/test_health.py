"""What the site says of itself to load balancers, and to those who look whether workers are there."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from evalsite.serving import health
from generation.models import ImportRun
from tests.evalsite.test_settings import start_site_with


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "KEPT_FOR_S", -1)


@pytest.mark.django_db
def test_a_site_that_can_save_answers_is_ready(client: Client) -> None:
    response = client.get("/healthz/")
    assert response.status_code == 200
    waiting = {"cpu": 0, "imports": 0, "gpu": 0, "clock": 0}
    assert response.json() == {"database": "ok", "disk": "ok", "waiting_s": waiting}


@pytest.mark.django_db(transaction=True)
@pytest.mark.sqlite
def test_a_database_that_takes_no_writes_is_not_ready_and_alive(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "LOCK_PATIENCE_MS", 100)
    with closing(sqlite3.connect(str(connection.settings_dict["NAME"]), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        response = client.get("/healthz/")
        assert (response.status_code, response.json()["database"]) == (503, "cannot be written")
        assert client.get("/livez/").status_code == 200
        other.execute("ROLLBACK")
    assert client.get("/healthz/").status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.sqlite
def test_a_full_database_is_not_ready(client: Client) -> None:
    """As on a full disk: no page more may be added."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only=ON")
        assert client.get("/healthz/").status_code == 503
    assert client.get("/healthz/").status_code == 200  # by a new connection


@pytest.mark.django_db
def test_a_disk_that_takes_no_files_is_not_ready(client: Client, settings: Settings) -> None:
    settings.DATA_DIR = settings.DATA_DIR / "gone"
    response = client.get("/healthz/")
    assert (response.status_code, response.json()) == (503, {"database": "ok", "disk": "cannot be written"})


@pytest.mark.django_db
def test_work_that_nobody_begins_is_reported_and_the_site_stays_ready(client: Client) -> None:
    now = timezone.now()
    run = ImportRun.objects.create(kind="prompts", file_name="a.csv", lease_until=now)
    ImportRun.objects.filter(pk=run.pk).update(created_at=now - timedelta(hours=1))
    response = client.get("/healthz/")
    assert response.status_code == 200
    assert 3600 <= response.json()["waiting_s"]["imports"] < 3660
    # A worker that is busy with another step is not a reason for alarm; a lease that nobody renews is.
    held = {"kind": "prompts", "file_name": "b.csv", "state": ImportRun.State.RUNNING}
    busy = ImportRun.objects.create(**held, lease_until=now + timedelta(minutes=1))
    assert client.get("/healthz/").json()["waiting_s"]["imports"] == 0
    ImportRun.objects.filter(pk=busy.pk).update(lease_until=now - timedelta(minutes=5))
    assert 300 <= client.get("/healthz/").json()["waiting_s"]["clock"] < 360


@pytest.mark.django_db
def test_a_plain_probe_is_not_redirected_to_https(client: Client, settings: Settings) -> None:
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
