"""Methods that joined a study after it was created: a record of every addition to a living benchmark."""

from django.conf import settings
from django.db import models

from annotations.models.reports import ReportSnapshot
from annotations.models.studies import Study
from generation.models import Method


class Extension(models.Model):
    """One addition: which methods joined, with how many items, and the results before it.

    Rows are only added. The study's items with a position from `first_position` on, `n_items` of them, came with it.
    """

    study = models.ForeignKey(Study, models.CASCADE, related_name="extensions")
    methods = models.ManyToManyField(Method, related_name="+")
    first_position = models.PositiveIntegerField()
    n_items = models.PositiveIntegerField()
    note = models.CharField(max_length=500, blank=True)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)
    results_before = models.ForeignKey(ReportSnapshot, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["study", "first_position"], name="extension_begins_once"),
        ]

    def __str__(self) -> str:
        return f"{self.study}: from {self.first_position}"
