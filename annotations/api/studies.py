"""Studies by API: creating, opening and closing them, invitations and members, and methods that join later."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics, serializers, status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.access import MayMakeStudies, OfStudy, caller, naming_fields
from annotations.api.designs import NewStudySerializer, StudyFields, as_data, dimensions_of, study_form
from annotations.api.serializers import StudyDetailSerializer, StudySerializer, address
from annotations.forms.studies import InvitationForm, SettingsForm, StudyForm
from annotations.models import Dimension, Extension, Membership, Study
from annotations.queries import studies as queries
from annotations.queries.benchmarks import tries_of
from annotations.questions import PRESETS
from annotations.services import invitations, studies
from annotations.services.activity import Action
from annotations.services.benchmarks.joining import add_methods
from annotations.views.studies.design import refuse_misfits
from generation.models import Method

OPEN_TO_THEIR_NAMES = "The invitation's address. Anyone who has it can join while it is open."


class StudyFilter(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=Study.State.choices, required=False)
    title = serializers.CharField(required=False, help_text="Exactly this title.")


class Studies(generics.ListAPIView[Study]):
    """The studies that you run, the newest first; and creating one."""

    permission_classes = (MayMakeStudies,)
    write_scope = "studies"
    serializer_class = StudySerializer
    newest_first = True
    queryset = Study.objects.none()

    def get_queryset(self) -> QuerySet[Study]:
        asked = StudyFilter(data=self.request.query_params)
        asked.is_valid(raise_exception=True)
        runs = queries.studies_run_by(caller(self.request)).filter(**asked.validated_data).select_related("owner")
        return queries.with_progress(runs)

    @extend_schema(parameters=[StudyFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(request=NewStudySerializer, responses={201: StudyDetailSerializer})
    def post(self, request: Request) -> Response:
        """Create a study: a draft, or with `open` one that lets raters in. Identify the call by an Idempotency-Key."""
        asked = NewStudySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        form, dimensions = study_form(given), dimensions_of(given.get("questions", []))
        study: Study = form.save(commit=False)
        study.owner, study.closes_at = caller(request), given.get("closes_at")
        if minutes := given.get("closes_in_minutes"):
            study.closes_at = timezone.now() + timedelta(minutes=minutes)
        with naming_fields(), transaction.atomic():
            refuse_misfits(study, dimensions)
            selection = form.selection()
            studies.create_study(study=study, dimensions=dimensions, selection=selection, budget=given.get("budget"))
            if given.get("open"):
                studies.open_study(study=study, by=caller(request))
        answer = detail(request, study)
        return Response(answer, status.HTTP_201_CREATED, headers={"Location": answer["url"]})


class ChangedStudySerializer(StudyFields):
    """What can be changed in an existing study."""

    title = serializers.CharField(max_length=200, required=False)


class NotADraft(APIException):
    """The study has been open: its questions can no longer be changed."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "not-a-draft"
    default_detail = "This study has been open, so its questions and items stay. Make another one like it."


class StudyDetail(OfStudy):
    """One study with its questions."""

    @extend_schema(responses=StudyDetailSerializer)
    def get(self, request: Request, token: str) -> Response:
        return Response(detail(request, self.study()))

    @extend_schema(
        request=NewStudySerializer,
        responses={200: StudyDetailSerializer, 409: OpenApiResponse(description="It is no longer a draft.")},
    )
    def put(self, request: Request, token: str) -> Response:
        """Replace a draft's design: its images, questions and words. A study that has been open cannot be changed."""
        study = self.study()
        if study.state != Study.State.DRAFT:
            raise NotADraft
        asked = NewStudySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        form, dimensions = study_form(given, study), dimensions_of(given.get("questions", []))
        changed: Study = form.save(commit=False)
        with naming_fields(), transaction.atomic():
            refuse_misfits(changed, dimensions)
            studies.change_draft(
                study=changed,
                fields=StudyForm.Meta.fields,
                dimensions=dimensions,
                selection=form.selection(),
                seen=study.revision,
                by=caller(request),
            )
            if given.get("open"):
                studies.open_study(study=changed, by=caller(request))
        return Response(detail(request, changed))

    @extend_schema(request=ChangedStudySerializer, responses={200: StudyDetailSerializer})
    def patch(self, request: Request, token: str) -> Response:
        """Change the study's words and its pace. Its questions and images stay the same."""
        asked = ChangedStudySerializer(data=request.data, partial=True)
        asked.is_valid(raise_exception=True)
        study, given = self.study(), asked.validated_data
        if "exclusion_rule" in given and study.state != Study.State.DRAFT:
            raise ValidationError({"exclusion_rule": ["It has been fixed since the study opened."]})
        data = as_data(SettingsForm(instance=study))
        for name, value in given.items():
            data[name] = "" if value is None else str(value)
        form = SettingsForm(data=data, instance=study)
        if not form.is_valid():
            raise ValidationError({name: list(map(str, problems)) for name, problems in form.errors.items()})
        study.closes_at = given.get("closes_at", study.closes_at)  # to the second, unlike the page's
        changed = [name for name in form.fields if name in given]
        studies.change_settings(study=study, fields=changed, by=caller(request))
        return Response(detail(request, study))


