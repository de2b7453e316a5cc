"""Scores of automatic metrics by API."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from generation.api.rows import CountsSerializer, FilteredList, caller, key_field, rejecting
from generation.models import MetricScore
from generation.services.pushes.tables import push_scores

MOST_SCORES = 10_000


class StoredScoreSerializer(serializers.ModelSerializer[MetricScore]):
    """One metric version's score for one image."""

    image_key = serializers.CharField(source="image.key", read_only=True)
    method = serializers.CharField(source="image.method.name", read_only=True)

    class Meta:
        model = MetricScore
        fields = ["id", "image_id", "image_key", "method", "metric", "version", "value", "created_at"]


class ScoreFilter(serializers.Serializer[Any]):
    image_id = key_field(required=False)
    metric = serializers.CharField(required=False)
    version = serializers.CharField(required=False)
    method = serializers.CharField(required=False, help_text="The name of the image's method.")
    prompt_set = serializers.CharField(required=False, help_text="The name of the image's prompt set.")


class NewScoreSerializer(serializers.Serializer[Any]):
    """A score to add. Sending the same one again changes nothing; a different value for it is refused."""

    image = serializers.CharField(max_length=1_024, help_text="The image's key, SHA-256 or file name.")
    metric = serializers.CharField(max_length=100)
    version = serializers.CharField(max_length=100, required=False)
    value = serializers.FloatField()


class NewScoresSerializer(serializers.Serializer[Any]):
    prompt_set = serializers.CharField(
        max_length=200, required=False, help_text="Only its images are meant; else those of all sets you may add to."
    )
    scores = serializers.ListField(child=NewScoreSerializer(), min_length=1, max_length=MOST_SCORES)


class Scores(FilteredList[MetricScore]):
    """The site's scores in the order in which they came; further ones can be added."""

    serializer_class = StoredScoreSerializer
    filter_class = ScoreFilter
    queryset = MetricScore.objects.none()
    is_repeatable = True

    def get_queryset(self) -> QuerySet[MetricScore]:
        same = {name: name for name in ("image_id", "metric", "version")}
        rows = MetricScore.objects.select_related("image__method")
        return self.filtered(rows, method="image__method__name", prompt_set="image__prompt__prompt_set__name", **same)

    @extend_schema(parameters=[ScoreFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request=NewScoresSerializer,
        responses={200: CountsSerializer, 422: OpenApiResponse(description="Rows that cannot be taken.")},
    )
    def post(self, request: Request) -> Response:
        """Add scores, all or none: 422 names each row that was refused, with field and cure."""
        asked = NewScoresSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        with rejecting():
            counts = push_scores(prompt_set=given.get("prompt_set", ""), rows=given["scores"], user=caller(request))
        return Response(CountsSerializer(counts).data)
