"""One question to a server of the tests, for everything that can come of it."""

from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict

from generation.engines.remote import chat
from generation.recipes.contract import (
    ChatAnswer,
    ChatEngine,
    ChatRequest,
    EngineError,
)
from generation.recipes.engine_spec import Endpoint, Surroundings
from tests.engines.chat_server import ChatServer

KEY = "sk-very-secret-1234567890"
RED = {"colour": "red", "n": 2}
FENCED = 'Here you are:\n```json\n{"colour": "red", "n": 2}\n```\nAnything else?'


class Seen(BaseModel):
    model_config = ConfigDict(extra="forbid")

    colour: Literal["red", "blue"]
    n: int


REQUEST = ChatRequest("You see colours.", "Which colour?", Seen, max_tokens=100)


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
