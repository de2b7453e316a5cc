"""Prompt sets, their prompts, and other wordings and decompositions of each prompt."""

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from generation.models.added import Added
from generation.models.digests import digest


class PromptSetQuerySet(models.QuerySet["PromptSet"]):
    def changeable_by(self, user: User | None) -> "PromptSetQuerySet":
        """The sets that this person may add to: see `PromptSet.may_be_changed_by`."""
        if user is None:
            return self.none()
        if user.is_superuser:
            return self
        return self.filter(Q(owner=user) | Q(pk__in=user.edited_prompt_sets.values("pk")))


class PromptSet(models.Model):
    """A named collection of prompts with its source and licence.

    Every researcher of the site may read it. Its owner, the editors they name and administrators add to it, and to
    what hangs on it: prompts, images, scores, critiques. Without an owner it is the administrators' alone.
    """

    name = models.CharField(max_length=200, unique=True)
    source = models.CharField(max_length=500, blank=True)
    licence = models.CharField(max_length=200, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    editors = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="edited_prompt_sets")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PromptSetQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def is_owned_by(self, user: User) -> bool:
        """Whether this person may name editors."""
        return user.is_superuser or self.owner_id == user.pk

    def may_be_changed_by(self, user: User | None) -> bool:
        return user is not None and (self.is_owned_by(user) or self.editors.filter(pk=user.pk).exists())


class Prompt(Added):
    """What an image should show. Its identity is its content: a topic may occur twice with different texts."""

    # The index of `prompt_once_per_set` begins with it.
    prompt_set = models.ForeignKey(PromptSet, models.CASCADE, related_name="prompts", db_index=False)
    digest = models.CharField(max_length=64, editable=False)
    key = models.CharField(max_length=200, blank=True, help_text=_("The source's own identifier, if it has one."))
    text = models.TextField()
    category = models.CharField(max_length=100, blank=True)
    sub_category = models.CharField(max_length=100, blank=True)
    topic = models.CharField(max_length=200, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["prompt_set", "digest"], name="prompt_once_per_set"),
            models.CheckConstraint(condition=~models.Q(text=""), name="prompt_has_text"),
        ]
        indexes = [
            models.Index(fields=["prompt_set", "category", "id"], name="prompt_by_category"),
            models.Index(fields=["prompt_set", "key"], name="prompt_by_key"),
        ]

    def __str__(self) -> str:
        return self.text

    @staticmethod
    def digest_of(text: str, category: str = "", sub_category: str = "", topic: str = "", key: str = "") -> str:
        return digest(text, category, sub_category, topic, key)


class PromptVariant(models.Model):
    """Another wording of a prompt: enriched, rewritten or refined, by a person or a language model."""

    class Kind(models.TextChoices):
        REWRITTEN = "rewritten", _("rewritten")
        SPATIAL = "spatial", _("spatial detail")
        TEMPORAL = "temporal", _("temporal detail")
        EMOTIONAL = "emotional", _("emotional detail")
        REFINED = "refined", _("refined after critique")

    class Origin(models.TextChoices):
        IMPORTED = "imported", _("imported")
        PERSON = "person", _("a person")
        MODEL = "model", _("a language model")
        RULES = "rules", _("rules, without a language model")
        SIMULATED = "simulated", _("simulated")

    prompt = models.ForeignKey(Prompt, models.CASCADE, related_name="variants")
    kind = models.CharField(max_length=20, choices=Kind)
    text = models.TextField()
    origin = models.CharField(max_length=20, choices=Origin, default=Origin.IMPORTED)
    provenance = models.JSONField(default=dict, blank=True)
    digest = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["prompt", "kind", "digest"], name="variant_once_per_prompt"),
            models.CheckConstraint(condition=~models.Q(text=""), name="variant_has_text"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.text}"


class Decomposition(models.Model):
    """A prompt's entities and relations, by one source. `graph` is in the shape of `recipes.graph.Decomposition`.

    The newest one of a prompt is in use; older ones stay, because critiques and audits were made with them.
    """

    prompt = models.ForeignKey(Prompt, models.CASCADE, related_name="decompositions")
    graph = models.JSONField()
    origin = models.CharField(max_length=20, choices=PromptVariant.Origin, default=PromptVariant.Origin.IMPORTED)
    provenance = models.JSONField(default=dict, blank=True)
    digest = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["prompt", "digest"], name="decomposition_once_per_prompt"),
        ]

    def __str__(self) -> str:
        return f"{self.get_origin_display()}: {self.prompt}"
