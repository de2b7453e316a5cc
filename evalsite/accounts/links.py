"""Personal links: anyone who opens one is signed in. They need no password, expire, and can be ended by their owner."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.urls import reverse
from sesame.backends import ModelBackend
from sesame.tokens import parse_token
from sesame.utils import get_query_string

from annotations.queries.studies import is_researcher
from evalsite.models import LinkSeries

NAME = "sesame"
"""The link's parameter that holds the secret."""


def link_to(user: User, base: str) -> str:
    """A link to the site at `base` ("https://rate.example.org") that signs this person in."""
    return f"{base.rstrip('/')}{reverse('sign-in-by-link')}{get_query_string(user, scope=_series(user))}"


def link_here(request: HttpRequest, user: User) -> str:
    return link_to(user, request.build_absolute_uri("/"))


def life_of_links(user: User) -> timedelta:
    """How long this person's link works: shorter for researchers, whose links open more than their own answers."""
    return timedelta(days=settings.RESEARCHER_LINK_DAYS if is_researcher(user) else settings.LINK_DAYS)


def may_have_link(user: User) -> bool:
    """Administrators have no links: a leaked one would give access to everything for as long as it works."""
    return user.is_active and not user.is_staff


def owner_of(secret: str) -> User | None:
    """The person whom a link's secret signs in; None if it is broken, expired, revoked, or its account has no links."""
    claimed: list[int] = []
    # The signature covers the number of the person's links, so the person has to be known before it can be checked.
    parse_token(secret, claimed.append)
    user = User.objects.filter(pk__in=claimed).first()
    if user is None or not may_have_link(user):
        return None
    found: User | None = parse_token(secret, ModelBackend().get_user, scope=_series(user), max_age=life_of_links(user))
    return found


def _series(user: User) -> str:
    """The salt that signs this person's links; empty until links are first revoked, so that the oldest links work."""
    number = LinkSeries.objects.filter(user=user).values_list("number", flat=True).first()
    return str(number) if number else ""
