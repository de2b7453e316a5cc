"""The transformer that draws latents from words by flow matching, trained together with its text encoders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from generation.recipes.scenes.scene import ScenePrompt
from generation.recipes.scenes.variation import training_prompt
from generation.training import parallel, words
from generation.training.clock import Clock

BATCH = 32  # over all processes
_AT_ONCE = 16  # in one pass of a process
_RATE = 1.5e-3
_WARM_UP = 100  # steps
_HELD = 0.55  # share of the steps at the full learning rate
_EMA = 0.998
_NOISE_LEVEL = 0.3  # mean of the logit; above 0 since what goes where is settled early
_DROPPED = 0.1  # share of empty prompts, for guidance
N_MEASURED = 64


def build() -> Any:
    """The network with fresh weights, 7.8 million of them."""
    from diffusers import SD3Transformer2DModel

    return SD3Transformer2DModel(
        sample_size=16,
        patch_size=2,
        in_channels=8,
        out_channels=8,
        num_layers=6,
        attention_head_dim=32,
        num_attention_heads=6,
        joint_attention_dim=2 * words.WIDTH,
        caption_projection_dim=192,
        pooled_projection_dim=2 * words.WIDTH,
        pos_embed_max_size=16,
        qk_norm="rms_norm",
    )


class Drawer(nn.Module):
    """The transformer and its text encoders, which learn together."""

    def __init__(self, tokenizer: Any) -> None:
        super().__init__()
        self.transformer = build()
        self.encoders = nn.ModuleList(words.build_encoder(tokenizer) for _ in range(2))

    def forward(self, noisy: Tensor, sigma: Tensor, ids: Tensor) -> Tensor:
        """The direction from picture to noise that it sees in latents (n, 8, s, s) at noise levels (n,)."""
        tokens, pooled = words.encode(self.encoders, ids)
        predicted: Tensor = self.transformer(
            hidden_states=noisy,
            encoder_hidden_states=tokens,
            pooled_projections=pooled,
            timestep=sigma * 1000,
            return_dict=False,
        )[0]
        return predicted


def train(
    latents: Tensor,
    weights: Tensor,
    prompts: list[ScenePrompt],
    tokenizer: Any,
    file: Path,
    clock: Clock,
    *,
    compiled: bool = False,
) -> Drawer:
    """The averaged network of a training on normalised latents; continues from `file` where there is one.

    `weights` (n, 1, s, s): how much each place of a picture counts. The last N_MEASURED pictures only measure.
    """
    network, averaged = Drawer(tokenizer), Drawer(tokenizer)
    averaged.load_state_dict(network.state_dict())
    if compiled:
        for block in network.transformer.transformer_blocks:
            block.compile(dynamic=False)
    optimiser = torch.optim.AdamW(network.parameters(), lr=_RATE, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    clock.resume(file, network=network, averaged=averaged, optimiser=optimiser)
    rng = np.random.default_rng((clock.steps, parallel.rank()))
    noise = torch.Generator().manual_seed(1_000 * clock.steps + parallel.rank())
    pairs = list(zip(averaged.parameters(), network.parameters(), strict=True))
    last = len(prompts) - N_MEASURED
    while not clock.is_over:
        for group in optimiser.param_groups:
            group["lr"] = _RATE * min(1.0, clock.steps / _WARM_UP) * clock.cosine(_HELD, 0.03)
        chosen = rng.integers(last, size=parallel.part_of(BATCH))
        texts = ["" if rng.random() < _DROPPED else training_prompt(prompts[index], rng) for index in chosen]
        ids, loss = words.token_ids(tokenizer, texts), 0.0
        optimiser.zero_grad()
        for first in range(0, len(chosen), _AT_ONCE):
            part = slice(first, first + _AT_ONCE)
            some = chosen[part]
            with parallel.fast_precision():
                lost = flow_loss(network, latents[some].float(), weights[some].float(), ids[part], noise)
            (lost * len(some) / len(chosen)).backward()
            loss += lost.item() * len(some) / len(chosen)
        parallel.average_gradients(network.parameters())
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        kept = min(_EMA, (clock.steps + 1) / (clock.steps + 10))
        torch._foreach_lerp_([a.data for a, _ in pairs], [p.data for _, p in pairs], 1 - kept)
        if clock.tick(loss):
            clock.log(held_out=_measure(averaged, latents, prompts, tokenizer) if parallel.is_first() else 0.0)
            clock.save(file, network=network, averaged=averaged, optimiser=optimiser)
    clock.save(file, network=network, averaged=averaged, optimiser=optimiser)
    return averaged.eval()


def flow_loss(network: Drawer, latents: Tensor, weights: Tensor, ids: Tensor, noise: torch.Generator) -> Tensor:
    """Weighted squared error of the predicted direction at noise levels drawn from a logit-normal distribution."""
    sigma = torch.sigmoid(_NOISE_LEVEL + torch.randn(len(latents), generator=noise))
    pure = torch.randn(latents.shape, generator=noise)
    level = sigma[:, None, None, None]
    predicted = network((1 - level) * latents + level * pure, sigma, ids)
    return (weights * (predicted.float() - (pure - latents)).square()).mean()


@torch.no_grad()
def _measure(network: Drawer, latents: Tensor, prompts: list[ScenePrompt], tokenizer: Any) -> float:
    """The loss on the last prompts, which it does not learn from, with always the same noise."""
    noise = torch.Generator().manual_seed(0)
    ids = words.token_ids(tokenizer, [prompt.text for prompt in prompts[-N_MEASURED:]])
    with parallel.fast_precision():
        return float(flow_loss(network, latents[-N_MEASURED:].float(), torch.ones(()), ids, noise))
