"""Image models behind OpenAI's images endpoint: the DALL·E line and its successors. One request per image.

They take a prompt and a size. Seed, steps, guidance and negative prompt do not reach them: the same request gives
another image each time. If the server reports how it rewrote the prompt, that is recorded.
"""

import base64
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any, Literal

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from generation.engines.option_check import checked
from generation.engines.remote import failures as remote_failures
from generation.engines.remote.client import Delivered, Failure, Remote, connect, missing_for
from generation.engines.remote.prices import Prices
from generation.recipes.contract import (
    BadAnswer,
    Call,
    Drawn,
    DrawRequest,
    EngineError,
    Json,
    Missing,
    OnStep,
    Unusable,
)
from generation.recipes.engine_spec import Surroundings

ENGINE = "openai-images"
NOT_HONOURED = ("seed", "n_steps", "guidance", "negative_prompt")
# Where the sizes are published, a wrong one is refused before anything is sent.
SIZES: Mapping[str, tuple[str, ...]] = {
    "dall-e-2": ("256x256", "512x512", "1024x1024"),
    "dall-e-3": ("1024x1024", "1792x1024", "1024x1792"),
    "gpt-image-1": ("1024x1024", "1536x1024", "1024x1536"),
    "gpt-image-1-mini": ("1024x1024", "1536x1024", "1024x1536"),
}


class Options(BaseModel):
    """What a researcher chooses.

    quality, style       as in the model's documentation; by default the model's own default
    price_image          US dollars per image; or price_in and price_out, per million tokens, if tokens are counted
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, protected_namespaces=())

    endpoint: str = Field(min_length=1)
    model: str = Field(default="dall-e-3", min_length=1)
    timeout_s: float = Field(default=180, gt=0, le=3_600)
    quality: Literal["standard", "hd", "low", "medium", "high", "auto"] | None = None
    style: Literal["vivid", "natural"] | None = None
    price_image: float | None = Field(default=None, ge=0)
    price_in: float | None = Field(default=None, ge=0)
    price_out: float | None = Field(default=None, ge=0)


def missing(options: Mapping[str, Any], surroundings: Surroundings) -> list[Missing]:
    """What is missing here. Raises Unusable for options that are not valid."""
    return missing_for(checked(Options, options).endpoint, surroundings)


def load(options: Mapping[str, Any], surroundings: Surroundings) -> "OpenAIImages":
    """The engine. Sends nothing yet. Raises Unusable for options that are not valid, and for what is missing."""
    chosen = checked(Options, options)
    return OpenAIImages(chosen, connect(chosen.endpoint, chosen.model, chosen.timeout_s, surroundings))


class OpenAIImages:
    """Draws only from a prompt. Cannot refine an image or keep a state: it returns neither latents nor steps."""

    batch_size = 1

    def __init__(self, options: Options, remote: Remote) -> None:
        self._options, self._remote = options, remote
        self._prices = Prices(options.price_in, options.price_out, options.price_image)
        self._names_format = not options.model.startswith("gpt-image")  # these always answer with the image itself

    def __repr__(self) -> str:
        return f"OpenAIImages({self._options.endpoint!r}, {self._options.model!r})"

    @property
    def identity(self) -> Json:
        chosen = self._options.model_dump(include={"endpoint", "model", "quality", "style"}, exclude_none=True)
        return {"engine": ENGINE, **chosen, "is_reproducible": False}

    def draw(self, requests: Sequence[DrawRequest], on_step: OnStep = lambda done, in_all: None) -> list[Drawn]:
        """One request per image, each a call in its `calls`. Seed, steps, guidance, negative prompt are not honoured.

        Raises the errors that the server's failures mean. Earlier images of the same call are then lost, so pass one
        request at a time. `on_step` counts images.
        """
        for request in requests:
            self._check(request)
        drawn: list[Drawn] = []
        for request in requests:
            on_step(len(drawn), len(requests))
            calls = [call for one in drawn for call in one.calls]
            drawn.append(self._draw(request, calls))
        on_step(len(drawn), len(requests))
        return drawn

    def _check(self, request: DrawRequest) -> None:
        if request.start is not None or request.keep_after:
            raise Unusable(
                f"The model {self._options.model!r} cannot go on from another image's state, or keep one.",
                'Refine its images by drawing from scratch with the refined prompt (mode "redraw").',
            )
        size, valid = _size(request), SIZES.get(self._options.model)
        if valid is not None and size not in valid:
            raise Unusable(f"The model {self._options.model!r} does not draw {size}.", f"It draws {', '.join(valid)}.")

    def _draw(self, request: DrawRequest, earlier: Sequence[Call]) -> Drawn:
        calls: list[Call] = []
        body = self._sent(request, calls, earlier)
        row = body["data"][0]
        revised = row.get("revised_prompt")
        try:
            png, facts = _as_png(row)
        except EngineError as error:
            calls[-1] = replace(calls[-1], outcome="malformed")
            error.calls = (*earlier, *calls)
            raise
        facts |= {
            "revised_prompt": self._remote.who.hide(revised) if isinstance(revised, str) else "",
            "not_honoured": list(NOT_HONOURED),
        }
        return Drawn(png, facts=facts, calls=tuple(calls))

    def _sent(self, request: DrawRequest, calls: list[Call], earlier: Sequence[Call]) -> Json:
        """The answer's JSON, which has a first image; every request made is added to `calls`."""
        while True:
            started = time.monotonic()
            result = self._remote.image(self._body(request))
            seconds = time.monotonic() - started
            if isinstance(result, Delivered):
                result = _with_an_image(result, self._remote.who)
            calls.append(self._call(result, seconds))
            if isinstance(result, Delivered):
                return result.body
            if result.outcome == "bad request" and self._names_format and "response_format" in result.complaint:
                self._names_format = False
                continue
            raise result.error((*earlier, *calls))

    def _body(self, request: DrawRequest) -> Json:
        body: Json = {"model": self._options.model, "prompt": request.prompt, "n": 1, "size": _size(request)}
        body |= self._options.model_dump(include={"quality", "style"}, exclude_none=True)
        if self._names_format:
            body["response_format"] = "b64_json"
        return body

    def _call(self, result: Delivered | Failure, seconds: float) -> Call:
        if isinstance(result, Failure):
            cost = 0.0 if self._prices.known and result.is_billed is False else None
            return Call(ENGINE, self._options.model, result.outcome, cost=cost, seconds=seconds)
        usage = result.body.get("usage")
        usage = usage if isinstance(usage, dict) else {}
        n_in, n_out = (n if isinstance(n := usage.get(f"{way}_tokens"), int) else None for way in ("input", "output"))
        cost = self._prices.of_images(1)
        if cost is None:
            cost = self._prices.of_tokens(n_in, n_out)
        return Call(ENGINE, self._options.model, "ok", n_in or 0, n_out or 0, cost, seconds)


