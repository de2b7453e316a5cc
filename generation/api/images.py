"""Methods and images by API: what there is, and how images are sent."""

import json
from typing import Any, cast

from django.conf import settings
from django.db.models import Count, Prefetch, QuerySet
from django.http import FileResponse, QueryDict
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics, serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from exchange.bundles.manifests import MAX_ROUND
from exchange.tables.values import MAX_INTEGER, MAX_TEXT
from generation.api.addresses import address
from generation.api.imports import TooLarge
from generation.api.rows import CountsSerializer, FilteredList, OfData, caller, key_field, rejecting
from generation.api.run_serializers import ScoreSerializer
from generation.api.uploads import FormWithFiles
from generation.models import Image, Method, MetricScore
from generation.queries.stored_files import opened
from generation.services.pushes.images import MOST_ROWS, Pushed, push_images
from generation.views.rights import is_too_large


class MethodSerializer(serializers.ModelSerializer[Method]):
    """A named way to get an image."""

    n_images = serializers.IntegerField(read_only=True)
    parameters = serializers.DictField(read_only=True)

    class Meta:
        model = Method
        fields = ["id", "name", "kind", "parameters", "is_simulated", "n_images"]


class MethodFilter(serializers.Serializer[Any]):
    name = serializers.CharField(required=False, help_text="Exactly this name.")
    prompt_set = serializers.CharField(required=False, help_text="Only methods with images of this set, by its name.")


