"""REST API, version 1: a study as its researchers may read it.

To everybody else a study is not there: 404, also for its annotators and auditors, who must not learn what made an
image. They work on the pages alone.
"""

from typing import Any, cast

from django.contrib.auth.models import User
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.authentication import SessionAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.exceptions import PermissionDenied
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations import dispatch
from annotations.api import serializers
from annotations.models import Dimension, Item, ItemImage, Rater, ReportSnapshot, Study
from annotations.models import Response as Answer
from annotations.queries import studies as queries
from annotations.queries.reports import last_finished
from annotations.queries.result_units import linked_methods
from annotations.services.exports import TABLES
from annotations.services.reports import DEFAULT_SEED
from annotations.views.exports import FORMATS, export_response


class ByKey(CursorPagination):
    """Pages by the row's key: neither deep pages nor rows that come meanwhile cost or shift anything."""

    ordering = "pk"
    page_size = 100
    max_page_size = 1000
    page_size_query_param = "page_size"


class NewestFirst(ByKey):
    ordering = "-pk"


class OfStudy(APIView):
    """What views of one study's part share: it is found among those that the caller runs."""

    def study(self) -> Study:
        runs = queries.studies_run_by(cast("User", self.request.user))
        return get_object_or_404(runs.select_related("owner"), token=self.kwargs["token"])


class Studies(generics.ListAPIView[Study]):
    """The studies that you run, newest first."""

    serializer_class = serializers.StudySerializer
    pagination_class = NewestFirst
    queryset = Study.objects.none()

    def get_queryset(self) -> QuerySet[Study]:
        runs = queries.studies_run_by(cast("User", self.request.user)).select_related("owner")
        return queries.with_progress(runs)


class StudyDetail(generics.RetrieveAPIView[Study]):
    """One study with its questions."""

    serializer_class = serializers.StudyDetailSerializer
    lookup_field = "token"
    queryset = Study.objects.none()

    def get_queryset(self) -> QuerySet[Study]:
        runs = queries.studies_run_by(cast("User", self.request.user)).select_related("owner")
        return queries.with_progress(runs).prefetch_related(
            Prefetch("dimensions", queryset=Dimension.objects.order_by("position"))
        )


class Items(OfStudy, generics.ListAPIView[Item]):
    """What the study shows, with the images' methods."""

    serializer_class = serializers.ItemSerializer
    pagination_class = ByKey
    queryset = Item.objects.none()

    def get_queryset(self) -> QuerySet[Item]:
        images = ItemImage.objects.select_related("image__method").order_by("slot")
        items = self.study().items.select_related("prompt")
        return items.prefetch_related(Prefetch("item_images", queryset=images))


class Raters(OfStudy, generics.ListAPIView[Rater]):
    """Who rates, and how far each is."""

    serializer_class = serializers.RaterSerializer
    pagination_class = ByKey
    queryset = Rater.objects.none()

    def get_queryset(self) -> QuerySet[Rater]:
        return queries.raters_with_progress(self.study())


@extend_schema(
    parameters=[OpenApiParameter("all_revisions", bool, description="Also answers that were changed later.")]
)
class Responses(OfStudy, generics.ListAPIView[Answer]):
    """The answers that count, or with `?all_revisions=true` every one, in the order in which they came."""

    serializer_class = serializers.ResponseSerializer
    pagination_class = ByKey
    queryset = Answer.objects.none()

    def get_queryset(self) -> QuerySet[Answer]:
        answers = Answer.objects.filter(dimension__in=list(self.dimensions)).select_related("assignment")
        if self.request.query_params.get("all_revisions", "").lower() in ("1", "true", "yes"):
            return answers
        return answers.filter(is_current=True)

    @property
    def dimensions(self) -> dict[int, Dimension]:
        if not hasattr(self, "_dimensions"):
            self._dimensions = {one.pk: one for one in self.study().dimensions.all()}
        return self._dimensions

    def get_serializer_context(self) -> dict[str, Any]:
        context = super().get_serializer_context()
        is_schema = getattr(self, "swagger_fake_view", False)
        return {**context, "dimensions": {} if is_schema else self.dimensions}


class Results(OfStudy):
    """The study's results: 200 with those of its present answers, 202 while these are being worked out."""

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
    """Where every table of raw rows is."""

    @extend_schema(responses=serializers.ExportSerializer(many=True))
    def get(self, request: Request, token: str) -> Response:
        return Response(serializers.export_links({"request": request}, self.study()))


class Export(OfStudy):
    """One table of raw rows as a file, in a stream."""

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, token: str, name: str, ending: str) -> HttpResponseBase:
        study = self.study()
        if name not in TABLES or ending not in FORMATS:
            raise Http404
        return export_response(study, TABLES[name], ending)


class OwnToken(APIView):
    """`POST`, signed in by the browser: a new token for programs, which ends the one before. `DELETE`: end it."""

    authentication_classes = (SessionAuthentication,)

    @extend_schema(request=None, responses={201: {"type": "object", "properties": {"token": {"type": "string"}}}})
    def post(self, request: Request) -> Response:
        user = cast("User", request.user)
        if not (user.has_perm("annotations.add_study") or queries.studies_run_by(user).exists()):
            raise PermissionDenied
        Token.objects.filter(user=user).delete()
        return Response({"token": Token.objects.create(user=user).key}, status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        Token.objects.filter(user=cast("User", request.user)).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)
