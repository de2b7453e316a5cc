"""On PostgreSQL too, all migrations lead to the tables of the models, which the test database has."""

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection

from tests.databases.postgres_tables import tables_of_schema

BY_DJANGO = {"auth_group_permissions", "auth_user_groups", "auth_user_user_permissions"}
"""Tables of Django's own, of which the ids are bigint by its migrations and integer by its models."""


@pytest.mark.postgres
@pytest.mark.django_db
def test_migrations_lead_to_the_tables_of_the_models() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA migrated")
        cursor.execute("SET LOCAL search_path TO migrated")  # as good as an empty database, and gone after the test
        ContentType.objects.clear_cache()
        try:
            call_command("migrate", verbosity=0)
        finally:
            ContentType.objects.clear_cache()
        migrated, of_models = tables_of_schema("migrated"), tables_of_schema("public")
        assert {"generation_image", "annotations_study", "django_migrations"} <= {row[0] for row in of_models}
        assert {row for row in migrated ^ of_models if row[0] not in BY_DJANGO or row[1] != "id"} == set()

        cursor.execute("ALTER TABLE public.generation_image ALTER COLUMN sha256 DROP NOT NULL")
        differing = {row[:2] for row in tables_of_schema("public") - of_models}
        assert differing == {("generation_image", "sha256")}, "the comparison must see a difference"
