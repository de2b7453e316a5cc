"""Known answers of items, raters' answers to exercises, and the messages that they write."""

from django.db import models
from django.db.models import Q

from annotations.models.answers import Rater
from annotations.models.items import Item
from annotations.models.studies import Dimension, new_token
from generation.models import Image


class KnownAnswer(models.Model):
    """The levels that are right for one question about an item, or about one of its images.

    `accepted` lists indices of the dimension's levels; a slider's levels are all values that its step reaches. Where
    levels are sides of the screen they name the item's own images: 0 is the image in slot 0, whichever side a rater saw
    it on.
    """

    item = models.ForeignKey(Item, models.CASCADE, related_name="known_answers")
    dimension = models.ForeignKey(Dimension, models.CASCADE, related_name="+")
    image = models.ForeignKey(Image, models.PROTECT, null=True, blank=True, related_name="+")
    accepted = models.JSONField(default=list)

    class Meta:
        ordering = ["item", "dimension", "image"]
        constraints = [
            models.UniqueConstraint(
                fields=["item", "dimension", "image"], condition=Q(image__isnull=False), name="known_once_per_image"
            ),
            models.UniqueConstraint(fields=["item", "dimension"], condition=Q(image=None), name="known_once_per_item"),
        ]

    def __str__(self) -> str:
        return f"{self.item}: {self.dimension.name}"

    @property
    def right(self) -> list[int]:
        """The right levels, ascending; stored values that are not levels of the question are left out."""
        stored = self.accepted if isinstance(self.accepted, list) else []
        n = self.dimension.n_levels
        return sorted({level for level in stored if type(level) is int and 0 <= level < n})


class Trial(models.Model):
    """A rater's work on one practice or quiz item. It is kept apart from answers and enters no result."""

    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    rater = models.ForeignKey(Rater, models.CASCADE, related_name="trials")
    item = models.ForeignKey(Item, models.CASCADE, related_name="trials")
    attempt = models.PositiveSmallIntegerField(default=1)
    shown_order = models.CharField(max_length=200, blank=True)
    answers = models.JSONField(null=True, blank=True)
    is_right = models.BooleanField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["rater", "attempt", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["rater", "item", "attempt"], name="trial_once_per_attempt"),
            models.CheckConstraint(
                condition=Q(answered_at=None, answers=None, is_right=None)
                | Q(answered_at__isnull=False, is_right__isnull=False),
                name="trial_answered_with_a_verdict",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rater} tries {self.item}"


class RaterMessage(models.Model):
    """A message from a rater to the researchers of the study."""

    rater = models.ForeignKey(Rater, models.CASCADE, related_name="messages")
    text = models.TextField(max_length=4000)
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.rater}: {self.text[:40]}"
