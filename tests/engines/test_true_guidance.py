"""Guidance reaches the argument that has an effect, where a pipeline also knows true classifier-free guidance."""

import inspect
from dataclasses import replace
from typing import Any

import pytest

from generation.engines import diffusers_pipeline
from generation.engines.device import computing_threads
from generation.engines.tiny import sd3 as tiny_sd3
from generation.engines.torchvision_schema import prepare
from generation.recipes.contract import DrawRequest, EngineError
from generation.recipes.engine_spec import Surroundings
from tests.engines.test_diffusers_pipeline import pixels

FOX = DrawRequest("A fox stirs a stew", seed=3, n_steps=2, guidance=4.5, width=32, height=32)


def flux(*, is_distilled: bool) -> Any:
    """A Flux with random weights, distilled with guidance (as FLUX.1-dev) or not (as FLUX.1-schnell)."""
    prepare()
    import torch
    from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel
    from transformers import CLIPTextModel

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        pipe = FluxPipeline(
            scheduler=FlowMatchEulerDiscreteScheduler(),
            vae=AutoencoderKL(block_out_channels=(4,), norm_num_groups=1, latent_channels=1, shift_factor=0.06),
            text_encoder=CLIPTextModel(tiny_sd3.clip_encoder(tiny_sd3.WIDTH).config),
            tokenizer=tiny_sd3.clip_tokenizer(),
            text_encoder_2=tiny_sd3.t5_encoder().eval(),  # without dropout
            tokenizer_2=tiny_sd3.t5_tokenizer(),
            transformer=FluxTransformer2DModel(
                patch_size=1,
                in_channels=4,
                num_layers=1,
                num_single_layers=1,
                attention_head_dim=16,
                num_attention_heads=2,
                joint_attention_dim=tiny_sd3.WIDTH,
                pooled_projection_dim=tiny_sd3.WIDTH,
                axes_dims_rope=(4, 4, 8),
                guidance_embeds=is_distilled,
            ),
        )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def engine(pipe: Any) -> diffusers_pipeline.DiffusersPipeline:
    import torch

    return diffusers_pipeline.DiffusersPipeline(
        pipe, diffusers_pipeline.Options("tiny", threads=1), torch.device(Surroundings(device="cpu").device)
    )


def by_itself(pipe: Any, **guidance: Any) -> bytes:
    import torch

    with computing_threads(1):
        generator = torch.Generator("cpu").manual_seed(FOX.seed)
        made = pipe(FOX.prompt, num_inference_steps=2, width=32, height=32, generator=generator, **guidance)
    image: bytes = made.images[0].tobytes()
    return image


@pytest.mark.parametrize("negative", ["", "blurry"])
def test_a_network_without_guidance_inside_is_guided_by_true_guidance(negative: str) -> None:
    pipe = flux(is_distilled=False)
    (drawn,) = engine(pipe).draw([replace(FOX, negative_prompt=negative)])
    assert pixels(drawn.png) == by_itself(pipe, true_cfg_scale=4.5, negative_prompt=negative or " ")
    assert pixels(drawn.png) != by_itself(pipe, guidance_scale=4.5)
    assert drawn.facts["guided_by"] == "true_cfg_scale"


def test_a_distilled_network_gets_its_guidance_and_no_negative_prompt() -> None:
    pipe = flux(is_distilled=True)
    (drawn,) = engine(pipe).draw([FOX])
    assert pixels(drawn.png) == by_itself(pipe, guidance_scale=4.5)
    assert drawn.facts["guided_by"] == "guidance_scale"
    with pytest.raises(EngineError, match="takes no negative prompt"):
        engine(pipe).draw([replace(FOX, negative_prompt="blurry")])


@pytest.mark.parametrize("name", ["QwenImagePipeline", "QwenImage21Pipeline"])
def test_pipelines_that_only_know_true_guidance_can_be_used(name: str) -> None:
    prepare()
    import diffusers

    accepted = inspect.signature(getattr(diffusers, name).__call__).parameters
    assert diffusers_pipeline.lacking_arguments(accepted) == []


def test_what_draws_no_text_is_not_a_pipeline_for_this_engine() -> None:
    assert diffusers_pipeline.lacking_arguments({"image": None, "generator": None}) == [
        "prompt",
        "num_inference_steps",
        "width",
        "height",
        "guidance_scale",
    ]


def test_a_size_that_the_pipeline_would_make_smaller_is_refused() -> None:
    with pytest.raises(EngineError, match="The width is 33 pixels") as refused:
        engine(flux(is_distilled=True)).draw([replace(FOX, width=33)])
    assert refused.value.cure == "Valid: multiples of 2."
