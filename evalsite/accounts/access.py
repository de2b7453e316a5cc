"""Revokes the ways to act as a person without their password."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F

from evalsite.models import LinkSeries


def end_links(*, user: User) -> None:
    """Revoke all sign-in links made so far; the next one works."""
    LinkSeries.objects.get_or_create(user=user)
    LinkSeries.objects.filter(user=user).update(number=F("number") + 1)


def end_tokens(*, user: User) -> int:
    """Delete all of this person's tokens; returns their number."""
    return user.api_tokens.all().delete()[0]


def end_sessions(*, user: User, but: str | None = None) -> int:
    """Sign this person out everywhere, except in the session with this key; returns the number of sessions."""
    return user.browser_sessions.exclude(session_key=but).delete()[0]


@transaction.atomic
def end_all(*, user: User, but: str | None = None) -> None:
    """All three. `but` is the key of a session to keep."""
    end_links(user=user)
    end_tokens(user=user)
    end_sessions(user=user, but=but)