def _size(request: DrawRequest) -> str:
    return f"{request.width}x{request.height}"


def _with_an_image(delivered: Delivered, who: remote_failures.Who) -> Delivered | Failure:
    rows = delivered.body.get("data")
    if isinstance(rows, list) and rows and isinstance(rows[0], dict):
        return delivered
    return remote_failures.no_answer(who, "no image in it")


def _as_png(row: Json) -> tuple[bytes, Json]:
    """The image as a PNG file, its size, and its original format; a PNG is unchanged, byte for byte."""
    encoded = row.get("b64_json")
    if not isinstance(encoded, str) or not encoded:
        if row.get("url"):
            raise Unusable(
                "The endpoint answers with a link in place of the image.",
                'Choose a server that knows response_format "b64_json"; links are not followed.',
            )
        raise BadAnswer("The answer has no image.", "Try again, or choose another model.")
    try:
        content = base64.b64decode(encoded, validate=True)
        with Image.open(BytesIO(content)) as image:
            image.load()
            facts: Json = {"came_as": image.format, "width": image.width, "height": image.height}
            if image.format == "PNG":
                return content, facts
            file = BytesIO()
            image.save(file, "PNG")
            return file.getvalue(), facts
    except Exception as error:  # damaged pictures, and damaged metadata, cause errors of many kinds
        raise BadAnswer("What came is not an image that can be read.", "Try again, or choose another model.") from error
