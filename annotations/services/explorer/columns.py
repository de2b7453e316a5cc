"""Keeps a report's figures of every unit with the report, and lets those of older reports go."""

import zlib
from collections.abc import Sequence

import numpy as np
from django.db import transaction

from annotations.models import ReportSnapshot, UnitColumn, UnitTable
from annotations.queries.explorer.frozen import FrozenTable

KEPT = 2
"""Reports of a study whose columns are kept: the newest is shown, and the one before may be open in a browser."""


def keep_tables(*, snapshot: ReportSnapshot, tables: Sequence[FrozenTable]) -> None:
    """Store the tables of a report in the place of any it has; all or nothing."""
    with transaction.atomic():
        snapshot.unit_tables.all().delete()
        for position, table in enumerate(tables):
            row = UnitTable.objects.create(
                snapshot=snapshot,
                dimension=table.dimension,
                position=position,
                n_units=table.n_units,
                names=table.names,
            )
            UnitColumn.objects.bulk_create(
                UnitColumn(
                    table=row,
                    name=name,
                    kind=values.dtype.newbyteorder("<").str,
                    width=1 if values.ndim == 1 else values.shape[1],
                    values=zlib.compress(np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes(), 1),
                )
                for name, values in table.columns.items()
            )
        with_tables = ReportSnapshot.objects.filter(study=snapshot.study_id, unit_tables__isnull=False).distinct()
        newest = list(with_tables.order_by("-pk").values_list("pk", flat=True)[:KEPT])
        UnitTable.objects.filter(snapshot__study=snapshot.study_id).exclude(snapshot__in=newest).delete()
