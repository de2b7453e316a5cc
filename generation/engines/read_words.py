"""How much of a text the encoders of an image engine read."""

from typing import Any

_MOST_PLAUSIBLE = 10_000
"""A tokenizer that states no limit states a number far beyond this one."""


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
