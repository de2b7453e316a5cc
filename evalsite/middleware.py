"""Checks for every request, and headers for every answer."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _

from evalsite.api.errors import is_api, may_pass, unavailable
from evalsite.api.problems import refusal
from evalsite.requests.guessing import client_address
from evalsite.requests.limits import Limit, seconds_to_wait

logger = logging.getLogger(__name__)

SLACK_BYTES = 2**20
"""Room in a form next to its fields: boundaries and names."""
TAKES_UPLOADS = frozenset({"import-new", "api-imports", "api-images", "study-text-images"})
"""Addresses that take files. They judge the size themselves, since each knows how many files it takes."""

POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self'; script-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Scripts, styles and images come only from this site; nothing is inline, nothing is framed."""
NOT_USED = (
    *("accelerometer", "browsing-topics", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer"),
    *("microphone", "midi", "payment", "usb"),
)
PERMISSIONS = ", ".join(f"{feature}=()" for feature in NOT_USED)
"""No page asks the browser for a sensor, a device or a payment, so an injected script cannot either."""


class BrowserPolicies:
    """Headers of every answer that say what a page may load, and what it may ask the browser for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return response


class PrivateByDefault:
    """An answer without a caching policy is not cached: error pages and the API's answers are private too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if "Cache-Control" not in response.headers:
            add_never_cache_headers(response)
        return response


class RefuseOddRequests:
    """Refuses requests that none of our pages sends, before anything reads them.

    A body beyond what a form may have: 413. Django bounds fields, but not files, and looking for the CSRF token reads
    the whole body: without this, anybody could fill the disk by way of the sign-in page. A body without a stated
    length is empty to WSGI. A NUL character in the address: 400, as PostgreSQL takes none in a text.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            words = _("This address contains a character that is not allowed in an address.")
            return _refused(request, words, HTTPStatus.BAD_REQUEST)
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        match = request.resolver_match
        if match is not None and match.view_name in TAKES_UPLOADS:
            return None
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE + SLACK_BYTES
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isascii() and length.isdigit() and len(length) < 20 and int(length) <= most:
            return None
        words = _("This is more than the page accepts. Nothing was saved; send less at once.")
        return _refused(request, words, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


class LimitsByAddress:
    """Bounds how often one address joins studies or has password emails sent; a classroom stays below it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        name = (request.resolver_match and request.resolver_match.view_name) or ""
        most = {
            "join": settings.JOINS_PER_HOUR,
            "api-join": settings.JOINS_PER_HOUR,
            "password-forgotten": settings.PASSWORD_MAILS_PER_HOUR,
        }.get(name)
        if request.method != "POST" or most is None:
            return None
        seconds = seconds_to_wait(Limit(name, most, 3600), client_address(request) or "unknown")
        if not seconds:
            return None
        minutes = -(-seconds // 60)
        response = render(request, "too_often.html", {"minutes": minutes}, status=HTTPStatus.TOO_MANY_REQUESTS)
        response.headers["Retry-After"] = str(seconds)
        return response


class UnavailableForNow:
    """Answers 503, after which clients retry, if the database or the disk does not accept writes at the moment."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not may_pass(exception):
            return None
        logger.error("%s %s could not be carried out for now: %s", request.method, request.path, exception)
        return unavailable(request)


def _refused(request: HttpRequest, words: str, status: HTTPStatus) -> HttpResponse:
    if is_api(request):
        return refusal(words, status)
    return HttpResponse(words, status=status, content_type="text/plain; charset=utf-8")
