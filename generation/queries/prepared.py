"""Queries whose SQL is built once: a query that runs with every answer takes longer to build than to run."""

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet

Row = TypeVar("Row")
_FIRST_NUMBER = 2_000_000_011


class Prepared(Generic[Row]):
    """A query that is built once for each connection, and run with different values each time.

    build  makes the queryset from values by name; it is called with stand-ins. Each has to reach the SQL unchanged, as
           a text or number that a column is compared with
    like   by name, `str` or `int`: what each value is

    Everything else is fixed, the limit too. Rows are what the queryset gives: models with what `select_related` names,
    or values. Raises ValueError, when it is first run, where the query does not use one of its values.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Row]], **like: type[str] | type[int]) -> None:
        self._build = build
        self._stand_ins: dict[str, str | int] = {
            name: f"stand-in {number}" if kind is str else _FIRST_NUMBER + number
            for number, (name, kind) in enumerate(like.items())
        }

    def rows(self, **values: str | int) -> list[Row]:
        """The rows that the query finds with these values, in its order."""
        # A connection belongs to one thread, and so does what is kept with it.
        kept = cast(
            "dict[Any, _Compiled[Row]]", connections[DEFAULT_DB_ALIAS].__dict__.setdefault("_prepared_queries", {})
        )
        if self not in kept:
            names = {stand_in: name for name, stand_in in self._stand_ins.items()}
            kept[self] = _Compiled(self._build(**self._stand_ins).using(DEFAULT_DB_ALIAS), names)
        return kept[self].rows(values)

    def first(self, **values: str | int) -> Row | None:
        """The first row, or None."""
        return next(iter(self.rows(**values)), None)


class _Compiled(Generic[Row]):
    """The SQL on one connection. The queryset's own iterable makes rows of what comes back."""

    def __init__(self, queryset: QuerySet[Any, Row], names: dict[str | int, str]) -> None:
        self._queryset: QuerySet[Any, Any] = queryset
        query = queryset.query
        compiler = query.get_compiler(using=queryset.db)
        sql, self._fixed = compiler.as_sql()
        self._names = [names.get(value) if isinstance(value, str | int) else None for value in self._fixed]
        if missing := set(names.values()) - set(self._names):
            raise ValueError(f"the query does not use these values as they are: {', '.join(sorted(missing))}")
        converters = compiler.get_converters([column[0] for column in compiler.select[: compiler.col_count]])
        self._bound: tuple[Any, ...] = ()
        # Of this compiler and this query alone: from here on they say what was found once.
        vars(compiler).update(
            as_sql=lambda *_, **__: (sql, self._bound),
            get_converters=lambda _: converters,
        )
        vars(query).update(get_compiler=lambda *_, **__: compiler)

    def rows(self, values: dict[str, str | int]) -> list[Row]:
        self._bound = tuple(
            fixed if name is None else values[name] for name, fixed in zip(self._names, self._fixed, strict=True)
        )
        # As the queryset itself is evaluated, but that it keeps nothing.
        return list(cast("Iterable[Row]", self._queryset._iterable_class(self._queryset)))
