"""Asking a language model for an answer that must also make sense; a senseless answer is requested once more."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from generation.recipes.contract import Answer, BadAnswer, ChatAnswer, ChatEngine, ChatRequest, EngineError

Made = TypeVar("Made")


class StrictAnswer(BaseModel):
    """The base of every answer's schema: no other fields, and all fields required ("strict" in OpenAI's API).

    Subclasses give no field a default, and put into words what a schema of that kind may not say (lengths, ranges).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


class Senseless(ValueError):
    """The answer fits the schema but is of no use; the text says why, for the model to read."""


def ask_for(
    chat: ChatEngine, request: ChatRequest[Answer], make: Callable[[Answer], Made]
) -> tuple[Made, ChatAnswer[Answer]]:
    """The result of `make` for the answer, and the answer with all calls that it took.

    `make` raises Senseless for an answer that is of no use; the model is then asked a second time with the reason.
    Raises BadAnswer after that, and passes on what the engine raises, with the calls of both times.
    """
    first = chat.ask(request)
    try:
        return make(first.value), first
    except Senseless as problem:
        complaint = str(problem)
    again = replace(request, user=f"{request.user}\n\nYour last answer was of no use: {complaint} Answer again.")
    try:
        second = chat.ask(again)
    except EngineError as error:
        error.calls = (*first.calls, *error.calls)
        raise
    answer = replace(second, calls=(*first.calls, *second.calls))
    try:
        return make(answer.value), answer
    except Senseless as problem:
        raise BadAnswer(
            f"The model gave two answers that cannot be used. The second: {problem}",
            "Try again, or choose a stronger model.",
            calls=answer.calls,
        ) from problem
