"""A language model behind an endpoint, over real HTTP: what it answers, and what every way to fail means."""

import email.utils
import json
import logging
import pickle
import socket
import time
import traceback
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict

from generation.engines import chat
from generation.recipes.engine_spec import Endpoint, Surroundings
from generation.recipes.requests import (
    BadAnswer,
    Call,
    ChatAnswer,
    ChatEngine,
    ChatRequest,
    EngineError,
    Refused,
    TryAgain,
    Unusable,
)
from tests.engines.chat_server import ChatServer, Drops, Says, Sleeps, Status, Trickles

KEY = "sk-very-secret-1234567890"
RED = {"colour": "red", "n": 2}
FENCED = 'Here you are:\n```json\n{"colour": "red", "n": 2}\n```\nAnything else?'


class Seen(BaseModel):
    model_config = ConfigDict(extra="forbid")

    colour: Literal["red", "blue"]
    n: int


REQUEST = ChatRequest("You see colours.", "Which colour?", Seen, max_tokens=100)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(lambda asked: RED) as started:
        yield started


def surroundings(url: str, key: str = KEY) -> Surroundings:
    return Surroundings({"our-server": Endpoint(url, key)})


def engine(server: ChatServer | str, key: str = KEY, **options: Any) -> ChatEngine:
    url = server if isinstance(server, str) else server.url
    return chat.load({"endpoint": "our-server", "model": "seer-1", "timeout_s": 5, **options}, surroundings(url, key))


def failing(server: ChatServer | str, kind: type[EngineError], **options: Any) -> EngineError:
    """The error of one asking; only exactly this class will do."""
    with pytest.raises(EngineError) as caught:
        engine(server, **options).ask(REQUEST)
    assert type(caught.value) is kind
    return caught.value


def outcomes(done: EngineError | ChatAnswer[Any]) -> list[str]:
    return [call.outcome for call in done.calls]


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

    server.script(cut, cut, cut)
    error = failing(server, BadAnswer, most_tokens=200)
    assert outcomes(error) == ["truncated"] * 3
    assert [asked.body["max_tokens"] for asked in server.requests[3:]] == [100, 200, 200]
    assert "be brief" in server.requests[-1].text
    assert "cut off after 200 tokens" in error.problem
    assert "most_tokens" in error.cure


# --- refusals and failures -------------------------------------------------------------------------------------------
def test_a_refusal(server: ChatServer) -> None:
    server.script(Says(None, refusal="I cannot help with that.", usage=(30, 6)))
    error = failing(server, Refused, price_in=1, price_out=1)
    assert "I cannot help with that." in error.problem
    assert error.scope == "step"
    assert [(call.outcome, call.n_tokens_in, call.n_tokens_out) for call in error.calls] == [("refused", 30, 6)]
    assert error.calls[0].cost == pytest.approx(36e-6)

    server.script(Says("Well, ", finish_reason="content_filter"))
    failing(server, Refused)
    server.script(
        Status(400, {"error": {"message": "Rejected by our safety system", "code": "content_policy_violation"}})
    )
    failing(server, Refused)
    server.script(Status(403, {"error": {"message": "Input flagged by moderation", "code": 403}}))
    failing(server, Refused)
    assert len(server.requests) == 4  # none is asked again


@pytest.mark.parametrize("silence", [Sleeps(3), Trickles(3)])
def test_a_time_out(server: ChatServer, silence: Sleeps | Trickles) -> None:
    server.script(silence)
    started = time.monotonic()
    error = failing(server, TryAgain, timeout_s=0.3, price_in=1, price_out=1)
    assert time.monotonic() - started < 1.5
    assert outcomes(error) == ["time-out"]
    assert error.calls[0].cost is None  # nobody knows what was billed
    assert "timeout_s" in error.cure


