"""Prompts as the transformer reads them: encoded one at a time, and remembered."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generation.engines.read_words import words_cut, words_unknown
from generation.engines.sd3.loading import Pipeline

if TYPE_CHECKING:
    import torch

MOST_REMEMBERED = 64  # 5 MB each with Stable Diffusion 3.5 in bf16


@dataclass(frozen=True)
class Words:
    """tokens (1, 77 + T5's length, width); pooled (1, width): one vector for the whole text."""

    tokens: "torch.Tensor"
    pooled: "torch.Tensor"


class Reader:
    """The three text encoders. One text at a time: what it becomes must not depend on its companions."""

    def __init__(self, pipe: Pipeline, device: "torch.device", dtype: "torch.dtype", t5_length: int) -> None:
        self._pipe, self._device, self._dtype, self._t5_length = pipe, device, dtype, t5_length
        self._read: OrderedDict[str, Words] = OrderedDict()

    def unread(self, texts: dict[str, str]) -> list[str]:
        """Notes on what the encoders did not read of these texts or do not know, by what the texts are called."""
        return [
            *words_cut(self._pipe, texts, limits={"tokenizer_3": self._t5_length}),
            *words_unknown(self._pipe, texts),
        ]

    def read(self, text: str) -> Words:
        """The text's embeddings on the device. What is beyond the encoders' lengths is cut off, as diffusers does."""
        if text in self._read:
            self._read.move_to_end(text)
            return self._read[text]
        tokens, _, pooled, _ = self._pipe.encode_prompt(
            prompt=text,
            prompt_2=None,
            prompt_3=None,
            device=self._device,
            do_classifier_free_guidance=False,
            max_sequence_length=self._t5_length,
        )
        words = Words(tokens.to(self._device, self._dtype), pooled.to(self._device, self._dtype))
        self._read[text] = words
        if len(self._read) > MOST_REMEMBERED:
            self._read.popitem(last=False)
        return words
