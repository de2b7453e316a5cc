"""Keeps a report's figures of every unit with the report, and deletes those of older reports."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.db import transaction
from django.db.models import QuerySet

from annotations.models import ReportSnapshot, UnitColumn, UnitTable
from annotations.queries.explorer.frozen import FrozenTable
from annotations.services.sqlite_writes import write_turn

KEPT = 2
"""How many reports of a study keep their columns: the newest is shown, and the one before may be open in a browser."""


@dataclass(frozen=True)
class PackedTable:
    """A table's rows, ready to be written."""

    table: UnitTable
    columns: Sequence[UnitColumn]


def packed(tables: Sequence[FrozenTable]) -> list[PackedTable]:
    """The tables as rows that are not stored yet.

    Compressing a million ratings' figures takes seconds. It is done before the transaction, because SQLite has one
    writer: no rater's answer could be saved meanwhile.
    """
    return [
        PackedTable(
            UnitTable(dimension=table.dimension, position=position, n_units=table.n_units, names=table.names),
            [
                UnitColumn(
                    name=name,
                    kind=values.dtype.newbyteorder("<").str,
                    width=1 if values.ndim == 1 else values.shape[1],
                    values=zlib.compress(np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes(), 1),
                )
                for name, values in table.columns.items()
            ],
        )
        for position, table in enumerate(tables)
    ]


def keep_tables(*, snapshot: ReportSnapshot, tables: Sequence[PackedTable]) -> None:
    """Store the tables of a report, replacing any that it has; all or nothing."""
    with transaction.atomic():
        snapshot.unit_tables.all().delete()
        for one in tables:
            one.table.snapshot = snapshot
            one.table.save(force_insert=True)
            for column in one.columns:
                column.table = one.table
            UnitColumn.objects.bulk_create(one.columns)


def let_go_of_older(*, study_id: int) -> None:
    """Delete the tables of all but the newest reports of a study, one column at a time.

    SQLite overwrites what is deleted, so deleting everything at once would delay raters' answers.
    """
    with_tables = ReportSnapshot.objects.filter(study=study_id, unit_tables__isnull=False).distinct()
    newest = list(with_tables.order_by("-pk").values_list("pk", flat=True)[:KEPT])
    older = UnitTable.objects.filter(snapshot__study=study_id).exclude(snapshot__in=newest)
    rows: list[QuerySet[UnitColumn] | QuerySet[UnitTable]] = []
    rows += [UnitColumn.objects.filter(pk=pk) for pk in _ids(UnitColumn.objects.filter(table__in=older))]
    rows += [UnitTable.objects.filter(pk=pk) for pk in _ids(older)]
    for one in rows:
        with write_turn(), transaction.atomic():
            one.delete()


def _ids(rows: QuerySet[UnitColumn] | QuerySet[UnitTable]) -> list[int]:
    return list(rows.order_by("pk").values_list("pk", flat=True))
