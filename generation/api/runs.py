"""Runs by API: start one, follow its progress, control it, and list its images."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib.auth.models import User
from django.db.models import Prefetch, QuerySet
from django.http import FileResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, OpenApiTypes, extend_schema
from rest_framework import generics, status
from rest_framework.exceptions import APIException, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from generation import dispatch
from generation.api.imports import MayImport
from generation.api.run_serializers import (
    FailureSerializer,
    ImageSerializer,
    RunSerializer,
    StartSerializer,
    WholeRunSerializer,
)
from generation.models import Image, MetricScore, Run, Step
from generation.queries.runs import overview as queries
from generation.queries.runs.images import images_of_run
from generation.queries.stored_files import opened
from generation.recipes.matrix.matrix import BadMatrix
from generation.services.manifests import manifest_of
from generation.services.runs import steering
from generation.services.runs.steering import NotNow

RUNS_LISTED = 100
CONTENT_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}


class Conflict(APIException):
    """The run is in a state in which this cannot be done."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "not_now"


def _answer(request: Request, run: Run, *, whole: bool = True) -> dict[str, Any]:
    serializer = WholeRunSerializer if whole else RunSerializer
    return dict(serializer(run, context={"request": request}).data)


class Runs(APIView):
    """The latest runs; a new one can be started."""

    permission_classes = (MayImport,)
    write_scope = "data"

    @extend_schema(responses=RunSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Everybody's latest 100 runs: prompts and images are shared below the studies."""
        rows = Run.objects.select_related("prompt_set")[:RUNS_LISTED]
        return Response(RunSerializer(rows, many=True, context={"request": request}).data)

    @extend_schema(request=StartSerializer, responses={202: WholeRunSerializer})
    def post(self, request: Request) -> Response:
        """Start a run. 202 with its address; 400 names the field and the cure."""
        asked = StartSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        try:
            run = dispatch.start_run(
                name=given.get("name") or given.get("experiment") or "API",
                owner=cast("User", request.user),
                prompt_set=given["prompt_set"],
                prompts=given["prompts"],
                matrix=given["matrix"],
                priority=given["priority"],
                may_reuse=given["may_reuse"],
            )
        except BadMatrix as problem:
            raise ValidationError({"matrix": [str(problem)]}) from problem
        answer = _answer(request, run)
        return Response(answer, status.HTTP_202_ACCEPTED, headers={"Location": answer["url"]})


class OneRun(APIView):
    """A run's progress."""

    permission_classes = (MayImport,)
    write_scope = "data"

    @extend_schema(responses=WholeRunSerializer)
    def get(self, request: Request, run_id: int) -> Response:
        return Response(_answer(request, _run(run_id)))


class Steer(APIView):
    """Pause, resume, cancel, retry: for the run's owner and the site's staff. 409 where its state forbids it."""

    permission_classes = (MayImport,)
    write_scope = "data"
    act: Callable[..., object] = steering.pause

    @extend_schema(
        request=None,
        responses={200: WholeRunSerializer, 409: OpenApiResponse(description="The run's state does not allow it.")},
    )
    def post(self, request: Request, run_id: int) -> Response:
        run = _run(run_id)
        if not queries.may_steer(cast("User", request.user), run):
            raise PermissionDenied("Only the run's owner and administrators can do this.")
        try:
            type(self).act(run=run)
        except NotNow as problem:
            raise Conflict(str(problem)) from problem
        run.refresh_from_db()
        return Response(_answer(request, run))


class Pause(Steer):
    """Start no further steps; steps in progress are finished."""

    act = staticmethod(steering.pause)


class Resume(Steer):
    """Resume a paused run."""

    act = staticmethod(dispatch.resume_run)


class Cancel(Steer):
    """End a run; finished results are kept."""

    act = staticmethod(steering.cancel)


class Retry(Steer):
    """Retry failed steps."""

    act = staticmethod(dispatch.retry_run)


class RunImages(generics.ListAPIView[Image]):
    """The images of a run with their scores."""

    permission_classes = (MayImport,)
    write_scope = "data"
    serializer_class = ImageSerializer
    queryset = Image.objects.none()

    def get_queryset(self) -> "QuerySet[Image]":
        scores = Prefetch("scores", MetricScore.objects.order_by("metric", "version"))
        images = Image.objects.filter(pk__in=images_of_run(_run(self.kwargs["run_id"]).pk))
        return images.select_related("prompt", "method", "variant").prefetch_related(scores)


class RunManifest(APIView):
    """How each image of a run was made, one JSON object per line; `manage.py reproduce` makes them again from it."""

    permission_classes = (MayImport,)
    write_scope = "data"

    @extend_schema(responses={(200, "application/x-ndjson"): OpenApiTypes.BINARY})
    def get(self, request: Request, run_id: int) -> StreamingHttpResponse:
        return manifest_of(_run(run_id))


class ImageFile(APIView):
    """An image's original file, byte for byte."""

    permission_classes = (MayImport,)
    write_scope = "data"

    @extend_schema(responses={(200, content_type): OpenApiTypes.BINARY for content_type in CONTENT_TYPES.values()})
    def get(self, request: Request, image_id: int) -> FileResponse:
        image = get_object_or_404(Image.objects.exclude(file=""), pk=image_id)
        return FileResponse(opened(image.file), content_type=CONTENT_TYPES[image.format])


class RunFailures(generics.ListAPIView[Step]):
    """The failed steps of a run."""

    permission_classes = (MayImport,)
    write_scope = "data"
    serializer_class = FailureSerializer
    queryset = Step.objects.none()

    def get_queryset(self) -> "QuerySet[Step]":
        return queries.failures(_run(self.kwargs["run_id"]))


def _run(run_id: int) -> Run:
    return get_object_or_404(Run.objects.select_related("prompt_set"), pk=run_id)
