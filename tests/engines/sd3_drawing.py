"""The tiny Stable Diffusion 3 twice: as our engine, and as the stock pipelines of diffusers that it is held against."""

from dataclasses import replace
from functools import cache
from typing import Any

from generation.engines.device import computing_threads
from generation.engines.sd3 import engine as sd3
from generation.engines.sd3.latents import from_bytes
from generation.engines.tiny import sd3 as tiny_sd3
from generation.engines.torchvision_schema import prepare
from generation.recipes.contract import Drawn, DrawRequest
from generation.recipes.engine_spec import Surroundings

T5_LENGTH = 32  # short, for speed, and enough for the prompts below, a token a letter
SIDE = 64
FOX, OTTER = "A fox stirs a stew.", "An otter carves a flute."
CPU = Surroundings(device="cpu")


@cache
def engine(forward_size: int = 1, **options: Any) -> sd3.Sd3:
    return sd3.load({"model": "tiny", "t5_length": T5_LENGTH, "forward_size": forward_size, **options}, CPU)


@cache
def stock() -> Any:
    """A StableDiffusion3Pipeline of the same weights, built apart from the engine's."""
    prepare()
    pipe = tiny_sd3.build()
    pipe.set_progress_bar_config(disable=True)
    return pipe


@cache
def stock_from_image() -> Any:
    """A StableDiffusion3Img2ImgPipeline over the same modules, with a sampler of its own."""
    pipe = stock()
    from diffusers import FlowMatchEulerDiscreteScheduler, StableDiffusion3Img2ImgPipeline

    parts = {**pipe.components, "scheduler": FlowMatchEulerDiscreteScheduler.from_config(pipe.scheduler.config)}
    other = StableDiffusion3Img2ImgPipeline(**parts)
    other.set_progress_bar_config(disable=True)
    return other


def request(**changes: Any) -> DrawRequest:
    return replace(DrawRequest(FOX, seed=7, n_steps=4, guidance=4.5, width=SIDE, height=SIDE), **changes)


def draw(asked: DrawRequest, **options: Any) -> Drawn:
    return engine(**options).draw([asked])[0]


def tensor(latents: bytes, side: int = SIDE) -> Any:
    import torch

    return from_bytes(latents, (16, side // 8, side // 8), torch.float32)


def stock_latents(asked: DrawRequest, **more: Any) -> Any:
    """What the stock pipeline makes of the prompt, the seed and the parameters: (channels, height, width)."""
    return _run(stock(), asked, output_type="latent", width=asked.width, height=asked.height, **more).images[0]


def stock_image(asked: DrawRequest) -> Any:
    return _run(stock(), asked, output_type="pil", width=asked.width, height=asked.height).images[0]


def stock_from_image_latents(asked: DrawRequest, latents: Any, *, strength: float, noise_seed: int) -> Any:
    """The stock image-to-image pipeline on latents (channels, height, width)."""
    again = replace(asked, seed=noise_seed)
    done = _run(stock_from_image(), again, output_type="latent", image=latents[None], strength=strength)
    return done.images[0]


def _run(pipe: Any, asked: DrawRequest, **more: Any) -> Any:
    import torch

    with computing_threads(1):  # as the engine
        return pipe(
            asked.prompt,
            negative_prompt=asked.negative_prompt,
            num_inference_steps=asked.n_steps,
            guidance_scale=asked.guidance,
            max_sequence_length=T5_LENGTH,
            generator=torch.Generator("cpu").manual_seed(asked.seed),
            **more,
        )
