"""A study's invitations: of raters, renewed and limited; and of members, each a link that works once."""

from datetime import datetime
from typing import Literal

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from annotations.models import MemberInvitation, Membership, Rater, Study
from annotations.models.member_invitations import LIFE, digest_of, new_secret
from annotations.models.studies import new_token
from annotations.services.activity import Action, note

Closed = Literal["closed", "over", "full"]


def renew_invitation(*, study: Study, by: User | None) -> None:
    """Give the study a new invitation; the old address stops working. Raters who joined before are still let in."""
    study.invitation = new_token()
    with transaction.atomic():
        study.save(update_fields=["invitation"])
        note(study=study, actor=by, action=Action.INVITATION, settings=["invitation"])


def why_closed(study: Study, now: datetime | None = None) -> Closed | None:
    """Why nobody new may join through the invitation of an open study; None while they may."""
    if not study.takes_raters:
        return "closed"
    if study.joining_until is not None and study.joining_until <= (now or timezone.now()):
        return "over"
    if study.most_raters is not None and n_people(study) >= study.most_raters:
        return "full"
    return None


def n_people(study: Study) -> int:
    """How many raters have joined; excluded raters have freed their place."""
    return study.raters.filter(kind=Rater.Kind.PERSON, excluded_at=None).count()


def is_code(study: Study, code: str) -> bool:
    """Whether this is the study's code, in any case and spacing; always true if the study has no code."""
    return not study.joining_code or constant_time_compare(_plain(code), _plain(study.joining_code))


def _plain(code: str) -> str:
    return "".join(code.split()).casefold()


def invite_member(*, study: Study, role: str, by: User) -> str:
    """Make a link that gives one person this role and, if needed, an account. Returns its secret, shown only once."""
    secret = new_secret()
    with transaction.atomic():
        MemberInvitation.objects.create(
            study=study, role=role, digest=digest_of(secret), made_by=by, expires_at=timezone.now() + LIFE
        )
        note(study=study, actor=by, action=Action.INVITATION, role=role)
    return secret


def revoke_member_invitation(*, study: Study, invitation_id: int, by: User) -> None:
    """The link stops working; if it has been used already, nothing changes."""
    with transaction.atomic():
        usable = study.member_invitations.filter(pk=invitation_id, used_at=None, revoked_at=None)
        if usable.update(revoked_at=timezone.now()):
            note(study=study, actor=by, action=Action.INVITATION, revoked=invitation_id)


def accept_membership(*, invitation: MemberInvitation, user: User) -> Membership:
    """Give somebody the role they were invited to. Raises ValidationError if the link no longer works.

    If two people use it at once, one is too late. Make a new account in the same transaction.
    """
    with transaction.atomic():
        usable = MemberInvitation.objects.usable().filter(pk=invitation.pk)
        if not usable.update(used_at=timezone.now(), used_by=user):
            raise ValidationError(_("This invitation has been used, or was revoked. Ask for another one."))
        study, role = invitation.study, invitation.role
        membership, is_new = Membership.objects.get_or_create(study=study, user=user, role=role)
        if is_new:
            note(study=study, actor=invitation.made_by, action=Action.MEMBER_ADDED, person=user.username, role=role)
    return membership
