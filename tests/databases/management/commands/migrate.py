"""`migrate` for the test database: an empty one gets the tables of the models as they are, in a tenth of the time.

The migrations are recorded as applied. The tables that they lead to are compared on SQLite by
tests/without_generation/test_site.py and on PostgreSQL by tests/databases/test_postgres_tables.py.
"""

from typing import Any

from django.apps import apps
from django.core.management.commands import migrate
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        if not options["run_syncdb"] or connection.introspection.table_names():
            super().handle(*args, **options)
            return
        self.verbosity = 0
        emit_pre_migrate_signal(0, interactive=False, db=connection.alias)
        self.sync_apps(connection, {app.label for app in apps.get_app_configs()})
        recorder = MigrationRecorder(connection)
        recorder.ensure_schema()
        for app, name in MigrationLoader(connection).disk_migrations:
            recorder.record_applied(app, name)
        emit_post_migrate_signal(0, interactive=False, db=connection.alias)
