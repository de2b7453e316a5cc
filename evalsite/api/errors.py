"""Every refusal of the API is JSON, whichever part refuses: a view, REST framework, Django, or middleware."""

import errno
import logging
import sys
from http import HTTPStatus
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.db import DataError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.http.multipartparser import MultiPartParserError
from django.template.loader import render_to_string
from django.urls import is_valid_path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import defaults
from rest_framework.exceptions import APIException, AuthenticationFailed, NotAuthenticated, ParseError, Throttled
from rest_framework.response import Response
from rest_framework.views import exception_handler

from evalsite.api.problems import MEDIA_TYPE, problem_of, refusal
from evalsite.api.throttling import wait_of_stranger

logger = logging.getLogger(__name__)


class TooLarge(APIException):
    """The body has more bytes, or more fields, than any address here takes."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = gettext_lazy("This is more than this address accepts. Send less at once.")
    default_code = "too_large"


def is_api(request: HttpRequest) -> bool:
    return request.path_info == "/api" or request.path_info.startswith("/api/")


def answer_exception(exception: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's handler, extended to errors that a client's body caused in Django or the database.

    None, and so 500, for everything else: that is our own fault.
    """
    if isinstance(exception, RequestDataTooBig):
        exception = TooLarge()
    elif isinstance(exception, SuspiciousOperation | BadRequest | MultiPartParserError):
        exception = ParseError(_("This request cannot be read: %(problem)s") % {"problem": exception})
    elif isinstance(exception, DataError):
        logger.warning("The database refused a value", exc_info=exception)
        exception = ParseError(_("A value cannot be stored. Send shorter texts and smaller numbers."))
    elif isinstance(exception, NotAuthenticated | AuthenticationFailed):
        # Only callers that REST framework lets in meet its throttles, so the others are counted here.
        seconds = wait_of_stranger(context["request"])
        exception = Throttled(wait=seconds) if seconds else exception
    response = exception_handler(exception, context)
    if response is not None:
        # A refusal of several rows at once has its own list of them.
        response.data = problem_of(response.data, response.status_code, errors=getattr(exception, "errors", ()))
        response.content_type = MEDIA_TYPE
    return response


# --- Django's own pages for errors: HTML for people, JSON under /api/ ------------------------------------------------
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request):
        return refusal(_("This request cannot be read."), HTTPStatus.BAD_REQUEST)
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request):
        return refusal(_("You do not have permission to perform this action."), HTTPStatus.FORBIDDEN)
    return defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """For an address of the API that only lacks its slash, a redirect that keeps method and body."""
    if not is_api(request):
        return defaults.page_not_found(request, exception)
    with_slash = f"{request.path_info}/"
    if not request.path_info.endswith("/") and is_valid_path(with_slash, getattr(request, "urlconf", None)):
        moved = refusal(_("This address must end with a slash."), HTTPStatus.PERMANENT_REDIRECT)
        moved.headers["Location"] = request.get_full_path(force_append_slash=True)
        return moved
    return refusal(_("This address does not exist."), HTTPStatus.NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    """Also for errors outside the views, such as a session that cannot be saved."""
    error = sys.exc_info()[1]
    if error is not None and may_pass(error):
        return unavailable(request)
    if is_api(request):
        return refusal(
            _("The site failed to answer; the fault is in its log. What was saved before is safe."),
            HTTPStatus.INTERNAL_SERVER_ERROR,
        )
    return defaults.server_error(request)


# --- temporary errors ------------------------------------------------------------------------------------------------
DISK_TROUBLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
RETRY_AFTER_S = 10


def may_pass(error: BaseException) -> bool:
    """Whether the same request may succeed later. SQLite calls a missing table an operational error as well."""
    if isinstance(error, OperationalError | InterfaceError):
        return getattr(error.__cause__, "sqlite_errorname", "") != "SQLITE_ERROR"
    return isinstance(error, OSError) and error.errno in DISK_TROUBLE


def unavailable(request: HttpRequest) -> HttpResponse:
    """503: nothing was saved, and the request may be repeated."""
    if is_api(request):
        words = _("The site cannot save anything right now. Repeat this request later.")
        response: HttpResponse = refusal(words, HTTPStatus.SERVICE_UNAVAILABLE)
    else:
        response = HttpResponse(render_to_string("503.html"), status=HTTPStatus.SERVICE_UNAVAILABLE)
    response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response
