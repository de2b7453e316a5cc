"""Writing calls that may be repeated: the header Idempotency-Key names a call, and a named call has one effect.

The call and the record of its answer are one transaction, so that a process that dies in between leaves neither. While
a call is carried out, others of the same name are asked to wait. When its process has died, the next one takes over;
the first, if it is still alive, finds its claim gone and rolls back.
"""

import hashlib
import re
import secrets
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any, cast

from django.contrib.auth.models import User
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import authentication
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from evalsite.accounts.tokens import TokenAuthentication, has_scope
from evalsite.api.errors import is_api
from evalsite.api.problems import refusal
from evalsite.api.throttling import spend_call
from evalsite.models import IdempotentCall
from generation.views.rights import is_too_large

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
VALID = re.compile(r"[!-~]{1,200}")
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
LEASE = timedelta(minutes=2)
"""After that a call counts as one whose process died. One that takes longer and still lives keeps its effect only if
nobody repeated it meanwhile."""
KEPT_DAYS = 30
KEPT_HEADERS = ("Content-Type", "Location")
CHUNK_BYTES = 2**16

View = Callable[..., HttpResponse]


class IdempotencyKeys:
    """Answers a named call from its record, or carries it out and keeps the record. Only successes are recorded."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        key = request.headers.get(HEADER)
        if key is None or request.method not in WRITES or not is_api(request):
            return None
        if not VALID.fullmatch(key):
            words = _("The header Idempotency-Key is not valid: send 1 to 200 printable ASCII characters.")
            return refusal(words, HTTPStatus.BAD_REQUEST, code="idempotency-key-invalid")
        user = _caller(request, view)
        if user is None or is_too_large(request):
            return None  # the view refuses it
        try:
            fingerprint = fingerprint_of(request)
        except RequestDataTooBig:
            words = _("This is more than this address accepts. Send less at once.")
            return refusal(words, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        except (MultiPartParserError, SuspiciousOperation, UnreadablePostError, LookupError, ValueError):
            return refusal(_("This request cannot be read."), HTTPStatus.BAD_REQUEST)
        call = _claimed(user, key, fingerprint)
        if isinstance(call, IdempotentCall):
            return _carried_out(call, view, request, args, kwargs)
        spent = spend_call(user)
        request.spent = spent  # type: ignore[attr-defined]  # for the headers of the answer
        return call


def _caller(request: HttpRequest, view: View) -> User | None:
    """The caller, as the view will identify them; None for anyone whom the view refuses."""
    try:
        # It reads only the request's header, which Django's request has as well.
        found = authentication.TokenAuthentication.authenticate(TokenAuthentication(), cast("Request", request))
    except APIException:
        return None
    if found is not None:
        user, token = found
        return user if has_scope(token, getattr(view, "cls", None), request.method or "") else None
    return request.user if isinstance(request.user, User) else None


def fingerprint_of(request: HttpRequest) -> str:
    """A digest of all that the call asks for. For a form, of its fields and files: clients choose the boundaries."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if (request.content_type or "") == "multipart/form-data":
        for name, values in sorted(request.POST.lists()):
            digest.update(repr((name, values)).encode())
        for name, files in sorted(request.FILES.lists()):
            for file in files:
                content = hashlib.sha256()
                for chunk in file.chunks(CHUNK_BYTES):
                    content.update(chunk)
                file.seek(0)
                digest.update(repr((name, file.name, content.hexdigest())).encode())
    else:
        digest.update(request.body)
    return digest.hexdigest()


def _claimed(user: User, key: str, fingerprint: str) -> IdempotentCall | HttpResponse:
    """The call, if we are to carry it out; otherwise its recorded answer, or that it cannot be carried out now."""
    now, claim = timezone.now(), secrets.token_hex(16)
    fresh = {"fingerprint": fingerprint, "claim": claim, "lease_until": now + LEASE}
    call, is_new = IdempotentCall.objects.get_or_create(user=user, key=key, defaults=fresh)
    if is_new:
        return call
    if call.fingerprint != fingerprint:
        words = _("This Idempotency-Key was used for a different call. Send a new key with this call.")
        return refusal(words, HTTPStatus.UNPROCESSABLE_ENTITY, code="idempotency-key-reused")
    if call.status is not None:
        return _replay(call)
    mine = IdempotentCall.objects.filter(pk=call.pk, claim=call.claim, status=None, lease_until__lte=now)
    if mine.update(claim=claim, lease_until=now + LEASE):
        call.claim = claim
        return call
    return _in_progress()


def _in_progress() -> HttpResponse:
    words = _("A call with this Idempotency-Key is being carried out. Repeat yours to get its answer.")
    response = refusal(words, HTTPStatus.CONFLICT, code="idempotent-call-in-progress")
    response.headers["Retry-After"] = "1"
    return response


def _replay(call: IdempotentCall) -> HttpResponse:
    response = HttpResponse(call.body, status=call.status)
    for name, value in call.headers.items():
        response.headers[name] = value
    response.headers[REPLAYED] = "true"
    return response


def _carried_out(
    call: IdempotentCall, view: View, request: HttpRequest, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> HttpResponse:
    ours = IdempotentCall.objects.filter(pk=call.pk, claim=call.claim, status=None)
    is_kept = False
    try:
        if getattr(getattr(view, "cls", None), "is_repeatable", False):
            # Doing it twice changes nothing, and it takes long: nobody should wait for its transaction.
            response = _rendered(view(request, *args, **kwargs))
            is_kept = _keep(ours, response)
            return response
        with transaction.atomic():
            response = _rendered(view(request, *args, **kwargs))
            is_kept = _keep(ours, response)
            if not is_kept:
                transaction.set_rollback(True)
        if not is_kept and _is_success(response):
            return _in_progress()
        return response
    finally:
        if not is_kept:
            ours.delete()


def _rendered(response: HttpResponse) -> HttpResponse:
    if hasattr(response, "render"):
        response.render()
    return response


def _is_success(response: HttpResponse) -> bool:
    return 200 <= response.status_code < 300


def _keep(ours: Any, response: HttpResponse) -> bool:
    """Whether the answer is on record now: False for a refusal, and where another process has taken the call over."""
    if not _is_success(response) or response.streaming:
        return False
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    return bool(ours.update(status=response.status_code, headers=headers, body=response.content.decode()))


def clear_old_calls() -> int:
    """Delete calls made more than KEPT_DAYS ago; returns their number."""
    old = IdempotentCall.objects.filter(made_at__lt=timezone.now() - timedelta(days=KEPT_DAYS))
    return old.delete()[0]
