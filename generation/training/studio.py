"""What experiments on the small model share: drawing, criticising, drawing again, and judging by the check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generation.engines.registry import load
from generation.engines.scenes.critic import KINDS
from generation.recipes.contract import ChatEngine, Drawn, DrawRequest, Renoise
from generation.recipes.critique.by_model import critique
from generation.recipes.critique.outcome import ClaimFound, CritiqueOutcome
from generation.recipes.decomposition.decomposition import Decomposition
from generation.recipes.engine_spec import EngineSpec, Surroundings
from generation.recipes.scenes.held_out import held_out_prompts
from generation.recipes.scenes.scene import ScenePrompt
from generation.recipes.scenes.seeing.check import Checked, check
from generation.recipes.scenes.seeing.marks import Marked, marks_of

N_STEPS, GUIDANCE, SIDE = 20, 3.5, 64
HERE = Surroundings(device="cpu")
_N_RESAMPLES = 2_000


@dataclass(frozen=True)
class Shot:
    """One drawing of a prompt, and what the check finds in it."""

    prompt: ScenePrompt
    seed: int
    drawn: Drawn
    checked: Checked
    marked: Marked


class Studio:
    """Held-out prompts, the small model, and their baseline drawings; `told` says how far it is."""

    def __init__(self, count: int, seed: int, told: Callable[[str], object]) -> None:
        self.prompts = held_out_prompts(count)
        self.seeds = [seed + number for number in range(count)]
        self._engine: Any = load(EngineSpec("sd3", {"model": "scenes", "forward_size": 8, "batch_size": 16}), HERE)
        self._told = told
        self._baselines: list[Shot] | None = None

    def baselines(self) -> list[Shot]:
        """One drawing of every prompt; made once."""
        if self._baselines is None:
            self._baselines = self.draw(self.seeds, [prompt.text for prompt in self.prompts])
        return self._baselines

    def draw(
        self, seeds: Sequence[int], texts: Sequence[str], starts: Sequence[Renoise | None] | None = None
    ) -> list[Shot]:
        """A drawing for every prompt, from these texts, judged by what the prompt asked for."""
        given = starts or [None] * len(texts)
        requests = [
            DrawRequest(text, seed, N_STEPS, GUIDANCE, SIDE, SIDE, start=start)
            for text, seed, start in zip(texts, seeds, given, strict=True)
        ]
        shots: list[Shot] = []
        for first in range(0, len(requests), 16):
            for drawn in self._engine.draw(requests[first : first + 16]):
                prompt = self.prompts[len(shots)]
                checked = check(prompt.scene, pixels_of(drawn.png))
                shots.append(Shot(prompt, seeds[len(shots)], drawn, checked, marks_of(prompt.scene, checked)))
        self._told(f"drew {len(shots)}")
        return shots

    def again(self, shots: Sequence[Shot], texts: Sequence[str], k: int) -> list[Shot]:
        """The drawings taken back to T − k and finished with other texts; as in the product with their own noise."""
        starts = [Renoise(shot.drawn.latents, k, shot.seed) for shot in shots]
        return self.draw([shot.seed for shot in shots], texts, starts)

    def refined(self, shots: Sequence[Shot], k: int = 2, *, structured: bool = True, **options: Any) -> list[Shot]:
        """DetailScribe's step: a critic's claims become corrections. What it finds nothing wrong with stays."""
        critic = critic_of(**options)
        said = [criticise(critic, shot, structured=structured) for shot in shots]
        drawn = self.again(shots, [one.refined_prompt for one in said], k)
        return [new if one.claims else old for new, old, one in zip(drawn, shots, said, strict=True)]


def pixels_of(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(BytesIO(png)).convert("RGB"))


def critic_of(**options: Any) -> ChatEngine:
    """The closed world's critic with these options."""
    engine: ChatEngine = load(EngineSpec("scenes-critic", options), HERE)
    return engine


def criticise(critic: ChatEngine, shot: Shot, *, structured: bool = True, image: bytes = b"") -> CritiqueOutcome:
    """What the critic says of a drawing, or of another image that it is shown as if it were this one."""
    graph = Decomposition.from_json(shot.prompt.decomposition()) if structured else None
    return critique(critic, image or shot.drawn.png, shot.prompt.text, graph)[0]


def is_right(claim: ClaimFound, shot: Shot) -> bool:
    """Whether the check finds an error of the claim's kind at the claim's part."""
    found = {(KINDS[error.kind], "" if error.about == "extra" else error.about) for error in shot.checked.errors}
    return (claim.kind, claim.about) in found


# --- figures ---------------------------------------------------------------------------------------------------------
def share(values: Sequence[float]) -> str:
    """A mean with its 95% interval over prompts (percentile bootstrap)."""
    return _with_interval(np.asarray(values, dtype=float), lambda rows: rows.mean(-1))


def gain(after: Sequence[float], before: Sequence[float]) -> str:
    """The mean difference of two values of each prompt, with its 95% interval over prompts."""
    difference = np.asarray(after, dtype=float) - np.asarray(before, dtype=float)
    return _with_interval(difference, lambda rows: rows.mean(-1), sign="+")


def ratio(pairs: Sequence[tuple[int, int]]) -> str:
    """Of pairs (right, all), one per prompt, the ratio of the sums with its 95% interval over prompts."""
    table = np.asarray(pairs, dtype=float)
    if not len(table) or table[:, 1].sum() == 0:
        return "–"
    return _with_interval(table, lambda rows: rows[..., 0].sum(-1) / np.maximum(rows[..., 1].sum(-1), 1))


def correlation(one: Sequence[float], other: Sequence[float], n_prompts: int) -> str:
    """Spearman's rank correlation with its 95% interval over prompts: the values come prompt after prompt, in rounds.

    Value i is of prompt i modulo `n_prompts`.
    """
    from scipy.stats import spearmanr

    table = np.stack([one, other], axis=1)
    by_prompt = table.reshape(-1, n_prompts, 2).swapaxes(0, 1)
    rng = np.random.default_rng(0)
    drawn = [by_prompt[rng.integers(n_prompts, size=n_prompts)].reshape(-1, 2) for _ in range(500)]
    values = [float(spearmanr(rows[:, 0], rows[:, 1])[0]) for rows in drawn if np.ptp(rows, axis=0).min() > 0]
    low, high = np.quantile(values, [0.025, 0.975])
    return f"{spearmanr(one, other)[0]:.2f} ({low:.2f} to {high:.2f})"


def _with_interval(rows: NDArray[np.float64], statistic: Callable[[NDArray[np.float64]], Any], sign: str = "") -> str:
    rng = np.random.default_rng(0)
    drawn = statistic(rows[rng.integers(len(rows), size=(_N_RESAMPLES, len(rows)))])
    low, high = np.quantile(drawn, [0.025, 0.975])
    value = float(statistic(rows[None])[0])
    return f"{value:{sign}.2f} ({low:{sign}.2f} to {high:{sign}.2f})"
