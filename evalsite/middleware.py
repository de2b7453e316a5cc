"""What every request has to pass, and headers that every answer carries."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _

SLACK_BYTES = 2**20
"""Room in a form beside its fields: boundaries and names."""
TAKES_UPLOADS = frozenset({"import-new", "api-imports"})
"""Addresses that take files. They judge the size themselves, since each knows how many files it takes."""

POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self'; script-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


class ContentSecurityPolicy:
    """Scripts, styles and images come from this site alone; nothing is inline, nothing is framed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response


class PrivateByDefault:
    """An answer that says nothing of caches is kept by none: error pages and the API are one person's own, too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if "Cache-Control" not in response.headers:
            add_never_cache_headers(response)
        return response


class RefuseOddRequests:
    """Ends what no page of ours sends before anything reads it.

    A body beyond what a form may have: 413. Django bounds fields, but not files, and looking for the CSRF token reads
    the whole body: without this, anybody could fill the disk by way of the sign-in page. A body without a stated
    length is empty to WSGI. A NUL character in the address: 400, as PostgreSQL takes none in a text.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return _refused(_("This address holds a character that no address may hold."), HTTPStatus.BAD_REQUEST)
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
        words = _("This is more than the page takes. Nothing was saved; send less at once.")
        return _refused(words, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def _refused(words: str, status: HTTPStatus) -> HttpResponse:
    return HttpResponse(words, status=status, content_type="text/plain; charset=utf-8")