def test_too_many_requests_wait_as_long_as_the_server_says(server: ChatServer) -> None:
    busy = {"error": {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}}
    server.script(Status(429, busy, {"Retry-After": "7"}))
    error = failing(server, TryAgain, price_in=1, price_out=1)
    assert error.retry_after_s == 7
    assert "Rate limit reached" in error.problem
    assert [(call.outcome, call.cost) for call in error.calls] == [("rate limited", 0.0)]

    in_90_s = email.utils.formatdate(time.time() + 90, usegmt=True)
    server.script(Status(429, busy, {"Retry-After": in_90_s}))
    assert failing(server, TryAgain).retry_after_s == pytest.approx(90, abs=3)
    for header, waits in ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0), ({"Retry-After": "soon"}, None):
        server.script(Status(429, busy, header))
        assert failing(server, TryAgain).retry_after_s == waits
    server.script(Status(429, busy, {"retry-after-ms": "1500", "Retry-After": "2"}))
    assert failing(server, TryAgain).retry_after_s == 1.5
    server.script(Status(503, busy, {"Retry-After": "30"}))
    assert failing(server, TryAgain).retry_after_s == 30
    assert len(server.requests) == 6  # whoever queues the work tries again, not the client


def test_no_credit_stops_the_run(server: ChatServer) -> None:
    server.script(Status(429, {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}))
    error = failing(server, Unusable)
    assert error.scope == "run"
    assert "our-server" in error.problem
    assert "credit" in error.cure
    server.script(Status(402, {"error": {"message": "Payment required"}}))
    assert outcomes(failing(server, Unusable)) == ["no credit"]


@pytest.mark.parametrize("status", [500, 502, 503, 529])
def test_an_error_of_the_server_is_tried_again_later(server: ChatServer, status: int) -> None:
    server.script(Status(status, "<html>upstream is down</html>"))
    error = failing(server, TryAgain)
    assert outcomes(error) == ["server error"]
    assert str(status) in error.problem
    assert "<html>" not in error.problem


def test_a_dropped_connection(server: ChatServer) -> None:
    server.script(Drops(), Sleeps(0))
    for _ in range(2):  # in the middle of the body; before any answer
        assert outcomes(failing(server, TryAgain)) == ["connection lost"]


def test_a_server_that_does_not_run() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # not listening
        error = failing(f"http://127.0.0.1:{taken.getsockname()[1]}/v1", TryAgain)
    assert outcomes(error) == ["connection lost"]
    assert "address" in error.cure


@pytest.mark.parametrize(
    "body", [{}, "<!DOCTYPE html><p>Welcome", "", [1], {"choices": []}, {"choices": [{}]}, "[" * 100_000]
)
def test_a_success_without_an_answer_is_tried_again(server: ChatServer, body: Any) -> None:
    server.script(Status(200, body))
    assert outcomes(failing(server, TryAgain)) == ["no answer"]


def test_an_error_within_a_success_means_what_it_says(server: ChatServer) -> None:
    server.script(Status(200, {"error": {"message": "Provider is busy", "code": 429}}))
    assert outcomes(failing(server, TryAgain)) == ["rate limited"]
    server.script(Status(200, {"error": "overloaded"}))
    assert outcomes(failing(server, TryAgain)) == ["server error"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_not_accepted(server: ChatServer, status: int) -> None:
    server.script(Status(status, {"error": {"message": f"Incorrect API key provided: {KEY}"}}))
    error = failing(server, Unusable)
    assert "'our-server'" in error.problem
    assert "EVALSITE_KEY_OUR_SERVER" in error.cure


def test_a_model_or_an_address_that_is_not_there(server: ChatServer) -> None:
    server.script(Status(404, {"error": {"message": "The model `seer-1` does not exist", "code": "model_not_found"}}))
    error = failing(server, Unusable)
    assert "'seer-1'" in error.problem
    assert outcomes(error) == ["no such model"]
    assert "EVALSITE_ENDPOINTS" in failing(server.url + "/wrong", Unusable, model="x").cure


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "Too much", "code": "context_length_exceeded"}},
        {"object": "error", "message": "This model's maximum context length is 4096 tokens", "code": 400},
        {"error": "the input exceeds the context window"},
    ],
)
def test_a_prompt_too_long_fails_its_own_step_alone(server: ChatServer, body: Any) -> None:
    server.script(Status(400, body))
    error = failing(server, EngineError)
    assert error.scope == "step"
    assert outcomes(error) == ["too long"]


