"""Logging of requests: an id on every line that a request causes and, if wanted, a line for each request."""

import logging
import re
import secrets
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from evalsite.requests.guessing import client_address
from evalsite.requests.log_lines import NO_REQUEST, current_request

access = logging.getLogger("evalsite.access")
_FROM_PROXY = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestLog:
    """Gives each request an id, which the answer carries as X-Request-ID, and logs it with EVALSITE_ACCESS_LOG.

    The id of a proxy is taken over where it looks like one. The line leaves out what follows a question mark in the
    address: a sign-in link has its secret there. An answer to HEAD has no body.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        name = given if settings.PROXIES and _FROM_PROXY.fullmatch(given) else secrets.token_hex(8)
        token, began = current_request.set(name), time.monotonic()
        try:
            response = self.get_response(request)
            response.headers["X-Request-ID"] = name
            if settings.ACCESS_LOG:
                self._log(request, response, time.monotonic() - began)
        finally:
            current_request.reset(token)
        return _without_body(response) if request.method == "HEAD" else response

    def _log(self, request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
        user = getattr(request, "_cached_user", None)  # the user that the view asked for: no query just for the log
        access.info(
            "%s %s %s %.0f ms user %s from %s",
            *(request.method, request.path, response.status_code, seconds * 1000),
            *(NO_REQUEST if user is None or user.pk is None else user.pk, client_address(request)),
        )


def _without_body(response: HttpResponseBase) -> HttpResponseBase:
    if isinstance(response, HttpResponse):
        response.headers["Content-Length"] = str(len(response.content))
        response.content = b""
    else:
        response.streaming_content = ()  # type: ignore[attr-defined]
    return response
