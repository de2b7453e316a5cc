"""Words that a text encoder does not know: all of them are read as the same token."""

from collections.abc import Sequence
from typing import Any


def unknown_words(tokens: Any, texts: Sequence[str]) -> list[str]:
    """A note with how many words of the texts are not in the vocabulary of `tokens`, a BERT tokenizer, if any."""
    ids = [number for text in texts for number in tokens(text)["input_ids"]]
    n = ids.count(tokens.unk_token_id)
    return [f"{n} {'word is' if n == 1 else 'words are'} unknown to the text encoder"] if n else []
