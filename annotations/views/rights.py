"""Who may open a page: all views check it here."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404

from annotations.models import Study
from annotations.queries import studies as queries
from annotations.views.downloads import note_download

P = ParamSpec("P")
StudyView = Callable[Concatenate[HttpRequest, Study, P], HttpResponseBase]
TokenView = Callable[Concatenate[HttpRequest, str, P], HttpResponseBase]


def signed_in(request: HttpRequest) -> User:
    """The user of a view that only signed-in people can open."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def researcher_of_study(view: StudyView[P]) -> TokenView[P]:
    """Turn a view that takes a study into one that takes its token, for people with a researcher's rights in it.

    Signed out: to the sign-in page and back. No such study: 404. No right in it: 403. A file that the view sends is
    recorded.
    """

    @login_required
    @wraps(view)
    def checked(request: HttpRequest, token: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        study = get_object_or_404(Study.objects.select_related("owner"), token=token)
        if not queries.may_run(signed_in(request), study):
            raise PermissionDenied
        response = view(request, study, *args, **kwargs)
        note_download(request, study, response)
        return response

    return checked


def may_add_studies(view: Callable[P, HttpResponseBase]) -> Callable[P, HttpResponseBase]:
    """For people who may create studies and import: the Researchers group."""

    @login_required
    @wraps(view)
    def checked(*args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        request = args[0]
        if not isinstance(request, HttpRequest) or not signed_in(request).has_perm("annotations.add_study"):
            raise PermissionDenied
        return view(*args, **kwargs)

    return checked
