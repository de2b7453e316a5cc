"""The demo's run of the small model: how it is found, and what an independent check sees in its images."""

from collections.abc import Iterable
from io import BytesIO

import numpy as np
from PIL import Image as Picture

from generation.models import Image, Run
from generation.recipes.scenes.errors import quality
from generation.recipes.scenes.held_out import held_out_prompts
from generation.recipes.scenes.scene import ScenePrompt
from generation.recipes.scenes.seeing.check import Checked, check

PROMPT_SET = "demo: scenes that the small model never saw"
RUN = "The small model of scenes (demo)"
N_PROMPTS = 24
"""How many the run has unless stated otherwise; the first ones are the same in any number."""


def demo_run_prompts(count: int = N_PROMPTS) -> tuple[ScenePrompt, ...]:
    """What the demo's run draws: compositions that no training picture had, the three categories in turn."""
    return tuple(held_out_prompts(count))


def demo_run() -> Run | None:
    """The demo's run, if it was started; the first where there are several."""
    return Run.objects.filter(name=RUN, prompt_set__name=PROMPT_SET).order_by("pk").first()


def check_images(images: Iterable[Image]) -> dict[int, Checked]:
    """By the row id of each image of the demo's run what the independent check sees in its pixels.

    Reads the image files. Images of other prompts, and those whose file is held elsewhere, are left out.
    """
    shown = list(images)
    count = max(N_PROMPTS, len({image.prompt_id for image in shown}))
    scenes = {prompt.text: prompt.scene for prompt in demo_run_prompts(count)}
    found = {}
    for image in shown:
        scene = scenes.get(image.prompt.text)
        if scene is None or not image.sha256:
            continue
        with image.file.open("rb") as file:
            pixels = np.asarray(Picture.open(BytesIO(file.read())).convert("RGB"))
        found[image.pk] = check(scene, pixels)
    return found


def seen_qualities(images: Iterable[Image]) -> dict[int, float]:
    """By the row id of each image its true quality: 0, minus 1 for each major and 0.5 for each minor error seen."""
    return {key: quality(checked.errors) for key, checked in check_images(images).items()}