class OpenStudy(OfStudy):
    """Letting raters in."""

    @extend_schema(request=None, responses={200: StudyDetailSerializer})
    def post(self, request: Request, token: str) -> Response:
        """Open the study; one that is open stays so."""
        with naming_fields():
            studies.open_study(study=self.study(), by=caller(request))
        return Response(detail(request, self.study()))


class CloseStudy(OfStudy):
    """Assigning no further cards."""

    @extend_schema(request=None, responses={200: StudyDetailSerializer})
    def post(self, request: Request, token: str) -> Response:
        """Close the study. Answers to cards that raters already hold are still taken."""
        studies.close_study(study=self.study(), by=caller(request))
        return Response(detail(request, self.study()))


class InvitationSerializer(serializers.ModelSerializer[Study]):
    """The address where raters join, and who may join."""

    link = serializers.SerializerMethodField(help_text=OPEN_TO_THEIR_NAMES)
    why_closed = serializers.SerializerMethodField()
    n_people = serializers.SerializerMethodField()
    most_raters = serializers.IntegerField(min_value=1, max_value=2**31 - 1, required=False, allow_null=True)

    class Meta:
        model = Study
        fields = ["link", "takes_raters", "most_raters", "joining_until", "joining_code", "why_closed", "n_people"]

    def get_link(self, study: Study) -> str:
        return address(self, "join", study.invitation)

    def get_why_closed(self, study: Study) -> str | None:
        return invitations.why_closed(study)

    def get_n_people(self, study: Study) -> int:
        return invitations.n_people(study)


class Invitation(OfStudy):
    """The study's invitation."""

    @extend_schema(responses=InvitationSerializer)
    def get(self, request: Request, token: str) -> Response:
        return self._answer(request)

    @extend_schema(request=InvitationSerializer, responses={200: InvitationSerializer})
    def patch(self, request: Request, token: str) -> Response:
        """Change who may still join, how many, until when, and with which code."""
        study = self.study()
        asked = InvitationSerializer(study, data=request.data, partial=True, context={"request": request})
        asked.is_valid(raise_exception=True)
        given = {name: value for name, value in asked.validated_data.items() if name in InvitationForm.base_fields}
        for name, value in given.items():
            setattr(study, name, value)
        studies.change_settings(study=study, fields=list(given), by=caller(request), action=Action.INVITATION)
        return self._answer(request)

    @extend_schema(request=None, responses={200: InvitationSerializer})
    def post(self, request: Request, token: str) -> Response:
        """Give the study a new address; the old one stops working."""
        invitations.renew_invitation(study=self.study(), by=caller(request))
        return self._answer(request)

    def _answer(self, request: Request) -> Response:
        return Response(InvitationSerializer(self.study(), context={"request": request}).data)


class MemberSerializer(serializers.ModelSerializer[Membership]):
    """A person with a role in the study, by the name they sign in with."""

    username = serializers.CharField(source="user.username", max_length=150)

    class Meta:
        model = Membership
        fields = ["id", "username", "role"]


