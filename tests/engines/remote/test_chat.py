"""A language model behind an endpoint, over real HTTP: what is asked, what it answers, and what is asked again."""

import json
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from generation.engines.remote import chat
from generation.recipes.contract import (
    BadAnswer,
    Call,
    ChatRequest,
    TryAgain,
    Unusable,
)
from generation.recipes.engine_spec import Endpoint, Surroundings
from tests.engines.chat_asking import FENCED, KEY, RED, REQUEST, Seen, engine, failing, outcomes, surroundings
from tests.engines.chat_server import ChatServer, Says, Status


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(lambda asked: RED) as started:
        yield started


# --- answers ---------------------------------------------------------------------------------------------------------
def test_an_answer_comes_checked_with_its_call(server: ChatServer) -> None:
    server.script(Says(json.dumps(RED), usage=(1_000, 20), model="seer-1-2026-01-01"))
    answer = engine(server, price_in=2.5, price_out=10).ask(REQUEST)
    assert answer.value == Seen(colour="red", n=2)
    assert json.loads(answer.text) == RED
    (call,) = answer.calls
    # 1000 · 2.5 / 10⁶ + 20 · 10 / 10⁶
    assert call.cost == pytest.approx(0.0027)
    assert call == Call("chat", "seer-1-2026-01-01", "ok", 1_000, 20, call.cost, call.seconds)
    assert 0 < call.seconds < 5


def test_the_request_says_what_was_asked(server: ChatServer) -> None:
    images = (b"\x89PNG\r\n\x1a\nfirst", b"\xff\xd8\xffsecond")
    engine(server).ask(ChatRequest("System.", "User.", Seen, images, temperature=0.3, max_tokens=77, seed=5))
    (asked,) = server.requests
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.text == "System.\nUser."
    assert tuple(asked.images) == images
    urls = [part["image_url"]["url"] for part in asked.parts if part["type"] == "image_url"]
    assert [url.partition(";")[0] for url in urls] == ["data:image/png", "data:image/jpeg"]
    told = {name: asked.body[name] for name in ("model", "temperature", "max_tokens", "seed")}
    assert told == {"model": "seer-1", "temperature": 0.3, "max_tokens": 77, "seed": 5}
    schema = asked.body["response_format"]["json_schema"]
    assert schema["strict"] is True
    assert schema["schema"]["required"] == ["colour", "n"]
    assert schema["schema"]["additionalProperties"] is False


@pytest.mark.parametrize(
    "text",
    [
        FENCED,
        '```\n{"colour": "red", "n": 2}\n```',
        'Sure! {"colour": "red", "n": 2} is my answer.',
        '<think>Is it {"colour": "blue"}?</think>\n{"colour": "red", "n": 2}',
        '\ufeff{"colour": "red", "n": 2}',
        '```json\n{"colour": "red", "n": 2}',
    ],
)
def test_json_is_unwrapped(server: ChatServer, text: str) -> None:
    server.script(text)
    answer = engine(server).ask(REQUEST)
    assert answer.value == Seen(colour="red", n=2)
    assert outcomes(answer) == ["ok"]


def test_text_that_comes_in_parts_is_joined(server: ChatServer) -> None:
    parts = [{"type": "text", "text": '{"colour": "red",'}, {"type": "text", "text": ' "n": 2}'}]
    server.script(Status(200, {"choices": [{"message": {"content": parts}, "finish_reason": "stop"}]}))
    assert engine(server).ask(REQUEST).value.n == 2


class Note(BaseModel):
    text: str


def test_nothing_comes_that_a_database_would_refuse(server: ChatServer) -> None:
    server.script("\ud83d nonsense", '\0 {"text": "a\\u0000b"} \ud83d')
    answer = engine(server).ask(ChatRequest("S", "U", Note))
    assert answer.value == Note(text="ab")
    assert outcomes(answer) == ["malformed", "ok"]
    for text in (answer.text, server.requests[1].text):
        assert "\0" not in text.encode().decode()  # encode raises for half a character
    server.script(Status(500, {"error": {"message": "\0 \ud83d broke"}}))
    assert failing(server, TryAgain).problem.encode().endswith(b"? broke")


# --- asked again -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ('{"colour": "red", "n":', "EOF while parsing"),
        ("It is red.", "Invalid JSON"),
        ('{"colour": "green", "n": 1}', "colour: Input should be 'red' or 'blue'"),
        ('{"colour": "red"}', "n: Field required"),
        ('```json\n{"colour": "red", "n": 2, "size": 1}\n```', "size: Extra inputs are not permitted"),
        ("", "it is empty"),
    ],
)
def test_an_answer_that_does_not_fit_is_asked_again_with_what_is_wrong(
    server: ChatServer, wrong: str, complaint: str
) -> None:
    server.script(wrong)
    answer = engine(server).ask(REQUEST)
    assert answer.value.colour == "red"
    assert outcomes(answer) == ["malformed", "ok"]
    last, correction = server.requests[1].messages[-2:]
    assert (last["role"], correction["role"]) == ("assistant", "user")
    assert last["content"] == (wrong or "(nothing)")
    assert complaint in correction["content"]
    assert '"enum":["red","blue"]' in correction["content"]


