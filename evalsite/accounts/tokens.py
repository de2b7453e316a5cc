"""API tokens: keys with which programs act as a person."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from evalsite.models import ApiToken, Scope

PREFIX = "evalsite_"
"""Shows people and secret scanners what a key is for."""
HINT_LETTERS = len(PREFIX) + 4
MOST_TOKENS = 20
"""Per person, so that a program that makes one at each start does not fill the table."""
USE_NOTED_EVERY = timedelta(hours=1)


def digest_of(key: str) -> str:
    """The stored digest of a key. A key has 256 random bits, so neither a salt nor a slow hash is needed."""
    return hashlib.sha256(key.encode()).hexdigest()


def make_token(
    *, user: User, name: str, days: int, scopes: Sequence[str] = tuple(Scope.values)
) -> tuple[ApiToken, str]:
    """A new token of this person and its key, which cannot be read again. scopes: see `evalsite.models.Scope`."""
    key = PREFIX + secrets.token_hex(32)
    token = ApiToken.objects.create(
        user=user,
        name=name,
        digest=digest_of(key),
        hint=key[:HINT_LETTERS],
        expires_at=timezone.now() + timedelta(days=days),
        scopes=[scope for scope in Scope.values if scope in scopes],
    )
    return token, key


def scope_of(view: Any, method: str) -> str:
    """The scope that a call of a view needs: the view's `read_scope` or `write_scope`."""
    if method in ("GET", "HEAD", "OPTIONS"):
        return str(getattr(view, "read_scope", Scope.READ))
    return str(getattr(view, "write_scope", Scope.STUDIES))


def has_scope(token: ApiToken, view: Any, method: str) -> bool:
    return scope_of(view, method) in token.scopes


class TokenAuthentication(authentication.TokenAuthentication):
    """`Authorization: Token KEY`, for what the token's scopes allow."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        found: tuple[User, ApiToken] | None = super().authenticate(request)
        if found is not None:
            view, method = request.parser_context.get("view"), str(request.method)
            if not has_scope(found[1], view, method):
                needed = scope_of(view, method)
                raise PermissionDenied(_("This token lacks the scope “%(scope)s”.") % {"scope": needed})
        return found

    def authenticate_credentials(self, key: str) -> tuple[User, ApiToken]:
        now = timezone.now()
        token = ApiToken.objects.select_related("user").filter(digest=digest_of(key)).first()
        if token is None or not token.user.is_active:
            raise AuthenticationFailed(_("This token is not valid."))
        if token.expires_at is not None and token.expires_at <= now:
            raise AuthenticationFailed(_("This token has expired. Make a new one on the page “Your account”."))
        _note_use(token, now)
        return token.user, token


def _note_use(token: ApiToken, now: datetime) -> None:
    """Once an hour, so that reading by the API causes almost no writes."""
    if token.last_used_at is None or token.last_used_at <= now - USE_NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
