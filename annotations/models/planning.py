"""Researchers' statements about their study: its plan, frozen before the first answer, and facts that only they
know."""

from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from annotations.models.studies import Study


class Statement(models.Model):
    """Texts of the researchers, by key: intentions (until they are registered), and facts for checklists."""

    study = models.OneToOneField(Study, models.CASCADE, related_name="statement")
    intentions = models.JSONField(default=dict, blank=True)
    facts = models.JSONField(default=dict, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"statement on {self.study}"


class OnlyRegistered(TypeError):
    """A registration is frozen: it cannot be changed, nor deleted on its own."""


class PromptLook(models.Model):
    """One look at the comparison of a study's two methods, by the rule of `Study.prompt_looks`. Rows are only added.

    `mean` is that of the differences of `n_prompts` prompts, second method less first; `p` is compared with `bound`;
    `low` and `high` are the repeated confidence interval. Empty: undefined.
    """

    class Decision(models.TextChoices):
        FURTHER = "further", _("undecided: further prompts")
        DECIDED = "decided", _("decided")
        MOST = "most", _("undecided, and no prompts are left")

    study = models.ForeignKey(Study, models.CASCADE, related_name="looks")
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    n_prompts = models.PositiveIntegerField()
    mean = models.FloatField(null=True)
    p = models.FloatField(null=True)
    bound = models.FloatField()
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    decision = models.CharField(max_length=10, choices=Decision)

    class Meta:
        ordering = ["study", "number"]
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="prompt_look_number_once")]

    def __str__(self) -> str:
        return f"look {self.number} at {self.study}"


class Registration(models.Model):
    """A study's frozen plan. `content` is the registered file; `digest` is its SHA-256.

    Rows are only ever added, and only while there is no answer; the last one counts.
    """

    study = models.ForeignKey(Study, models.CASCADE, related_name="registrations")
    number = models.PositiveSmallIntegerField()
    content = models.TextField()
    digest = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["study", "-number"]
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="registration_number_once")]

    def __str__(self) -> str:
        return f"registration {self.number} of {self.study}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise OnlyRegistered
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise OnlyRegistered
