"""The refined prompt: the original as its first sentence, then what should hold, at most 70 words (DetailScribe)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from generation.recipes.english import grammar as english
from generation.recipes.english.words import CONJUNCTIONS, DETERMINERS, PREPOSITIONS, RELATIVES

MAX_WORDS = 70
_FEWEST_WORDS_OF_A_PART = 4
"""A correction cut to fewer words says nothing."""
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[A-Z0-9])")
_LIKE_THE_ORIGINAL = 0.8
_ENDS_LOOSELY = PREPOSITIONS | DETERMINERS | RELATIVES | CONJUNCTIONS


@dataclass(frozen=True)
class RefinedPrompt:
    """text: the prompt to draw with. shortened: empty, or a sentence that says what did not fit.

    adds: whether anything follows the original.
    """

    text: str
    shortened: str = ""
    adds: bool = False


def refined_prompt(original: str, corrections: Iterable[str], *, max_words: int = MAX_WORDS) -> RefinedPrompt:
    """The original as it is, except for white space at its end, and after it the corrections while there is room.

    corrections: by importance; repetitions, and sentences that only say the original again, are left out. What does
    not fit is cut at the end of a sentence, or, where not even the first fits, behind a word. A word is what is
    between spaces. An original of `max_words` or more is used alone. Raises ValueError for an empty original.
    """
    if not original.strip():
        raise ValueError("The original prompt is empty.")
    wanted = _sentences_to_add(original, corrections)
    stem = _closed(original.rstrip())
    room = max_words - len(stem.split())
    kept: list[str] = []
    for text in wanted:
        if len(text.split()) > room:
            break
        kept.append(text)
        room -= len(text.split())
    if wanted and not kept and (part := _first_words(wanted[0], room)):
        kept = [part]
    if not kept:
        return RefinedPrompt(original, _what_was_cut(wanted, kept, max_words))
    return RefinedPrompt(" ".join([stem, *kept]), _what_was_cut(wanted, kept, max_words), adds=True)


def corrections_in(original: str, text: str) -> tuple[str, ...]:
    """The sentences of a prompt that a model refined, without those in which it says the original again."""
    line, start = english.one_line(text), english.one_line(original).rstrip(".!? ")
    if line.lower().startswith(start.lower()):
        rest = line[len(start) :]
        # "…on a pumpkin, with its paw around the brush": the model went on within the sentence.
        return tuple(s for s in sentences(rest.lstrip(".!?,;:–—- \"'”")) if s)
    said, n_original = sentences(line), len(sentences(original))
    if _alike(" ".join(said[:n_original]), original):
        said = said[n_original:]
    return tuple(said)


def sentences(text: str) -> list[str]:
    """The sentences of a text, each on one line with a capital and a mark."""
    line = english.one_line(text)
    starts = [0, *(match.end() for match in _SENTENCE_END.finditer(line))]
    parts = (line[start:end] for start, end in zip(starts, [*starts[1:], len(line)], strict=True))
    return [english.sentence(part) for part in parts if any(map(str.isalnum, part))]


def _sentences_to_add(original: str, corrections: Iterable[str]) -> list[str]:
    found: dict[str, str] = {}
    for correction in corrections:
        for text in sentences(correction):
            if not _alike(text, original):
                found.setdefault(text.lower(), text)
    return list(found.values())


def _alike(one: str, other: str) -> bool:
    words, others = (re.findall(r"\w+", text.lower()) for text in (one, other))
    return bool(words) and SequenceMatcher(None, words, others, autojunk=False).ratio() >= _LIKE_THE_ORIGINAL


def _closed(original: str) -> str:
    """With a full stop if a sentence could end there and does not."""
    last = original.rstrip("\"'”’)]")[-1:]
    return original if last in set(".!?…,;:-–—") else f"{original}."


def _first_words(text: str, room: int) -> str:
    words = text.split()[: max(room, 0)]
    while words and words[-1].lower().strip(",;:") in _ENDS_LOOSELY:
        words.pop()
    return english.sentence(" ".join(words)) if len(words) >= _FEWEST_WORDS_OF_A_PART else ""


def _what_was_cut(wanted: list[str], kept: list[str], max_words: int) -> str:
    whole = sum(text in wanted for text in kept)
    if whole == len(wanted):
        return ""
    if not kept:
        return f"No correction was added: the original leaves no room within {max_words} words."
    cut = "; the last one is cut short" if whole < len(kept) else ""
    return f"{len(kept)} of {len(wanted)} sentences of corrections fit within {max_words} words{cut}."
