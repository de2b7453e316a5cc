"""The explorer's data: a report's figures of every unit, frozen with the report."""

from django.db import models

from annotations.models.reports import ReportSnapshot


class UnitTable(models.Model):
    """The units of one question of a finished report, in the report's order of units.

    `names` says what the codes in the columns mean: lists of "methods", "categories", "metrics", "kinds" (of claims)
    and "levels". The figures are in the columns: one row for a whole column, so that a page reads a few rows for any
    number of units.
    """

    snapshot = models.ForeignKey(ReportSnapshot, models.CASCADE, related_name="unit_tables")
    dimension = models.CharField(max_length=60)
    position = models.PositiveSmallIntegerField()
    n_units = models.PositiveIntegerField()
    names = models.JSONField(default=dict)

    class Meta:
        ordering = ["snapshot", "position"]
        constraints = [models.UniqueConstraint(fields=["snapshot", "dimension"], name="unit_table_once")]

    def __str__(self) -> str:
        return f"{self.snapshot_id}: {self.dimension}"


class UnitColumn(models.Model):
    """One figure of every unit: `width` numbers for each, as zlib-compressed bytes of the NumPy type `kind`."""

    table = models.ForeignKey(UnitTable, models.CASCADE, related_name="columns")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10)
    width = models.PositiveSmallIntegerField(default=1)
    values = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["table", "name"], name="unit_column_once")]

    def __str__(self) -> str:
        return self.name
