"""Critics of the closed world: one that looks at the pixels, and one that does not.

Neither is a network. They answer the same requests as a model that sees, so that everything around a critic can be
tried with one whose reliability is known.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from generation.engines.metrics.image_input import read_image
from generation.engines.option_check import checked
from generation.recipes.contract import Answer, BadAnswer, Call, ChatAnswer, ChatRequest, EngineError, Json, Missing
from generation.recipes.engine_spec import Surroundings
from generation.recipes.scenes.critic import claimed_as, correction, in_words
from generation.recipes.scenes.scene import Scene
from generation.recipes.scenes.seeing.asked import NOTHING_KNOWN, NOTHING_KNOWN_CURE, scene_of_parts, scene_of_prompt
from generation.recipes.scenes.seeing.eyes import look
from generation.recipes.scenes.seeing.looking import Remark, guesses, plant, remarks, where

MOST_WORDS = 38
"""The small model reads no more of a prompt."""
_REQUEST = re.compile(r"Prompt: (?P<prompt>.*?)(?:\n\nParts:\n(?P<parts>.*?))?(?:\n\nYour last answer.*)?", re.DOTALL)


class Options(BaseModel):
    """looks: at the picture; otherwise it guesses from the prompt. planted: share of its claims made up, 0 … 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    looks: bool = True
    planted: float = Field(default=0.0, ge=0, le=1)


def missing(options: Mapping[str, Any], surroundings: Surroundings) -> list[Missing]:
    """Nothing. Raises Unusable for options that are not valid."""
    checked(Options, options)
    return []


def load(options: Mapping[str, Any], surroundings: Surroundings) -> "SceneCritic":
    return SceneCritic(checked(Options, options))


class SceneCritic:
    """Finds things, colours, numbers and relations in the pixels, and says where they differ from what was asked for.

    Without a decomposition it does not know of the relations. It never sees the seed or the scene that was drawn.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        name = "looking critic" if options.looks else "blind critic"
        planted = f", {options.planted:.0%} planted" if options.planted else ""
        self.identity: Json = {"engine": "scenes-critic", "model": name + planted, "version": "1"}

    def ask(self, request: ChatRequest[Answer]) -> ChatAnswer[Answer]:
        """A critique in the form asked for. Raises BadAnswer for a request that is none for a critique.

        Raises EngineError for a prompt without anything that it knows: no claims would mean that nothing is wrong.
        """
        read = _REQUEST.fullmatch(request.user)
        fields = set(request.schema.model_fields)
        if read is None or not request.images or not fields & {"claims", "critique"}:
            raise BadAnswer("This critic only criticises images of scenes.", "Choose another engine for this.")
        prompt = read["prompt"]
        scene = scene_of_parts(read["parts"]) if read["parts"] else scene_of_prompt(prompt)
        if not scene.entities:
            raise EngineError(NOTHING_KNOWN, NOTHING_KNOWN_CURE)
        found = self._remarks(scene, prompt, request.images[0])
        sentences = _fitting(prompt, [correction(scene, remark.error) for remark in found])
        answer: Json = (
            {"claims": [_claim(scene, remark, rank, sentences) for rank, remark in enumerate(found, start=1)]}
            if "claims" in fields
            else {
                "critique": "\n".join(f"{rank}. {_told(scene, remark)}" for rank, remark in enumerate(found, start=1))
                or "Nothing in this image contradicts the prompt.",
                "refined_prompt": " ".join([prompt, *sentences]),
            }
        )
        value = request.schema.model_validate(answer)
        call = Call(engine="scenes-critic", model=str(self.identity["model"]), outcome="ok", cost=0.0)
        return ChatAnswer(value, value.model_dump_json(), (call,))

    def _remarks(self, scene: Scene, prompt: str, image: bytes) -> Sequence[Remark]:
        if not self._options.looks:
            return guesses(scene, prompt.encode())
        pixels = np.asarray(read_image(image)[0])
        found = remarks(scene, look(pixels))
        return plant(scene, found, self._options.planted, image) if self._options.planted else found


def _told(scene: Scene, remark: Remark) -> str:
    """The error as a sentence that says where to look."""
    text = in_words(scene, remark.error)
    return text if remark.error.box is None else f"{text.removesuffix('.')} ({where(remark.error.box)})."


def _claim(scene: Scene, remark: Remark, rank: int, sentences: Sequence[str]) -> Json:
    error = remark.error
    sentence = correction(scene, error)
    return {
        "text": _told(scene, remark),
        **claimed_as(error),
        "severity": error.severity,
        "rank": rank,
        "confidence": remark.confidence,
        "correction": sentence if sentence in sentences else "",
    }


def _fitting(prompt: str, corrections: Sequence[str]) -> list[str]:
    """As many corrections, the first ones first, as the small model can read after the prompt."""
    room, kept = MOST_WORDS - len(prompt.split()), []
    for sentence in corrections:
        if len(sentence.split()) <= room:
            kept.append(sentence)
            room -= len(sentence.split())
    return kept
