"""Yes-or-no questions about pictures of the closed world, answered by looking: BLIP-VQA's part without its network.

It answers the same questions and makes the same score of them, under its own name.
"""

import re
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from generation.engines.metrics.image_input import read_image
from generation.engines.option_check import checked
from generation.recipes.contract import EngineError, Json, Missing, Scored, ScoreRequest
from generation.recipes.engine_spec import Surroundings
from generation.recipes.english.noun_phrases import noun_phrase_questions
from generation.recipes.scenes.scene import COLOURS, Entity
from generation.recipes.scenes.seeing.asked import NOTHING_KNOWN, NOTHING_KNOWN_CURE, predicate_in, things_in
from generation.recipes.scenes.seeing.eyes import Seen, look
from generation.recipes.scenes.seeing.looking import seems_to_hold

_YES, _LIKELY, _UNSURE, _UNLIKELY, _NO = 0.97, 0.8, 0.5, 0.2, 0.03
_COLOUR = re.compile(rf"\b({'|'.join(COLOURS)})\b", re.IGNORECASE)


class Options(BaseModel):
    """There are none."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def missing(options: Mapping[str, Any], surroundings: Surroundings) -> list[Missing]:
    """Nothing. Raises Unusable for any option."""
    checked(Options, options)
    return []


def load(options: Mapping[str, Any], surroundings: Surroundings) -> "LookingAnswerer":
    checked(Options, options)
    return LookingAnswerer()


class LookingAnswerer:
    """The product of the probabilities of yes: 0 … 1, higher is better."""

    name = "looking VQA"
    version = "scenes 1"
    batch_size = 1

    def __init__(self) -> None:
        self.identity: Json = {"engine": "scenes-vqa", "model": "looking answerer", "version": "1"}

    def score(self, requests: Sequence[ScoreRequest]) -> list[Scored]:
        """One score per request; facts: the questions and the probability of yes for each."""
        scored = []
        for request in requests:
            questions = request.questions or noun_phrase_questions(request.prompt)
            if not questions:
                raise EngineError("There is nothing to ask: no question, and no thing in the prompt.")
            if not any(things_in(question) for question in questions):
                raise EngineError(NOTHING_KNOWN, NOTHING_KNOWN_CURE)
            found = self.probabilities(request.image, questions)
            scored.append(Scored(prod(found), {"questions": list(questions), "probabilities": found}))
        return scored

    def probabilities(self, image: bytes, questions: Sequence[str]) -> list[float]:
        """How likely yes is for each question; one half for what it does not understand."""
        seen = look(np.asarray(read_image(image)[0]))
        return [_probability(question, seen) for question in questions]


def _probability(question: str, seen: Sequence[Seen]) -> float:
    things, predicate = things_in(question), predicate_in(question)
    if not things:
        return _UNSURE
    groups = [_like(thing, question if len(things) == 1 else "", seen) for thing in things[:2]]
    if predicate and len(things) > 1:
        if not groups[0] or not groups[1]:
            return _NO
        return _LIKELY if seems_to_hold(predicate, groups[0], groups[1]) else _UNLIKELY
    thing, group = things[0], groups[0]
    if not group or (thing.count > 1 and len(group) != thing.count):
        return _NO
    unlike = [one for one in group if one.shape != thing.shape]
    return _YES if not unlike else _UNLIKELY


def _like(thing: Entity, question: str, seen: Sequence[Seen]) -> tuple[Seen, ...]:
    """What is seen that could be the thing: of its colour where one is named ("Is the star red?"), else of its shape.

    A single one is the likest; a group is all of one colour.
    """
    said = _COLOUR.search(question)
    colour = thing.colour or (said[1].lower() if said else "")
    fitting = [one for one in seen if (one.colour == colour if colour else one.shape == thing.shape)]
    if thing.size == "small" or thing.count > 1:
        fitting = [one for one in fitting if not one.is_body]
    fitting.sort(key=lambda one: one.shape != thing.shape)
    if thing.count > 1 or thing.colour == "":
        return tuple(one for one in fitting if one.colour == fitting[0].colour)
    return tuple(fitting[:1])
