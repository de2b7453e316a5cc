"""Joining a study by its invitation, for custom front ends: the answer is a token that can only rate."""

from typing import Any, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError as Problem
from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.forms.studies import JoinForm
from annotations.models import Panel, Study
from annotations.models.participation import plan_of
from annotations.queries.raters.known import has_exercises
from annotations.services.invitations import why_closed
from annotations.services.studies import join
from evalsite.accounts.tokens import MOST_TOKENS, make_token
from evalsite.models import Scope

NAME = "made by joining a study"
NEEDS_PAGE = "People prepare for this study, or come by a panel: let them open its invitation in a browser."


class InvitationToJoinSerializer(serializers.Serializer[Any]):
    """The texts that people read before they join. `is_open` is false if new raters cannot join."""

    title = serializers.CharField()
    instructions = serializers.CharField()
    consent = serializers.CharField()
    needs_code = serializers.BooleanField()
    is_open = serializers.BooleanField()


class JoinSerializer(serializers.Serializer[Any]):
    """A person's consent, a name if they want one, and the study's code if it has one."""

    consent = serializers.BooleanField()
    name = serializers.CharField(max_length=60, required=False, allow_blank=True)
    code = serializers.CharField(max_length=40, required=False, allow_blank=True)


class JoinedSerializer(serializers.Serializer[Any]):
    """The rater's token, which cannot be read again, and the study's token, which the addresses for rating contain."""

    token = serializers.CharField()
    expires_at = serializers.DateTimeField()
    study = serializers.CharField()
    rater = serializers.CharField()


class Join(APIView):
    """A study's invitation."""

    permission_classes = (AllowAny,)
    read_scope = write_scope = "rate"

    @extend_schema(responses=InvitationToJoinSerializer)
    def get(self, request: Request, invitation: str) -> Response:
        study = _study(invitation)
        is_open = study.state == Study.State.OPEN and why_closed(study) is None and not needs_page(study)
        return Response(
            {
                "title": study.title,
                "instructions": study.instructions,
                "consent": study.consent,
                "needs_code": bool(study.joining_code),
                "is_open": is_open,
            }
        )

    @extend_schema(request=JoinSerializer, responses={201: JoinedSerializer})
    def post(self, request: Request, invitation: str) -> Response:
        """Join: as the token's account, or without a token as a new rater."""
        study = _study(invitation)
        if needs_page(study):
            raise ValidationError({"non_field_errors": [NEEDS_PAGE]})
        asked = JoinSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        form = JoinForm(study, {name: value for name, value in asked.validated_data.items() if value})
        if not form.is_valid():
            raise ValidationError({name: list(map(str, problems)) for name, problems in form.errors.items()})
        user = request.user if isinstance(request.user, User) else None
        try:
            with transaction.atomic():
                rater = join(study=study, user=user, name=form.cleaned_data["name"])
                account = cast("User", rater.user)
                if account.api_tokens.count() >= MOST_TOKENS:
                    raise Problem(
                        _("You already have %(n)s tokens. Revoke one that you no longer need.") % {"n": MOST_TOKENS}
                    )
                made, key = make_token(user=account, name=NAME, days=settings.LINK_DAYS, scopes=[Scope.RATE])
        except Problem as problem:
            raise ValidationError({"non_field_errors": problem.messages}) from problem
        answer = {"token": key, "expires_at": made.expires_at, "study": study.token, "rater": rater.name}
        return Response(JoinedSerializer(answer).data, status.HTTP_201_CREATED)


def needs_page(study: Study) -> bool:
    """Whether raters of this study first read, practise or come from a panel, which only its pages support."""
    is_by_panel = Panel.objects.filter(study=study, is_only_way=True).exists()
    return is_by_panel or has_exercises(study) or plan_of(study).content_warning != ""


def _study(invitation: str) -> Study:
    return get_object_or_404(Study.objects.exclude(state=Study.State.DRAFT), invitation=invitation)
