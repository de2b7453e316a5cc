"""An endpoint's key reaches that endpoint and nothing else: no log, no error, no ledger, no other server."""

import json
import logging
import pickle
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from generation.recipes.contract import (
    EngineError,
    Unusable,
)
from tests.engines.chat_asking import KEY, RED, REQUEST, engine, failing, outcomes
from tests.engines.chat_server import ChatServer, Status


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(lambda asked: RED) as started:
        yield started


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


def test_a_server_without_a_key_gets_no_other_key(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    engine(server, key="").ask(REQUEST)
    assert KEY not in str(server.requests[0].headers)


def test_a_line_end_after_the_key_is_not_part_of_it(server: ChatServer) -> None:
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
