"""How much of a text an image engine's encoders read."""

import re
from typing import Any

_MOST_PLAUSIBLE = 10_000
"""A tokenizer without a limit states a number far beyond this one."""


_MOST_NAMED = 8
"""Unknown words in a note."""


def words_unknown(pipe: Any, texts: dict[str, str]) -> list[str]:
    """A note for every text with words that the first text encoder does not know; texts by what they are called.

    Only a tokenizer of whole words lacks any; one of parts of words, as in published models, spells out every word.
    """
    tokenizer = getattr(pipe, "tokenizer", None)
    unknown = getattr(tokenizer, "unk_token_id", None)
    if tokenizer is None or unknown is None or unknown in (tokenizer.eos_token_id, tokenizer.bos_token_id):
        return []
    notes = []
    for called, text in texts.items():
        words = dict.fromkeys(re.findall(r"\w+", text))
        unread = [word for word in words if _is_unread(tokenizer(word, verbose=False)["input_ids"], unknown, tokenizer)]
        if unread:
            named = ", ".join(unread[:_MOST_NAMED]) + (", …" if len(unread) > _MOST_NAMED else "")
            notes.append(f"the model does not know these words of {called}: {named}")
    return notes


def _is_unread(ids: list[int], unknown: int, tokenizer: Any) -> bool:
    """Whether a word has an unknown token, or no token at all besides the marks at both ends."""
    return unknown in ids or not set(ids) - {tokenizer.bos_token_id, tokenizer.eos_token_id}


def words_cut(pipe: Any, texts: dict[str, str], *, limits: dict[str, int] | None = None) -> list[str]:
    """A note for every text encoder that read a text only in part; texts by what they are called.

    limits  what the engine allows an encoder, by its tokenizer's name in the pipeline; else what the tokenizer states
    """
    notes = []
    for name in ("tokenizer", "tokenizer_2", "tokenizer_3"):
        tokenizer = getattr(pipe, name, None)
        encoder = getattr(pipe, name.replace("tokenizer", "text_encoder"), None)
        most: int = (limits or {}).get(name) or getattr(tokenizer, "model_max_length", None) or _MOST_PLAUSIBLE
        if tokenizer is None or encoder is None or most >= _MOST_PLAUSIBLE:
            continue
        number = name.removeprefix("tokenizer").strip("_") or "1"
        for called, text in texts.items():
            n_tokens = len(tokenizer(text, truncation=False, verbose=False)["input_ids"])
            if n_tokens > most:
                notes.append(f"text encoder {number}: {called} has {n_tokens} tokens, and {most} were read")
    return notes
