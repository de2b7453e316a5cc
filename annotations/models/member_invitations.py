"""An invitation to help run a study, for somebody without an account."""

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from annotations.models.studies import Membership, Study

LIFE = timedelta(days=14)


class MemberInvitationQuerySet(models.QuerySet["MemberInvitation"]):
    def usable(self) -> "MemberInvitationQuerySet":
        """Neither used nor revoked nor expired."""
        return self.filter(used_at=None, revoked_at=None, expires_at__gt=timezone.now())

    def with_secret(self, secret: str) -> "MemberInvitationQuerySet":
        return self.filter(digest=digest_of(secret))


class MemberInvitation(models.Model):
    """A link that gives one person a role, once. Only the digest of its secret is kept: the link is shown once."""

    study = models.ForeignKey(Study, models.CASCADE, related_name="member_invitations")
    role = models.CharField(max_length=20, choices=Membership.Role)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    used_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = MemberInvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(used_at=None) | Q(revoked_at=None), name="member_invitation_used_or_revoked"
            )
        ]

    def __str__(self) -> str:
        return _("%(role)s, until %(day)s") % {"role": self.get_role_display(), "day": self.expires_at.date()}


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
