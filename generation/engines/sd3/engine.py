"""Stable Diffusion 3 and 3.5: plain drawings, finished images drawn again from a noise level, and changed prompts.

An image is a function of `identity` and its request, whatever its companions. Its noise comes from its seed on the CPU,
so that every device starts from the same.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from generation.engines.device import choose_device, computing_threads, memory_watched, torch_dtype
from generation.engines.sd3.denoising import Canvas, Transformer, denoise
from generation.engines.sd3.latents import from_bytes, to_bytes
from generation.engines.sd3.loading import (
    Options,
    Pipeline,
    identity,
    load_pipeline,
    missing_parts,
    n_threads,
    read_options,
)
from generation.engines.sd3.requests import Limits, check, first_step
from generation.engines.sd3.words import Reader, Words
from generation.engines.torchvision_schema import prepare
from generation.recipes.contract import BadAnswer, Drawn, DrawRequest, Json, Missing, OnStep, Renoise, Resume
from generation.recipes.engine_spec import Surroundings

if TYPE_CHECKING:
    import torch


def missing(options: Mapping[str, Any], surroundings: Surroundings) -> list[Missing]:
    """What the engine needs and does not find here. Raises Unusable for options that it does not accept."""
    return missing_parts(read_options(options), surroundings)


def load(options: Mapping[str, Any], surroundings: Surroundings) -> "Sd3":
    """The engine, its weights on the device. Raises Unusable or OutOfMemory."""
    read = read_options(options)
    prepare()
    with memory_watched():
        device = choose_device(surroundings)
        return Sd3(load_pipeline(read, device), read, device)


class Sd3:
    """An engine over a loaded pipeline of the Stable Diffusion 3 family."""

    def __init__(self, pipe: Pipeline, options: Options, device: "torch.device") -> None:
        self._pipe, self._options, self._device = pipe, options, device
        self._dtype = torch_dtype(options.dtype, device)
        self._n_threads = n_threads(options, device)
        self._reader = Reader(pipe, device, self._dtype, options.t5_length)
        self._transformer: Transformer = pipe.transformer
        if options.compile:
            import torch

            self._transformer = torch.compile(pipe.transformer, dynamic=False)
        config = pipe.transformer.config
        multiple = pipe.vae_scale_factor * config.patch_size
        self._limits = Limits(multiple, multiple * config.pos_embed_max_size)
        self.identity: Json = identity(options, pipe, device)

    @property
    def batch_size(self) -> int:
        return self._options.batch_size

    def draw(self, requests: Sequence[DrawRequest], on_step: OnStep = lambda done, total: None) -> list[Drawn]:
        """The images, in the order of the requests.

        Raises EngineError for a bad request before anything is computed, OutOfMemory, BadAnswer for numbers that
        overflowed, and whatever on_step raises.
        """
        import torch

        for request in requests:
            check(request, self._limits)
        given = [self._given_latents(request) for request in requests]
        with memory_watched(), torch.no_grad(), computing_threads(self._n_threads):
            try:
                canvases = [self._canvas(request, latents) for request, latents in zip(requests, given, strict=True)]
                denoise(self._transformer, canvases, self._options.forward_size, on_step)
                return [self._finish(request, canvas) for request, canvas in zip(requests, canvases, strict=True)]
            finally:
                self._pipe.maybe_free_model_hooks()

    def _shape(self, request: DrawRequest) -> tuple[int, int, int]:
        factor = self._pipe.vae_scale_factor
        return self._pipe.transformer.config.in_channels, request.height // factor, request.width // factor

    def _given_latents(self, request: DrawRequest) -> "torch.Tensor | None":
        if request.start is None:
            return None
        return from_bytes(request.start.latents, self._shape(request), self._dtype)[None]

    def _canvas(self, request: DrawRequest, given: "torch.Tensor | None") -> Canvas:
        """The image before its first step."""
        sigmas, times = self._schedule(request)
        guided, start = request.guidance > 1, request.start
        words = self._reader.read(request.prompt)
        if isinstance(start, Resume) and not start.swap_pooled:
            words = Words(words.tokens, self._reader.read(start.earlier_prompt).pooled)
        if given is None:
            latents = self._noise(request, request.seed)
        elif isinstance(start, Renoise) and start.k < request.n_steps:
            sigma = sigmas[start.k].to(self._dtype)
            latents = sigma * self._noise(request, start.noise_seed) + (1.0 - sigma) * given.to(self._device)
        else:
            latents = given.to(self._device)
        return Canvas(
            latents=latents,
            n_done=first_step(request),
            sigmas=sigmas,
            times=times,
            guidance=request.guidance,
            words=words,
            avoided=self._reader.read(request.negative_prompt) if guided else None,
            keep_after=frozenset(request.keep_after),
        )

    def _noise(self, request: DrawRequest, seed: int) -> "torch.Tensor":
        """(1, channels, height, width), the same on every device, and what diffusers draws for this CPU generator."""
        import torch

        generator = torch.Generator("cpu").manual_seed(seed)
        shape = (1, *self._shape(request))
        return torch.randn(shape, generator=generator, dtype=self._dtype).to(self._device)

    def _schedule(self, request: DrawRequest) -> tuple["torch.Tensor", "torch.Tensor"]:
        """The noise levels and times of the pipeline's own sampler; some shift them with the image's size."""
        from diffusers.pipelines.stable_diffusion_3.pipeline_stable_diffusion_3 import calculate_shift

        scheduler, mu = self._pipe.scheduler, None
        if scheduler.config.use_dynamic_shifting:
            _, height, width = self._shape(request)
            patch = self._pipe.transformer.config.patch_size
            names = ("base_image_seq_len", "max_image_seq_len", "base_shift", "max_shift")
            mu = calculate_shift((height // patch) * (width // patch), *(scheduler.config[name] for name in names))
        scheduler.set_timesteps(request.n_steps, device=self._device, mu=mu)
        return scheduler.sigmas.clone(), scheduler.timesteps.clone()

    def _finish(self, request: DrawRequest, canvas: Canvas) -> Drawn:
        """The decoded image, one at a time for the same reason as everything, as a PNG without metadata."""
        pipe, config = self._pipe, self._pipe.vae.config
        if not bool(canvas.latents.isfinite().all()):
            raise BadAnswer(
                "The image's numbers overflowed on the way.", 'Load the engine with the dtype "bf16" or "fp32".'
            )
        scaled = (canvas.latents / config.scaling_factor) + config.shift_factor
        decoded = pipe.vae.decode(scaled, return_dict=False)[0]
        (picture,) = pipe.image_processor.postprocess(decoded, output_type="pil")
        file = BytesIO()
        picture.save(file, format="PNG")
        first = first_step(request)
        texts = {"the prompt": request.prompt}
        if request.guidance > 1:
            texts["the negative prompt"] = request.negative_prompt
        notes = self._reader.unread(texts)
        return Drawn(
            png=file.getvalue(),
            latents=to_bytes(canvas.latents[0]),
            kept={step: to_bytes(state[0]) for step, state in sorted(canvas.kept.items())},
            facts={
                "first_step": first,
                "steps_drawn": request.n_steps - first,
                "noise_share": float(canvas.sigmas[first]),
                **({"notes": notes} if notes else {}),
            },
        )
