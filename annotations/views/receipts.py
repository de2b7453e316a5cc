"""What the scripts of the rating and the auditing page get for what they send: JSON, also where there is nothing."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse

Saves = Callable[..., HttpResponse]


def by_script(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def with_receipts(view: Saves) -> Saves:
    """Answer a script's 404 as JSON: then it knows it from that of a proxy whose site is away for a moment, after which
    it must try again."""

    @wraps(view)
    def receive(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Http404 as problem:
            if not by_script(request):
                raise
            return JsonResponse({"problem": str(problem)}, status=HTTPStatus.NOT_FOUND)

    return receive
