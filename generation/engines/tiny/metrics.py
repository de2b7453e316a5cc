"""The metrics' networks with tiny random weights, through the same library classes: for tests and demonstrations.

Every function gives the same weights in every process, leaves torch's own random state as it was, and needs no file.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

WIDTH = 128  # BLIP's networks have one attention head for 64
SIDE, PATCH = 32, 16
YES = 3.0  # added to BLIP's logit of "yes", which these weights would hardly ever say
MLP = (WIDTH, 1024, 128, 64, 16, 1)
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_WORDS = ("yes", "no", "a", "an", "the", "is", "on", "in", "of", "with", "and", "?", ".", ",")
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def clip() -> tuple[Any, Any]:
    """A CLIP of open_clip for images of 32 × 32 pixels, and CLIP's own tokenizer."""
    from open_clip import SimpleTokenizer  # type: ignore[import-untyped]
    from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg  # type: ignore[import-untyped]
    from open_clip.transform import PreprocessCfg  # type: ignore[import-untyped]

    with seeded():
        network = CLIP(
            embed_dim=4,
            vision_cfg=CLIPVisionCfg(layers=2, width=64, head_width=32, patch_size=8, image_size=SIDE),
            text_cfg=CLIPTextCfg(width=32, heads=2, layers=2),
        )
        for weights in network.parameters():
            if weights.dim() > 1:
                weights.data *= 4  # with the usual spread, images hardly matter
        # One direction that all images and texts share: without it half of the scores were cut off at zero.
        for shift, projection in (
            (network.visual.ln_post.bias, network.visual.proj),
            (network.ln_final.bias, network.text_projection),
        ):
            shift.data.fill_(1.0)
            projection.data[:, 0] = 8 / len(shift)
    network.visual.preprocess_cfg = PreprocessCfg(size=SIDE).__dict__
    return network, SimpleTokenizer()


def vocabulary() -> dict[str, int]:
    """A vocabulary of BERT's kind: every word of Latin letters and digits can be spelt with it."""
    pieces = [*_SPECIAL, *_WORDS, *_LETTERS, *(f"##{letter}" for letter in _LETTERS)]
    return {piece: place for place, piece in enumerate(dict.fromkeys(pieces))}


def blip_vqa() -> Any:
    """A BlipForQuestionAnswering for images of 32 × 32 pixels and the tiny vocabulary with [DEC] and [ENC] after it."""
    from transformers import BlipConfig, BlipForQuestionAnswering

    n_words = len(vocabulary())
    tower: dict[str, Any] = {
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    # Ten times the usual spread: with less, all questions about all images get nearly one answer.
    tower["initializer_range"] = 0.2
    text = {"vocab_size": n_words + 2, "bos_token_id": n_words, "sep_token_id": 3, "eos_token_id": 3, "pad_token_id": 0}
    config = BlipConfig(
        vision_config={**tower, "image_size": SIDE, "patch_size": PATCH},
        text_config={**tower, **text, "encoder_hidden_size": WIDTH, "max_position_embeddings": 64},
    )
    with seeded():
        network = BlipForQuestionAnswering(config)
    network.text_decoder.cls.predictions.decoder.bias.data[vocabulary()["yes"]] = YES
    return network


def image_reward_state() -> "dict[str, torch.Tensor]":
    """Random weights under the names that the published ImageReward.pt has."""
    import torch

    shapes = dict(_image_reward_shapes())
    with seeded():
        state = {name: torch.randn(shape) * _spread(name, shape) for name, shape in shapes.items()}
    state["blip.text_encoder.embeddings.position_ids"] = torch.arange(64)[None]
    for name, tensor in state.items():
        if name.endswith(("norm.weight", "Norm.weight", "norm1.weight", "norm2.weight")):
            tensor += 1
    return state


def _spread(name: str, shape: tuple[int, ...]) -> float:
    if len(shape) < 2 or "embed" in name or "cls_token" in name:
        return 0.1
    fan_in = 1
    for size in shape[1:]:
        fan_in *= size
    return float(fan_in**-0.5)


def _image_reward_shapes() -> Iterator[tuple[str, tuple[int, ...]]]:
    vision, text = "blip.visual_encoder", "blip.text_encoder"
    yield f"{vision}.cls_token", (1, 1, WIDTH)
    yield f"{vision}.pos_embed", (1, (SIDE // PATCH) ** 2 + 1, WIDTH)
    yield f"{vision}.patch_embed.proj.weight", (WIDTH, 3, PATCH, PATCH)
    yield f"{vision}.patch_embed.proj.bias", (WIDTH,)
    for block in (f"{vision}.blocks.{number}" for number in range(2)):
        yield from _norm(f"{block}.norm1")
        yield from _linear(f"{block}.attn.qkv", 3 * WIDTH, WIDTH)
        yield from _linear(f"{block}.attn.proj", WIDTH, WIDTH)
        yield from _norm(f"{block}.norm2")
        yield from _linear(f"{block}.mlp.fc1", 2 * WIDTH, WIDTH)
        yield from _linear(f"{block}.mlp.fc2", WIDTH, 2 * WIDTH)
    yield from _norm(f"{vision}.norm")
    yield f"{text}.embeddings.word_embeddings.weight", (len(vocabulary()) + 2, WIDTH)
    yield f"{text}.embeddings.position_embeddings.weight", (64, WIDTH)
    yield from _norm(f"{text}.embeddings.LayerNorm")
    for layer in (f"{text}.encoder.layer.{number}" for number in range(2)):
        for attention in ("attention", "crossattention"):
            for part in ("query", "key", "value"):
                yield from _linear(f"{layer}.{attention}.self.{part}", WIDTH, WIDTH)
            yield from _linear(f"{layer}.{attention}.output.dense", WIDTH, WIDTH)
            yield from _norm(f"{layer}.{attention}.output.LayerNorm")
        yield from _linear(f"{layer}.intermediate.dense", 2 * WIDTH, WIDTH)
        yield from _linear(f"{layer}.output.dense", WIDTH, 2 * WIDTH)
        yield from _norm(f"{layer}.output.LayerNorm")
    yield from _linear("blip.vision_proj", 256, WIDTH)
    yield from _linear("blip.text_proj", 256, WIDTH)
    # The places between are dropouts.
    for place, (n_in, n_out) in zip((0, 2, 4, 6, 7), pairwise(MLP), strict=True):
        yield from _linear(f"mlp.layers.{place}", n_out, n_in)


def _linear(name: str, n_out: int, n_in: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", (n_out, n_in)
    yield f"{name}.bias", (n_out,)


def _norm(name: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", (WIDTH,)
    yield f"{name}.bias", (WIDTH,)


@contextmanager
def seeded() -> Iterator[None]:
    """torch's random numbers from seed 0, and afterwards as if nobody had drawn any."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield
