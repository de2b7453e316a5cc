"""An endpoint that speaks OpenAI's protocol: one request, and either its JSON or the meaning of the failure.

Only the client gets the key: no text from this module contains it, and no error keeps the failed request.
"""

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from generation.engines.packages import missing_packages
from generation.engines.remote import failures as remote_failures
from generation.engines.remote.failures import Failure, Who
from generation.engines.remote.quiet_transport import quiet_transport
from generation.recipes.contract import Json, Missing, Unusable
from generation.recipes.engine_spec import Endpoint, Surroundings

MOST_BYTES = 64 * 1024 * 1024
LONGEST_WAIT_TO_CONNECT_S = 10.0


@dataclass(frozen=True)
class Delivered:
    """The JSON object that was received."""

    body: Json


class Remote:
    """The way to one endpoint. Redirects are not followed: the key, and what people wrote, stay with that server."""

    def __init__(self, name: str, model: str, timeout_s: float, endpoint: Endpoint) -> None:
        import openai

        key = endpoint.key.strip()
        self.who = Who(name, model, key)
        self.timeout_s = timeout_s
        self._client = openai.OpenAI(
            api_key=key or "none",  # absent, the library would take OPENAI_API_KEY to a server that it is not meant for
            base_url=endpoint.url or None,
            max_retries=0,  # the caller that queues the work is responsible for retries
            http_client=openai.DefaultHttpxClient(
                follow_redirects=False,
                timeout=openai.Timeout(timeout_s, connect=min(timeout_s, LONGEST_WAIT_TO_CONNECT_S)),
            ),
        )

    def __repr__(self) -> str:
        return f"Remote({self.who.endpoint!r}, {self.who.model!r})"

    def chat(self, body: Json) -> Delivered | Failure:
        return self._send(self._client.chat.completions.with_streaming_response.create, body)

    def image(self, body: Json) -> Delivered | Failure:
        return self._send(self._client.images.with_streaming_response.generate, body)

    def _send(self, create: Callable[..., AbstractContextManager[Any]], body: Json) -> Delivered | Failure:
        """One HTTP request. A failure is handed back, not raised: no error then has the request as its context."""
        deadline = time.monotonic() + self.timeout_s
        with quiet_transport():
            try:
                with create(**body) as response:
                    content = self._read(response, deadline)
            except Exception as error:
                failure = self._meaning(error)
                if failure is None:
                    raise
                return failure
        if content is None:
            return remote_failures.no_answer(self.who, f"more than {MOST_BYTES // 2**20} MiB")
        return self._parsed(content)

    def _read(self, response: Any, deadline: float) -> bytes | None:
        """The whole body; None if it is larger than any answer. Raises TimeoutError if it arrives too slowly."""
        pieces, size = [], 0
        for piece in response.iter_bytes():
            if time.monotonic() > deadline:
                raise TimeoutError
            size += len(piece)
            if size > MOST_BYTES:
                return None
            pieces.append(piece)
        return b"".join(pieces)

    def _parsed(self, content: bytes) -> Delivered | Failure:
        try:
            body = json.loads(content)
        except (ValueError, RecursionError):
            what = "a web page" if content.lstrip()[:1] == b"<" else "no JSON"
            return remote_failures.no_answer(self.who, what)
        if not isinstance(body, dict):
            return remote_failures.no_answer(self.who, "JSON that is not an object")
        if body.get("error"):  # routers answer 200 before they know that the server behind them fails
            status = body["error"].get("code") if isinstance(body["error"], dict) else None
            status = status if isinstance(status, int) and 400 <= status < 600 else 502
            return remote_failures.from_status(status, body["error"], {}, self.who)
        return Delivered(body)

    def _meaning(self, error: Exception) -> Failure | None:
        """The meaning of a library's error; None for an error that is our own defect."""
        import openai

        if isinstance(error, openai.APIStatusError):
            return remote_failures.from_status(error.status_code, error.body, error.response.headers, self.who)
        name = type(error).__name__
        if isinstance(error, (openai.APITimeoutError, TimeoutError)) or "Timeout" in name:
            return remote_failures.timed_out(self.who, self.timeout_s)
        if isinstance(error, openai.APIConnectionError):
            return remote_failures.disconnected(self.who, type(error.__cause__ or error).__name__)
        if isinstance(error, OSError) or type(error).__module__.startswith(("httpx", "httpcore")):
            return remote_failures.disconnected(self.who, name)  # while the body was read
        return None


def missing_for(endpoint: str, surroundings: Surroundings) -> list[Missing]:
    """A remote engine's missing requirements: the package, and the endpoint with a key that can be sent."""
    missing = missing_packages("openai")
    found = surroundings.endpoints.get(endpoint)
    variable = remote_failures.key_variable(endpoint)
    if found is None:
        known = ", ".join(sorted(surroundings.endpoints)) or "none"
        missing.append(
            Missing(
                f"The endpoint {endpoint!r} (known: {known})",
                f"Set EVALSITE_ENDPOINTS={endpoint}=URL and its key in {variable}, and restart the worker.",
            )
        )
    elif "@" in found.url:  # the HTTP library would send that account in place of the key
        missing.append(
            Missing(
                f"The address of the endpoint {endpoint!r} without an account in it",
                f"State it in EVALSITE_ENDPOINTS without the part before the @, and the key in {variable}.",
            )
        )
    elif not found.url and not found.key.strip():
        missing.append(Missing(f"A key for the endpoint {endpoint!r}", f"Set {variable} and restart the worker."))
    elif not (found.key.strip().isascii() and (found.key.strip() + "x").isprintable()):
        # Such a header cannot be sent, and the HTTP library's error would quote it.
        missing.append(
            Missing(
                f"A usable key for the endpoint {endpoint!r}: this one has characters that no key has",
                f"Set {variable} again and restart the worker.",
            )
        )
    return missing


def connect(name: str, model: str, timeout_s: float, surroundings: Surroundings) -> Remote:
    """The connection to an endpoint by its name. Raises Unusable, with the cure, if something is missing."""
    if missing := missing_for(name, surroundings):
        raise Unusable(f"Missing: {missing[0].what}.", missing[0].cure)
    return Remote(name, model, timeout_s, surroundings.endpoints[name])
