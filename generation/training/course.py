"""The whole training, in its order: pictures, autoencoder, latents, transformer with text encoders, CLIP, files."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from generation.recipes.scenes.scene import ScenePrompt
from generation.recipes.scenes.variation import training_prompt
from generation.training import autoencoder, clip, export, parallel, transformer, words
from generation.training.clock import Clock
from generation.training.data import PER_CATEGORY, training_set, weight_of_things


@dataclass(frozen=True)
class Course:
    """How many steps each part takes, and how many pictures: `chunks` of `per_category` prompts per category."""

    chunks: int
    autoencoder: int
    decoder: int
    transformer: int
    clip: int
    per_category: int = PER_CATEGORY
    log_every: int = 100
    compiled: bool = False
    """Whether to compile the transformer's blocks where there is a C++ compiler: it takes minutes and saves a fifth."""

    def scaled(self, factor: float) -> Course:
        """The same course with `factor` times as many steps of every part."""
        parts = ("autoencoder", "decoder", "transformer", "clip")
        return replace(self, **{part: max(1, round(factor * getattr(self, part))) for part in parts})


FULL = Course(chunks=56, autoencoder=2_440, decoder=785, transformer=2_910, clip=1_150, compiled=True)
"""What the committed weights had (see docs/generation/small-model.md)."""
SMOKE = Course(chunks=1, autoencoder=4, decoder=2, transformer=4, clip=2, per_category=50, log_every=2)


_MORE_FOR_THINGS = 2.0
"""The weight of small things in the loss, next to 0.5 for the ground and 2.5 for coloured areas."""


def run(folder: Path, course: Course) -> Path:
    """Train in `folder`; the weights are then in its folders `weights/pipeline` and `weights/clip`."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    torch.backends.cuda.enable_flash_sdp(False)  # for so few tokens its backward pass on a CPU is slower than plain
    parallel.start()
    folder.mkdir(parents=True, exist_ok=True)
    if parallel.is_first():
        training_set(folder, course.chunks, course.per_category)
    parallel.wait_for_all()
    pictures, prompts = training_set(folder, course.chunks, course.per_category)
    # The last ones serve for measuring. They are mixed, so that they cover all categories.
    order = np.random.default_rng(1).permutation(len(prompts))
    pictures, prompts = pictures[order], [prompts[index] for index in order]

    clock = Clock("autoencoder", course.autoencoder, log_every=course.log_every)
    coder = autoencoder.train(pictures, folder / "autoencoder.pt", clock)
    clock = Clock("decoder", course.decoder, log_every=course.log_every)
    coder = autoencoder.polish(coder, pictures, folder / "decoder.pt", clock)
    latents, weights, shift, scale = _latents(coder, pictures, folder / "latents.pt")
    weights = weights.float() + _MORE_FOR_THINGS * torch.from_numpy(weight_of_things(prompts))
    weights = (weights / weights.mean()).half()
    tokenizer = words.build_tokenizer(_texts(prompts, clip.PREFIX))
    compiled = course.compiled and shutil.which(os.environ.get("CXX", "g++")) is not None
    clock = Clock("transformer", course.transformer, log_every=course.log_every)
    drawer = transformer.train(
        latents, weights, prompts, tokenizer, folder / "transformer.pt", clock, compiled=compiled
    )
    if parallel.is_first():
        clock = Clock("clip", course.clip, log_every=course.log_every)
        judge = clip.train(pictures, prompts, tokenizer, folder / "clip.pt", clock)
        export.export(coder, drawer, tokenizer, shift, scale, folder / "weights" / "pipeline")
        clip.export(judge, tokenizer, folder / "weights" / "clip")
    parallel.wait_for_all()
    return folder / "weights"


def _latents(coder: torch.nn.Module, pictures: np.ndarray, file: Path) -> tuple[Tensor, Tensor, float, float]:
    """Latents with mean 0 and deviation 1, the weights of their places, and the shift and scale that were applied."""
    if parallel.is_first() and not file.exists():
        latents, weights = autoencoder.encode(coder, pictures)
        partial = file.with_suffix(".partial")
        torch.save({"latents": latents, "weights": weights}, partial)
        partial.replace(file)
    parallel.wait_for_all()
    kept = torch.load(file, weights_only=True)
    latents = kept["latents"].float()
    shift, scale = float(latents.mean()), float(1 / latents.std())
    return ((latents - shift) * scale).half(), kept["weights"], shift, scale


def _texts(prompts: list[ScenePrompt], prefix: str) -> list[str]:
    rng = np.random.default_rng(0)
    return [prefix + training_prompt(prompt, rng) for prompt in prompts]
