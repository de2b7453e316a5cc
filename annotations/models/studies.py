"""A study, the people who run it, and the questions it asks."""

import secrets
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


def new_token() -> str:
    """128 random bits for an address: it cannot be guessed and tells nothing."""
    return secrets.token_urlsafe(16)


class Study(models.Model):
    """What is asked about which images, how often, and by whom it may be answered."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        OPEN = "open", _("open")
        CLOSED = "closed", _("closed")

    class ItemKind(models.TextChoices):
        IMAGE = "image", _("one image at a time")
        PAIR = "pair", _("two images side by side")
        PROMPT = "prompt", _("all images of a prompt together")

    class Order(models.TextChoices):
        SHUFFLED = "shuffled", _("shuffled for each rater")
        FIXED = "fixed", _("the same for all")

    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    invitation = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    title = models.CharField(_("title"), max_length=200, help_text=_("Annotators see it: name no method in it."))
    notes = models.TextField(_("notes"), blank=True, help_text=_("For researchers; annotators never see them."))
    consent = models.TextField(_("consent"), blank=True)
    instructions = models.TextField(_("instructions"), blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="studies")
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    item_kind = models.CharField(_("what is shown at once"), max_length=10, choices=ItemKind, default=ItemKind.IMAGE)
    raters_per_item = models.PositiveSmallIntegerField(
        _("raters an item"), default=3, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    items_per_rater = models.PositiveIntegerField(
        _("items a rater at most"), null=True, blank=True, help_text=_("Empty: as many as there are.")
    )
    order = models.CharField(_("order"), max_length=10, choices=Order, default=Order.SHUFFLED)
    seed = models.PositiveBigIntegerField(_("seed"), default=0)
    batch_size = models.PositiveSmallIntegerField(
        _("items reserved at once"), default=10, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    lease_minutes = models.PositiveSmallIntegerField(
        _("minutes an item stays reserved"), default=30, validators=[MinValueValidator(1)]
    )
    is_simulated = models.BooleanField(default=False)
    deletion_asked_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "studies"
        constraints = [
            models.CheckConstraint(condition=Q(raters_per_item__gte=1), name="study_wants_a_rater"),
            models.CheckConstraint(condition=Q(batch_size__gte=1), name="study_batch_not_empty"),
            models.CheckConstraint(condition=Q(lease_minutes__gte=1), name="study_lease_not_empty"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("study", args=[self.token])


class Membership(models.Model):
    """A right in one study beyond rating in it. The owner needs none."""

    class Role(models.TextChoices):
        RESEARCHER = "researcher", _("researcher")
        AUDITOR = "auditor", _("auditor")

    study = models.ForeignKey(Study, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "user", "role"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()}"


class Dimension(models.Model):
    """One question with its worded scale.

    `levels` is a list of {"value": "1", "label": "does not match at all"} in ascending order; the value is decimal
    text, so that 0.5 stays exactly a half. A nominal dimension's values are only codes.
    """

    class Kind(models.TextChoices):
        ORDINAL = "ordinal", _("ordered levels")
        NOMINAL = "nominal", _("unordered choices")

    class About(models.TextChoices):
        IMAGE = "image", _("each image")
        ITEM = "item", _("all that is shown")

    study = models.ForeignKey(Study, models.CASCADE, related_name="dimensions")
    position = models.PositiveSmallIntegerField()
    name = models.SlugField(max_length=60)
    question = models.CharField(max_length=500)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.ORDINAL)
    about = models.CharField(max_length=10, choices=About, default=About.IMAGE)
    levels = models.JSONField()
    allows_unable = models.BooleanField(_("offers “unable to answer”"), default=True)

    class Meta:
        ordering = ["study", "position"]
        constraints = [
            models.UniqueConstraint(fields=["study", "position"], name="dimension_position_once"),
            models.UniqueConstraint(fields=["study", "name"], name="dimension_name_once"),
        ]

    def __str__(self) -> str:
        return self.question

    @property
    def values(self) -> list[Decimal]:
        return [Decimal(level["value"]) for level in self.levels]

    def options(self) -> list[dict[str, Any]]:
        """The levels as a form shows them: code, label, and the key that gives this answer."""
        return [
            {"code": code, "value": level["value"], "label": level["label"], "key": str(code + 1) if code < 9 else ""}
            for code, level in enumerate(self.levels)
        ]
