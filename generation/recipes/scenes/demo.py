"""The demo study: prompts, pictures, critiques and metric scores from one seed, with the truth on record."""

from __future__ import annotations

import math
from dataclasses import dataclass

from generation.recipes.scenes.critic import SceneClaim, SceneCritique, critique, wrong_image_critique
from generation.recipes.scenes.drawing import draw
from generation.recipes.scenes.errors import SceneError, baseline_errors, quality, refined_errors, shown
from generation.recipes.scenes.grammar import write_prompts
from generation.recipes.scenes.scene import CATEGORIES, Scene, ScenePrompt, stream

BASELINE = "simulated baseline"
REFINED = "simulated refined"
PLACEBO = "simulated placebo"
METRIC_VERSION = "simulated-1"
METRIC_CORRELATIONS = {"sim_clip": 0.30, "sim_vqa": 0.80, "sim_noise": 0.0}
"""Pearson correlation of each simulated metric with true quality, over baseline and refined pictures together."""
_METRIC_SCALE = {"sim_clip": (0.62, 0.05), "sim_vqa": (0.60, 0.14), "sim_noise": (0.50, 0.10)}
QUALITY_MEAN, QUALITY_SD = -0.695, 0.790
"""Mean and standard deviation of true quality over the pictures of the population (see docs/demo-study.md)."""
PLACEBO_EVERY = 5
PROMPTS_PER_CATEGORY = 20
_BASELINE_STREAM, _CRITIC_STREAM, _REFINED_STREAM, _CONTROL_STREAM, _METRIC_STREAM = 2, 3, 4, 5, 6


@dataclass(frozen=True)
class SceneImage:
    """A picture of the study: what it shows and what is wrong with it. `draw()` makes its PNG bytes on demand."""

    key: str
    prompt_key: str
    method: str
    round: int
    parent_key: str | None
    shows: Scene
    errors: tuple[SceneError, ...]

    @property
    def quality(self) -> float:
        """0 when everything is right; minus 1 for each major and 0.5 for each minor error."""
        return quality(self.errors)

    def draw(self) -> bytes:
        """512 × 512 PNG."""
        return draw(self.shows)


@dataclass(frozen=True)
class SceneLink:
    """Baseline → refined: which errors were fixed, which stayed, which are new."""

    prompt_key: str
    baseline_key: str
    refined_key: str
    mended: tuple[SceneError, ...]
    unchanged: tuple[SceneError, ...]
    broken: tuple[SceneError, ...]

    def repaired(self, claim: SceneClaim) -> bool | None:
        """Whether the error that a claim names was fixed; None for a wrong claim, which names none."""
        if claim.error is None:
            return None
        return claim.error.same_as in {error.same_as for error in self.mended}


@dataclass(frozen=True)
class SceneScore:
    """One simulated metric's score of one picture; higher is better."""

    image_key: str
    metric: str
    version: str
    value: float


@dataclass(frozen=True)
class DemoStudy:
    """Everything of the demo study, in the order of the prompts.

    `images` holds baseline and refined, in turn; `placebos` repeat a baseline's scene as a "refined" picture (every
    fifth prompt of a category), byte for byte the same; `critiques` are of baseline pictures; `controls` come from the
    same critic shown another prompt's picture (empty when there is only one prompt).
    """

    seed: int
    prompts: tuple[ScenePrompt, ...]
    images: tuple[SceneImage, ...]
    placebos: tuple[SceneImage, ...]
    links: tuple[SceneLink, ...]
    critiques: tuple[SceneCritique, ...]
    controls: tuple[SceneCritique, ...]
    scores: tuple[SceneScore, ...]


