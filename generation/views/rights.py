"""Who may import (the people who may make studies), and who may see the record of the whole site."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from generation.services.imports.importers import importers

P = ParamSpec("P")
# The site has one right for researchers. It is named here by its string alone: this app does not know of studies.
MAY_IMPORT = "annotations.add_study"
# Fields and boundaries of a form, next to its files.
SLACK_BYTES = 2**20

View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def signed_in(request: HttpRequest) -> User:
    """The user of a view that only signed-in people reach."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def may_import(view: View[P]) -> View[P]:
    """For researchers. Signed out: to the sign-in page and back. No such right: 403."""

    @login_required
    @wraps(view)
    def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not signed_in(request).has_perm(MAY_IMPORT):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return checked


def administrators_only(view: View[P]) -> View[P]:
    """For superusers. Signed out: to the sign-in page and back. Everybody else: 403."""

    @login_required
    @wraps(view)
    def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not signed_in(request).is_superuser:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return checked


def is_too_large(request: HttpRequest) -> bool:
    """Whether a request says that it carries more than an upload may; known before a byte of it is read."""
    n_files = max(len(importer.files) for importer in importers().values())
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0) > n_files * settings.UPLOAD_MAX_BYTES + SLACK_BYTES
    except ValueError:
        return True


def too_large(request: HttpRequest) -> HttpResponse:
    return render(request, "generation/imports/too_large.html", {"most": settings.UPLOAD_MAX_BYTES}, status=413)
