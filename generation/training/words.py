"""The model's language: a tokenizer of whole words, and two small CLIP text encoders as the SD3 pipeline wants them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

N_TOKENS = 40
WIDTH = 96
_WORD = re.compile(r"[a-z]+")
_START, _END, _UNKNOWN = "<|startoftext|>", "<|endoftext|>", "<|unknown|>"


def build_tokenizer(texts: Iterable[str]) -> Any:
    """A tokenizer whose vocabulary is the words of `texts`; further words become one unknown token.

    Capitals and punctuation are dropped. Every text is padded or cut to N_TOKENS tokens with marks at both ends.
    """
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = sorted({word for text in texts for word in _WORD.findall(text.lower())})
    # The end mark is the last: an id of 2 would make CLIP take its pooled vector from another place.
    vocabulary = {token: index for index, token in enumerate([_UNKNOWN, _START, *words, _END])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=_UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Lowercase(), normalizers.Replace(Regex("[^a-z]+"), " "), normalizers.Strip()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{_START} $A {_END}", special_tokens=[(mark, vocabulary[mark]) for mark in (_START, _END)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=_START,
        eos_token=_END,
        pad_token=_END,
        unk_token=_UNKNOWN,
        model_max_length=N_TOKENS,
    )


def build_encoder(tokenizer: Any) -> Any:
    """One text encoder with fresh weights."""
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    return CLIPTextModelWithProjection(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=WIDTH,
            intermediate_size=4 * WIDTH,
            projection_dim=WIDTH,
            num_hidden_layers=2,
            num_attention_heads=3,
            max_position_embeddings=N_TOKENS,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def token_ids(tokenizer: Any, texts: list[str]) -> Tensor:
    """(n, N_TOKENS)."""
    ids: Tensor = tokenizer(texts, padding="max_length", max_length=N_TOKENS, truncation=True, return_tensors="pt")[
        "input_ids"
    ]
    return ids


def encode(encoders: nn.ModuleList, ids: Tensor) -> tuple[Tensor, Tensor]:
    """Tokens (n, N_TOKENS + 1, 2 · WIDTH) and pooled vectors (n, 2 · WIDTH), exactly as the SD3 pipeline makes them.

    The pipeline appends the tokens of a third encoder; without one they are zeros, here of length 1.
    """
    read = [encoder(ids, output_hidden_states=True) for encoder in encoders]
    tokens = torch.cat([one.hidden_states[-2] for one in read], dim=-1)
    pooled = torch.cat([one[0] for one in read], dim=-1)
    return torch.cat([tokens, tokens.new_zeros(len(tokens), 1, tokens.shape[-1])], dim=1), pooled
