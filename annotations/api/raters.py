"""A study's raters by API: how far each is, and who does not count."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.access import OfStudy, caller, naming_fields
from annotations.api.serializers import RaterSerializer
from annotations.models import Rater
from annotations.queries import studies as queries
from annotations.services.exclusions import exclude_rater, include_rater


class Raters(OfStudy, generics.ListAPIView[Rater]):
    """Who rates, and how far each is."""

    serializer_class = RaterSerializer
    queryset = Rater.objects.none()

    def get_queryset(self) -> QuerySet[Rater]:
        return queries.raters_with_progress(self.study())


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500, help_text="The report states it.")


class ExcludeRater(OfStudy):
    """Leaving a rater out of the results."""

    @extend_schema(request=ReasonSerializer, responses={200: RaterSerializer})
    def post(self, request: Request, token: str, rater_id: int) -> Response:
        """Leave a rater out of every figure, and give their places to others. Their answers are kept."""
        rater = get_object_or_404(self.study().raters, pk=rater_id)
        asked = ReasonSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        with naming_fields():
            exclude_rater(rater=rater, reason=asked.validated_data["reason"], by=caller(request))
        return Response(RaterSerializer(queries.raters_with_progress(self.study()).get(pk=rater.pk)).data)


class IncludeRater(OfStudy):
    """Taking a rater in again."""

    @extend_schema(request=None, responses={200: RaterSerializer})
    def post(self, request: Request, token: str, rater_id: int) -> Response:
        """Count an excluded rater's answers again."""
        rater = get_object_or_404(self.study().raters, pk=rater_id)
        include_rater(rater=rater, by=caller(request))
        return Response(RaterSerializer(queries.raters_with_progress(self.study()).get(pk=rater.pk)).data)
