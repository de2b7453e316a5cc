"""Results at one moment."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotations.models.studies import Study
from generation.jobs import Leased


class ReportSnapshot(Leased):
    """A frozen result: the same inputs, seed and code version reproduce its figures.

    While it is RUNNING it belongs to the worker that has its claim; once DONE, `results` never changes.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    study = models.ForeignKey(Study, models.CASCADE, related_name="snapshots")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    inputs_hash = models.CharField(max_length=64)
    seed = models.PositiveBigIntegerField(default=0)
    n_ratings = models.PositiveIntegerField(default=0)
    code_version = models.CharField(max_length=50, blank=True)
    results = models.JSONField(null=True, blank=True)
    message = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(state="done") | Q(results__isnull=False), name="snapshot_has_results"),
            models.UniqueConstraint(
                fields=["study", "inputs_hash", "seed", "code_version"],
                condition=Q(state__in=["waiting", "running", "done"]),
                name="snapshot_once_per_inputs",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study}, {self.created_at:%Y-%m-%d %H:%M}"