class Members(OfStudy):
    """The people who run or audit the study with its owner."""

    @extend_schema(responses=MemberSerializer(many=True))
    def get(self, request: Request, token: str) -> Response:
        members = self.study().memberships.select_related("user").order_by("user__username", "role")
        return Response(MemberSerializer(members, many=True).data)

    @extend_schema(request=MemberSerializer, responses={201: MemberSerializer})
    def post(self, request: Request, token: str) -> Response:
        """Give an account holder a role in the study."""
        study = self.study()
        asked = MemberSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        username, role = asked.validated_data["user"]["username"], asked.validated_data["role"]
        with naming_fields():
            member = studies.add_member(study=study, username=username, role=role, by=caller(request))
        return Response(MemberSerializer(member).data, status.HTTP_201_CREATED)


class OneMember(OfStudy):
    """One person's role in the study."""

    @extend_schema(responses={204: None})
    def delete(self, request: Request, token: str, membership_id: int) -> Response:
        """End the role. The person's work stays."""
        member = get_object_or_404(self.study().memberships, pk=membership_id)
        studies.remove_member(study=self.study(), membership_id=member.pk, by=caller(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ExtensionSerializer(serializers.ModelSerializer[Extension]):
    """An addition of methods to an existing study. `results_before` is the time of the results before it."""

    methods = serializers.SerializerMethodField()
    added_by = serializers.CharField(source="added_by.username", default=None, allow_null=True, read_only=True)
    results_before = serializers.DateTimeField(source="results_before.ended_at", default=None, allow_null=True)

    class Meta:
        model = Extension
        fields = ["id", "methods", "first_position", "n_items", "note", "added_by", "added_at", "results_before"]

    def get_methods(self, extension: Extension) -> list[str]:
        return sorted(method.name for method in extension.methods.all())


class NewExtensionSerializer(serializers.Serializer[Any]):
    """Methods that join the study: by name, with images of its prompts."""

    methods = serializers.ListField(child=serializers.CharField(max_length=200), min_length=1, max_length=50)
    note = serializers.CharField(max_length=500, required=False, allow_blank=True, help_text="What this try is.")


class Extensions(OfStudy):
    """A living benchmark: a record of every addition of methods to the study."""

    @extend_schema(responses=ExtensionSerializer(many=True))
    def get(self, request: Request, token: str) -> Response:
        return Response(ExtensionSerializer(tries_of(self.study()), many=True).data)

    @extend_schema(
        request=NewExtensionSerializer,
        responses={201: ExtensionSerializer, 409: OpenApiResponse(description="Another call is adding methods now.")},
    )
    def post(self, request: Request, token: str) -> Response:
        """Let methods join: their images for the study's prompts become new items; the old items stay unchanged."""
        study = self.study()
        asked = NewExtensionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        names = asked.validated_data["methods"]
        methods = list(Method.objects.filter(name__in=names))
        if missing := set(names) - {method.name for method in methods}:
            raise ValidationError({"methods": [f"There is no method “{min(missing)}”. Send its images first."]})
        with naming_fields():
            made = add_methods(
                study=study, methods=methods, by=caller(request), remark=asked.validated_data.get("note", "")
            )
        return Response(ExtensionSerializer(made).data, status.HTTP_201_CREATED)


class PresetSerializer(serializers.Serializer[Any]):
    """A ready-made question, to which a new study refers by its key."""

    key = serializers.CharField()
    title = serializers.CharField()
    name = serializers.CharField()
    question = serializers.CharField()
    kind = serializers.CharField()
    about = serializers.CharField()
    levels = serializers.ListField(source="level_rows", child=serializers.DictField())
    allows_unable = serializers.BooleanField()
    only_for = serializers.CharField(help_text="The only kind of item that it can be asked about; empty: any kind.")


class Presets(generics.ListAPIView[Any]):
    """Ready-made questions with their scales."""

    serializer_class = PresetSerializer
    pagination_class = None
    queryset = Dimension.objects.none()

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(PresetSerializer(list(PRESETS.values()), many=True).data)


def detail(request: Request, study: Study) -> dict[str, Any]:
    """The study in the form of `StudyDetail`, as it is stored now."""
    rows = queries.with_progress(Study.objects.filter(pk=study.pk).select_related("owner"))
    rows = rows.prefetch_related(Prefetch("dimensions", queryset=Dimension.objects.order_by("position")))
    return dict(StudyDetailSerializer(rows.get(), context={"request": request}).data)
