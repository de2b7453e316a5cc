"""An import as a row: its files, its progress, its refused rows."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generation.jobs import Leased


class ImportRun(Leased):
    """One file that is being imported. The row owns its state; a worker claims it, and anyone can see its progress."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    ENDED = (State.DONE, State.FAILED, State.CANCELLED)

    kind = models.CharField(max_length=30)
    options = models.JSONField(default=dict, blank=True)
    is_dry_run = models.BooleanField(default=False)
    # A command on the server reads files where they are: its run has no upload, and may write into any set.
    is_by_command = models.BooleanField(default=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    file_name = models.CharField(max_length=300)
    upload = models.FileField(upload_to="imports/", blank=True, max_length=300)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    cancel_asked = models.BooleanField(default=False)
    n_rows = models.PositiveIntegerField(default=0)
    n_created = models.PositiveIntegerField(default=0)
    n_unchanged = models.PositiveIntegerField(default=0)
    n_rejected = models.PositiveIntegerField(default=0)
    rejects = models.FileField(upload_to="imports/", blank=True, max_length=300)
    first_rejects = models.JSONField(default=list, blank=True)
    warnings = models.JSONField(default=list, blank=True)
    message = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["state", "lease_until"], name="import_by_state")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["done", "failed", "cancelled"], ended_at__isnull=False)
                | Q(state__in=["waiting", "running"], ended_at=None),
                name="import_ended_has_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.file_name} ({self.get_state_display()})"

    @property
    def n_missing(self) -> int:
        """Rows without a value."""
        return max(0, self.n_rows - self.n_created - self.n_unchanged - self.n_rejected)

    @property
    def has_ended(self) -> bool:
        return self.state in self.ENDED

    @property
    def can_be_imported(self) -> bool:
        """Whether it was a trial that would add something, and its file is still here."""
        return bool(self.is_dry_run and self.state == self.State.DONE and self.n_created and self.upload)

    def end(self, state: State, message: str = "") -> None:
        """Move to a final state; say why in words that a researcher can act on."""
        self.state, self.message, self.ended_at, self.lease_until = state, message, timezone.now(), None
        self.save()
