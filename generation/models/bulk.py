"""Many new rows at once, without Django's work for each: COPY on PostgreSQL, one prepared statement on SQLite.

Values are those that the columns hold: a foreign key's number, a file's name. Columns that are not named get their
field's default. Constraints hold as ever; `save`, signals and validators do not run. Call it in a transaction.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.db import connection, models
from django.db.models.fields.files import FieldFile
from django.utils import timezone

Row = Sequence[Any]


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


def insert_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Add the rows; `columns` are names such as "id" and "study_id", and each row has a value for each of them."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    given = [fields[name] for name in columns]
    rest = [field for field in model._meta.concrete_fields if field not in given and not field.primary_key]
    convert = [(place, how) for place, field in enumerate(given) if (how := _conversion(field)) is not None]
    completed = _completed(rows, convert, rest)
    table = connection.ops.quote_name(model._meta.db_table)
    names = ", ".join(connection.ops.quote_name(field.column or field.attname) for field in (*given, *rest))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with connection.wrap_database_errors, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in completed:
                    copy.write_row(row)
            return
        signs = ", ".join(["%s"] * (len(given) + len(rest)))
        # The names are our own models', quoted.
        add = f"INSERT INTO {table} ({names}) VALUES ({signs})"  # noqa: S608 (see above)
        cursor.executemany(add, completed)  # type: ignore[arg-type]  # drivers take any iterable


def insert_objects(model: type[models.Model], objects: Iterable[models.Model]) -> None:
    """Add unsaved objects, which then have their primary keys."""
    new = list(objects)
    for one, number in zip(new, new_ids(model, len(new)), strict=True):
        one.pk = number
        one._state.adding = False
        one._state.db = connection.alias
    moments = [field.attname for field in model._meta.concrete_fields if _is_now(field)]
    now = timezone.now()
    for one in new:
        for name in moments:
            setattr(one, name, now)
    columns = [field.attname for field in model._meta.concrete_fields]
    insert_rows(model, columns, ([_plain(getattr(one, name)) for name in columns] for one in new))


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


def _completed(
    rows: Iterable[Row],
    convert: Sequence[tuple[int, Callable[[Any], Any]]],
    rest: Sequence["models.Field[Any, Any]"],
) -> Iterable[Row]:
    """The rows as the database takes them, with the defaults of further fields behind them."""
    fixed: list[Any] = []
    made: list[tuple[int, Callable[[], Any]]] = []
    n_fixed = len(rest)
    for place, field in enumerate(rest):
        how = _conversion(field) or _as_is
        if _is_now(field):
            fixed.append(how(timezone.now()))
        elif field.has_default() and callable(field.default) and field.default not in (dict, list):
            made.append((place, field.default))
            fixed.append(None)
        else:
            fixed.append(how(field.get_default()))
    for row in rows:
        values = [*row, *fixed]
        for place, how in convert:
            values[place] = how(values[place])
        for place, make in made:
            values[place - n_fixed] = make()
        yield values


def _as_is(value: Any) -> Any:
    return value


def _is_now(field: "models.Field[Any, Any]") -> bool:
    return isinstance(field, models.DateTimeField) and (field.auto_now_add or field.auto_now)


def _conversion(field: "models.Field[Any, Any]") -> Callable[[Any], Any] | None:
    """What makes a value of this field one that the database's driver takes; None where it is one already."""
    if isinstance(field, models.DateTimeField):
        return None if connection.vendor == "postgresql" else _sqlite_time
    if isinstance(field, models.JSONField | models.DecimalField):
        return lambda value: field.get_db_prep_save(value, connection)
    return None


@lru_cache(maxsize=1_000)
def _sqlite_time(value: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(value)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, FieldFile) else value
