"""What a remote model's refusals and failures mean for the work: retry later, skip this step, or stop the run.

Based on the actual answers of OpenAI's service and compatible servers (vLLM, Ollama, OpenRouter, Gemini, Azure).
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from generation.engines.remote.schema_answers import storable
from generation.recipes.contract import Call, EngineError, RateLimited, Refused, TryAgain, Unusable

LONGEST_QUOTE = 300
SHORTEST_KEY = 8
HIDDEN = "[key]"

_NO_MONEY = ("insufficient_quota", "insufficient quota", "insufficient balance", "insufficient credit")
_FORBIDDEN_CONTENT = ("content_policy", "content policy", "content_filter", "content filter", "moderation", "safety")
_TOO_LONG = (
    "context_length_exceeded",
    "context length",
    "context window",
    "context size",
    "prompt is too long",
    "input is too long",
    "too many tokens",
)
_BAD_KEY = ("invalid_api_key", "api key not valid", "incorrect api key", "invalid api key")
_NO_MODEL = re.compile(r"model_not_found|(unknown|invalid|no such) model|model\b.{0,120}\b(not found|does not exist)")


@dataclass(frozen=True)
class Failure:
    """An attempt without a result.

    outcome    the word for the ledger
    complaint  the server's message, in lower case, so that the caller can change its request. Without the key, as all
               texts here
    is_billed  False if the server cannot have charged for it; None if unknown
    """

    outcome: str
    kind: type[EngineError]
    problem: str
    cure: str = ""
    retry_after_s: float | None = None
    complaint: str = field(default="", repr=False)
    is_billed: bool | None = False

    def error(self, calls: Sequence[Call] = ()) -> EngineError:
        return self.kind(self.problem, self.cure, calls=calls, retry_after_s=self.retry_after_s)


@dataclass(frozen=True)
class Who:
    """The endpoint by its name, the model, and the key, which no text may hold."""

    endpoint: str
    model: str
    key: str = field(default="", repr=False)

    def hide(self, text: str) -> str:
        """The text without the key. A short one stays: "none" and "EMPTY" are sent to servers without keys."""
        text = storable(text)
        return text.replace(self.key, HIDDEN) if len(self.key) >= SHORTEST_KEY else text

    def quote(self, words: str) -> str:
        """A server's message on one line, shortened to a readable length, without the key."""
        line = " ".join(self.hide(words).split())
        if self.key and self.key in line:
            return ""
        return line if len(line) <= LONGEST_QUOTE else line[: LONGEST_QUOTE - 1] + "…"


def key_variable(endpoint: str) -> str:
    """The environment variable that holds an endpoint's key."""
    return "EVALSITE_KEY_" + endpoint.upper().replace("-", "_")


def timed_out(who: Who, timeout_s: float) -> Failure:
    return Failure(
        "time-out",
        TryAgain,
        f"The endpoint {who.endpoint!r} did not answer within {timeout_s:g} s.",
        'A larger "timeout_s" gives it more time.',
        is_billed=None,
    )


def disconnected(who: Who, kind: str) -> Failure:
    """No connection, or one that broke. kind: the class of the error, whose text may quote what was sent."""
    return Failure(
        "connection lost",
        TryAgain,
        f"The connection to the endpoint {who.endpoint!r} failed ({kind}).",
        "Check that the server runs and that its address is right.",
        is_billed=None,
    )


def no_answer(who: Who, what: str) -> Failure:
    """A response with status 200 that is not an answer."""
    return Failure(
        "no answer",
        TryAgain,
        f"The endpoint {who.endpoint!r} replied without an answer: {what}.",
        "Check that the address is that of an OpenAI-compatible server.",
        is_billed=None,
    )


def refused(who: Who, words: str) -> Failure:
    words = who.quote(words)
    return Failure(
        "refused",
        Refused,
        f"The model {who.model!r} declines to answer" + (f": {words}" if words else "."),
        "Word the prompt differently, or choose another model.",
    )


