"""Refusals as RFC 9457 describes them: what is wrong, in which field, and what to do about it."""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.http import JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import ErrorDetail
from rest_framework.settings import api_settings

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:evalsite:problem:"
"""The beginning of a problem's `type`; its code follows."""
CURES = {
    "required": gettext_lazy("Send this field."),
    "null": gettext_lazy("Send a value, or leave the field out."),
    "blank": gettext_lazy("Send at least one character."),
    "empty": gettext_lazy("Send at least one entry."),
    "invalid_choice": gettext_lazy("Send one of the values that the description of the API lists."),
    "does_not_exist": gettext_lazy("Send one that exists; the lists of the API show which."),
    "not_a_list": gettext_lazy("Send a list."),
    "max_length": gettext_lazy("Send a shorter text."),
    "max_value": gettext_lazy("Send a smaller number."),
    "min_value": gettext_lazy("Send a larger number."),
    "permission_denied": gettext_lazy(
        "Ask somebody who is allowed to do this. If a scope is named, use a token that has it."
    ),
    "not_authenticated": gettext_lazy("Send the header “Authorization: Token KEY”; the page “Your account” has keys."),
    "authentication_failed": gettext_lazy("Create a new token on the page “Your account”."),
    "not_found": gettext_lazy("Check the address. What you are not allowed to see counts as not found, too."),
    "throttled": gettext_lazy("Wait as many seconds as the header Retry-After says, then repeat the request."),
    "unsupported_media_type": gettext_lazy("Send the Content-Type that the description of the API names."),
}
"""By the code of an error whose message does not already say what to do."""


def problem(
    status: int, detail: str, *, code: str = "", cure: str = "", errors: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """The body of a refusal. `errors` say what is wrong, each with its field (and, among several rows, its row)."""
    title = HTTPStatus(status).phrase
    return {
        "type": TYPE + (code or title.lower().replace(" ", "-").replace("_", "-")),
        "title": title,
        "status": int(status),
        "detail": detail,
        "cure": cure or str(CURES.get(code.replace("-", "_"), "")),
        "errors": [dict(error) for error in errors],
    }


def refusal(detail: str, status: int, *, code: str = "", cure: str = "") -> JsonResponse:
    """A refusal from before the views."""
    body = problem(status, detail, code=code, cure=cure)
    return JsonResponse(body, status=status, content_type=MEDIA_TYPE, json_dumps_params={"ensure_ascii": False})


def problem_of(data: Any, status: int, *, errors: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """REST framework's description of an error, as a problem. errors: those of rows, if it has any."""
    if isinstance(data, dict) and set(data) == {"detail"} and not isinstance(data["detail"], list | dict):
        code = str(getattr(data["detail"], "code", "")).replace("_", "-")
        return problem(status, str(data["detail"]), code="" if code == "error" else code, errors=errors)
    found = list(_flat(data, ""))
    detail = " ".join(f"{error['field']}: {error['detail']}" if error["field"] else error["detail"] for error in found)
    return problem(status, detail or _("This request cannot be carried out."), code="invalid", errors=found)


def _flat(data: Any, field: str) -> Iterator[dict[str, Any]]:
    """Each message with the path of its field: names and places joined by dots."""
    if isinstance(data, dict):
        for name, inner in data.items():
            is_general = name in (api_settings.NON_FIELD_ERRORS_KEY, "__all__")
            yield from _flat(inner, field if is_general else f"{field}.{name}" if field else str(name))
    elif isinstance(data, list | tuple):
        for place, inner in enumerate(data):
            has_places = isinstance(inner, dict | list)
            yield from _flat(inner, f"{field}.{place}" if has_places and field else str(place) if has_places else field)
    else:
        code = str(data.code or "") if isinstance(data, ErrorDetail) else ""
        yield {"field": field, "detail": str(data), "cure": str(CURES.get(code, ""))}
