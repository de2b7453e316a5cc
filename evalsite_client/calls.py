"""Calls without a network: the request, the reading of the answer, and when to retry.

A *flow* is a generator that yields calls and pauses and gets responses back, so that the client that blocks and the
one that awaits carry out the same steps.
"""

import random
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from evalsite_client.problems import Problem

T = TypeVar("T")
BUSY = frozenset({429, 502, 503, 504})
"""The same call may succeed later."""
PATIENCE_S = 120.0
"""How long a call is repeated before its refusal is raised."""
IN_PROGRESS = "idempotent-call-in-progress"


@dataclass(frozen=True)
class Call:
    """One request, by its address below /api/v1/ or in full.

    key         names the call: however often it is sent, it has one effect
    repeatable  whether it may be sent again when its answer was lost
    """

    method: str
    address: str
    query: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[tuple[str, tuple[str, bytes]]] = ()
    key: str = ""
    repeatable: bool = False

    @property
    def may_be_repeated(self) -> bool:
        return self.method == "GET" or bool(self.key) or self.repeatable


@dataclass(frozen=True)
class Pause:
    """A pause of this many seconds."""

    seconds: float


@dataclass(frozen=True)
class Lost:
    """The request was sent, or could not be sent, and there is no answer."""

    error: httpx.TransportError


Answer = httpx.Response | Lost | None
Flow = Generator[Call | Pause, Answer, T]


def answered(call: Call, *, patience_s: float = PATIENCE_S) -> Flow[httpx.Response]:
    """The successful answer of a call, repeated while the site is busy. Raises Problem, or httpx.TransportError."""
    end = time.monotonic() + patience_s
    for attempt in range(1_000_000):
        answer = yield call
        pause = min(20.0, 0.25 * 2**attempt) * random.uniform(0.5, 1.0)  # noqa: S311  # so that not all come at once
        if isinstance(answer, Lost):
            if not call.may_be_repeated or time.monotonic() + pause > end:
                raise answer.error
        else:
            assert answer is not None  # noqa: S101  # a call is answered, or its answer was lost
            if answer.is_success:
                return answer
            problem = Problem.of(answer.status_code, _json(answer))
            is_passing = answer.status_code in BUSY or problem.kind == IN_PROGRESS
            pause = max(pause, _retry_after(answer))
            if not is_passing or time.monotonic() + pause > end:
                raise problem
        yield Pause(pause)
    raise AssertionError("unreachable")


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _retry_after(answer: httpx.Response) -> float:
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0.0
