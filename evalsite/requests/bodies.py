"""The WSGI layer around Django: requests that Django cannot handle, and bodies that it leaves unread."""

import codecs
import json
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from django.utils.http import parse_header_parameters

MOST_DRAINED_BYTES = 64 * 2**20
MOST_DRAINING_S = 10.0
CHUNK_BYTES = 2**16

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class RequestBodies:
    """Refuses a Content-Type that Django stumbles over before any of our code runs, and reads bodies to their end.

    A server that answers while the client is still sending closes the connection: the client then sees a broken
    pipe instead of the refusal. So the unread rest of a body is first read and discarded, up to
    MOST_DRAINED_BYTES and MOST_DRAINING_S.
    """

    def __init__(self, site: Application) -> None:
        self._site = site

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ["wsgi.input"] = body = _Body(environ)
        is_readable = is_utf_8(environ.get("CONTENT_TYPE", ""))
        answer = self._site(environ, start_response) if is_readable else _refused(start_response)
        body.drain()
        return answer


class _Body:
    """A request's body that knows how much of it is unread."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self._stream = environ["wsgi.input"]
        length = environ.get("CONTENT_LENGTH") or ""
        stated = int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0
        self._n_left = MOST_DRAINED_BYTES if environ.get("HTTP_TRANSFER_ENCODING") else stated

    def read(self, *size: int) -> bytes:
        return self._counted(self._stream.read(*size))

    def readline(self, *size: int) -> bytes:
        return self._counted(self._stream.readline(*size))

    def _counted(self, data: bytes) -> bytes:
        self._n_left -= len(data)
        return data

    def drain(self) -> None:
        if self._n_left > MOST_DRAINED_BYTES:
            return
        end = time.monotonic() + MOST_DRAINING_S
        while self._n_left > 0 and time.monotonic() < end:
            if not self.read(min(CHUNK_BYTES, self._n_left)):
                return


def is_utf_8(content_type: str) -> bool:
    """Whether a Content-Type can be parsed and names no encoding other than UTF-8.

    Django would read the address in the named encoding, too, and some encodings of Python are not even of texts.
    """
    try:
        charset = parse_header_parameters(content_type)[1].get("charset", "utf-8")
        return codecs.lookup(charset).name in ("utf-8", "ascii")
    except (LookupError, ValueError):
        return False


def _refused(start_response: Callable[..., Any]) -> list[bytes]:
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    problem: dict[str, Any] = {
        "type": "urn:evalsite:problem:unsupported-media-type",
        "title": status.phrase,
        "status": status.value,
        "detail": "The Content-Type cannot be read. Send UTF-8.",
        "cure": "Send the header “Content-Type: application/json” or a form in UTF-8.",
        "errors": [],
    }
    body = json.dumps(problem).encode()
    headers = [
        ("Content-Type", "application/problem+json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]
