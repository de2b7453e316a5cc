"""Shared by the views of a study's parts: the study is looked up among those that the caller runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, cast

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError as Problem
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from rest_framework import permissions
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.models import Study
from annotations.queries import studies as queries
from annotations.views.downloads import note_download


def caller(request: Request) -> User:
    return cast("User", request.user)


@contextmanager
def naming_fields() -> Iterator[None]:
    """Turns a service's refusal into an API error, by field if the service names one."""
    try:
        yield
    except Problem as problem:
        by_field = getattr(problem, "message_dict", None) if hasattr(problem, "error_dict") else None
        raise ValidationError(by_field or {"non_field_errors": problem.messages}) from problem


class MayMakeStudies(permissions.BasePermission):
    """Researchers, as on the page; everybody may read lists, and sees their own entries."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.user, User):
            return False
        return request.method in permissions.SAFE_METHODS or request.user.has_perm("annotations.add_study")


class OfStudy(APIView):
    """A view of one study, or of a part of it, for those who run it; for others it does not exist."""

    write_scope = "studies"

    def study(self) -> Study:
        return self._study

    @cached_property
    def _study(self) -> Study:
        runs = queries.studies_run_by(caller(self.request))
        return get_object_or_404(runs.select_related("owner"), token=self.kwargs["token"])

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        """Files are recorded, as on the pages."""
        final = super().finalize_response(request, response, *args, **kwargs)
        if final.headers.get("Content-Disposition"):
            note_download(cast("HttpRequest", request), self.study(), final)
        return final
