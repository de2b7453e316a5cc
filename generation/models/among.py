"""The lookup `among`: a value is one of very many, passed as one parameter of the statement instead of thousands."""

import json
from collections.abc import Collection
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Lookup
from django.db.models.sql.compiler import SQLCompiler


class Among(Lookup):
    """Whether a column of numbers or texts holds one of `values`: `filter(among("item", ids))`.

    `__in` prepares each value by itself and writes a sign for it, which takes longer than the look-up.
    """

    lookup_name = "among"
    prepare_rhs = False

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        column, given = self.process_lhs(compiler, connection)
        # The column is one of our own, quoted by Django.
        return f"{column} IN (SELECT value FROM json_each(%s))", [*given, json.dumps(self.rhs)]  # noqa: S608 (see above)

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        column, given = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s)", [*given, self.rhs]


def among(field: str, values: Collection[int] | Collection[str]) -> Among:
    """The condition that a field, such as "item_id" or "assignment__item", is one of the values."""
    return Among(F(field), list(values))