def test_any_other_complaint_is_passed_on(server: ChatServer) -> None:
    server.script(Status(400, {"error": {"message": "Images must be smaller than 20 megapixels"}}))
    error = failing(server, EngineError)
    assert "20 megapixels" in error.problem
    assert len(server.requests) == 1


# --- servers with less -----------------------------------------------------------------------------------------------
def refuses_schema(asked: Any) -> Any:
    kind = asked.body.get("response_format", {}).get("type")
    if kind in ("json_schema", "json_object"):
        return Status(400, {"error": {"message": f"response_format.type {kind} is not supported"}})
    return RED


def test_a_server_without_schemas_is_asked_in_words_and_that_is_remembered(server: ChatServer) -> None:
    server.answer = refuses_schema
    ours = engine(server)
    assert outcomes(ours.ask(REQUEST)) == ["bad request", "bad request", "ok"]
    assert '"enum":["red","blue"]' in server.requests[-1].messages[0]["content"]
    assert outcomes(ours.ask(REQUEST)) == ["ok"]


def test_structured_none_asks_in_words_at_once(server: ChatServer) -> None:
    server.answer = refuses_schema
    assert outcomes(engine(server, structured="none").ask(REQUEST)) == ["ok"]


def test_parameters_that_a_model_does_not_know_are_left_out(server: ChatServer, caplog: Any) -> None:
    def reasoning_model(asked: Any) -> Any:
        if "max_tokens" in asked.body:
            return Status(400, {"error": {"message": "Unsupported: 'max_tokens'. Use 'max_completion_tokens'."}})
        for name in ("temperature", "seed"):
            if name in asked.body:
                return Status(400, {"error": {"message": "Unsupported value", "param": name}})
        return RED

    server.answer = reasoning_model
    answer = engine(server).ask(ChatRequest("S", "U", Seen, max_tokens=100, seed=1))
    assert outcomes(answer) == ["bad request"] * 3 + ["ok"]
    assert server.requests[-1].body["max_completion_tokens"] == 100
    assert "has_temperature=False" in caplog.text


# --- the ledger ------------------------------------------------------------------------------------------------------
def test_the_ledger_adds_up_over_a_mixed_sequence(server: ChatServer) -> None:
    server.script(
        Says("nonsense", usage=(11, 3)),
        Says('{"colour": "b', finish_reason="length", usage=(17, 100)),
        Says(FENCED, usage=(23, 5)),
        Status(500),
        Says("x", usage=(29, 1)),
        Status(429, None, {"Retry-After": "1"}),
        Says(None, refusal="No.", usage=(31, 2)),
        Drops(),
        Says(json.dumps(RED), usage=(37, 7)),
        Status(400, {"error": {"message": "json_schema is not known here"}}),
        Says("a", usage=(41, 1)),
        Says("b", usage=(43, 1)),
        Says("c", usage=(47, 1)),
    )
    ours = engine(server, price_in=3, price_out=15)
    calls: list[Call] = []
    while len(server.requests) < 13:
        try:
            calls += ours.ask(REQUEST).calls
        except EngineError as error:
            calls += error.calls
    assert [call.outcome for call in calls] == [
        "malformed", "truncated", "ok",
        "server error",
        "malformed", "rate limited",
        "refused",
        "connection lost",
        "ok",
        "bad request", "malformed", "malformed", "malformed",
    ]  # fmt: skip
    assert len(calls) == len(server.requests)
    assert sum(call.n_tokens_in for call in calls) == server.tokens_in == 279
    assert sum(call.n_tokens_out for call in calls) == server.tokens_out == 121
    # 279 · 3 / 10⁶ + 121 · 15 / 10⁶ = 0.000837 + 0.001815
    assert sum(call.cost for call in calls if call.cost is not None) == pytest.approx(0.002652)
    assert [call.outcome for call in calls if call.cost is None] == ["connection lost"]


