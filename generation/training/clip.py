"""A small CLIP of the closed world through open_clip, so that CLIPScore runs and means something."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from generation.recipes.scenes.scene import BODY_SHAPES, COLOURS, COUNT_WORDS, ScenePrompt
from generation.recipes.scenes.variation import training_prompt
from generation.training import parallel, words
from generation.training.clock import Clock

PREFIX = "A photo depicts "  # CLIPScore's own
BATCH = 64
_RATE = 1e-3
CONFIG: dict[str, Any] = {
    "embed_dim": 96,
    "vision_cfg": {"image_size": 64, "patch_size": 8, "width": 128, "layers": 4, "head_width": 32},
    "text_cfg": {"context_length": words.N_TOKENS, "width": 96, "heads": 3, "layers": 3, "hf_tokenizer_name": "scenes"},
}
_PREPARING = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "resize_mode": "squash"}
_SWAPS: tuple[tuple[str, ...], ...] = (
    tuple(COLOURS),
    tuple(BODY_SHAPES),
    tuple(f"{shape}s" for shape in BODY_SHAPES),
    tuple(COUNT_WORDS.values())[1:5],
    ("left", "right"),
    ("above", "below"),
)


def build(tokenizer: Any) -> Any:
    """The network with fresh weights, about 1.2 million of them."""
    from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg  # type: ignore[import-untyped]

    text = {name: value for name, value in CONFIG["text_cfg"].items() if name != "hf_tokenizer_name"}
    return CLIP(
        embed_dim=CONFIG["embed_dim"],
        vision_cfg=CLIPVisionCfg(**CONFIG["vision_cfg"]),
        text_cfg=CLIPTextCfg(**text, vocab_size=len(tokenizer)),
    )


def train(pictures: NDArray[np.uint8], prompts: list[ScenePrompt], tokenizer: Any, file: Path, clock: Clock) -> Any:
    """The trained network; continues from `file` where there is one.

    Each picture must match its prompt better than other prompts, and better than its own with one word changed.
    """
    network = build(tokenizer)
    optimiser = torch.optim.AdamW(network.parameters(), lr=_RATE, betas=(0.9, 0.98), weight_decay=0.05, fused=True)
    clock.resume(file, network=network, optimiser=optimiser)
    rng = np.random.default_rng(clock.steps)
    while not clock.is_over:
        for group in optimiser.param_groups:
            group["lr"] = _RATE * min(1.0, clock.steps / 100) * clock.cosine()
        chosen = rng.integers(len(prompts), size=BATCH)
        texts = [training_prompt(prompts[index], rng) for index in chosen]
        changed = [change_a_word(text, rng) for text in texts]
        loss = contrast(network, _pixels(pictures[chosen]), words.token_ids(tokenizer, _prefixed(texts + changed)))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        if clock.tick(loss.item()):
            clock.log()
            clock.save(file, network=network, optimiser=optimiser)
    clock.save(file, network=network, optimiser=optimiser)
    return network.eval()


def contrast(network: Any, pixels: Tensor, ids: Tensor) -> Tensor:
    """Symmetric cross-entropy of pictures (n) and texts (2n), of which the second half fits no picture."""
    n = len(pixels)
    with parallel.fast_precision():
        seen, read = network.encode_image(pixels), network.encode_text(ids)
    seen, read = F.normalize(seen.float(), dim=-1), F.normalize(read.float(), dim=-1)
    logits = network.logit_scale.exp().clamp(max=100) * seen @ read.T
    # A picture meets only its own changed text: another's is no harder than another's prompt.
    own = torch.cat([torch.ones(n, n), torch.eye(n)], dim=1).bool()
    target = torch.arange(n)
    return (F.cross_entropy(logits.masked_fill(~own, -1e4), target) + F.cross_entropy(logits[:, :n].T, target)) / 2


def change_a_word(text: str, rng: np.random.Generator) -> str:
    """The text with one word replaced by another of its kind: a colour, a shape, a number, a direction."""
    places = [(word, kind) for kind in _SWAPS for word in re.findall(r"[A-Za-z]+", text) if word.lower() in kind]
    if not places:
        return text
    word, kind = places[int(rng.integers(len(places)))]
    others = [other for other in kind if other != word.lower()]
    other = others[int(rng.integers(len(others)))]
    return re.sub(rf"\b{word}\b", other, text)


def _prefixed(texts: list[str]) -> list[str]:
    return [PREFIX + text for text in texts]


def _pixels(pictures: NDArray[np.uint8]) -> Tensor:
    """(n, 3, side, side) in −1…1, as the preparing in the config makes them."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1


def export(network: Any, tokenizer: Any, folder: Path) -> None:
    """The folder that open_clip loads as local-dir, in half precision."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(folder)
    config = {**CONFIG, "text_cfg": {**CONFIG["text_cfg"], "vocab_size": len(tokenizer)}}
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": config, "preprocess_cfg": _PREPARING}, indent=1) + "\n"
    )
    weights = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
