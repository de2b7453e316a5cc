"""Shared by the experiments on the small model: drawing, criticising, drawing again, and judging by the check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generation.engines.registry import load
from generation.recipes.contract import ChatEngine, Drawn, DrawRequest, Renoise
from generation.recipes.critique.by_model import critique
from generation.recipes.critique.outcome import ClaimFound, CritiqueOutcome
from generation.recipes.decomposition.decomposition import Decomposition
from generation.recipes.engine_spec import EngineSpec, Surroundings
from generation.recipes.scenes.critic import claimed_as
from generation.recipes.scenes.held_out import held_out_prompts
from generation.recipes.scenes.scene import ScenePrompt
from generation.recipes.scenes.seeing.check import Checked, check
from generation.recipes.scenes.seeing.marks import Marked, marks_of

N_STEPS, GUIDANCE, SIDE = 20, 3.5, 64
HERE = Surroundings(device="cpu")
_N_RESAMPLES = 2_000
_AT_ONCE = 16
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Shot:
    """One drawing of a prompt, and what the check finds in it. key: all that its pixels depend on."""

    prompt: ScenePrompt
    seed: int
    drawn: Drawn
    checked: Checked
    marked: Marked
    key: Key


@dataclass(frozen=True)
class _Wanted:
    """A drawing to make: of the prompt at `at`, from a text, from noise or from a shot that is taken back to T − k."""

    at: int
    text: str
    seed: int
    start: Shot | None = None
    k: int = 0

    @property
    def key(self) -> Key:
        return (self.at, self.text, self.seed) if self.start is None else (self.at, self.text, self.k, self.start.key)

    def request(self) -> DrawRequest:
        start = None if self.start is None else Renoise(self.start.drawn.latents, self.k, self.start.seed)
        return DrawRequest(self.text, self.seed, N_STEPS, GUIDANCE, SIDE, SIDE, start=start)


class Studio:
    """Held-out prompts, the small model, and its drawings, each made once; `report` is called with the progress."""

    def __init__(self, count: int, seed: int, report: Callable[[str], object]) -> None:
        self.prompts = held_out_prompts(count)
        self.seeds = [seed + number for number in range(count)]
        self._engine: Any = load(EngineSpec("sd3", {"model": "scenes", "forward_size": 8, "batch_size": 16}), HERE)
        self._report = report
        self._made: dict[Key, Shot] = {}

    def baselines(self) -> list[Shot]:
        """One drawing of every prompt."""
        return self.draw(self.seeds, [prompt.text for prompt in self.prompts])

    def draw(self, seeds: Sequence[int], texts: Sequence[str]) -> list[Shot]:
        """A drawing for every prompt, from these texts, judged by what the prompt asked for."""
        return self._draw([_Wanted(at, text, seed) for at, (text, seed) in enumerate(zip(texts, seeds, strict=True))])

    def again(self, shots: Sequence[Shot], texts: Sequence[str | None], k: int) -> list[Shot]:
        """The drawings taken back to T − k and finished with other texts; as in the product with their own noise.

        Where the text is None, the drawing stays as it is.
        """
        wanted = [
            _Wanted(at, text, shot.seed, shot, k)
            for at, (shot, text) in enumerate(zip(shots, texts, strict=True))
            if text is not None
        ]
        new = {one.at: shot for one, shot in zip(wanted, self._draw(wanted), strict=True)}
        return [new.get(at, shot) for at, shot in enumerate(shots)]

    def _draw(self, wanted: Sequence[_Wanted]) -> list[Shot]:
        missing = [one for one in wanted if one.key not in self._made]
        for first in range(0, len(missing), _AT_ONCE):
            some = missing[first : first + _AT_ONCE]
            for one, drawn in zip(some, self._engine.draw([one.request() for one in some]), strict=True):
                prompt = self.prompts[one.at]
                checked = check(prompt.scene, pixels_of(drawn.png))
                marked = marks_of(prompt.scene, checked)
                self._made[one.key] = Shot(prompt, one.seed, drawn, checked, marked, one.key)
        self._report(f"drew {len(missing)}")
        return [self._made[one.key] for one in wanted]

    def refined(self, shots: Sequence[Shot], k: int = 2, *, structured: bool = True, **options: Any) -> list[Shot]:
        """DetailScribe's step: a critic's claims become corrections. What it finds nothing wrong with stays."""
        critic = critic_of(**options)
        said = [criticise(critic, shot, structured=structured) for shot in shots]
        return self.again(shots, [one.refined_prompt if one.claims else None for one in said], k)


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
    said = {"kind": claim.kind, "about": claim.about}
    return any(claimed_as(error) == said for error in shot.checked.errors)


def ratio(pairs: Sequence[tuple[int, int]]) -> str:
    """Of pairs (part, all), one per prompt, the ratio of the sums with its 95% interval over prompts.

    Percentile bootstrap of prompts.
    """
    table = np.asarray(pairs, dtype=float)
    if not len(table) or table[:, 1].sum() == 0:
        return "–"
    rng = np.random.default_rng(0)
    drawn = table[rng.integers(len(table), size=(_N_RESAMPLES, len(table)))].sum(1)
    low, high = np.quantile(drawn[:, 0] / np.maximum(drawn[:, 1], 1), [0.025, 0.975])
    return f"{table[:, 0].sum() / table[:, 1].sum():.2f} ({low:.2f} to {high:.2f})"
