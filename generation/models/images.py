"""Images, the methods that made them, and their scores by automatic metrics."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from generation.models.added import Added
from generation.models.prompts import Prompt, PromptVariant


class Method(models.Model):
    """A named way to get an image: baseline, refined at t', rewritten prompt, imported…"""

    class Kind(models.TextChoices):
        BASELINE = "baseline", _("baseline")
        REFINED = "refined", _("refined")
        REWRITE = "rewrite", _("rewritten prompt")
        OTHER = "other", _("other")

    name = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.OTHER)
    parameters = models.JSONField(default=dict, blank=True)
    is_simulated = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Image(Added):
    """One picture of one prompt. Its file may be held elsewhere: then `sha256` is empty and `key` names it.

    `file` is the original, byte for byte. `shown` is what people who judge it see: the pixels alone, in a container
    that is the same for every image, so that neither metadata nor format reveals the method.
    """

    METHOD_IS_UNKNOWN = "method_is_unknown"
    """A note in `provenance`: the table that it came in names methods, and none for this image."""

    # The index `image_by_prompt_and_method` begins with it.
    prompt = models.ForeignKey(Prompt, models.PROTECT, related_name="images", db_index=False)
    variant = models.ForeignKey(PromptVariant, models.PROTECT, null=True, blank=True, related_name="images")
    method = models.ForeignKey(Method, models.PROTECT, related_name="images")
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    round = models.PositiveSmallIntegerField(default=0, help_text=_("How many refinements deep."))
    seed = models.BigIntegerField(null=True, blank=True)
    key = models.CharField(max_length=200, blank=True, help_text=_("The source's own identifier, if it has one."))
    digest = models.CharField(max_length=64, unique=True, editable=False)

    sha256 = models.CharField(max_length=64, blank=True)
    format = models.CharField(max_length=10, blank=True)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    n_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    file = models.FileField(blank=True, max_length=200)
    shown = models.FileField(blank=True, max_length=200)
    provenance = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(sha256="", file="", shown="", width=None, height=None, n_bytes=None)
                | (~Q(sha256="") & ~Q(file="") & ~Q(shown="") & Q(width__gt=0, height__gt=0, n_bytes__gt=0)),
                name="image_file_held_whole_or_not_at_all",
            ),
            models.CheckConstraint(condition=~Q(sha256="") | ~Q(key=""), name="image_has_file_or_key"),
            models.CheckConstraint(condition=Q(parent=None) | ~Q(parent=F("id")), name="image_not_its_own_parent"),
        ]
        indexes = [
            models.Index(fields=["prompt", "method"], name="image_by_prompt_and_method"),
            models.Index(fields=["key"], name="image_by_key", condition=~Q(key="")),
            models.Index(fields=["sha256"], name="image_by_sum", condition=~Q(sha256="")),
        ]

    def __str__(self) -> str:
        return f"{self.method} · {self.prompt}"


class Reference(Added):
    """The image that a prompt's images are compared with: what an editing task begins with, a subject, or a photograph.

    It is not rated, and no method made it. A study may show it next to the images of its prompt. Files as in `Image`.
    """

    prompt = models.OneToOneField(Prompt, models.CASCADE, related_name="reference")
    sha256 = models.CharField(max_length=64)
    format = models.CharField(max_length=10)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    n_bytes = models.PositiveBigIntegerField()
    file = models.FileField(max_length=200)
    shown = models.FileField(max_length=200)
    provenance = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"reference of {self.prompt}"


class Latents(models.Model):
    """What an image was decoded from, or the state of its drawing after some steps: refinement begins there, so that
    it never passes through a picture file.

    n_done  how many steps were done; the drawing's number of steps for the finished image
    """

    image = models.ForeignKey(Image, models.CASCADE, related_name="latents")
    n_done = models.PositiveSmallIntegerField()
    file = models.FileField(max_length=200)
    sha256 = models.CharField(max_length=64)
    n_bytes = models.PositiveBigIntegerField()

    class Meta:
        verbose_name_plural = "latents"
        constraints = [models.UniqueConstraint(fields=["image", "n_done"], name="latents_once_per_step")]

    def __str__(self) -> str:
        return f"{self.image_id} after {self.n_done} steps"


class MetricScore(Added):
    """One image's score by one version of an automatic metric. Higher is better unless the metric's page says not."""

    image = models.ForeignKey(Image, models.CASCADE, related_name="scores")
    metric = models.CharField(max_length=100)
    version = models.CharField(max_length=100, blank=True)
    value = models.FloatField()
    provenance = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["image", "metric", "version"], name="score_once_per_metric_version"),
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.value:g}"
