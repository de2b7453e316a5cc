"""What let people in before the site had its own tables goes on letting them in."""

from collections.abc import Iterator

import pytest
from django.contrib.sessions.backends.db import SessionStore as SessionStoreOfBefore
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from evalsite.models import ApiToken, BrowserSession
from tests.factories import make_user

KEY = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b"


def migrate(name: str = "") -> None:
    """To this migration; without a name, to the latest."""
    executor = MigrationExecutor(connection)
    executor.migrate([("evalsite", name)] if name else executor.loader.graph.leaf_nodes("evalsite"))


@pytest.fixture
def _before(transactional_db: None) -> Iterator[None]:
    migrate("0001_accounts")
    yield
    migrate()


@pytest.mark.usefixtures("_before")
def test_keys_and_sessions_of_before_go_on_working_and_no_key_is_left() -> None:
    ruth = make_user("ruth", researcher=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE authtoken_token (key varchar(40) PRIMARY KEY, created timestamp with time zone NOT NULL, "
            "user_id integer NOT NULL UNIQUE)"
            if connection.vendor == "postgresql"
            else "CREATE TABLE authtoken_token (key varchar(40) PRIMARY KEY, created datetime NOT NULL, "
            "user_id integer NOT NULL UNIQUE)"
        )
        cursor.execute(
            "INSERT INTO authtoken_token (key, created, user_id) VALUES (%s, '2026-01-02 03:04:05', %s)", [KEY, ruth.pk]
        )
    client = Client()
    client.force_login(ruth)
    now = BrowserSession.objects.get()
    SessionStoreOfBefore().model.objects.create(
        session_key=now.session_key, session_data=now.session_data, expire_date=now.expire_date
    )
    BrowserSession.objects.all().delete()

    migrate()

    assert client.get("/me/").status_code == 200
    assert BrowserSession.objects.get().user == ruth
    assert Client(headers={"authorization": f"Token {KEY}"}).get("/api/v1/studies/").status_code == 200
    token = ApiToken.objects.get()
    assert (token.user, token.hint, token.expires_at, token.made_at.year) == (ruth, KEY[:4], None, 2026)
    assert "authtoken_token" not in connection.introspection.table_names()
    assert KEY not in str(ApiToken.objects.values().get())
