"""What a vision-language critic says of an image, whole and in single claims."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from generation.models.images import Image


class Critique(models.Model):
    """A critic's answer about one image. The original text is kept as it came, whatever is split out of it."""

    image = models.ForeignKey(Image, models.CASCADE, related_name="critiques")
    critic = models.CharField(max_length=200)
    critic_version = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True)
    refined_prompt = models.TextField(blank=True)
    provenance = models.JSONField(default=dict, blank=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.critic} on {self.image}"


class Claim(models.Model):
    """One checkable statement of a critique: that this, about that, is wrong in the image."""

    class Severity(models.TextChoices):
        UNKNOWN = "", _("not stated")
        MINOR = "minor", _("minor")
        MAJOR = "major", _("major")

    critique = models.ForeignKey(Critique, models.CASCADE, related_name="claims")
    rank = models.PositiveSmallIntegerField(help_text=_("1 is what the critic thinks matters most."))
    text = models.TextField()
    kind = models.CharField(max_length=50, blank=True)
    about = models.CharField(max_length=300, blank=True, help_text=_("The relation or entity the claim is about."))
    severity = models.CharField(max_length=10, choices=Severity, blank=True, default=Severity.UNKNOWN)
    confidence = models.FloatField(null=True, blank=True)

    class Meta:
        ordering = ["critique", "rank"]
        constraints = [
            models.UniqueConstraint(fields=["critique", "rank"], name="claim_rank_once_per_critique"),
            models.CheckConstraint(condition=~Q(text=""), name="claim_has_text"),
            models.CheckConstraint(
                condition=Q(confidence=None) | Q(confidence__gte=0, confidence__lte=1), name="claim_confidence_in_0_1"
            ),
        ]

    def __str__(self) -> str:
        return self.text
