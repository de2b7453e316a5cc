"""Answers that are files: whole ones, and streams that never lie in memory."""

import json
from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.utils.text import slugify

from annotations.models import Study


def file_name(study: Study, ending: str, *parts: str) -> str:
    """A name that tells files of different studies apart in a download folder; plain ASCII."""
    return "-".join(
        [slugify(study.title)[:60] or f"study-{study.pk}", *(slugify(part) for part in parts if part), ending]
    )


def attachment(text: str, name: str, content_type: str) -> HttpResponse:
    response = HttpResponse(text, content_type=f"{content_type}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def json_attachment(document: Any, name: str) -> HttpResponse:
    return attachment(json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1), name, "application/json")


def streamed(chunks: Iterable[str], name: str, content_type: str) -> StreamingHttpResponse:
    """The pieces as they come, never all of them in memory."""
    response = StreamingHttpResponse(
        (chunk.encode() for chunk in chunks), content_type=f"{content_type}; charset=utf-8"
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
