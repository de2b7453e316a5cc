"""How many calls of the API a person, or an address without a person, may make."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from evalsite.requests.guessing import client_address
from evalsite.requests.limits import Limit, Spent, seconds_to_wait, spend


class PerCaller(BaseThrottle):
    """A person's calls are counted together, whatever their address: a classroom behind one address is many people."""

    def __init__(self) -> None:
        self._seconds_left = 0

    def allow_request(self, request: Request, view: Any) -> bool:
        if isinstance(request.user, User):
            spent = spend_call(request.user)
            request._request.spent = spent  # type: ignore[attr-defined]  # for the headers of the answer
            self._seconds_left = spent.seconds if spent.is_over else 0
        else:
            self._seconds_left = wait_of_stranger(request)
        return self._seconds_left == 0

    def wait(self) -> float | None:
        return self._seconds_left


def spend_call(user: User) -> Spent:
    """Count one call of this person."""
    return spend(Limit("api", settings.API_CALLS_PER_MINUTE, 60), str(user.pk))


def wait_of_stranger(request: Request) -> int:
    """Count a call by nobody known, with a wrong token too; returns how long the address has to wait.

    Valid tokens are still accepted: nobody guesses 256 bits, and one stale program would lock out a whole classroom.
    """
    limit = Limit("api-stranger", settings.API_STRANGER_CALLS_PER_MINUTE, 60)
    return seconds_to_wait(limit, client_address(request._request) or "unknown")
