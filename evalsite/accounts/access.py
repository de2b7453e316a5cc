"""Ends what lets somebody act as a person without their password."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F

from evalsite.models import LinkSeries


def end_links(*, user: User) -> None:
    """No sign-in link made so far works any more; the next one does."""
    LinkSeries.objects.get_or_create(user=user)
    LinkSeries.objects.filter(user=user).update(number=F("number") + 1)


def end_tokens(*, user: User) -> int:
    """No program acts as this person any more; how many tokens there were."""
    return user.api_tokens.all().delete()[0]


def end_sessions(*, user: User, but: str | None = None) -> int:
    """Sign this person out everywhere, or everywhere but in the session of this key; how many sessions there were."""
    return user.browser_sessions.exclude(session_key=but).delete()[0]


@transaction.atomic
def end_all(*, user: User, but: str | None = None) -> None:
    """All three. `but` is the key of a session that stays."""
    end_links(user=user)
    end_tokens(user=user)
    end_sessions(user=user, but=but)
