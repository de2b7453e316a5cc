"""What django-axes needs from us when somebody guesses passwords: who they are, what counts, and what they see."""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone


def client_address(request: HttpRequest) -> str | None:
    """The address whose attempts are counted together; None if it is unknown.

    Each proxy appends the address it heard from to X-Forwarded-For, so entries before those of our own proxies may be
    invented. With IPv6 a single line has 2**64 addresses, so the network counts.
    """
    seen = request.META.get("REMOTE_ADDR", "")
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if 0 < settings.PROXIES <= len(forwarded):
        seen = forwarded[-settings.PROXIES].strip() or seen
    try:
        address = ip_address(seen)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, 64), strict=False).network_address)
    return str(address)


def name_tried(request: HttpRequest, credentials: Mapping[str, Any] | None) -> str | None:
    """The name whose attempts are counted together, cut to the longest name that an account can have."""
    name = (request.POST if credentials is None else credentials).get("username")
    longest = User._meta.get_field("username").max_length
    return name[:longest] if isinstance(name, str) else None


class CountsByAddressToo(AxesDatabaseHandler):
    """Also refuses attempts after many from one address for any names, as when one password is tried on everybody."""

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        return super().is_locked(request, credentials) or self._is_spraying(request)

    def _is_spraying(self, request: HttpRequest) -> bool:
        since = timezone.now() - settings.AXES_COOLOFF_TIME
        recent = AccessAttempt.objects.filter(ip_address=client_address(request), attempt_time__gte=since)
        n = recent.aggregate(n=Sum("failures_since_start"))["n"] or 0
        return n >= settings.SIGN_IN_TRIES_PER_ADDRESS


def refusal(request: HttpRequest, response: HttpResponse | None, credentials: Mapping[str, Any] | None) -> HttpResponse:
    """The page shown instead of `response` after too many wrong passwords, even if the next one is right."""
    pause = settings.AXES_COOLOFF_TIME
    context = {"minutes": pause // timedelta(minutes=1)}
    refused = render(request, "accounts/sign_in_refused.html", context, status=HTTPStatus.TOO_MANY_REQUESTS)
    refused.headers["Retry-After"] = str(int(pause.total_seconds()))
    return refused
