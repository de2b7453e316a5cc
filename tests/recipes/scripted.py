"""A chat engine whose answers are written down beforehand, as JSON text that its schema must accept."""

import json
from typing import Any

from generation.recipes.contract import Answer, BadAnswer, Call, ChatAnswer, ChatRequest, EngineError, Json


class Scripted:
    """Gives its answers in order, one call each; an error among them is raised. `requests` is what was asked."""

    def __init__(self, *answers: Json | EngineError) -> None:
        self.answers = list(answers)
        self.requests: list[ChatRequest[Any]] = []

    @property
    def identity(self) -> Json:
        return {"engine": "scripted"}

    def ask(self, request: ChatRequest[Answer]) -> ChatAnswer[Answer]:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, EngineError):
            raise answer
        text = json.dumps(answer)
        call = Call("scripted", "script", "ok", n_tokens_in=len(self.requests))
        try:
            return ChatAnswer(request.schema.model_validate_json(text, strict=True), text, (call,))
        except ValueError as error:
            raise BadAnswer(str(error), calls=(call,)) from error
