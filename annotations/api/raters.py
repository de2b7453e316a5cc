"""A study's raters by API: their progress, and who does not count."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.access import OfStudy, caller, naming_fields
from annotations.api.serializers import RaterSerializer
from annotations.models import PanelVisit, Rater
from annotations.queries import studies as queries
from annotations.services.activity import Action, note
from annotations.services.exclusions import exclude_rater, include_rater
from annotations.services.raters.panel_visits import pay_of


class Raters(OfStudy, generics.ListAPIView[Rater]):
    """The raters and their progress."""

    serializer_class = RaterSerializer
    queryset = Rater.objects.none()

    def get_queryset(self) -> QuerySet[Rater]:
        return queries.raters_with_progress(self.study())


class ParticipantSerializer(serializers.ModelSerializer[PanelVisit]):
    """A visit from a panel, and what to do about it there. `pay` is "approve" for a completed visit of a rater who is
    in the results, or who was erased and is still to be paid (`participant` is then empty); "reject" for one of a rater
    who was excluded, with the reason; and empty for any other visit and for raters who withdrew."""

    participant = serializers.CharField(source="shown_participant", read_only=True)
    rater = serializers.IntegerField(source="rater_id", read_only=True, allow_null=True)
    rater_name = serializers.CharField(source="rater.name", default="", read_only=True)
    pay = serializers.SerializerMethodField(method_name="pay_of")
    reason = serializers.SerializerMethodField(method_name="reason_of")

    class Meta:
        model = PanelVisit
        fields = [
            *("id", "participant", "session", "state", "arrived_at", "ended_at"),
            *("rater", "rater_name", "pay", "reason"),
        ]

    @extend_schema_field({"type": "string", "enum": ["approve", "reject", ""]})
    def pay_of(self, visit: PanelVisit) -> str:
        return pay_of(visit)

    @extend_schema_field({"type": "string"})
    def reason_of(self, visit: PanelVisit) -> str:
        return visit.rater.excluded_reason if visit.rater and pay_of(visit) == "reject" else ""


class Participants(OfStudy, generics.ListAPIView[PanelVisit]):
    """Visitors from a panel, and whom to approve there. The only place in the API with the panel's identifiers."""

    serializer_class = ParticipantSerializer
    queryset = PanelVisit.objects.none()

    def get_queryset(self) -> QuerySet[PanelVisit]:
        return PanelVisit.objects.filter(panel__study=self.study()).select_related("rater")

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Reading the identifiers is recorded, as for a file of them."""
        if not request.query_params.get("cursor"):
            note(study=self.study(), actor=caller(request), action=Action.EXPORTED, file="participants (API)")
        return super().list(request, *args, **kwargs)


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
    """Including a rater again."""

    @extend_schema(request=None, responses={200: RaterSerializer})
    def post(self, request: Request, token: str, rater_id: int) -> Response:
        """Count an excluded rater's answers again."""
        rater = get_object_or_404(self.study().raters, pk=rater_id)
        include_rater(rater=rater, by=caller(request))
        return Response(RaterSerializer(queries.raters_with_progress(self.study()).get(pk=rater.pk)).data)
