"""After a test that commits, the database holds what it held before, and no row more."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection

from tests.databases.management.commands.flush import STAY
from tests.factories import make_answer, make_rater, make_study, make_user


def n_rows() -> dict[str, int]:
    with connection.cursor() as cursor:
        counts = {}
        for table in connection.introspection.django_table_names(include_views=False):
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608 (our own tables)
            counts[table] = cursor.fetchone()[0]
    return counts


@pytest.mark.django_db(transaction=True)
def test_every_row_goes_but_what_migrations_and_django_wrote() -> None:
    before = n_rows()
    study = make_study(n_items=2)
    make_answer(study.items.all()[0], make_rater(study))
    group = Group.objects.create(name="people")
    group.permissions.add(Permission.objects.all()[0])
    make_user().groups.add(group)
    assert n_rows() != before

    call_command("flush", verbosity=0, interactive=False, reset_sequences=False)

    assert n_rows() == before
    assert {table for table, n in before.items() if n} <= STAY | {"auth_group", "auth_group_permissions"}
    assert make_user(researcher=True).has_perm("annotations.add_study")
