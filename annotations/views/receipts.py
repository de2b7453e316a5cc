"""Responses to submissions by the scripts of the rating and auditing pages: always JSON, even for a 404."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse

Saves = Callable[..., HttpResponse]


def by_script(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def with_receipts(view: Saves) -> Saves:
    """Send a script's 404 as JSON, so that it can distinguish it from that of a proxy whose site is briefly
    unavailable, after which it must retry."""

    @wraps(view)
    def receive(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Http404 as problem:
            if not by_script(request):
                raise
            return JsonResponse({"problem": str(problem)}, status=HTTPStatus.NOT_FOUND)

    return receive
