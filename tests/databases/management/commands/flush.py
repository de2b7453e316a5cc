"""`flush`, as Django's TransactionTestCase calls it, for tables of which nearly all are empty."""

from typing import Any

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.color import no_style
from django.core.management.commands import flush
from django.db import connections

from annotations.apps import ensure_researchers

STAY = {"django_migrations", ContentType._meta.db_table, Permission._meta.db_table}
"""What Django would write anew after every test, always the same rows."""


class Command(flush.Command):
    help = "Empty the tables that have rows; content types, permissions and the group of researchers stay."

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        quote = connection.ops.quote_name
        tables = sorted(set(connection.introspection.django_table_names(include_views=False)) - STAY)
        with connection.cursor() as cursor:
            exist = ", ".join(f"EXISTS(SELECT 1 FROM {quote(table)})" for table in tables)  # noqa: S608 (our own tables)
            cursor.execute(f"SELECT {exist}")
            filled = [table for table, has_rows in zip(tables, cursor.fetchone(), strict=True) if has_rows]
        if filled:
            # PostgreSQL wants to be asked for the tables that refer to these, though they are empty.
            cascade = connection.vendor == "postgresql"
            sequences = options["reset_sequences"]
            emptying = connection.ops.sql_flush(no_style(), filled, reset_sequences=sequences, allow_cascade=cascade)
            connection.ops.execute_sql_flush(emptying)
            ensure_researchers(sender=apps.get_app_config("annotations"), using=options["database"])
