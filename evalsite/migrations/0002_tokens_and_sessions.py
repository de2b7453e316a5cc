"""Carries over what let people in before: API tokens, of which only digests stay, and sessions, each with its person."""

import datetime
import hashlib

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import migrations
from django.utils import timezone

OLD_TOKENS = "authtoken_token"
ROWS_AT_ONCE = 500
HINT_LETTERS = 4


def hash_tokens(apps, schema_editor):
    """The table of rest_framework.authtoken, which is not installed any more. It held keys as they are, so it goes."""
    with schema_editor.connection.cursor() as cursor:
        if OLD_TOKENS not in schema_editor.connection.introspection.table_names(cursor):
            return
        cursor.execute("SELECT key, user_id, created FROM authtoken_token")
        rows = cursor.fetchall()
    ApiToken = apps.get_model("evalsite", "ApiToken")
    for key, user_id, created in rows:
        token = ApiToken.objects.create(
            user_id=user_id,
            name="made before tokens had names",
            digest=hashlib.sha256(key.encode()).hexdigest(),
            hint=key[:HINT_LETTERS],
        )
        made_at = created if timezone.is_aware(created) else timezone.make_aware(created, datetime.UTC)
        ApiToken.objects.filter(pk=token.pk).update(made_at=made_at)
    schema_editor.execute("DROP TABLE authtoken_token")
    schema_editor.execute("DELETE FROM django_migrations WHERE app = 'authtoken'")


def carry_sessions(apps, schema_editor):
    Session, BrowserSession = apps.get_model("sessions", "Session"), apps.get_model("evalsite", "BrowserSession")
    decode = SessionStore().decode
    batch = []
    for row in Session.objects.filter(expire_date__gt=timezone.now()).iterator(ROWS_AT_ONCE):
        batch.append(
            BrowserSession(
                session_key=row.session_key,
                session_data=row.session_data,
                expire_date=row.expire_date,
                user_id=decode(row.session_data).get(SESSION_KEY),
            )
        )
    BrowserSession.objects.bulk_create(batch, batch_size=ROWS_AT_ONCE)
    Session.objects.all().delete()


def give_sessions_back(apps, schema_editor):
    Session, BrowserSession = apps.get_model("sessions", "Session"), apps.get_model("evalsite", "BrowserSession")
    Session.objects.bulk_create(
        [
            Session(session_key=row.session_key, session_data=row.session_data, expire_date=row.expire_date)
            for row in BrowserSession.objects.iterator(ROWS_AT_ONCE)
        ],
        batch_size=ROWS_AT_ONCE,
    )


class Migration(migrations.Migration):
    dependencies = [("evalsite", "0001_accounts"), ("sessions", "0001_initial")]

    operations = [
        # A key cannot be had from its digest: going back, tokens are made anew.
        migrations.RunPython(hash_tokens, migrations.RunPython.noop),
        migrations.RunPython(carry_sessions, give_sessions_back),
    ]
