"""The record of who did what to whose work. Its lines are only ever added."""

from typing import Any, NoReturn

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.utils.translation import gettext_lazy as _

# The details' labels on pages; files and the database have the names as they are.
FACTS = {
    "part": _("part"),
    "file": _("file"),
    "person": _("person"),
    "role": _("role"),
    "rater": _("rater"),
    "reason": _("reason"),
    "settings": _("settings"),
    "kind": _("kind"),
    "rows": _("rows"),
    "import": _("import"),
    "run": _("run"),
    "image": _("image"),
    "digest": _("hash"),
}


class OnlyAdded(Exception):
    """Code tried to change or delete a line of the record."""


class ActivityQuerySet(models.QuerySet["Activity"]):
    """Reads and additions; everything else is refused."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise OnlyAdded

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise OnlyAdded

    def delete(self) -> NoReturn:
        raise OnlyAdded


class Activity(models.Model):
    """Who did what to which study or prompt set, and when.

    The line outlives what it is about: `subject_key` is the study's token or the prompt set's number, `subject_name`
    its name at that time, `actor_name` the actor's. No actor: a command on the server, or the site itself.
    """

    class Action(models.TextChoices):
        MADE = "made", _("made it")
        OPENED = "opened", _("opened it")
        CLOSED = "closed", _("closed it")
        CHANGED = "changed", _("changed its settings")
        INVITATION = "invitation", _("changed its invitation")
        ADDED = "added", _("added rows to it")
        EXPORTED = "exported", _("exported from it")
        MEMBER_ADDED = "member_added", _("added a person")
        MEMBER_REMOVED = "member_removed", _("removed a person")
        EXCLUDED = "excluded", _("excluded a rater")
        INCLUDED = "included", _("included a rater again")
        REGISTERED = "registered", _("registered its plan")
        DELETION_ASKED = "deletion_asked", _("asked for its deletion")
        DELETION_CANCELLED = "deletion_cancelled", _("cancelled its deletion")
        DELETED = "deleted", _("deleted it")

    class Subject(models.TextChoices):
        STUDY = "study", _("study")
        PROMPT_SET = "prompt_set", _("prompt set")

    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    actor_name = models.CharField(max_length=150, blank=True)
    action = models.CharField(max_length=20, choices=Action)
    subject = models.CharField(max_length=20, choices=Subject)
    subject_key = models.CharField(max_length=32)
    subject_name = models.CharField(max_length=200)
    details = models.JSONField(default=dict, blank=True)

    objects = ActivityQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "activities"
        indexes = [models.Index(fields=["subject", "subject_key", "-id"], name="activity_of_subject")]

    def __str__(self) -> str:
        return f"{self.actor_name or 'server'}: {self.action} {self.subject_name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise OnlyAdded
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise OnlyAdded

    @classmethod
    def forget_rater(cls, *, subject_key: str, name: str, new_name: str) -> None:
        """Replace the name of a rater whose identity is erased: the only change that the law requires of the record."""
        lines = cls.objects.filter(subject_key=subject_key, details__rater=name)
        for line in lines:
            details = line.details | {"rater": new_name, "reason": ""}
            models.QuerySet(cls).filter(pk=line.pk).update(details=details)

    @property
    def facts(self) -> list[tuple[Any, str]]:
        """The details as (name, text) for a page."""
        return [
            (FACTS.get(name, name), ", ".join(map(str, value)) if isinstance(value, list) else str(value))
            for name, value in self.details.items()
        ]

    @classmethod
    def note(
        cls,
        *,
        actor: User | None,
        action: Action,
        subject: Subject,
        key: object,
        name: str,
        **details: Any,
    ) -> "Activity":
        """Add one line. Call it in the transaction of the reported change, so that both are saved or neither is."""
        return cls.objects.create(
            actor=actor,
            actor_name="" if actor is None else actor.get_username(),
            action=action,
            subject=subject,
            subject_key=str(key),
            subject_name=name,
            details=details,
        )
