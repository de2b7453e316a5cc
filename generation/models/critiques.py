"""A vision-language critic's critique of an image, as a whole and in single claims."""

from collections.abc import Sequence
from typing import Any

from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from generation.models.added import Added
from generation.models.images import Image


class Critique(Added):
    """A critic's answer about one image. The original text is kept unchanged, whatever is split out of it.

    Controls are critiques too, and no headline figure counts them: WRONG_IMAGE, where the critic was shown
    `shown_image` and its claims are held against `image`; PLANTED, claims written to be false.
    """

    class Source(models.TextChoices):
        CRITIC = "critic", _("a critic that saw this image")
        WRONG_IMAGE = "wrong_image", _("a critic that was shown another image")
        PLANTED = "planted", _("planted: known to be false")

    class Origin(models.TextChoices):
        IMPORTED = "imported", _("imported")
        MODEL = "model", _("a model that sees")
        QUESTIONS = "questions", _("questions about the decomposition, asked of a model")
        SIMULATED = "simulated", _("simulated")

    class Split(models.TextChoices):
        GIVEN = "given", _("came in claims")
        NUMBERED = "numbered", _("split at its numbered list")
        HAND = "hand", _("split by a person")

    image = models.ForeignKey(Image, models.CASCADE, related_name="critiques")
    critic = models.CharField(max_length=200)
    critic_version = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=20, choices=Source, default=Source.CRITIC)
    origin = models.CharField(max_length=20, choices=Origin, default=Origin.IMPORTED)
    shown_image = models.ForeignKey(
        Image, models.SET_NULL, null=True, blank=True, related_name="critiques_held_against_others"
    )
    split = models.CharField(max_length=10, choices=Split, default=Split.GIVEN)
    text = models.TextField(blank=True)
    refined_prompt = models.TextField(blank=True)
    provenance = models.JSONField(default=dict, blank=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(shown_image=None) | Q(source="wrong_image"), name="critique_shown_image_is_a_control"
            )
        ]

    def __str__(self) -> str:
        return f"{self.critic} on {self.image}"

    def replace_claims(self, claims: Sequence[dict[str, Any]], *, split: "Critique.Split") -> list["Claim"]:
        """Replace the claims that were split out before; the text itself stays unchanged.

        claims: fields of `Claim` in the order of their rank. Raises ProtectedError when somebody judged one already.
        """
        with transaction.atomic():
            self.claims.all().delete()
            rows = [Claim(critique=self, rank=rank, **fields) for rank, fields in enumerate(claims, start=1)]
            self.split = split
            self.save(update_fields=["split"])
            return Claim.objects.bulk_create(rows)


class Claim(models.Model):
    """One checkable statement of a critique about what is wrong in the image."""

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
