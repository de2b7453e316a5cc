"""The trained parts as a folder that diffusers loads as Stable Diffusion 3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from generation.training.transformer import Drawer


def export(autoencoder: Any, drawer: Drawer, tokenizer: Any, shift: float, scale: float, folder: Path) -> None:
    """Write the pipeline in half precision; latents are (what the encoder gives − shift) · scale."""
    from diffusers import FlowMatchEulerDiscreteScheduler, StableDiffusion3Pipeline

    autoencoder.register_to_config(shift_factor=shift, scaling_factor=scale)
    first, second = drawer.encoders
    pipeline: Any = StableDiffusion3Pipeline(
        transformer=drawer.transformer.half(),
        # 64 tokens need no shift of the noise levels; SD3's 3.0 is for 4096.
        scheduler=FlowMatchEulerDiscreteScheduler(shift=1.0),
        vae=autoencoder.half(),
        text_encoder=first.half(),
        tokenizer=tokenizer,
        text_encoder_2=second.half(),
        tokenizer_2=tokenizer,
        text_encoder_3=None,
        tokenizer_3=None,
    )
    pipeline.save_pretrained(folder)