def test_cost_is_unknown_without_a_price_or_a_count(server: ChatServer) -> None:
    assert engine(server).ask(REQUEST).calls[0].cost is None
    assert engine(server, price_in=1).ask(REQUEST).calls[0].cost is None
    assert engine(server, price_in=0, price_out=0).ask(REQUEST).calls[0].cost == 0
    server.script(Says(json.dumps(RED), usage=None))
    (call,) = engine(server, price_in=1, price_out=1).ask(REQUEST).calls
    assert (call.n_tokens_in, call.n_tokens_out, call.cost) == (0, 0, None)


# --- the key ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 413, 429, 500])
def test_the_key_is_in_nothing_that_anybody_reads_even_if_the_server_repeats_it(
    server: ChatServer, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    echo = f'You sent "{KEY}" ' * 30
    body: Any = {"error": {"message": echo, "code": f"bad_{KEY}", "param": KEY}}
    if status == 200:
        body = {"model": KEY, "choices": [{"message": {"content": echo}}]}
    reply = Status(status, body, {"X-Your-Key": KEY, "Location": f"{server.url}/{KEY}"})
    server.script(reply, reply, reply)
    ours = engine(server)
    with caplog.at_level(logging.DEBUG), pytest.raises(EngineError) as caught:
        ours.ask(REQUEST)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    error = caught.value
    shown = traceback.TracebackException.from_exception(error, capture_locals=True, max_group_width=99)
    frames = [frame for frame in shown.stack if "/generation/" in frame.filename]
    assert frames
    logged = [record.getMessage() + str(record.args) + str(vars(record)) for record in caplog.records]
    everything = [
        *(str(frame.locals) for frame in frames),
        *logged,
        *"".join(traceback.format_exception(error)).splitlines(),
        *(error.problem, error.cure, repr(error), repr(error.calls), repr(pickle.dumps(error))),
        *(json.dumps(ours.identity), repr(ours), repr(vars(ours))),
    ]
    assert [text for text in everything if KEY in text] == []
    assert error.__context__ is None  # the library's error holds the request, and that the key
    assert any(error.problem in text for text in everything)
    assert server.url not in "".join(logged)


def test_the_key_does_not_follow_a_redirect(server: ChatServer) -> None:
    with ChatServer() as elsewhere:
        for status in (301, 302, 307, 308):
            server.script(Status(status, None, {"Location": f"{elsewhere.url}/chat/completions"}))
            error = failing(server, Unusable)
            assert "EVALSITE_ENDPOINTS" in error.cure
            assert outcomes(error) == ["redirected"]
        assert elsewhere.requests == []


def test_a_server_without_a_key_gets_none_of_ours(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    engine(server, key="").ask(REQUEST)
    assert KEY not in str(server.requests[0].headers)


def test_a_line_end_after_the_key_is_no_part_of_it(server: ChatServer) -> None:
    engine(server, key=f"{KEY}\n").ask(REQUEST)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(("before", "key"), [("", "sk-clé-and-more"), ("", "sk-two\nlines"), ("me:sk-two@", KEY)])
def test_a_key_or_an_address_that_cannot_be_used_is_not_shown(server: ChatServer, before: str, key: str) -> None:
    with pytest.raises(Unusable) as caught:
        engine(server.url.replace("//", f"//{before}"), key=key)
    assert "EVALSITE_KEY_OUR_SERVER" in caught.value.cure
    shown = caught.value.problem + caught.value.cure
    assert "sk-" not in shown


def test_a_placeholder_for_a_key_does_not_blot_out_answers(server: ChatServer) -> None:
    assert engine(server, key="red").ask(REQUEST).value.colour == "red"
    assert engine(server, key="colour").ask(REQUEST).value.colour == "red"


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
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
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
