"""The noun phrases of a prompt, which BLIP-VQA is asked about where there is no decomposition."""

from generation.recipes.english.chunks import chunks
from generation.recipes.english.grammar import bare
from generation.recipes.english.words import NOT_THINGS

MOST = 8
"""As many as DetailScribe's BLIP-VQA score is the product over."""


def noun_phrases(prompt: str, most: int = MOST) -> tuple[str, ...]:
    """The first `most` noun phrases as the prompt has them ("a tiny hammer"), each once; may be empty.

    T2I-CompBench takes spaCy's noun chunks without "top", "the side", "the left" and "the right"; ours come from
    `english_chunks`, so the phrases, and scores made of them, are near those but not the same.
    """
    found: dict[str, str] = {}
    for chunk in chunks(prompt):
        if chunk.kind == "thing" and chunk.words.lower() not in NOT_THINGS:
            found.setdefault(bare(chunk.text).lower(), chunk.text)
    return tuple(found.values())[:most]


def noun_phrase_questions(prompt: str, most: int = MOST) -> tuple[str, ...]:
    """The phrases as T2I-CompBench asks them: "a tiny hammer?"."""
    return tuple(f"{phrase}?" for phrase in noun_phrases(prompt, most))
