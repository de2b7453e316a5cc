"""Long lists, page by page."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.views import APIView


class ByKey(CursorPagination):
    """Pages by the row's key: deep pages are not slower, and rows added meanwhile do not shift pages.

    A view with `newest_first = True` begins at the end.
    """

    ordering = "pk"
    page_size = 100
    max_page_size = 1000
    page_size_query_param = "page_size"

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: APIView) -> tuple[str, ...]:
        return ("-pk",) if getattr(view, "newest_first", False) else ("pk",)

    def decode_cursor(self, request: Request) -> Cursor | None:
        """The place in the address, or None for the beginning. Raises NotFound for a place that no page gave."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and not is_key(str(cursor.position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Declares an address that may be null as in OpenAPI 3.1; the library still does so as in 3.0."""
        described: dict[str, Any] = super().get_paginated_response_schema(schema)
        for name in ("next", "previous"):
            address = described["properties"][name]
            if address.pop("nullable", False):
                address["type"] = ["string", "null"]
        return described


def is_key(text: str) -> bool:
    """Whether it is the decimal text of a key that a row may have."""
    return text.isascii() and text.isdigit() and len(text) <= 19 and int(text) < 2**63