def from_status(status: int, body: object, headers: Mapping[str, str], who: Who) -> Failure:
    """What an answer with an error's status means. body: its JSON, of which the part "error" if it has one; or text."""
    words, said = _what_it_says(body, who)
    at = f"the endpoint {who.endpoint!r}"
    if any(word in said for word in _FORBIDDEN_CONTENT) and status in (400, 403, 422, 451):
        return refused(who, words)
    if status == 402 or (status == 429 and any(word in said for word in _NO_MONEY)):
        return Failure(
            "no credit",
            Unusable,
            f"The account of {at} has no credit left.",
            "Add credit there or raise its limit, then resume; or choose another endpoint.",
        )
    if status in (401, 403) or (status == 400 and any(word in said for word in _BAD_KEY)):
        return Failure(  # without the server's message: some quote the key, or half of it
            "no access",
            Unusable,
            f"The endpoint {who.endpoint!r} does not accept the key (status {status}).",
            f"Set a valid key in the environment variable {key_variable(who.endpoint)} and restart the worker.",
        )
    if status == 404 or (status == 400 and _NO_MODEL.search(said)):
        return _not_found(words, said, who)
    if status == 429:
        wait = retry_after_s(headers)
        problem = f"Too many requests for {at}." + _says(words)
        cure = "Wait, or ask the server's owner for a higher limit."
        return Failure("rate limited", RateLimited, problem, cure, wait, said)
    if status in (408, 409, 425) or status >= 500:
        problem = f"The endpoint {who.endpoint!r} failed with status {status}." + _says(words)
        wait = retry_after_s(headers)
        return Failure("server error", TryAgain, problem, "Check that the server works properly.", wait, said)
    if 300 <= status < 400:
        return Failure(
            "redirected",
            Unusable,
            f"The endpoint {who.endpoint!r} redirects to another address; its key is not sent there.",
            "In EVALSITE_ENDPOINTS, give the address that answers without a redirect.",
        )
    if status == 413 or any(word in said for word in _TOO_LONG):
        return Failure(
            "too long",
            EngineError,
            f"The request is too long for the model {who.model!r}." + _says(words),
            "Use a model with a longer context, a shorter prompt or a smaller image.",
            complaint=said,
        )
    return Failure(
        "bad request",
        EngineError,
        f"The endpoint {who.endpoint!r} does not accept the request (status {status})." + _says(words),
        "Check whether the model can do what is asked of it.",
        complaint=said,
    )


def _says(words: str) -> str:
    return f" It says: {words}" if words else ""


def _not_found(words: str, said: str, who: Who) -> Failure:
    if "model" in said:
        return Failure(
            "no such model",
            Unusable,
            f"The endpoint {who.endpoint!r} has no model {who.model!r}." + _says(words),
            'Set "model" to one that it has and that its key may use.',
        )
    return Failure(
        "not found",
        Unusable,
        f"Nothing at the address of the endpoint {who.endpoint!r} answers such requests (status 404).",
        "Give its address in EVALSITE_ENDPOINTS up to the version, usually ending in /v1.",
    )


def _what_it_says(body: object, who: Who) -> tuple[str, str]:
    """The server's message for people, and all text that a program can search, in lower case."""
    message: Any = body
    marks: list[str] = []
    if isinstance(body, dict):
        message = body.get("message") or body.get("detail") or body.get("error") or ""
        marks = [str(body[name]) for name in ("code", "type", "param", "status") if body.get(name)]
    words = message if isinstance(message, str) else str(message or "")
    if words.lstrip().startswith("<"):  # a page of some proxy
        words = ""
    return who.quote(words), who.hide(" ".join([words[:5_000], *marks])).lower()


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """How long the server asks us to wait: seconds or an HTTP date (RFC 9110, 10.2.3); None if it does not say."""
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    stated = headers.get("retry-after")
    if stated is None:
        return None
    if (seconds := _number(stated)) is not None:
        return seconds
    try:
        until = parsedate_to_datetime(stated)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - (now or datetime.now(UTC))).total_seconds())


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None
