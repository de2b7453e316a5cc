"""Many new rows at once, without Django's work for each: COPY on PostgreSQL, one prepared statement on SQLite.

Values are those that the columns hold: a foreign key's number, a file's name. Columns that are not named get their
field's default. Constraints hold as ever; `save`, signals and validators do not run. Call it in a transaction.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Any, NamedTuple

from django.db import connection, models
from django.utils import timezone


class Same(NamedTuple):
    """A column whose value is the same in every row."""

    value: Any


def new_ids(model: type[models.Model], n: int) -> list[int]:
    """`n` primary keys that no row has or will get; on SQLite while the transaction that writes them lasts."""
    if not n:
        return []
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            ask = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
            cursor.execute(ask, [f'"{table}"', n])
            return [number for (number,) in cursor.fetchall()]
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        last = cursor.fetchone()
    first = (last[0] if last else 0) + 1
    return list(range(first, first + n))


def insert_columns(model: type[models.Model], columns: Mapping[str, Sequence[Any] | Same], n: int) -> None:
    """Add n rows, given as columns by names such as "id" and "study_id", each of n values."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    given = {fields[name]: _converted(fields[name], values) for name, values in columns.items()}
    for field in fields.values():
        if field not in given and not field.primary_key:
            given[field] = _default(field, n)
    if not n:
        return
    names = ", ".join(connection.ops.quote_name(field.column or field.attname) for field in given)
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            every = [repeat(values.value, n) if isinstance(values, Same) else values for values in given.values()]
            with connection.wrap_database_errors, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in zip(*every, strict=True):
                    copy.write_row(row)
            return
        signs: list[str] = []
        bound: list[Iterable[Any]] = []
        for values in given.values():
            literal = _literal(values.value) if isinstance(values, Same) else None
            signs.append(literal or "%s")
            if literal is None:
                bound.append(repeat(values.value, n) if isinstance(values, Same) else values)
        # Our own models' names, quoted, and the output of `_literal`.
        add = f"INSERT INTO {table} ({names}) VALUES ({', '.join(signs)})"  # noqa: S608 (see above)
        rows = zip(*bound, strict=True) if bound else repeat((), n)
        cursor.executemany(add, rows)  # type: ignore[arg-type]  # drivers take any iterable


def add_to(model: type[models.Model], columns: Sequence[str], amounts: Mapping[int, int]) -> None:
    """Raise these columns of each row by its own amount, by primary key."""
    names = [connection.ops.quote_name(name) for name in columns]
    _update(model, ", ".join(f"{name} = {name} + %s" for name in names), {
        pk: [n] * len(names) for pk, n in amounts.items()
    })  # fmt: skip


def set_column(model: type[models.Model], column: str, values: Mapping[int, int]) -> None:
    """Set a column of numbers of each row to its own value, by primary key."""
    _update(model, f"{connection.ops.quote_name(column)} = %s", {pk: [value] for pk, value in values.items()})


def _update(model: type[models.Model], assignment: str, values: Mapping[int, list[int]]) -> None:
    """In the order of primary keys: two who update the same rows wait for each other and never lock up."""
    if values:
        table = connection.ops.quote_name(model._meta.db_table)
        with connection.cursor() as cursor:
            change = f"UPDATE {table} SET {assignment} WHERE id = %s"  # noqa: S608 (names of our own columns, quoted)
            cursor.executemany(change, [(*values[pk], pk) for pk in sorted(values)])


def _converted(field: "models.Field[Any, Any]", values: Sequence[Any] | Same) -> Sequence[Any] | Same:
    """A column's values in the form that the database's driver accepts."""
    how = _conversion(field)
    if how is None:
        return values
    return Same(how(values.value)) if isinstance(values, Same) else [how(value) for value in values]


def _default(field: "models.Field[Any, Any]", n: int) -> Sequence[Any] | Same:
    """The column of a field without given values."""
    if _is_now(field):
        return _converted(field, Same(timezone.now()))
    if field.has_default() and callable(field.default) and field.default not in (dict, list):
        return _converted(field, [field.default() for _ in range(n)])
    return _converted(field, Same(field.get_default()))


def _literal(value: Any) -> str | None:
    """The value as SQL on SQLite, if that is simple: it then need not be passed with each row."""
    if value is None:
        return "NULL"
    if isinstance(value, int):  # true and false are 1 and 0
        return str(int(value))
    if isinstance(value, str) and (not value or (value.isascii() and value.isprintable() and "%" not in value)):
        return "'" + value.replace("'", "''") + "'"
    return None


def _is_now(field: "models.Field[Any, Any]") -> bool:
    return isinstance(field, models.DateTimeField) and (field.auto_now_add or field.auto_now)


def _conversion(field: "models.Field[Any, Any]") -> Callable[[Any], Any] | None:
    """The conversion of this field's values for the database's driver; None if they need none."""
    if isinstance(field, models.DateTimeField):
        return None if connection.vendor == "postgresql" else _sqlite_time
    if isinstance(field, models.JSONField):
        empty = field.get_db_prep_save({}, connection)
        return lambda value: empty if value == {} else field.get_db_prep_save(value, connection)
    if isinstance(field, models.DecimalField):
        return lambda value: field.get_db_prep_save(value, connection)
    return None


@lru_cache(maxsize=1_000)
def _sqlite_time(value: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(value)
