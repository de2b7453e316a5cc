"""Calls that send rows: how they are refused, and how lists are filtered."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework import generics, serializers, status
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.views import APIView

from exchange.rejects import Reject
from generation.api.imports import MayImport
from generation.services.pushes.refused import Refused

LARGEST_KEY = 2**63 - 1
Model = TypeVar("Model", bound=Any)


class Rejected(APIException):
    """Rows that were refused, each with its field, the problem and the cure. Nothing was saved."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "rows-refused"

    def __init__(self, rejects: list[Reject]) -> None:
        super().__init__(_("Nothing was saved. %(first)s") % {"first": rejects[0]} if rejects else None)
        self.errors = [
            {
                "field": reject.field,
                "row": reject.row,
                "value": reject.value,
                "detail": reject.problem,
                "cure": reject.cure,
            }
            for reject in rejects
        ]


@contextmanager
def rejecting() -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        raise Rejected(refused.rejects) from refused


def caller(request: Request) -> User:
    return cast("User", request.user)


def key_field(**options: Any) -> serializers.IntegerField:
    """The number of a row."""
    return serializers.IntegerField(min_value=1, max_value=LARGEST_KEY, **options)


class CountsSerializer(serializers.Serializer[Any]):
    """Numbers of rows that added something, and of rows that existed already and are identical."""

    n_created = serializers.IntegerField()
    n_unchanged = serializers.IntegerField()


class OfData(APIView):
    """For researchers, as on the pages of prompts, images and imports."""

    permission_classes = (MayImport,)
    write_scope = "data"


class FilteredList(OfData, generics.ListAPIView[Model]):
    """A list with a filter: a serializer of the parameters of the address. Unknown parameters are ignored."""

    filter_class: type[serializers.Serializer[Any]]

    def filters(self) -> dict[str, Any]:
        asked = self.filter_class(data=self.request.query_params)
        asked.is_valid(raise_exception=True)
        return dict(asked.validated_data)

    def filtered(self, rows: QuerySet[Model], **columns: str) -> QuerySet[Model]:
        """Rows whose columns have the values that were asked for. columns: by the name of the parameter."""
        asked = self.filters()
        return rows.filter(**{column: asked[name] for name, column in columns.items() if name in asked})
