"""Pages and the API's answers, compressed: text shrinks to a quarter, which matters on a slow line."""

from typing import TypeVar, cast

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

R = TypeVar("R", bound=HttpResponseBase)

TEXT = frozenset({"text/html", "application/json", "application/vnd.oai.openapi+json", "image/svg+xml"})
"""Images and archives are compressed as they are, and what is streamed should not wait for the compressor."""
SHOW_SECRETS = frozenset({"personal-link", "token-new", "switch-account"})
"""Addresses of pages that show a sign-in secret. The size of a compressed page could reveal it."""


class CompressText(GZipMiddleware):
    """Compress complete text answers for clients that accept gzip, except those that show a secret.

    Anyone who can watch the size of compressed answers and put words into them can guess their other content
    (the BREACH attack). Forms' tokens are masked afresh in every answer, and Django pads what it compresses by a random
    length; pages that show a link or key are not compressed at all.
    """

    def process_response(self, request: HttpRequest, response: R) -> R:
        found = request.resolver_match
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        if response.streaming or kind not in TEXT or (found is not None and found.url_name in SHOW_SECRETS):
            return response
        return cast("R", super().process_response(request, response))
