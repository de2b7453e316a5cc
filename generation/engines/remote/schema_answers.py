"""Asking a language model until its answer fits a schema, and finding the JSON in its answer."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from pydantic import BaseModel, ValidationError

from generation.recipes.contract import Answer, BadAnswer, Call, ChatAnswer, ChatRequest, EngineError

LONGEST_WRONG_ANSWER = 4_000  # of characters, of a wrong answer that is shown to the model again
MOST_PROBLEMS = 5

_FENCED = re.compile(r"```[^\n`]*\n(.*?)```", re.DOTALL)
_THOUGHTS = re.compile(r"^.*</think(?:ing)?>", re.DOTALL)


@dataclass(frozen=True)
class Turn:
    """What was said after the question: by the "assistant" or, in return, by the "user"."""

    role: str
    text: str


@dataclass(frozen=True)
class Said:
    """The model's answer; is_cut: it was truncated at the token limit."""

    text: str
    is_cut: bool = False


# (what was said since the question, the most tokens, the ledger to which it adds its calls) → what the model says
Say = Callable[[tuple[Turn, ...], int, list[Call]], Said]


def ask_until_it_fits(request: ChatRequest[Answer], say: Say, *, n_reasks: int, most_tokens: int) -> ChatAnswer[Answer]:
    """Ask. An answer that does not fit is requested again, saying what is wrong; a truncated one, with more tokens.

    A truncated answer is requested with twice the tokens until `most_tokens` are reached; only other faults use
    up the `n_reasks`. Raises BadAnswer when these are used up. All calls are in the answer, or in the error.
    """
    calls: list[Call] = []
    turns: tuple[Turn, ...] = ()
    max_tokens = min(request.max_tokens, most_tokens)
    n_left = n_reasks
    while True:
        try:
            said = say(turns, max_tokens, calls)
        except EngineError as error:
            error.calls = tuple(calls)
            raise
        text = storable(said.text)
        value, problem = fitting(text, request.schema)
        if value is not None:
            return ChatAnswer(value, text, tuple(calls))
        calls[-1] = replace(calls[-1], outcome="truncated" if said.is_cut else "malformed")
        if said.is_cut and max_tokens < most_tokens:
            max_tokens = min(2 * max_tokens, most_tokens)
            continue
        if said.is_cut:
            problem = f"it was cut off after {max_tokens} tokens"
        if n_left == 0:
            raise BadAnswer(
                f"The model gave no answer that fits, after {len(calls)} calls. The last one: {problem}.",
                'Raise "most_tokens", or choose a model that answers more briefly.'
                if said.is_cut
                else "Choose a model that answers in JSON.",
                calls=calls,
            )
        n_left -= 1
        hint = ", and no more are available, so be brief" if said.is_cut else ""
        turns = _told(text, f"{problem}{hint}", request.schema)


def _told(wrong: str, problem: str, schema: type[BaseModel]) -> tuple[Turn, ...]:
    shown = wrong.strip()[:LONGEST_WRONG_ANSWER] or "(nothing)"  # servers refuse a turn without text
    return (
        Turn("assistant", shown),
        Turn("user", f"This answer cannot be used: {problem}. Answer again. {in_words(schema)}"),
    )


def in_words(schema: type[BaseModel]) -> str:
    """Asks for JSON of that schema, for models that cannot be constrained otherwise."""
    stated = json.dumps(schema.model_json_schema(), ensure_ascii=False, separators=(",", ":"))
    return f"Answer with one JSON object and nothing else. It must fit this JSON schema: {stated}"


def fitting(text: str, schema: type[Answer]) -> tuple[Answer | None, str]:
    """The answer in the text, checked; or None and what is wrong with it, in words for the model."""
    problems = []
    for candidate in _candidates(text):
        try:
            return schema.model_validate_json(candidate), ""
        except ValidationError as error:
            problems.append((_is_json(error), _in_words(error)))
    if not problems:
        return None, "it is empty"
    return None, max(problems, key=lambda problem: problem[0])[1]  # the first that at least is JSON, else the first


def storable(text: str) -> str:
    """The text without characters that databases and servers refuse: lone surrogates and NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def _candidates(text: str) -> Iterator[str]:
    """Candidates for the JSON: the whole text, a fenced block, from the first brace to the last; without thoughts."""
    text = _THOUGHTS.sub("", text).replace(r"\u0000", "").strip().removeprefix("\ufeff")
    if not text:
        return
    yield text
    yield from (block.strip() for block in _FENCED.findall(text)[:3])
    first, last = text.find("{"), text.rfind("}")
    if 0 <= first < last and (first, last) != (0, len(text) - 1):
        yield text[first : last + 1]


def _is_json(error: ValidationError) -> bool:
    return all(one["type"] != "json_invalid" for one in error.errors(include_url=False, include_input=False))


def _in_words(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_input=False, include_context=False)[:MOST_PROBLEMS]
    return "; ".join(
        f"{'.'.join(map(str, one['loc']))}: {one['msg']}" if one["loc"] else str(one["msg"]) for one in found
    )
