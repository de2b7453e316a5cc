"""The headers of every answer of the API: how many calls are left, and whether anything has changed."""

from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.middleware.http import ConditionalGetMiddleware

from evalsite.api.errors import is_api
from evalsite.requests.limits import Spent


class ApiHeaders:
    """`RateLimit-*` for callers who are counted by name, and `ETag`: sent back, it gets 304 if nothing has changed.

    Browsers still do not store answers: see `PrivateByDefault`. Programs may.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._conditional = ConditionalGetMiddleware(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not is_api(request):
            return response
        spent: Spent | None = getattr(request, "spent", None)
        if request.method in ("GET", "HEAD") and response.status_code == 200 and not response.streaming:
            response = cast("HttpResponse", self._conditional.process_response(request, response))
        if spent is not None:
            response.headers["RateLimit-Limit"] = str(spent.most)
            response.headers["RateLimit-Remaining"] = str(spent.left)
            response.headers["RateLimit-Reset"] = str(spent.seconds)
        return response