def demo(seed: int, prompts_per_category: int = PROMPTS_PER_CATEGORY) -> DemoStudy:
    """The demo study of a seed (≥ 0); everything about prompt i of a category is the same however many there are.

    Two things reach across prompts: the picture that the wrong-image critic was shown is the next prompt's (the first
    one's after the last), and no text is repeated. Raises ValueError for a negative seed or fewer than one prompt.
    """
    if seed < 0 or prompts_per_category < 1:
        raise ValueError("the demo needs a seed of at least 0 and at least 1 prompt a category")
    prompts: list[ScenePrompt] = []
    images: list[SceneImage] = []
    placebos: list[SceneImage] = []
    links: list[SceneLink] = []
    critiques: list[SceneCritique] = []
    controls: list[SceneCritique] = []
    scores: list[SceneScore] = []
    for number, category in enumerate(CATEGORIES):
        written = write_prompts(seed, category, prompts_per_category)
        for index, prompt in enumerate(written):
            baseline = _baseline(seed, number, index, prompt)
            said = critique(
                prompt=prompt.text,
                scene=prompt.scene,
                errors=baseline.errors,
                image_key=baseline.key,
                rng=stream(seed, _CRITIC_STREAM, number, index),
            )
            refined, link = _refine(seed, number, index, prompt, baseline, said)
            prompts.append(prompt)
            images += [baseline, refined]
            links.append(link)
            critiques.append(said)
            scores += [*_scores(seed, number, index, baseline), *_scores(seed, number, index, refined)]
            if index % PLACEBO_EVERY == 0:
                placebos.append(placebo(baseline))
            if len(written) > 1:
                controls.append(
                    wrong_image_critique(
                        prompt=prompt.text,
                        scene=prompt.scene,
                        errors=baseline.errors,
                        image_key=baseline.key,
                        shown_image_key=f"{written[(index + 1) % len(written)].key}-baseline",
                        rng=stream(seed, _CONTROL_STREAM, number, index),
                    )
                )
    return DemoStudy(
        seed,
        tuple(prompts),
        tuple(images),
        tuple(placebos),
        tuple(links),
        tuple(critiques),
        tuple(controls),
        tuple(scores),
    )


def placebo(baseline: SceneImage) -> SceneImage:
    """A "refined" picture in which nothing was changed: whatever raters prefer in such a pair is bias."""
    return SceneImage(
        f"{baseline.prompt_key}-placebo",
        baseline.prompt_key,
        PLACEBO,
        1,
        baseline.key,
        baseline.shows,
        baseline.errors,
    )


def _baseline(seed: int, number: int, index: int, prompt: ScenePrompt) -> SceneImage:
    errors = baseline_errors(prompt.scene, stream(seed, _BASELINE_STREAM, number, index))
    return SceneImage(f"{prompt.key}-baseline", prompt.key, BASELINE, 0, None, shown(prompt.scene, errors), errors)


def _refine(
    seed: int, number: int, index: int, prompt: ScenePrompt, baseline: SceneImage, said: SceneCritique
) -> tuple[SceneImage, SceneLink]:
    claimed = {claim.error.same_as for claim in said.claims if claim.error is not None}
    rng = stream(seed, _REFINED_STREAM, number, index)
    errors = refined_errors(prompt.scene, baseline.errors, claimed, rng)
    key = f"{prompt.key}-refined"
    image = SceneImage(key, prompt.key, REFINED, 1, baseline.key, shown(prompt.scene, errors), errors)
    before = {error.same_as for error in baseline.errors}
    after = {error.same_as for error in errors}
    link = SceneLink(
        prompt.key,
        baseline.key,
        key,
        mended=tuple(error for error in baseline.errors if error.same_as not in after),
        unchanged=tuple(error for error in baseline.errors if error.same_as in after),
        broken=tuple(error for error in errors if error.same_as not in before),
    )
    return image, link


def _scores(seed: int, number: int, index: int, image: SceneImage) -> list[SceneScore]:
    """Linear in true quality plus normal noise, mixed so that the population's correlation is the stated one."""
    rng = stream(seed, _METRIC_STREAM, number, index, image.round)
    standard = (image.quality - QUALITY_MEAN) / QUALITY_SD
    scores = []
    for metric, correlation in METRIC_CORRELATIONS.items():
        mixed = correlation * standard + math.sqrt(1 - correlation**2) * float(rng.normal())
        centre, spread = _METRIC_SCALE[metric]
        scores.append(SceneScore(image.key, metric, METRIC_VERSION, round(centre + spread * mixed, 4)))
    return scores
