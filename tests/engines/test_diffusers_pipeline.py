"""Another pipeline of diffusers, here a tiny SDXL, draws through our engine what it draws by itself."""

import json
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from generation.engines import diffusers_pipeline
from generation.engines.device import computing_threads
from generation.engines.tiny import sdxl as tiny_sdxl
from generation.recipes.contract import DrawRequest, EngineError, OutOfMemory, Renoise, Stopped, Unusable
from generation.recipes.engine_spec import Surroundings

CPU = Surroundings(device="cpu")
FOX = DrawRequest("A fox stirs a stew", seed=3, n_steps=3, guidance=5.0, width=64, height=32)


@cache
def engine() -> diffusers_pipeline.DiffusersPipeline:
    return diffusers_pipeline.load({"model": "tiny"}, CPU)


def pixels(png: bytes) -> bytes:
    return Image.open(BytesIO(png)).tobytes()


@pytest.mark.parametrize("changes", [{}, {"negative_prompt": "blurry"}, {"guidance": 1.0}, {"seed": 4}])
def test_it_draws_what_the_pipeline_draws(changes: dict[str, Any]) -> None:
    import torch

    asked = replace(FOX, **changes)
    (drawn,) = engine().draw([asked])
    pipe = tiny_sdxl.build()
    pipe.set_progress_bar_config(disable=True)
    with computing_threads(1):
        image = pipe(
            asked.prompt,
            negative_prompt=asked.negative_prompt or None,
            num_inference_steps=3,
            guidance_scale=asked.guidance,
            width=64,
            height=32,
            generator=torch.Generator("cpu").manual_seed(asked.seed),
        ).images[0]
    assert pixels(drawn.png) == image.tobytes()
    assert Image.open(BytesIO(drawn.png)).info == {}


def test_an_image_is_the_same_alone_and_among_others() -> None:
    others = [replace(FOX, seed=seed) for seed in (4, 5)]
    assert engine().draw([*others, FOX])[2] == engine().draw([FOX])[0]
    assert len({one.png for one in engine().draw([FOX, *others])}) == 3


def test_progress_and_stopping() -> None:
    seen: list[tuple[int, int]] = []
    engine().draw([FOX, FOX], lambda done, total: seen.append((done, total)))
    assert seen == [(done, 6) for done in range(1, 7)]

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise Stopped

    before = engine().draw([FOX])
    with pytest.raises(Stopped):
        engine().draw([FOX], stop)
    assert engine().draw([FOX]) == before


@pytest.mark.parametrize(
    ("changes", "problem", "cure"),
    [
        ({"start": Renoise(b"", 1, 1)}, "starts from noise", "'sd3'"),
        ({"keep_after": (1,)}, "keeps no states", "'sd3'"),
        ({"width": 63}, "width is 63", "multiples of 2"),
        ({"n_steps": 0}, "n_steps is 0", "1 or more"),
        ({"seed": -1}, "seed is -1", "0 … "),
    ],
)
def test_what_it_cannot_draw_is_refused_first(changes: dict[str, Any], problem: str, cure: str) -> None:
    steps: list[int] = []
    with pytest.raises(EngineError, match=problem) as caught:
        engine().draw([FOX, replace(FOX, **changes)], lambda done, total: steps.append(done))
    assert cure in caught.value.cure
    assert steps == []


def test_a_full_device_is_said_as_such() -> None:
    import torch

    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    hook = engine()._pipe.unet.register_forward_pre_hook(full)
    try:
        with pytest.raises(OutOfMemory):
            engine().draw([FOX])
    finally:
        hook.remove()


def test_a_folder_draws_as_the_same_weights_elsewhere_and_says_what_it_is(tmp_path: Path) -> None:
    tiny_sdxl.build().save_pretrained(tmp_path)
    options = {"model": str(tmp_path), "threads": 1}
    assert diffusers_pipeline.missing(options, CPU) == []
    loaded = diffusers_pipeline.load(options, CPU)
    assert loaded.draw([FOX]) == engine().draw([FOX])
    assert json.loads(json.dumps(loaded.identity)) == loaded.identity
    assert loaded.identity["pipeline"] == "StableDiffusionXLPipeline"
    assert loaded.identity["scheduler"]["class"] == "EulerDiscreteScheduler"


def test_a_pipeline_without_prompts_is_refused(tmp_path: Path) -> None:
    from diffusers import DDPMPipeline, DDPMScheduler, UNet2DModel

    unet = UNet2DModel(8, block_out_channels=(8, 8), norm_num_groups=4, down_block_types=("DownBlock2D",) * 2,
                       up_block_types=("UpBlock2D",) * 2, layers_per_block=1)  # fmt: skip
    DDPMPipeline(unet, DDPMScheduler()).save_pretrained(tmp_path)
    with pytest.raises(Unusable, match="not a text-to-image pipeline: it does not take prompt"):
        diffusers_pipeline.load({"model": str(tmp_path)}, CPU)


def test_what_is_missing_and_bad_options_are_said() -> None:
    commit = "0" * 40
    (one,) = diffusers_pipeline.missing({"model": "nobody/nothing", "revision": commit}, CPU)
    assert one.cure == f"hf download nobody/nothing --revision {commit}"
    assert diffusers_pipeline.missing({"model": "tiny"}, CPU) == []
    with pytest.raises(Unusable, match="Unknown option 'forward_size'"):
        diffusers_pipeline.missing({"model": "tiny", "forward_size": 1}, CPU)
