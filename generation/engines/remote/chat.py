"""Language models behind any OpenAI-compatible endpoint: OpenAI, vLLM, Ollama, OpenRouter, Gemini and others.

Options: see `Options`. The endpoint's address and key come from the worker's surroundings, by the endpoint's name.
"""

import base64
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from generation.engines.metrics.image_input import as_seen
from generation.engines.option_check import checked
from generation.engines.remote import failures as remote_failures
from generation.engines.remote.client import Delivered, Failure, Remote, connect, missing_for
from generation.engines.remote.prices import Prices
from generation.engines.remote.schema_answers import Said, Turn, ask_until_it_fits, in_words
from generation.recipes.contract import Answer, Call, ChatAnswer, ChatRequest, Json, Missing
from generation.recipes.engine_spec import Surroundings

logger = logging.getLogger(__name__)

ENGINE = "chat"
Structured = Literal["json_schema", "json_object", "none"]


class Options(BaseModel):
    """What a researcher chooses.

    endpoint             its name; address and key are the worker's
    price_in, price_out  US dollars per million tokens
    reasks               how often an answer that does not fit is requested again
    structured           how the server is asked to enforce the schema; the engine drops what it does not support
    most_tokens          a truncated answer is requested again with twice the tokens, up to this limit
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, protected_namespaces=())

    endpoint: str = Field(min_length=1)
    model: str = Field(min_length=1)
    timeout_s: float = Field(default=60, gt=0, le=3_600)
    price_in: float | None = Field(default=None, ge=0)
    price_out: float | None = Field(default=None, ge=0)
    reasks: int = Field(default=2, ge=0, le=10)
    structured: Structured = "json_schema"
    most_tokens: int = Field(default=16_000, ge=1)


def missing(options: Mapping[str, Any], surroundings: Surroundings) -> list[Missing]:
    """What is missing here. Raises Unusable for options that are not valid."""
    return missing_for(checked(Options, options).endpoint, surroundings)


def load(options: Mapping[str, Any], surroundings: Surroundings) -> "Chat":
    """The engine. Sends nothing yet. Raises Unusable for options that are not valid, and for what is missing."""
    chosen = checked(Options, options)
    return Chat(chosen, connect(chosen.endpoint, chosen.model, chosen.timeout_s, surroundings))


@dataclass(frozen=True)
class Dialect:
    """Features that this server and model support; learned from their complaints and kept while it is loaded."""

    structured: Structured
    tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    has_temperature: bool = True
    has_seed: bool = True

    def after(self, complaint: str) -> "Dialect":
        """What to try after a complaint (in lower case); unchanged if it is about something else."""
        if self.structured != "none" and any(
            word in complaint for word in ("response_format", "json_schema", "json_object", "structured output")
        ):
            return replace(self, structured="json_object" if self.structured == "json_schema" else "none")
        if self.tokens_field == "max_tokens" and "max_completion_tokens" in complaint:
            return replace(self, tokens_field="max_completion_tokens")
        if self.has_temperature and "temperature" in complaint:
            return replace(self, has_temperature=False)
        if self.has_seed and "seed" in complaint:
            return replace(self, has_seed=False)
        return self


class Chat:
    """A language model at an endpoint; some can see images."""

    def __init__(self, options: Options, remote: Remote) -> None:
        self._options, self._remote = options, remote
        self._prices = Prices(options.price_in, options.price_out)
        self._dialect = Dialect(options.structured)

    def __repr__(self) -> str:
        return f"Chat({self._options.endpoint!r}, {self._options.model!r})"

    @property
    def identity(self) -> Json:
        chosen = self._options.model_dump(include={"endpoint", "model", "reasks", "structured", "most_tokens"})
        return {"engine": ENGINE, **chosen}

    def ask(self, request: ChatRequest[Answer]) -> ChatAnswer[Answer]:
        """Ask until the answer fits. Every HTTP request is a call in the answer, or in the error."""

        def say(turns: tuple[Turn, ...], max_tokens: int, calls: list[Call]) -> Said:
            return self._say(request, turns, max_tokens, calls)

        return ask_until_it_fits(request, say, n_reasks=self._options.reasks, most_tokens=self._options.most_tokens)

    def _say(self, request: ChatRequest[Answer], turns: tuple[Turn, ...], max_tokens: int, calls: list[Call]) -> Said:
        """One answer; more than one request only while the server complains of something that can be left out."""
        while True:
            dialect = self._dialect
            started = time.monotonic()
            result = self._remote.chat(_body(request, turns, max_tokens, dialect, self._options.model))
            seconds = time.monotonic() - started
            if isinstance(result, Delivered):
                break
            calls.append(self._failed_call(result, seconds))
            adapted = dialect.after(result.complaint) if result.outcome == "bad request" else dialect
            if adapted == dialect:
                raise result.error()
            self._dialect = adapted
            logger.warning("%r does without something: %s", self, adapted)
        said, call = self._understood(result.body, seconds)
        calls.append(call)
        if isinstance(said, Failure):
            raise said.error()
        return said

    def _failed_call(self, failure: Failure, seconds: float) -> Call:
        cost = 0.0 if self._prices.known and failure.is_billed is False else None
        return Call(ENGINE, self._options.model, failure.outcome, cost=cost, seconds=seconds)

    def _understood(self, body: Json, seconds: float) -> tuple[Said | Failure, Call]:
        who = self._remote.who
        usage = _object(body.get("usage"))
        n_in, n_out = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
        cost = self._prices.of_tokens(n_in, n_out)
        served = body.get("model")  # which snapshot a name like "gpt-4o" meant
        model = who.hide(served)[:200] if isinstance(served, str) and served else self._options.model
        said = _said(body, who)
        outcome = said.outcome if isinstance(said, Failure) else "ok"
        return said, Call(ENGINE, model, outcome, n_in or 0, n_out or 0, cost, seconds)


def _body(request: ChatRequest[Answer], turns: tuple[Turn, ...], max_tokens: int, dialect: Dialect, model: str) -> Json:
    system = request.system
    if dialect.structured != "json_schema":
        system = f"{system}\n\n{in_words(request.schema)}"
    question: Any = request.user
    if request.images:
        question = [{"type": "text", "text": request.user}, *map(_image_part, request.images)]
    body: Json = {
        "model": model,
        "messages": [
            {"role": "system", "content": system},
            {"role": "user", "content": question},
            *({"role": turn.role, "content": turn.text} for turn in turns),
        ],
        dialect.tokens_field: max_tokens,
    }
    if dialect.has_temperature:
        body["temperature"] = request.temperature
    if dialect.has_seed and request.seed is not None:
        body["seed"] = request.seed
    if dialect.structured == "json_schema":
        body["response_format"] = {"type": "json_schema", "json_schema": _strict(request.schema)}
    elif dialect.structured == "json_object":
        body["response_format"] = {"type": "json_object"}
    return body


def _strict(schema: type[BaseModel]) -> Json:
    """The schema in the form that the protocol requires: every property required, no others allowed."""
    import openai

    function = openai.pydantic_function_tool(schema)["function"]
    return {"name": function["name"], "schema": function["parameters"], "strict": True}


def _image_part(image: bytes) -> Json:
    image = as_seen(image)
    kind = "jpeg" if image[:3] == b"\xff\xd8\xff" else "webp" if image[8:12] == b"WEBP" else "png"
    encoded = base64.b64encode(image).decode()
    return {"type": "image_url", "image_url": {"url": f"data:image/{kind};base64,{encoded}"}}


def _said(body: Json, who: remote_failures.Who) -> Said | Failure:
    """The text of the first choice, or that it has none."""
    choices = body.get("choices")
    choice = _object(choices[0]) if isinstance(choices, list) and choices else {}
    message = _object(choice.get("message"))
    ending = choice.get("finish_reason")
    if message.get("refusal"):
        return replace(remote_failures.refused(who, str(message["refusal"])), is_billed=None)
    if ending == "content_filter":
        return replace(remote_failures.refused(who, "its content filter stopped it"), is_billed=None)
    if not message:
        return remote_failures.no_answer(who, "no message in it")
    return Said(who.hide(_text(message.get("content"))), is_cut=ending == "length")


def _text(content: object) -> str:
    """A message's text; some servers send it in parts."""
    if isinstance(content, list):
        return "".join(str(_object(part).get("text") or "") for part in content)
    return content if isinstance(content, str) else ""


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
