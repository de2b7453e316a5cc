"""The API's description: an OpenAPI document generated from the views, including each address's possible refusals."""

from functools import lru_cache
from http import HTTPStatus
from typing import Any

from django.utils.translation import get_language
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from evalsite.accounts.tokens import scope_of
from evalsite.api.problems import MEDIA_TYPE

PROBLEM = {
    "type": "object",
    "description": "Why nothing was done (RFC 9457).",
    "properties": {
        "type": {"type": "string", "description": "A name for this kind of problem that does not change."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "cure": {"type": "string", "description": "What to do; empty where `detail` or `errors` say it."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "description": "One thing that is wrong: in which field and, of several rows, in which row.",
                "properties": {
                    "field": {"type": "string", "description": "Its path; empty for the request as a whole."},
                    "row": {"type": ["integer", "null"], "description": "From 1."},
                    "value": {"type": "string"},
                    "detail": {"type": "string"},
                    "cure": {"type": "string"},
                },
                "required": ["field", "detail", "cure"],
            },
        },
    },
    "required": ["type", "title", "status", "detail", "cure", "errors"],
}
KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "description": "Names the call: repeated with the same key, it has one effect and the same answer.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
}
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class DescribedWithRefusals(AutoSchema):
    """Adds the refusals that all views share to those that a view declares.

    A view may declare further refusals just by status, as `409: OpenApiResponse(description=…)`.
    """

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> dict[str, Any] | None:
        operation = super().get_operation(path, path_regex, path_prefix, method, registry)
        if operation is not None:
            operation["x-token-scope"] = scope_of(self.view, method.upper())
            responses = operation["responses"]
            for status in self._refusals(operation):
                responses.setdefault(str(status.value), {"description": status.phrase})
            if method.upper() == "GET":
                responses.setdefault("304", {"description": "The same as the answer whose ETag If-None-Match names."})
            if method.upper() in WRITES:
                operation.setdefault("parameters", []).append(KEY)
                responses.setdefault("409", {"description": "A call with this Idempotency-Key is being carried out."})
                responses.setdefault("422", {"description": "Another call had this Idempotency-Key."})
            for status, response in responses.items():
                if status >= "400" and "content" not in response:
                    response["content"] = {MEDIA_TYPE: {"schema": self._problem()}}
            operation["responses"] = dict(sorted(responses.items()))
        return operation

    def _refusals(self, operation: dict[str, Any]) -> list[HTTPStatus]:
        found = [HTTPStatus.BAD_REQUEST, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE]
        found.append(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)  # without a body as well: a charset that is not UTF-8
        parameters = operation.get("parameters", [])
        if any(one["in"] == "path" or one["name"] == "cursor" for one in parameters):
            found.append(HTTPStatus.NOT_FOUND)
        if self.method in WRITES:
            found.append(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        security = operation.get("security", [])
        if {} not in security:
            found.append(HTTPStatus.FORBIDDEN)
        if {"tokenAuth": []} in security:  # a session alone has no challenge to offer, so it is refused with 403
            found.append(HTTPStatus.UNAUTHORIZED)
        return found

    def _problem(self) -> Any:
        component = ResolvedComponent("Problem", ResolvedComponent.SCHEMA, object="Problem", schema=PROBLEM)
        self.registry.register_on_missing(component)
        return component.ref


class Description(APIView):
    """This document. It describes the calls and contains no data, so nobody needs to sign in."""

    permission_classes = (AllowAny,)

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        return Response(description(get_language()))


@lru_cache
def description(language: str | None) -> Any:
    """Generated once in each process: it depends only on the code, and takes half a second."""
    return SchemaGenerator().get_schema(request=None, public=True)
