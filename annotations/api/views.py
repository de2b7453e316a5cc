"""REST API, version 1: a study as its researchers may read it.

For everyone else a study does not exist: 404. That includes its annotators and auditors, who must not learn which
method made an image. They use only the pages.
"""

from typing import Any, cast

from django.contrib.auth.models import User
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from annotations import dispatch
from annotations.api import serializers
from annotations.api.access import OfStudy
from annotations.models import Dimension, Item, ItemImage, ReportSnapshot
from annotations.models import Response as Answer
from annotations.queries.exports import COUNTS, with_names
from annotations.queries.reports import last_finished
from annotations.queries.result_units import linked_methods
from annotations.services.activity import Action, note
from annotations.services.exports import TABLES
from annotations.services.formats.registry import FORMATS as OTHER_FORMATS
from annotations.services.formats.registry import JSON
from annotations.services.release import is_quickly_released
from annotations.services.reports import DEFAULT_SEED
from annotations.views.studies.exports import FORMATS, export_response, format_response, zip_response


class Items(OfStudy, generics.ListAPIView[Item]):
    """The study's items, with the images' methods."""

    serializer_class = serializers.ItemSerializer
    queryset = Item.objects.none()

    def get_queryset(self) -> QuerySet[Item]:
        images = ItemImage.objects.select_related("image__method").order_by("slot")
        items = self.study().items.select_related("prompt")
        return items.prefetch_related(Prefetch("item_images", queryset=images))


@extend_schema(
    parameters=[OpenApiParameter("all_revisions", bool, description="Also answers that were changed later.")]
)
class Responses(OfStudy, generics.ListAPIView[Answer]):
    """The answers that count, in order of arrival. With `?all_revisions=true` all answers, including those that were
    changed later and those of excluded raters."""

    serializer_class = serializers.ResponseSerializer
    queryset = Answer.objects.none()

    def get_queryset(self) -> QuerySet[Answer]:
        answers = with_names(Answer.objects.filter(dimension__in=list(self.dimensions)))
        if self.request.query_params.get("all_revisions", "").lower() in ("1", "true", "yes"):
            return answers
        return answers.filter(COUNTS)

    @property
    def dimensions(self) -> dict[int, Dimension]:
        if not hasattr(self, "_dimensions"):
            self._dimensions = {one.pk: one for one in self.study().dimensions.all()}
        return self._dimensions

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Reading all answers is recorded in the study's activity, as for a file of them."""
        if not request.query_params.get("cursor"):
            note(study=self.study(), actor=cast("User", request.user), action=Action.EXPORTED, file="responses (API)")
        return super().list(request, *args, **kwargs)

    def get_serializer_context(self) -> dict[str, Any]:
        context = super().get_serializer_context()
        is_schema = getattr(self, "swagger_fake_view", False)
        return {**context, "dimensions": {} if is_schema else self.dimensions}


class Results(OfStudy):
    """The study's results: 200 with those of its current answers, 202 while these are being computed."""

    @extend_schema(responses={200: serializers.ResultsSerializer, 202: serializers.ResultsSerializer})
    def get(self, request: Request, token: str) -> Response:
        study = self.study()
        user = cast("User", request.user)
        snapshot = dispatch.find_report(study=study, comparisons=linked_methods(study), user=user).snapshot
        is_done = snapshot.state == ReportSnapshot.State.DONE
        if not is_done:
            before = last_finished(study, DEFAULT_SEED)
            snapshot.results = before.results if before else None
        at_work = snapshot.state in (ReportSnapshot.State.WAITING, ReportSnapshot.State.RUNNING)
        return Response(
            serializers.ResultsSerializer(snapshot).data, status.HTTP_202_ACCEPTED if at_work else status.HTTP_200_OK
        )


class Exports(OfStudy):
    """The addresses of all tables of raw rows."""

    @extend_schema(responses=serializers.ExportSerializer(many=True))
    def get(self, request: Request, token: str) -> Response:
        return Response(serializers.export_links({"request": request}, self.study()))


class Archive(OfStudy):
    """Every table, the set-up, the data dictionary and the files for `analyze`, in one zip."""

    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY})
    def get(self, request: Request, token: str) -> HttpResponseBase:
        return zip_response(self.study())


class Export(OfStudy):
    """One table of raw rows as a file, as a stream."""

    @extend_schema(
        parameters=[
            OpenApiParameter("name", location=OpenApiParameter.PATH, enum=list(TABLES)),
            OpenApiParameter("ending", location=OpenApiParameter.PATH, enum=list(FORMATS)),
        ],
        responses={(200, content_type): OpenApiTypes.BINARY for content_type in FORMATS.values()},
    )
    def get(self, request: Request, token: str, name: str, ending: str) -> HttpResponseBase:
        study = self.study()
        if name not in TABLES or ending not in FORMATS:
            raise Http404
        return export_response(study, TABLES[name], ending)


class Formats(OfStudy):
    """Other programs' formats in which the study can be written, with their addresses."""

    @extend_schema(responses=serializers.FormatSerializer(many=True))
    def get(self, request: Request, token: str) -> Response:
        return Response(serializers.format_links({"request": request}, self.study()))


class TooLarge(APIException):
    """A study whose file takes too long to write."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = "This study is large. Export it with the command manage.py export_study --as."
    default_code = "too_large"


class StudyInFormat(OfStudy):
    """The study in another program's format, as a file.

    404 if nobody has answered; 409 for a study that is too large to write while you wait: the command `export_study
    --as` writes it.
    """

    @extend_schema(
        parameters=[OpenApiParameter("name", location=OpenApiParameter.PATH, enum=list(OTHER_FORMATS))],
        responses={
            (200, one.media_type): OpenApiTypes.ANY if one.media_type == JSON else OpenApiTypes.BINARY
            for one in OTHER_FORMATS.values()
        },
    )
    def get(self, request: Request, token: str, name: str) -> HttpResponseBase:
        study = self.study()
        if name not in OTHER_FORMATS:
            raise Http404
        if not is_quickly_released(study):
            raise TooLarge
        return format_response(study, OTHER_FORMATS[name])
