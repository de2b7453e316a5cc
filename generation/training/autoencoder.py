"""The autoencoder between pictures and latents: `AutoencoderKL`, four times down to 8 channels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from generation.training import parallel
from generation.training.clock import Clock

_WHOLE_BATCH, _PART_BATCH = 16, 32  # over all processes
_PART_SIDE, _PART_SHARE = 32, 2 / 3
"""For this share of the steps it sees parts of pictures, around their figures: most of a whole one is ground."""
_RATE, _POLISH_RATE = 2e-3, 1.5e-3
_IMPRECISION = 0.03  # of the latents' deviation
N_MEASURED = 64
_KL_WEIGHT = 1e-6


def build() -> Any:
    """The network with fresh weights, 0.66 million of them."""
    from diffusers import AutoencoderKL

    network: Any = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(16, 32, 64),
        layers_per_block=1,
        latent_channels=8,
        norm_num_groups=8,
        sample_size=64,
        use_quant_conv=False,
        use_post_quant_conv=False,
        mid_block_add_attention=False,
    )
    return network.to(memory_format=torch.channels_last)


def train(pictures: NDArray[np.uint8], file: Path, clock: Clock) -> Any:
    """The trained network; continues from `file` where there is one. The last N_MEASURED pictures only measure."""
    network = build()
    optimiser = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=1e-4, fused=True)
    clock.resume(file, network=network, optimiser=optimiser)
    rng = np.random.default_rng((clock.steps, parallel.rank()))
    while not clock.is_over:
        for group in optimiser.param_groups:
            group["lr"] = _RATE * min(1.0, clock.steps / 50) * clock.cosine()
        batch = _batch(pictures[:-N_MEASURED], rng, whole=clock.progress >= _PART_SHARE)
        with parallel.fast_precision():
            posterior = network.encode(batch).latent_dist
            decoded = network.decode(posterior.sample()).sample
        loss = reconstruction_loss(decoded.float(), batch) + _KL_WEIGHT * posterior.kl().float().mean()
        optimiser.zero_grad()
        loss.backward()
        parallel.average_gradients(network.parameters())
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        if clock.tick(loss.item()):
            clock.log(psnr=psnr(network, pictures[-N_MEASURED:]) if parallel.is_first() else 0.0)
            clock.save(file, network=network, optimiser=optimiser)
    clock.save(file, network=network, optimiser=optimiser)
    return network.eval()


def polish(network: Any, pictures: NDArray[np.uint8], file: Path, clock: Clock) -> Any:
    """The same network with its decoder trained further, on latents as imprecise as a transformer draws them.

    The encoder stays as it is, and so do latents that were encoded before; continues from `file` where there is one.
    """
    network.encoder.requires_grad_(False)
    decoder = network.decoder
    optimiser = torch.optim.AdamW(decoder.parameters(), lr=_POLISH_RATE, weight_decay=1e-4, fused=True)
    clock.resume(file, network=network, optimiser=optimiser)
    rng = np.random.default_rng((1, clock.steps, parallel.rank()))
    while not clock.is_over:
        for group in optimiser.param_groups:
            group["lr"] = _POLISH_RATE * min(1.0, clock.steps / 50) * clock.cosine()
        batch = _batch(pictures[:-N_MEASURED], rng, whole=True)
        with parallel.fast_precision():
            with torch.no_grad():
                latents = network.encode(batch).latent_dist.mode().float()
            latents = latents + _IMPRECISION * float(latents.std()) * torch.randn_like(latents)
            decoded = network.decode(latents).sample
        loss = reconstruction_loss(decoded.float(), batch)
        optimiser.zero_grad()
        loss.backward()
        parallel.average_gradients(decoder.parameters())
        torch.nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
        optimiser.step()
        if clock.tick(loss.item()):
            clock.log(psnr=psnr(network, pictures[-N_MEASURED:]) if parallel.is_first() else 0.0)
            clock.save(file, network=network, optimiser=optimiser)
    clock.save(file, network=network, optimiser=optimiser)
    return network.eval()


def reconstruction_loss(decoded: Tensor, wanted: Tensor) -> Tensor:
    """Errors of lightness and of edges, coloured pixels counting up to six times as much as the pale ground."""
    colourful = wanted.amax(1, keepdim=True) - wanted.amin(1, keepdim=True)  # 0–2
    weight = 1 + 2.5 * colourful
    difference = decoded - wanted
    loss = (weight * difference.abs()).mean() + 2 * (weight * difference.square()).mean()
    for axis in (2, 3):
        loss = loss + 0.5 * difference.diff(dim=axis).abs().mean()
    return loss


def _batch(pictures: NDArray[np.uint8], rng: np.random.Generator, *, whole: bool) -> Tensor:
    """Whole pictures, or parts around a coloured pixel of each."""
    if whole:
        return to_tensor(pictures[rng.integers(len(pictures), size=parallel.part_of(_WHOLE_BATCH))])
    parts = []
    for picture in pictures[rng.integers(len(pictures), size=parallel.part_of(_PART_BATCH))]:
        ys, xs = np.nonzero(np.ptp(picture, axis=2) > 60)
        chosen = int(rng.integers(len(ys)))
        most = len(picture) - _PART_SIDE
        top, left = (int(np.clip(at[chosen] - rng.integers(4, _PART_SIDE - 4), 0, most)) // 4 * 4 for at in (ys, xs))
        parts.append(picture[top : top + _PART_SIDE, left : left + _PART_SIDE])
    return to_tensor(np.stack(parts))


def to_tensor(pictures: NDArray[np.uint8]) -> Tensor:
    """Pictures (n, side, side, 3) as (n, 3, side, side) in −1…1."""
    tensor = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2)
    return (tensor.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def psnr(network: Any, pictures: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio of reconstructions in dB."""
    wanted = to_tensor(pictures)
    decoded = network.decode(network.encode(wanted).latent_dist.mode()).sample
    return float(10 * torch.log10(4 / F.mse_loss(decoded.clamp(-1, 1), wanted)))


@torch.no_grad()
def encode(network: Any, pictures: NDArray[np.uint8], at_once: int = 128) -> tuple[Tensor, Tensor]:
    """The latents' means (n, 8, s, s) and how much each of their places counts (n, 1, s, s), 1 on average.

    Figures count up to five times as much as the ground, which is most of a picture and soon right.
    """
    latents, weights = [], []
    for start in range(0, len(pictures), at_once):
        batch = to_tensor(pictures[start : start + at_once])
        latents.append(network.encode(batch).latent_dist.mode().half())
        colourful = F.avg_pool2d((batch.amax(1, keepdim=True) - batch.amin(1, keepdim=True) > 0.4).float(), 4)
        weights.append((0.5 + 2 * colourful).half())
    weight = torch.cat(weights)
    return torch.cat(latents), weight / weight.float().mean()