class Methods(FilteredList[Method]):
    """The methods that made the site's images. An image that is sent makes its method, if new."""

    serializer_class = MethodSerializer
    filter_class = MethodFilter
    queryset = Method.objects.none()

    def get_queryset(self) -> QuerySet[Method]:
        rows = self.filtered(Method.objects.all(), name="name", prompt_set="images__prompt__prompt_set__name")
        return rows.annotate(n_images=Count("images"))

    @extend_schema(parameters=[MethodFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


class StoredImageSerializer(serializers.ModelSerializer[Image]):
    """An image with its scores. `shown_url` is what raters see: its pixels alone."""

    prompt_set = serializers.CharField(source="prompt.prompt_set.name", read_only=True)
    prompt = serializers.CharField(source="prompt.text", read_only=True)
    prompt_key = serializers.CharField(source="prompt.key", read_only=True)
    method = serializers.CharField(source="method.name", read_only=True)
    provenance = serializers.DictField(read_only=True)
    scores = ScoreSerializer(many=True, read_only=True)
    file_url = serializers.SerializerMethodField()
    shown_url = serializers.SerializerMethodField()

    class Meta:
        model = Image
        fields = [
            *("id", "key", "prompt_set", "prompt_id", "prompt_key", "prompt", "method", "seed", "round", "parent_id"),
            *("sha256", "width", "height", "n_bytes", "provenance", "scores", "file_url", "shown_url", "created_at"),
        ]

    def get_file_url(self, image: Image) -> str | None:
        return address(self, "api-image-file", image.pk) if image.file else None

    def get_shown_url(self, image: Image) -> str | None:
        return address(self, "api-image-shown", image.pk) if image.shown else None


class ImageFilter(serializers.Serializer[Any]):
    prompt_set = serializers.CharField(required=False, help_text="The name of its prompt's set.")
    prompt_id = key_field(required=False)
    method = serializers.CharField(required=False, help_text="The name of its method.")
    key = serializers.CharField(required=False)
    sha256 = serializers.CharField(required=False)
    seed = serializers.IntegerField(required=False, min_value=0, max_value=MAX_INTEGER)


class NewImageSerializer(serializers.Serializer[Any]):
    """An image to add: its file, by the name it is sent under, or its address; and what it shows."""

    file = serializers.CharField(max_length=1_024, required=False, help_text="The name of one of `files`.")
    url = serializers.CharField(
        max_length=2_000, required=False, help_text="Instead of a file: its address in a store that the site allows."
    )
    prompt = serializers.CharField(max_length=MAX_TEXT, required=False, trim_whitespace=False)
    prompt_key = serializers.CharField(
        max_length=200, required=False, help_text="The key of a prompt that is already there."
    )
    method = serializers.CharField(max_length=200, required=False, help_text="Instead of the method of the call.")
    seed = serializers.IntegerField(min_value=0, max_value=MAX_INTEGER, required=False, allow_null=True)
    round = serializers.IntegerField(min_value=0, max_value=MAX_ROUND, required=False, allow_null=True)
    parent = serializers.CharField(  # type: ignore[assignment]  # taken off the class when it is made
        max_length=1_024,
        required=False,
        help_text="What it was refined from: another row's file, or the key or SHA-256 of an image that is there.",
    )
    reference = serializers.CharField(
        max_length=1_024,
        required=False,
        help_text="The name of one of `files`: the reference image of its prompt, which studies can show next to it.",
    )
    key = serializers.CharField(max_length=200, required=False, help_text="Your own name for it.")
    metadata = serializers.DictField(required=False, help_text="Whatever else is known; kept as it is.")


class NewImagesSerializer(serializers.Serializer[Any]):
    """Images for a set, which is made if new, as are their prompts and methods."""

    prompt_set = serializers.CharField(max_length=200)
    method = serializers.CharField(max_length=200, required=False, help_text="For images whose row names none.")
    images = serializers.ListField(child=NewImageSerializer(), min_length=1, max_length=MOST_ROWS)


class PushedImageSerializer(serializers.Serializer[Pushed]):
    """The result of a row: `is_new` is false for an image that existed already."""

    row = serializers.IntegerField()
    id = serializers.IntegerField(source="image.pk")
    key = serializers.CharField(source="image.key")
    sha256 = serializers.CharField(source="image.sha256")
    is_new = serializers.BooleanField()


class PushedSerializer(CountsSerializer):
    images = PushedImageSerializer(many=True)


FORM = {
    "type": "object",
    "properties": {
        "prompt_set": {"type": "string", "maxLength": 200},
        "method": {"type": "string", "maxLength": 200},
        "images": {
            "type": "string",
            "description": "A list of images as JSON text, each as in the JSON form of this call, with `file`.",
        },
        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
    },
    "required": ["prompt_set", "images"],
}


class Images(FilteredList[Image]):
    """The site's images in the order in which they were added; further ones can be added."""

    serializer_class = StoredImageSerializer
    filter_class = ImageFilter
    queryset = Image.objects.none()
    parser_classes = [FormWithFiles, *APIView.parser_classes]
    is_repeatable = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if is_too_large(request._request):
            raise TooLarge
        super().initial(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Image]:
        same = {name: name for name in ("prompt_id", "key", "sha256", "seed")}
        rows = self.filtered(Image.objects.all(), prompt_set="prompt__prompt_set__name", method="method__name", **same)
        return _with_scores(rows)

    @extend_schema(parameters=[ImageFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request={"multipart/form-data": FORM, "application/json": NewImagesSerializer},
        responses={200: PushedSerializer, 422: OpenApiResponse(description="Rows that cannot be taken.")},
    )
    def post(self, request: Request) -> Response:
        """Add up to 100 images, all or none: as a form with files, or as JSON with addresses of an allowed store.

        An image is the same when prompt, method, seed, round, parent and its bytes are: sent again, it changes nothing.
        """
        data = request.data
        files: dict[str, bytes] = {}
        if request.content_type.partition(";")[0] == "multipart/form-data":
            files = _files(request)
            form = cast("QueryDict", request.data)
            data = {name: form[name] for name in ("prompt_set", "method") if form.get(name)}
            data["images"] = _rows(form.get("images", ""))
        asked = NewImagesSerializer(data=data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        with rejecting():
            counts, pushed = push_images(
                prompt_set=given["prompt_set"],
                method=given.get("method", ""),
                rows=[{**row.pop("metadata", {}), **row} for row in given["images"]],
                files=files,
                user=caller(request),
            )
        answer = {"n_created": counts.n_created, "n_unchanged": counts.n_unchanged, "images": pushed}
        return Response(PushedSerializer(answer).data)


def _files(request: Request) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for file in request.FILES.getlist("files"):
        if file.name in files:
            raise ValidationError({"files": [f"Two files are called {file.name!r}. Give each a name of its own."]})
        if (file.size or 0) > settings.UPLOAD_MAX_BYTES:
            raise TooLarge
        files[str(file.name)] = file.read()
    return files


def _rows(text: Any) -> Any:
    """The content of the form's field. Characters that databases refuse in texts are refused with their row."""
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, TypeError, RecursionError) as error:
        raise ValidationError({"images": [f"This is not JSON: {error}"[:200]]}) from error


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a number")


class OneImage(OfData, generics.RetrieveAPIView[Image]):
    """An image."""

    serializer_class = StoredImageSerializer
    queryset = Image.objects.none()
    lookup_url_kwarg = "image_id"

    def get_queryset(self) -> QuerySet[Image]:
        return _with_scores(Image.objects.all())


class ShownImage(OfData):
    """An image as raters see it: WebP, pixels alone."""

    @extend_schema(responses={(200, "image/webp"): OpenApiTypes.BINARY})
    def get(self, request: Request, image_id: int) -> FileResponse:
        image = get_object_or_404(Image.objects.exclude(shown=""), pk=image_id)
        return FileResponse(opened(image.shown), content_type="image/webp", status=status.HTTP_200_OK)


def _with_scores(rows: QuerySet[Image]) -> QuerySet[Image]:
    scores = Prefetch("scores", MetricScore.objects.order_by("metric", "version"))
    return rows.select_related("prompt__prompt_set", "method").prefetch_related(scores)
