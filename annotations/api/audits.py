"""The audit of a study's critics, by API: planning, opening and closing it, and its results."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.access import OfStudy, caller, naming_fields
from annotations.forms.audits import PlanForm
from annotations.models import AuditPlan, Membership
from annotations.queries.audits import overview as overviews
from annotations.queries.audits import work as queries
from annotations.reports.documents.conversion import to_json
from annotations.services.audits import plans
from annotations.services.critic_reports import find_critic_report
from annotations.services.studies import add_member
from annotations.views.audits.critic import DEFAULT_PARTLY, PARTLY
from generation.models import Method

NO_PLAN = "This study has no audit. Plan one first."


class AuditSerializer(serializers.ModelSerializer[AuditPlan]):
    """An audit, and how many images and pairs it asks auditors to judge."""

    n_items = serializers.IntegerField(source="items.count", read_only=True)
    critics = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = AuditPlan
        fields = [
            *("state", "critics", "auditors_per_image", "lists_first_share", "with_elements", "with_wrong_image"),
            *("with_planted", "with_repair", "lease_minutes", "seed", "n_items"),
        ]


class NewAuditSerializer(serializers.Serializer[Any]):
    """The plan of a new audit, as on its page; `error_free` names methods whose images are known to have no errors."""

    critics = serializers.ListField(child=serializers.CharField(max_length=200), required=False, max_length=100)
    auditors_per_image = serializers.IntegerField(min_value=1, max_value=100, default=2)
    lists_first_percent = serializers.IntegerField(min_value=0, max_value=100, default=50)
    with_elements = serializers.BooleanField(default=True)
    with_wrong_image = serializers.BooleanField(default=True)
    with_planted = serializers.BooleanField(default=True)
    with_repair = serializers.BooleanField(default=False)
    placebo_percent = serializers.IntegerField(min_value=0, max_value=100, default=10)
    error_free = serializers.ListField(child=serializers.CharField(max_length=200), required=False, max_length=100)
    lease_minutes = serializers.IntegerField(min_value=1, max_value=10_000, default=60)
    seed = serializers.IntegerField(min_value=0, max_value=2**63 - 1, required=False)


class AuditOfStudy(OfStudy):
    """The study's audit; 404 if there is none yet."""

    @extend_schema(responses=AuditSerializer)
    def get(self, request: Request, token: str) -> Response:
        return Response(AuditSerializer(_plan(self)).data)

    @extend_schema(request=NewAuditSerializer, responses={201: AuditSerializer})
    def post(self, request: Request, token: str) -> Response:
        """Plan an audit. Open it to let auditors begin."""
        study = self.study()
        asked = NewAuditSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        images, critics = queries.study_images(study), queries.critics_of(study)
        methods = list(Method.objects.filter(images__in=images).distinct().order_by("name"))
        by_name = {method.name: method.pk for method in methods}
        if unknown := [name for name in given.get("error_free", []) if name not in by_name]:
            raise ValidationError({"error_free": [f"The study has no method “{unknown[0]}”."]})
        data = {name: value for name, value in given.items() if value is not False}
        data["critics"] = given.get("critics") or list(critics)
        data["error_free"] = [by_name[name] for name in given.get("error_free", [])]
        data.setdefault("seed", study.seed)
        form = PlanForm(data, critics=critics, methods=methods)
        if not form.is_valid():
            raise ValidationError({name: list(map(str, problems)) for name, problems in form.errors.items()})
        clean = images.filter(method__in=form.cleaned_data["error_free"]).values_list("pk", flat=True)
        with naming_fields():
            plan = plans.make_plan(study=study, created_by=caller(request), clean=list(clean), **form.plan_fields())
        return Response(AuditSerializer(plan).data, status.HTTP_201_CREATED)


class OpenAudit(OfStudy):
    """Letting auditors in."""

    @extend_schema(request=None, responses={200: AuditSerializer})
    def post(self, request: Request, token: str) -> Response:
        """Open the audit."""
        return _set_state(self, request, AuditPlan.State.OPEN)


class CloseAudit(OfStudy):
    """Assigning no further images."""

    @extend_schema(request=None, responses={200: AuditSerializer})
    def post(self, request: Request, token: str) -> Response:
        """Close the audit. Auditors can still judge the images that they hold."""
        return _set_state(self, request, AuditPlan.State.CLOSED)


class AuditorSerializer(serializers.Serializer[Any]):
    """An auditor, by the name they sign in with, and how many images and pairs they have judged."""

    username = serializers.CharField(max_length=150, source="user.username")
    n_done = serializers.IntegerField(read_only=True, default=0)


class Auditors(OfStudy):
    """Who judges the critics' claims."""

    @extend_schema(responses=AuditorSerializer(many=True))
    def get(self, request: Request, token: str) -> Response:
        study = self.study()
        came = {auditor.user_id: auditor for auditor in overviews.auditors_with_progress(study)}
        members = (
            study.memberships.filter(role=Membership.Role.AUDITOR).select_related("user").order_by("user__username")
        )
        rows = [came.get(member.user_id, member) for member in members]
        return Response(AuditorSerializer(rows, many=True).data)

    @extend_schema(request=AuditorSerializer, responses={201: AuditorSerializer})
    def post(self, request: Request, token: str) -> Response:
        """Give an account holder an auditor's right in the study."""
        study = self.study()
        asked = AuditorSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        username = asked.validated_data["user"]["username"]
        with naming_fields():
            member = add_member(study=study, username=username, role=Membership.Role.AUDITOR, by=caller(request))
        return Response(AuditorSerializer(member).data, status.HTTP_201_CREATED)


class CriticResultsSerializer(serializers.Serializer[Any]):
    """The results of the audit, as in the page's JSON download; null while nobody has judged a claim."""

    results = serializers.DictField(allow_null=True)


class CriticResults(OfStudy):
    """Can the critics be trusted? The report on the current state of the audit."""

    @extend_schema(
        parameters=[OpenApiParameter("partly", enum=PARTLY, description="What a partly right claim counts as.")],
        responses={200: CriticResultsSerializer, 404: OpenApiResponse(description="No such study.")},
    )
    def get(self, request: Request, token: str) -> Response:
        asked = request.query_params.get("partly", "")
        partly = next((choice for choice in PARTLY if choice == asked), DEFAULT_PARTLY)
        found = find_critic_report(study=self.study(), partly=partly)
        return Response({"results": None if found is None else to_json(found)})


def _plan(view: OfStudy) -> AuditPlan:
    plan = AuditPlan.objects.select_related("study").filter(study=view.study()).first()
    if plan is None:
        raise NotFound(NO_PLAN)
    return plan


def _set_state(view: OfStudy, request: Request, state: str) -> Response:
    plan = _plan(view)
    plans.set_state(plan=plan, state=state, by=caller(request))
    return Response(AuditSerializer(plan).data)
