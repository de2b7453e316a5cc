"""Addresses to which a study's events are sent, and every message, sent or waiting."""

import base64
import secrets

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from annotations.models.studies import Study, new_token
from generation.jobs import Leased

SECRET_PREFIX = "whsec_"  # noqa: S105  # the beginning of a secret, not a secret


def new_secret() -> str:
    """A 256-bit key for signatures, in the format of the Standard Webhooks."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


class Event(models.TextChoices):
    OPENED = "study.opened", _("the study was opened")
    CLOSED = "study.closed", _("the study was closed")
    COMPLETED = "study.completed", _("every answer that is wanted is there")
    EXTENDED = "study.extended", _("a method joined the study")
    JOINED = "rater.joined", _("a rater joined")


class Webhook(models.Model):
    """One address, and which events it gets. `secret` signs them; it is shown when the webhook is made."""

    study = models.ForeignKey(Study, models.CASCADE, related_name="webhooks")
    url = models.CharField(_("address"), max_length=1000)
    events = models.JSONField(_("events"), default=list)
    secret = models.CharField(max_length=100, default=new_secret, editable=False)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    # Set if the address responded that it is gone (410): nothing more is sent there.
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.url

    @property
    def event_labels(self) -> list[str]:
        return [str(Event(event).label) for event in self.events]


class Delivery(Leased):
    """One event on its way to one address: waiting until `due_at`, sent, or given up."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("being sent")
        DONE = "done", _("delivered")
        FAILED = "failed", _("given up")

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    event = models.CharField(max_length=30, choices=Event)
    payload = models.JSONField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    made_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    # The last response of the address, or why it could not be reached.
    said = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(fields=["due_at"], name="delivery_due", condition=models.Q(state__in=["waiting", "running"]))
        ]

    def __str__(self) -> str:
        return f"{self.event} → {self.webhook}"
