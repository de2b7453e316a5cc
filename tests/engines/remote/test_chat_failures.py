"""What every way to fail of an endpoint means, over real HTTP, and a ledger that adds up over all of them."""

import email.utils
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from generation.recipes.contract import (
    Call,
    ChatRequest,
    EngineError,
    RateLimited,
    Refused,
    TryAgain,
    Unusable,
)
from tests.engines.chat_asking import FENCED, KEY, RED, REQUEST, Seen, engine, failing, outcomes
from tests.engines.chat_server import ChatServer, Drops, Says, Sleeps, Status, Trickles


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(lambda asked: RED) as started:
        yield started


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
    error = failing(server, RateLimited, price_in=1, price_out=1)
    assert error.retry_after_s == 7
    assert "Rate limit reached" in error.problem
    assert [(call.outcome, call.cost) for call in error.calls] == [("rate limited", 0.0)]

    in_90_s = email.utils.formatdate(time.time() + 90, usegmt=True)
    server.script(Status(429, busy, {"Retry-After": in_90_s}))
    assert failing(server, RateLimited).retry_after_s == pytest.approx(90, abs=3)
    for header, waits in ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0), ({"Retry-After": "soon"}, None):
        server.script(Status(429, busy, header))
        assert failing(server, RateLimited).retry_after_s == waits
    server.script(Status(429, busy, {"retry-after-ms": "1500", "Retry-After": "2"}))
    assert failing(server, RateLimited).retry_after_s == 1.5
    server.script(Status(503, busy, {"Retry-After": "30"}))
    assert failing(server, TryAgain).retry_after_s == 30
    assert len(server.requests) == 6  # the queue tries again, not the client


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
    assert outcomes(failing(server, RateLimited)) == ["rate limited"]
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
