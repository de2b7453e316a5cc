"""Rows that all tests of a module look at, made once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction


@contextmanager
def shared_rows(django_db_blocker: Any) -> Iterator[None]:
    """For a fixture of module scope: what is written in this block stays until it ends, and is then undone.

    A test marked `django_db` runs in a transaction within this one, so its own changes are undone as ever. Not for
    tests with `transaction=True`, nor for other processes: they would never see the rows.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)
