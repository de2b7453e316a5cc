"""A token for programs, made and ended by the browser's session; the page "Your account" has the rest."""

from typing import cast

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.queries.studies import is_researcher
from evalsite.accounts.tokens import make_token
from evalsite.models import ApiToken

NAME = "made by the API"


class NewTokenSerializer(serializers.ModelSerializer[ApiToken]):
    """The key, which cannot be read again, and when it expires."""

    token = serializers.CharField()

    class Meta:
        model = ApiToken
        fields = ["token", "expires_at"]


class OwnToken(APIView):
    """`POST`, signed in by the browser: a new token, which ends the one made here before. `DELETE`: end that one."""

    authentication_classes = (SessionAuthentication,)

    @extend_schema(request=None, responses={201: NewTokenSerializer})
    def post(self, request: Request) -> Response:
        user = cast("User", request.user)
        if not is_researcher(user):
            raise PermissionDenied
        with transaction.atomic():
            self._own(user).delete()
            token, key = make_token(user=user, name=NAME, days=settings.TOKEN_DAYS)
        return Response({"token": key, "expires_at": token.expires_at}, status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        self._own(cast("User", request.user)).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _own(self, user: User) -> "models.QuerySet[ApiToken]":
        return user.api_tokens.filter(name=NAME)
