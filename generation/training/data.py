"""Pictures of scenes with their prompts, drawn once and kept."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import repeat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generation.recipes.scenes.drawing import paint
from generation.recipes.scenes.grammar import write_prompts
from generation.recipes.scenes.held_out import is_held_out
from generation.recipes.scenes.scene import CATEGORIES, ScenePrompt, stream
from generation.recipes.scenes.variation import MIRRORED, settle_places, shuffle_picture

SIDE = 64
_OVERSAMPLING = 4
PER_CATEGORY = 200
"""Prompts of one category in a chunk, held-out ones among them."""
_FIRST_SEED = 1_000
"""Seeds below are the demo's and the tests'; chunk i of the training set has the seed _FIRST_SEED + i."""
_PICTURE_STREAM = 11


def prompts_of(seed: int, per_category: int) -> Iterator[ScenePrompt]:
    """The prompts of a seed, category by category, held-out compositions included."""
    for category in CATEGORIES:
        yield from write_prompts(seed, category, per_category)


def training_prompts(chunk: int, per_category: int = PER_CATEGORY) -> list[ScenePrompt]:
    """The prompts of one chunk of the training set."""
    return [prompt for prompt in prompts_of(_FIRST_SEED + chunk, per_category) if not is_held_out(prompt.scene)]


def picture(prompt: ScenePrompt, rng: np.random.Generator, side: int = SIDE) -> NDArray[np.uint8]:
    """One picture of a prompt, (side, side, 3), with mirror and backdrop drawn from `rng`."""
    scene = shuffle_picture(prompt.scene, rng)
    return np.asarray(paint(scene, settle_places(scene), side, oversampling=_OVERSAMPLING))


def draw_chunk(folder: Path, chunk: int, per_category: int = PER_CATEGORY) -> Path:
    """The file with the pictures of one chunk, drawn if it is not there yet."""
    file = folder / f"pictures-{chunk:03d}.npy"
    if not file.exists():
        rng = stream(_FIRST_SEED + chunk, _PICTURE_STREAM)
        partial = file.with_suffix(".partial.npy")
        np.save(partial, np.stack([picture(prompt, rng) for prompt in training_prompts(chunk, per_category)]))
        partial.replace(file)
    return file


def training_set(
    folder: Path, chunks: int, per_category: int = PER_CATEGORY, processes: int = 2
) -> tuple[NDArray[np.uint8], list[ScenePrompt]]:
    """Pictures (n, side, side, 3) and their prompts; drawn on first use, then read from `folder`."""
    with ProcessPoolExecutor(processes) as pool:
        files = list(pool.map(draw_chunk, repeat(folder), range(chunks), repeat(per_category)))
    prompts = [prompt for chunk in range(chunks) for prompt in training_prompts(chunk, per_category)]
    return np.concatenate([np.load(file) for file in files]), prompts


def weight_of_things(prompts: list[ScenePrompt], cells: int = 16) -> NDArray[np.float32]:
    """(n, 1, cells, cells): 1 where a picture of the prompt has a thing without a face, mirrored or not, else 0."""
    marked = np.zeros((len(prompts), 1, cells, cells), dtype=np.float32)
    for number, prompt in enumerate(prompts):
        things = [entity.id for entity in prompt.scene.entities if not entity.is_body]
        for mirror in (False, True) if prompt.scene.plan in MIRRORED else (False,):
            places = settle_places(replace(prompt.scene, mirror=mirror))
            for x, y, d in (spot for key in things for spot in places[key]):
                left, right, top, bottom = (round(cells * at) for at in (x - d / 2, x + d / 2, y - d / 2, y + d / 2))
                marked[number, 0, top:bottom, left:right] = 1
    return marked
