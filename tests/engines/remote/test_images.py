"""Images drawn by an endpoint, over real HTTP: what is sent, what is recorded, and what cannot be done."""

import json
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from generation.engines.remote import images as openai_images
from generation.engines.remote.images import OpenAIImages
from generation.recipes.contract import (
    BadAnswer,
    DrawRequest,
    EngineError,
    ImageEngine,
    RateLimited,
    Refused,
    Renoise,
    Stopped,
    TryAgain,
    Unusable,
)
from generation.recipes.engine_spec import Endpoint, Surroundings
from tests.engines.chat_server import ChatServer, Drops, Pictures, Sleeps, Status

KEY = "sk-very-secret-1234567890"


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as started:
        yield started


def engine(server: ChatServer, **options: Any) -> OpenAIImages:
    chosen = {"endpoint": "painter", "model": "some-model", "timeout_s": 5, **options}
    return openai_images.load(chosen, Surroundings({"painter": Endpoint(server.url, KEY)}))


def request(prompt: str = "a cat on a mat", width: int = 64, height: int = 32) -> DrawRequest:
    return DrawRequest(prompt, seed=1, n_steps=28, guidance=4.5, width=width, height=height)


def picture(kind: str = "PNG") -> bytes:
    file = BytesIO()
    Image.new("RGB", (64, 32), "red").save(file, kind)
    return file.getvalue()


def test_an_image_with_what_was_made_of_its_prompt(server: ChatServer) -> None:
    server.script(Pictures(picture(), "a fat cat"))
    ours: ImageEngine = engine(server, model="dall-e-3", quality="hd", style="natural", price_image=0.08)
    (drawn,) = ours.draw([request(width=1024, height=1024)])
    assert drawn.png == picture()
    assert (drawn.latents, drawn.kept) == (b"", {})
    assert drawn.facts["revised_prompt"] == "a fat cat"
    assert set(drawn.facts["not_honoured"]) == {"seed", "n_steps", "guidance", "negative_prompt"}
    assert (drawn.facts["width"], drawn.facts["height"]) == (64, 32)  # what came, whatever was asked for
    assert [(call.engine, call.model, call.outcome, call.cost) for call in drawn.calls] == [
        ("openai-images", "dall-e-3", "ok", 0.08)
    ]
    assert server.requests[0].body == {
        "model": "dall-e-3",
        "prompt": "a cat on a mat",
        "n": 1,
        "size": "1024x1024",
        "quality": "hd",
        "style": "natural",
        "response_format": "b64_json",
    }
    assert ours.identity["is_reproducible"] is False


def test_one_request_per_image_in_order_and_progress_in_between(server: ChatServer) -> None:
    seen: list[tuple[int, int]] = []
    drawn = engine(server).draw(
        [request("a cat"), request("a dog")], on_step=lambda done, in_all: seen.append((done, in_all))
    )
    assert [one.facts["revised_prompt"] for one in drawn] == ["A picture of: a cat", "A picture of: a dog"]
    assert seen == [(0, 2), (1, 2), (2, 2)]

    def stop(done: int, in_all: int) -> None:
        if done == 1:
            raise Stopped

    with pytest.raises(Stopped):
        engine(server).draw([request("a cat"), request("a dog")], on_step=stop)
    assert len(server.requests) == 3


def test_another_format_becomes_a_png_with_the_same_pixels(server: ChatServer) -> None:
    server.script(Pictures(picture("WEBP")))
    (drawn,) = engine(server).draw([request()])
    assert drawn.facts["came_as"] == "WEBP"
    with Image.open(BytesIO(drawn.png)) as ours, Image.open(BytesIO(picture("WEBP"))) as theirs:
        assert ours.format == "PNG"
        assert ours.tobytes() == theirs.tobytes()


def test_tokens_are_counted_where_the_model_has_them(server: ChatServer) -> None:
    server.script(Pictures(picture(), usage=(50, 4_000)))
    (drawn,) = engine(server, price_in=5, price_out=40).draw([request()])
    (call,) = drawn.calls
    assert (call.n_tokens_in, call.n_tokens_out) == (50, 4_000)
    assert call.cost == pytest.approx(0.16025)  # 50 · 5 / 10⁶ + 4000 · 40 / 10⁶


