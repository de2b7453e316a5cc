"""A whole run through the real engines with tiny random weights: nothing here is replaced."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from generation.engines import registry
from generation.models import Critique, Image, MetricScore, Run, Step
from generation.recipes.contract import DrawRequest, Renoise
from generation.recipes.engine_spec import EngineSpec, Surroundings
from generation.recipes.matrix import methods as m
from tests.factories import make_matrix, make_prompt, make_prompt_set, make_run
from tests.generation.small_engines import Workshop

pytestmark = pytest.mark.django_db
HERE = Surroundings(device="cpu")
METRICS = ("clip-score", "blip-vqa")


def engine_for(spec: EngineSpec) -> Any:
    return registry.cached(spec, HERE)


def test_prompts_become_baselines_critiques_refined_images_and_scores_that_can_be_made_again() -> None:
    prompt_set = make_prompt_set()
    texts = ("A fox stirs a stew in a pot.", "A hedgehog paints a pumpkin with a brush.")
    # Random weights answer about one half: everything below nearly certain is taken for an error.
    answerer = {"engine": "blip-vqa", "options": {"model": "tiny"}}
    critic = EngineSpec("questions", {"answerer": answerer, "threshold": 0.99})
    methods = (m.BASELINE, m.renoised(2), m.switched(1), m.renoised(2, rounds=2))
    run = make_run(
        matrix=make_matrix(*methods, metrics=METRICS, critic=critic),
        prompts=[make_prompt(text, prompt_set=prompt_set) for text in texts],
    )
    Workshop().work(engine_for=engine_for)

    run.refresh_from_db()
    assert (run.state, run.message) == (Run.State.DONE, "")
    assert not run.steps.exclude(state=Step.State.DONE).exists()
    images = Image.objects.filter(prompt__prompt_set=prompt_set)
    assert images.count() == images.values("sha256").distinct().count() == 2 * len(methods)
    assert MetricScore.objects.count() == images.count() * len(METRICS)
    # The first round's critique serves two methods; the second has one of its own.
    assert [critique.image.round for critique in Critique.objects.order_by("image__prompt", "pk")] == [0, 1, 0, 1]

    # Straight from the record of an image and its parent's latents, without the services: bit for bit.
    refined = images.filter(round=1, method__name="tiny · DetailScribe T−2").first()
    assert refined is not None
    assert refined.parent is not None
    made, start = refined.provenance["request"], refined.provenance["start"]
    latents = refined.parent.latents.get(n_done=made["n_steps"]).file.read()
    request = DrawRequest(
        **{**made, "keep_after": tuple(made["keep_after"])}, start=Renoise(latents, start["n"], start["noise_seed"])
    )
    (again,) = engine_for(EngineSpec.from_json(refined.provenance["spec"])).draw([request])
    assert again.png == refined.file.read()
    assert _pixels(again.png).std() > 0


def _pixels(png: bytes) -> Any:
    return np.asarray(PillowImage.open(BytesIO(png)))
