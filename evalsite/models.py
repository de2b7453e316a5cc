"""What gives access to an account: links, tokens of programs, and signed-in browsers. Each can be revoked."""

from importlib import import_module

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils.translation import gettext_lazy as _


class LinkSeries(models.Model):
    """Which of a person's sign-in links work: those made since the number was last raised. No row: 0."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="link_series")
    number = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "link series"

    def __str__(self) -> str:
        return f"{self.user}: {self.number}"


class Scope(models.TextChoices):
    """What a program may do with a token."""

    READ = "read", _("read whatever you may read")
    DATA = "data", _("add prompts, images and scores; import; run the generator")
    STUDIES = "studies", _("make and run studies and audits, and send their events")
    RATE = "rate", _("rate as yourself")


def every_scope() -> list[str]:
    return list(Scope.values)


class ApiToken(models.Model):
    """A key with which a program acts as a person. Only the key's digest is kept: nobody can read the key here.

    `hint` is the key's beginning, by which its owner knows it. Tokens made before expiry was introduced have none.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(_("begins with"), max_length=16, editable=False)
    made_at = models.DateTimeField(_("made"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    scopes = models.JSONField(_("may"), default=every_scope)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return f"{self.user}: {self.name} ({self.hint}…)"

    @property
    def abilities(self) -> list[str]:
        """What it may be used for, in words."""
        return [str(scope.label) for scope in Scope if scope in self.scopes]


class IdempotentCall(models.Model):
    """A writing call of the API that its caller named by a key, and the answer it got; no status: at work until
    `lease_until`, under `claim`."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    claim = models.CharField(max_length=32)
    lease_until = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    headers = models.JSONField(default=dict, blank=True)
    body = models.TextField(blank=True)
    made_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="idempotent_call_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.key}"


class BrowserSession(AbstractBaseSession):
    """A browser's session, with the person who is signed in there, if anybody is.

    Without a constraint in the database: a session that is written while its account is being deleted fails nobody.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, db_constraint=False, related_name="browser_sessions"
    )

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        store: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
        return store
