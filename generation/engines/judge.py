"""A vision-language model as a metric: it scores an image 1–5 against its prompt.

Options: {"chat": {"engine": "chat" or "local-chat", "options": {…}}}, the options being that engine's.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from generation.engines import local_chat
from generation.engines.option_check import checked
from generation.engines.remote import chat
from generation.recipes.contract import Call, ChatEngine, EngineError, Json, Missing, Scored, ScoreRequest
from generation.recipes.critique.judge import SYSTEM, judge
from generation.recipes.engine_spec import Surroundings

LONGEST_MODEL = 60
_ENGINES: Mapping[str, ModuleType] = {"chat": chat, "local-chat": local_chat}


class _Chat(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    engine: Literal["chat", "local-chat"] = "chat"
    options: dict[str, Any]


class Options(BaseModel):
    """chat: the language model that judges, as an engine's name and its options."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    chat: _Chat


def missing(options: Mapping[str, Any], surroundings: Surroundings) -> list[Missing]:
    """The judging model's requirements that are missing. Raises Unusable for options that are not valid."""
    chosen = checked(Options, options).chat
    found: list[Missing] = _ENGINES[chosen.engine].missing(chosen.options, surroundings)
    return found


def load(options: Mapping[str, Any], surroundings: Surroundings) -> "Judge":
    """The metric. Raises the errors of loading the judging model."""
    chosen = checked(Options, options).chat
    return Judge(_ENGINES[chosen.engine].load(chosen.options, surroundings))


class Judge:
    """1 … 5, 5 is best. Its version names the model and a digest of everything else that the score depends on."""

    name = "judge"
    batch_size = 1

    def __init__(self, asked: ChatEngine) -> None:
        self._chat = asked

    @property
    def identity(self) -> Json:
        return {"metric": self.name, "chat": self._chat.identity, "question": _digest(SYSTEM)}

    @property
    def version(self) -> str:
        model = str(self._chat.identity["model"])[-LONGEST_MODEL:]
        return f"{model} {_digest(json.dumps(self.identity, sort_keys=True))}"

    def score(self, requests: Sequence[ScoreRequest]) -> list[Scored]:
        """One score per request; facts: the yes or no, and the reasons. The judging model's errors propagate.

        An error contains the calls of the earlier requests too. Their scores are lost, so pass one request at a time.
        """
        done: list[Scored] = []
        for request in requests:
            try:
                score, answer = judge(self._chat, request.image, request.prompt)
            except EngineError as error:
                error.calls = (*_calls(done), *error.calls)
                raise
            facts = {"is_shown": answer.value.is_shown, "reasons": answer.value.reasons}
            done.append(Scored(float(score), facts, answer.calls))
        return done


def _calls(done: Sequence[Scored]) -> list[Call]:
    return [call for one in done for call in one.calls]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
