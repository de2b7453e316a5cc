"""The demo's run of the small model: finding it, and an independent check of its images."""

from collections.abc import Collection, Iterable
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image as Picture

from generation.models import Critique, Image, Run
from generation.queries.stored_files import FileGone, opened
from generation.recipes.scenes.critic import claimed_as, on_record
from generation.recipes.scenes.errors import quality
from generation.recipes.scenes.held_out import held_out_prompts
from generation.recipes.scenes.scene import Scene, ScenePrompt
from generation.recipes.scenes.seeing.check import Checked, check

PROMPT_SET = "demo: scenes that the small model never saw"
RUN = "The small model of scenes (demo)"
N_PROMPTS = 24
"""How many the run has unless stated otherwise; the first ones are the same in any number."""


def demo_run_prompts(count: int = N_PROMPTS) -> tuple[ScenePrompt, ...]:
    """The prompts of the demo's run: compositions that no training picture had, the three categories in turn."""
    return tuple(held_out_prompts(count))


def demo_run() -> Run | None:
    """The demo's run, if it was started; the first where there are several."""
    return Run.objects.filter(name=RUN, prompt_set__name=PROMPT_SET).order_by("pk").first()


def check_images(images: Iterable[Image]) -> dict[int, Checked]:
    """By the row id of each image of the demo's run what the independent check sees in its pixels.

    Reads the image files. Images of other prompts, and those whose file is held elsewhere or gone, are
    left out.
    """
    shown = list(images)
    scenes = _scenes(shown)
    found = {}
    for image in shown:
        scene = scenes.get(image.prompt.text)
        if scene is None or not image.sha256:
            continue
        try:
            with opened(image.file) as file:
                pixels = np.asarray(Picture.open(BytesIO(file.read())).convert("RGB"))
        except FileGone:
            continue
        found[image.pk] = check(scene, pixels)
    return found


def _scenes(images: Collection[Image]) -> dict[str, Scene]:
    """By the text of each of the demo's prompts the scene that it asks for."""
    count = max(N_PROMPTS, len({image.prompt_id for image in images}))
    return {prompt.text: prompt.scene for prompt in demo_run_prompts(count)}


def seen_errors(images: Iterable[Image]) -> dict[int, list[dict[str, Any]]]:
    """By the row id of each image the errors seen in it, with kind, severity, about, text and box.

    Kind and part (`about`) are those of a claim by a run's critic that names the error.
    """
    shown = list(images)
    scenes, checked = _scenes(shown), check_images(shown)
    found = {}
    for image in shown:
        if image.pk in checked:
            scene, errors = scenes[image.prompt.text], checked[image.pk].errors
            found[image.pk] = [on_record(scene, error) | claimed_as(error) for error in errors]
    return found


def criticised_images(run: Run) -> list[Image]:
    """The images of the run that its critic was shown, prompt by prompt."""
    rows = Image.objects.filter(steps__run=run, critiques__source=Critique.Source.CRITIC).distinct()
    return list(rows.select_related("prompt").order_by("prompt__pk", "pk"))


def seen_qualities(images: Iterable[Image]) -> dict[int, float]:
    """By the row id of each image its true quality: 0, minus 1 for each major and 0.5 for each minor error seen."""
    return {key: quality(checked.errors) for key, checked in check_images(images).items()}