def test_after_the_last_asking_it_is_a_bad_answer_with_every_call(server: ChatServer) -> None:
    server.script("no", "still no", "never")
    error = failing(server, BadAnswer)
    assert outcomes(error) == ["malformed"] * 3
    assert error.cure
    server.script("no")
    assert len(failing(server, BadAnswer, reasks=0).calls) == 1
    assert len(server.requests) == 4


def test_an_answer_cut_off_is_asked_again_with_twice_the_tokens_up_to_a_limit(server: ChatServer) -> None:
    cut = Says('{"colour": "r', finish_reason="length", usage=(50, 100))
    server.script(cut, cut)
    answer = engine(server, most_tokens=350).ask(REQUEST)
    assert outcomes(answer) == ["truncated", "truncated", "ok"]
    assert [asked.body["max_tokens"] for asked in server.requests] == [100, 200, 350]
    assert [len(asked.messages) for asked in server.requests] == [2, 2, 2]  # half an answer is not worth its tokens

    server.script(cut, cut, cut, cut)
    error = failing(server, BadAnswer, most_tokens=200)
    assert outcomes(error) == ["truncated"] * 4
    assert [asked.body["max_tokens"] for asked in server.requests[3:]] == [100, 200, 200, 200]
    assert "be brief" in server.requests[-1].text
    assert "cut off after 200 tokens" in error.problem
    assert "most_tokens" in error.cure


def test_an_answer_cut_off_reaches_the_limit_even_where_nothing_may_be_asked_again(server: ChatServer) -> None:
    cut = Says('{"colour": "r', finish_reason="length", usage=(50, 100))
    server.script(*[cut] * 8)
    error = failing(server, BadAnswer, reasks=0, most_tokens=1_500)
    assert [asked.body["max_tokens"] for asked in server.requests] == [100, 200, 400, 800, 1_500]
    assert "cut off after 1500 tokens" in error.problem


# --- before anything is sent -----------------------------------------------------------------------------------------
def test_what_is_missing_is_said_with_its_cure(server: ChatServer) -> None:
    options = {"endpoint": "their-server", "model": "seer-1"}
    (one,) = chat.missing(options, surroundings(server.url))
    assert "'their-server'" in one.what
    assert "our-server" in one.what
    assert "EVALSITE_ENDPOINTS=their-server=URL" in one.cure
    assert "EVALSITE_KEY_THEIR_SERVER" in one.cure
    with pytest.raises(Unusable, match="their-server"):
        chat.load(options, surroundings(server.url))
    (no_key,) = chat.missing({"endpoint": "openai", "model": "x"}, Surroundings({"openai": Endpoint()}))
    assert "EVALSITE_KEY_OPENAI" in no_key.cure
    assert chat.missing({"endpoint": "our-server", "model": "x"}, surroundings(server.url, key="")) == []


def test_without_the_package_the_extra_is_named(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generation.engines.packages.find_spec", lambda name: None)
    (one,) = chat.missing({"endpoint": "our-server", "model": "x"}, surroundings(server.url))
    assert 'pip install -e ".[generation]"' in one.cure


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"model": "x"}, "endpoint"),
        ({"endpoint": "our-server"}, "model"),
        ({"endpoint": "our-server", "model": "x", "structured": "yaml"}, "structured"),
        ({"endpoint": "our-server", "model": "x", "timeout_s": 0}, "timeout_s"),
        ({"endpoint": "our-server", "model": "x", "reasks": "2"}, "reasks"),
        ({"endpoint": "our-server", "model": "x", "price_in": -1}, "price_in"),
        ({"endpoint": "our-server", "model": "x", "api_key": KEY}, "api_key"),
    ],
)
def test_a_bad_option_is_named_and_its_value_never_shown(options: dict[str, Any], name: str) -> None:
    with pytest.raises(Unusable) as caught:
        chat.missing(options, surroundings("http://127.0.0.1:9"))
    assert f"'{name}'" in caught.value.problem
    assert "endpoint, model, timeout_s" in caught.value.cure
    assert KEY not in "".join(traceback.format_exception(caught.value))


def test_the_identity_is_what_the_answer_depends_on(server: ChatServer) -> None:
    ours = engine(server, timeout_s=9, price_in=1)
    assert json.loads(json.dumps(ours.identity)) == {
        "engine": "chat",
        "endpoint": "our-server",
        "model": "seer-1",
        "reasks": 2,
        "structured": "json_schema",
        "most_tokens": 16_000,
    }