def test_a_model_without_the_choice_of_format_is_asked_without_it_and_that_is_remembered(server: ChatServer) -> None:
    def refuses(asked: Any) -> Any:
        if "response_format" in asked.body:
            return Status(400, {"error": {"message": "Unknown parameter: 'response_format'."}})
        return Pictures(picture())

    server.answer = refuses
    ours = engine(server)
    first, second = ours.draw([request(), request()])
    assert [call.outcome for call in first.calls] == ["bad request", "ok"]
    assert [call.outcome for call in second.calls] == ["ok"]


@pytest.mark.parametrize(
    ("reply", "kind", "outcome"),
    [
        (Status(400, {"error": {"message": "Rejected", "code": "content_policy_violation"}}), Refused, "refused"),
        (Status(401, {"error": {"message": KEY}}), Unusable, "no access"),
        (Status(404, {"error": {"message": "The model does not exist"}}), Unusable, "no such model"),
        (Status(429, None, {"Retry-After": "9"}), RateLimited, "rate limited"),
        (Status(500, {"error": {"message": f"crashed on {KEY}"}}), TryAgain, "server error"),
        (Status(400, {"error": {"message": "Invalid size"}}), EngineError, "bad request"),
        (Status(200, {}), TryAgain, "no answer"),
        (Status(200, {"data": []}), TryAgain, "no answer"),
        (Status(200, {"data": [{}]}), BadAnswer, "malformed"),
        (Status(200, "<html>"), TryAgain, "no answer"),
        (Pictures(None), Unusable, "malformed"),
        (Pictures(b"no image"), BadAnswer, "malformed"),
        (Pictures(picture()[:-30]), BadAnswer, "malformed"),
        (Drops(), TryAgain, "connection lost"),
        (Sleeps(2), TryAgain, "time-out"),
    ],
)
def test_what_every_failure_means(
    server: ChatServer, reply: Any, kind: type[EngineError], outcome: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    server.script(Pictures(picture()), reply)
    with pytest.raises(EngineError) as caught:
        engine(server, timeout_s=0.5).draw([request(), request()])
    error = caught.value
    assert type(error) is kind
    assert [call.outcome for call in error.calls] == ["ok", outcome]  # the first image was paid for too
    assert error.cure
    if outcome == "rate limited":
        assert error.retry_after_s == 9
    assert KEY not in repr(error) + error.cure + repr(error.calls) + caplog.text


def test_what_it_cannot_do_is_said_before_anything_is_sent(server: ChatServer) -> None:
    ours = engine(server, model="dall-e-3")
    square = request(width=1024, height=1024)
    with pytest.raises(Unusable, match="cannot go on") as caught:
        ours.draw([square, replace(square, start=Renoise(b"latents", 2, 1))])
    assert "redraw" in caught.value.cure
    with pytest.raises(Unusable, match="or keep one"):
        ours.draw([replace(square, keep_after=(2,))])
    with pytest.raises(Unusable, match="does not draw 64x32") as caught:
        ours.draw([request()])
    assert "1792x1024" in caught.value.cure
    assert server.requests == []


def test_what_is_missing_and_bad_options() -> None:
    (one,) = openai_images.missing({"endpoint": "painter"}, Surroundings())
    assert "EVALSITE_ENDPOINTS=painter=URL" in one.cure
    with pytest.raises(Unusable, match="'quality'"):
        openai_images.missing({"endpoint": "painter", "quality": "best"}, Surroundings())


def test_neither_identity_nor_repr_has_the_key(server: ChatServer) -> None:
    ours = engine(server)
    assert KEY not in json.dumps(ours.identity) + repr(ours) + repr(vars(ours))
    assert json.loads(json.dumps(ours.identity)) == {
        "engine": "openai-images",
        "endpoint": "painter",
        "model": "some-model",
        "is_reproducible": False,
    }
