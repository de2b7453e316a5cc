"""Responses that are files: whole ones, and streams that are never held in memory."""

from collections.abc import Iterable
from http import HTTPStatus

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.text import slugify

from annotations.models import Study
from annotations.services.activity import Action, note


def file_name(study: Study, ending: str, *parts: str) -> str:
    """A name that distinguishes files of different studies in a download folder; plain ASCII."""
    return "-".join(
        [slugify(study.title)[:60] or f"study-{study.pk}", *(slugify(part) for part in parts if part), ending]
    )


def attachment(text: str, name: str, content_type: str) -> HttpResponse:
    response = HttpResponse(text, content_type=f"{content_type}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def streamed(chunks: Iterable[str], name: str, content_type: str) -> StreamingHttpResponse:
    """The pieces as they arrive, never all of them in memory."""
    response = StreamingHttpResponse(
        (chunk.encode() for chunk in chunks), content_type=f"{content_type}; charset=utf-8"
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def note_download(request: HttpRequest, study: Study, response: HttpResponseBase) -> None:
    """Record it if a response is a file of this study: who downloaded which file, and when."""
    is_file = response.headers.get("Content-Disposition", "").startswith("attachment")
    if is_file and response.status_code == HTTPStatus.OK and request.method == "GET" and isinstance(request.user, User):
        note(study=study, actor=request.user, action=Action.EXPORTED, file=request.path.rpartition("/")[2])
