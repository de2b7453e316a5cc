"""Raters, what they were given, and every answer they ever gave."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotations.models.items import Item
from annotations.models.studies import Dimension, Study, new_token
from generation.models import Image


class Rater(models.Model):
    """One judge in one study: a person who accepted the invitation, an imported identifier, or a simulation."""

    class Kind(models.TextChoices):
        PERSON = "person", _("person")
        IMPORTED = "imported", _("imported")
        SIMULATED = "simulated", _("simulated")

    study = models.ForeignKey(Study, models.CASCADE, related_name="raters")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="raters")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.PERSON)
    consented_at = models.DateTimeField(null=True, blank=True)
    # Where this rater's search for open items goes on: everything before it, at this need, has been passed already.
    cursor_taken = models.PositiveSmallIntegerField(default=0)
    cursor_position = models.IntegerField(default=-1)
    next_sequence = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["study", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["study", "user"], name="rater_once_per_user"),
            models.UniqueConstraint(fields=["study", "name"], name="rater_name_once"),
        ]

    def __str__(self) -> str:
        return self.name


class Assignment(models.Model):
    """One rater's work on one item. `sequence` is its place in what this rater sees."""

    class State(models.TextChoices):
        LEASED = "leased", _("reserved")
        ANSWERED = "answered", _("answered")
        RETURNED = "returned", _("given back")

    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    study = models.ForeignKey(Study, models.CASCADE, related_name="assignments")
    item = models.ForeignKey(Item, models.CASCADE, related_name="assignments")
    rater = models.ForeignKey(Rater, models.CASCADE, related_name="assignments")
    sequence = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.LEASED)
    lease_until = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    # The images' slots in the order in which this rater sees them, left to right: "1,0". One image needs none.
    shown_order = models.CharField(max_length=200, blank=True)
    flag = models.CharField(max_length=1000, blank=True)

    class Meta:
        ordering = ["rater", "sequence"]
        constraints = [
            models.UniqueConstraint(fields=["item", "rater"], name="item_once_per_rater"),
            models.UniqueConstraint(fields=["rater", "sequence"], name="assignment_sequence_once"),
            models.CheckConstraint(
                condition=Q(state="answered", answered_at__isnull=False, lease_until=None)
                | Q(state="leased", answered_at=None, lease_until__isnull=False)
                | Q(state="returned", answered_at=None, lease_until=None),
                name="assignment_state_has_its_times",
            ),
        ]
        indexes = [
            models.Index(fields=["study", "lease_until"], name="assignment_lease", condition=Q(state="leased")),
            models.Index(fields=["rater", "state", "sequence"], name="assignment_of_rater"),
        ]

    def __str__(self) -> str:
        return f"{self.rater} on {self.item}"

    def is_overdue(self, now: datetime) -> bool:
        return self.state == self.State.LEASED and self.lease_until is not None and self.lease_until < now


class Response(models.Model):
    """One answer to one dimension, about one image or (image empty) about all that was shown.

    Rows are only ever added. A changed answer is the next revision; `is_current` moves on to it.
    `level` is the index of the dimension's level; "unable to answer" has none, and is never a number.
    """

    assignment = models.ForeignKey(Assignment, models.CASCADE, related_name="responses")
    dimension = models.ForeignKey(Dimension, models.PROTECT, related_name="responses")
    image = models.ForeignKey(Image, models.PROTECT, null=True, blank=True, related_name="responses")
    revision = models.PositiveSmallIntegerField(default=1)
    is_current = models.BooleanField(default=True)
    level = models.PositiveSmallIntegerField(null=True, blank=True)
    is_unable = models.BooleanField(default=False)
    shown_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField()
    active_ms = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["assignment", "dimension", "image"],
                condition=Q(is_current=True, image__isnull=False),
                name="response_current_once_per_image",
            ),
            models.UniqueConstraint(
                fields=["assignment", "dimension"],
                condition=Q(is_current=True, image=None),
                name="response_current_once_per_item",
            ),
            models.CheckConstraint(
                condition=Q(is_unable=True, level=None) | Q(is_unable=False, level__isnull=False),
                name="response_level_or_unable",
            ),
        ]
        indexes = [models.Index(fields=["dimension", "id"], name="response_current", condition=Q(is_current=True))]

    def __str__(self) -> str:
        return "unable" if self.is_unable else str(self.level)


class LateAnswer(models.Model):
    """An answer that came after its item was given away and answered in full: kept, shown, counted nowhere."""

    assignment = models.ForeignKey(Assignment, models.CASCADE, related_name="late_answers")
    answers = models.JSONField()
    received_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"late: {self.assignment}"
