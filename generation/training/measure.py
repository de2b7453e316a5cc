"""`python -m generation.training.measure`: what the small model draws of prompts that it never saw, by the check.

Prints a table with Wilson intervals, and the same for pictures that only passed through its autoencoder.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generation.engines.torchvision_schema import prepare

prepare()

import torch  # noqa: E402

from generation.engines.registry import load  # noqa: E402
from generation.engines.small_model import PIPELINE, SCENES  # noqa: E402
from generation.recipes.contract import DrawRequest  # noqa: E402
from generation.recipes.engine_spec import EngineSpec, Surroundings  # noqa: E402
from generation.recipes.scenes.held_out import held_out_prompts  # noqa: E402
from generation.recipes.scenes.scene import CATEGORIES, ScenePrompt  # noqa: E402
from generation.recipes.scenes.seeing.marks import MARKS, Marked, mark, total  # noqa: E402
from generation.training.autoencoder import to_tensor  # noqa: E402
from generation.training.data import SIDE, picture  # noqa: E402

N_STEPS, GUIDANCE = 20, 3.5
Pictures = Iterable[NDArray[np.uint8]]


def reconstructions(network: Any, prompts: Sequence[ScenePrompt]) -> Pictures:
    """Pictures of the prompts, drawn by the program and passed through the autoencoder."""
    rng = np.random.default_rng(0)
    for prompt in prompts:
        with torch.no_grad():
            wanted = to_tensor(picture(prompt, rng)[None])
            decoded = network.decode(network.encode(wanted).latent_dist.mode()).sample[0]
        yield ((decoded.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()


def drawings(engine: Any, prompts: Sequence[ScenePrompt], seed: int, at_once: int = 16) -> Pictures:
    """Pictures of the prompts that the model draws from one seed."""
    for start in range(0, len(prompts), at_once):
        requests = [
            DrawRequest(prompt.text, seed + start + n, N_STEPS, GUIDANCE, SIDE, SIDE)
            for n, prompt in enumerate(prompts[start : start + at_once])
        ]
        for drawn in engine.draw(requests):
            yield np.asarray(Image.open(BytesIO(drawn.png)).convert("RGB"))


def table(marked: Sequence[Marked], prompts: Sequence[ScenePrompt]) -> str:
    """Rows by mark, columns by category: the share that is right with its 95% interval (Wilson)."""
    groups = {"all": list(marked)}
    for category in CATEGORIES:
        groups[category] = [one for one, prompt in zip(marked, prompts, strict=True) if prompt.category == category]
    lines = ["| | " + " | ".join(f"{name} ({len(group)})" for name, group in groups.items()) + " |"]
    lines.append("|---" * (len(groups) + 1) + "|")
    totals = [total(group) for group in groups.values()]
    for key, label in MARKS.items():
        cells = [_share(one.right[key], one.parts[key]) for one in totals]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _share(right: int, n: int) -> str:
    if n == 0:
        return "–"
    z, p = 1.96, right / n
    centre, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = (centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)
    return f"{p:.2f} ({low:.2f}–{high:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m generation.training.measure", description=__doc__)
    parser.add_argument("--pipeline", type=Path, default=PIPELINE, help="the folder of the trained pipeline")
    parser.add_argument("--count", type=int, default=300, help="how many held-out prompts")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sheet", type=Path, help="a PNG file for the first 48 drawings")
    asked = parser.parse_args()
    prompts = held_out_prompts(asked.count)
    options = {"forward_size": 8, "batch_size": 16}
    known = {"model": SCENES} if asked.pipeline == PIPELINE else {"model": str(asked.pipeline)}
    engine = load(EngineSpec("sd3", {**known, **options, "t5": False, "t5_length": 1}), Surroundings(device="cpu"))
    decoded = [mark(p.scene, seen) for p, seen in zip(prompts, reconstructions(engine._pipe.vae, prompts), strict=True)]
    sys.stdout.write(f"Through the autoencoder alone:\n\n{table(decoded, prompts)}\n\n")
    pictures = list(drawings(engine, prompts, asked.seed))
    drawn = [mark(prompt.scene, seen) for prompt, seen in zip(prompts, pictures, strict=True)]
    sys.stdout.write(f"Drawn, {N_STEPS} steps, guidance {GUIDANCE}:\n\n{table(drawn, prompts)}\n")
    if asked.sheet:
        _sheet(pictures[:48]).save(asked.sheet)


def _sheet(pictures: Sequence[NDArray[np.uint8]], columns: int = 12) -> Image.Image:
    side = SIDE + 2
    sheet = np.full((-(-len(pictures) // columns) * side, columns * side, 3), 255, dtype=np.uint8)
    for number, one in enumerate(pictures):
        top, left = number // columns * side, number % columns * side
        sheet[top : top + SIDE, left : left + SIDE] = one
    return Image.fromarray(sheet).resize((2 * sheet.shape[1], 2 * sheet.shape[0]), Image.Resampling.NEAREST)


if __name__ == "__main__":
    main()
