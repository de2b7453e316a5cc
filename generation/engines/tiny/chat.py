"""Tiny language models with random weights through the real classes: one that reads, and one that also sees.

They say nonsense, take no download, and go the same way as large ones: chat template, tokenizer, processor, generate.
"""

from typing import Any

SEED = 0
IMAGE_SIDE = 32
PATCH = 16
WIDTH = 32
LONGEST = 65_536
_TEMPLATE = """\
{%- for message in messages -%}
<|{{ message.role }}|>
{%- if message.content is string -%}{{ message.content }}{%- else -%}
{%- for part in message.content -%}{%- if part.type == 'image' -%}<image>{%- else -%}{{ part.text }}{%- endif -%}
{%- endfor -%}{%- endif -%}<|end|>
{%- endfor -%}
{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}"""


def build(*, sees: bool) -> tuple[Any, Any]:
    """The model in float32 on the CPU, always with the same weights, and its tokenizer, or processor if it sees.

    torch's own random state is left alone.
    """
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return _seeing() if sees else _reading()


def _tokenizer() -> Any:
    """Every byte is a token: no vocabulary file, and every text can be said."""
    from transformers import GPT2Tokenizer
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    special = ["<|end|>", "<|system|>", "<|user|>", "<|assistant|>", "<image>"]
    letters = [*bytes_to_unicode().values(), *special]
    return GPT2Tokenizer(
        vocab={letter: i for i, letter in enumerate(letters)},
        merges=[],
        **dict.fromkeys(("unk_token", "bos_token", "eos_token", "pad_token"), special[0]),
        additional_special_tokens=special[1:],
        chat_template=_TEMPLATE,
    )


def _text_config(tokenizer: Any) -> Any:
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=LONGEST,
        initializer_range=0.2,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def _reading() -> tuple[Any, Any]:
    from transformers import LlamaForCausalLM

    tokenizer = _tokenizer()
    return LlamaForCausalLM(_text_config(tokenizer)).eval(), tokenizer


def _seeing() -> tuple[Any, Any]:
    from transformers import (
        CLIPImageProcessorPil,
        CLIPVisionConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    tokenizer = _tokenizer()
    side = {"height": IMAGE_SIDE, "width": IMAGE_SIDE}
    processor = LlavaProcessor(
        image_processor=CLIPImageProcessorPil(size={"shortest_edge": IMAGE_SIDE}, crop_size=side),
        tokenizer=tokenizer,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=_TEMPLATE,
    )
    vision = CLIPVisionConfig(
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=IMAGE_SIDE,
        patch_size=PATCH,
        initializer_range=0.2,
    )
    config = LlavaConfig(
        vision_config=vision,
        text_config=_text_config(tokenizer),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-1,
    )
    return LlavaForConditionalGeneration(config).eval(), processor
