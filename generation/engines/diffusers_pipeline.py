"""Any text-to-image pipeline of diffusers, such as SDXL, PixArt or Flux: plain drawings only.

It gives no latents and keeps no states, so requests that start from another drawing are refused: use engine "sd3".
"""

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generation.engines.device import (
    DTYPES,
    check_choice,
    check_device_name,
    check_known,
    choose_device,
    computing_threads,
    device_facts,
    dtype_name,
    memory_watched,
    torch_dtype,
    versions,
)
from generation.engines.hub_cache import check_model, fingerprint, is_folder, missing_files, model_folder
from generation.engines.packages import missing_packages
from generation.engines.read_words import words_cut
from generation.engines.torchvision_schema import prepare
from generation.recipes.contract import (
    Drawn,
    DrawRequest,
    EngineError,
    Json,
    Missing,
    OnStep,
    Refused,
    Unusable,
)
from generation.recipes.engine_spec import Surroundings

if TYPE_CHECKING:
    import torch

_PACKAGES = ("torch", "diffusers", "transformers", "accelerate", "safetensors")
_NEEDED = ("prompt", "generator", "num_inference_steps", "width", "height")
# Some pipelines by default rewrite the prompt, or draw at another size than requested.
_PLAIN = {"clean_caption": False, "use_resolution_binning": False}


@dataclass(frozen=True)
class Options:
    """model: "tiny" (an SDXL with random weights), a folder, or a hub id with `revision`; the rest as for "sd3"."""

    model: str
    revision: str | None = None
    dtype: str = "auto"
    offload: bool = False
    threads: int | None = None


def read_options(options: Mapping[str, Any]) -> Options:
    """The complete options. Raises Unusable naming the bad one and the valid values; does not need torch."""
    check_known(list(options), [field.name for field in fields(Options)])
    check_model(options.get("model"), options.get("revision"))
    read = Options(**options)
    check_choice("dtype", read.dtype, DTYPES)
    check_choice("offload", read.offload, (False, True))
    if read.threads is not None and (type(read.threads) is not int or not 1 <= read.threads <= 1_000):
        raise Unusable(f"The option 'threads' is {read.threads!r}.", "Valid: None or whole numbers 1 … 1000.")
    return read


def missing(options: Mapping[str, Any], surroundings: Surroundings) -> list[Missing]:
    """The requirements of the engine that are missing here. Raises Unusable for options that it does not accept."""
    read = read_options(options)
    check_device_name(surroundings.device)
    found = missing_packages(*_PACKAGES)
    return found + ([] if read.model == "tiny" else missing_files(read.model, read.revision))


def load(options: Mapping[str, Any], surroundings: Surroundings) -> "DiffusersPipeline":
    """The engine, its weights on the device. Raises Unusable or OutOfMemory."""
    read = read_options(options)
    prepare()
    with memory_watched():
        device = choose_device(surroundings)
        return DiffusersPipeline(_pipeline(read, device), read, device)


def _pipeline(options: Options, device: "torch.device") -> Any:
    from diffusers import DiffusionPipeline

    from generation.engines.tiny import sdxl as tiny_sdxl

    dtype = torch_dtype(options.dtype, device)
    if options.offload and device.type != "cuda":
        raise Unusable("The option 'offload' is on, but there is no GPU to offload from.", "Leave it out.")
    if options.model == "tiny":
        pipe = tiny_sdxl.build()
        if dtype != pipe.unet.dtype:
            pipe.to(dtype)
    else:
        folder = model_folder(options.model, options.revision)
        try:
            pipe = DiffusionPipeline.from_pretrained(folder, dtype=dtype, local_files_only=True)
        except (OSError, ValueError, KeyError, AttributeError) as error:
            raise Unusable(
                f"{options.model} cannot be loaded as a pipeline of diffusers: {error}", "Get the files again."
            ) from error
    accepted = inspect.signature(pipe.__call__).parameters
    if lacking := lacking_arguments(accepted):
        raise Unusable(
            f"{type(pipe).__name__} is not a text-to-image pipeline: it does not take {', '.join(lacking)}.",
            "Name the model of a text-to-image pipeline.",
        )
    pipe.set_progress_bar_config(disable=True)
    if getattr(pipe, "watermark", None) is not None:
        pipe.watermark = None  # it would depend on other installed packages
    if options.offload:
        pipe.enable_model_cpu_offload(device=device)
    else:
        pipe.to(device)
    return pipe


def lacking_arguments(accepted: Collection[str]) -> list[str]:
    """The arguments that a text-to-image pipeline accepts and this one does not."""
    lacking = [name for name in _NEEDED if name not in accepted]
    if not {"guidance_scale", "true_cfg_scale"} & set(accepted):
        lacking.append("guidance_scale")
    return lacking


class DiffusersPipeline:
    """An engine over a loaded text-to-image pipeline. One image at a time, so each is the same in every batch."""

    batch_size = 1

    def __init__(self, pipe: Any, options: Options, device: "torch.device") -> None:
        import torch

        self._pipe, self._n_threads = pipe, None
        if device.type == "cpu":
            self._n_threads = options.threads or (1 if options.model == "tiny" else torch.get_num_threads())
        self._accepted = inspect.signature(pipe.__call__).parameters
        weights: Json = {"revision": options.revision}
        if options.model == "tiny":
            weights = {"weights": "random, seed 0"}
        elif is_folder(options.model):
            weights = {"fingerprint": fingerprint(Path(options.model))}
        self.identity: Json = {
            "engine": "diffusers",
            "pipeline": type(pipe).__name__,
            "model": options.model,
            **weights,
            "dtype": dtype_name(torch_dtype(options.dtype, device)),
            "scheduler": {"class": type(pipe.scheduler).__name__, **_plain(pipe.scheduler.config)},
            "invariant": True,
            "threads": self._n_threads,
            "versions": versions(*_PACKAGES),
            **device_facts(device),
        }

    def draw(self, requests: Sequence[DrawRequest], on_step: OnStep = lambda done, total: None) -> list[Drawn]:
        """The images, in the order of the requests.

        Raises EngineError for a request that the pipeline cannot draw, Refused if its safety checker hides an image,
        OutOfMemory, and whatever on_step raises.
        """
        for request in requests:
            self._check(request)
        total = sum(request.n_steps for request in requests)
        drawn: list[Drawn] = []

        def step_done(step: int) -> None:
            on_step(sum(request.n_steps for request in requests[: len(drawn)]) + step, total)

        with memory_watched(), computing_threads(self._n_threads):
            for request in requests:
                try:
                    drawn.append(self._draw(request, step_done))
                finally:
                    self._pipe.maybe_free_model_hooks()
        return drawn

    def _check(self, request: DrawRequest) -> None:
        name = type(self._pipe).__name__
        if request.start is not None or request.keep_after:
            raise EngineError(
                f"{name} starts from noise and keeps no states here.",
                "Use the engine 'sd3' for drawing an image again, or for changing its prompt on the way.",
            )
        takes_negative = "negative_prompt" in self._accepted
        if request.negative_prompt and (not takes_negative or self._guided_by == "distilled guidance_scale"):
            raise EngineError(f"{name} takes no negative prompt.", "Leave it empty.")
        multiple = getattr(self._pipe, "vae_scale_factor", 8)
        # FLUX packs two by two latents into one: its image processor says so.
        multiple = max(multiple, getattr(getattr(self._pipe, "image_processor", None), "vae_scale_factor", multiple))
        if request.n_steps < 1:
            raise EngineError(f"n_steps is {request.n_steps}.", "Valid: 1 or more.")
        for side, pixels in (("width", request.width), ("height", request.height)):
            if pixels < multiple or pixels % multiple:
                raise EngineError(f"The {side} is {pixels} pixels.", f"Valid: multiples of {multiple}.")
        if not 0 <= request.seed < 2**63:
            raise EngineError(f"The seed is {request.seed}.", f"Valid: 0 … {2**63 - 1}.")

    def _draw(self, request: DrawRequest, step_done: Callable[[int], None]) -> Drawn:
        import torch

        more: dict[str, Any] = {name: value for name, value in _PLAIN.items() if name in self._accepted}
        if self._guided_by == "true_cfg_scale":
            # Such a pipeline uses guidance only if a negative prompt is given, even a blank one.
            more |= {"true_cfg_scale": request.guidance, "negative_prompt": request.negative_prompt or " "}
        else:
            more["guidance_scale"] = request.guidance
            if request.negative_prompt:
                more["negative_prompt"] = request.negative_prompt

        def after(*given: Any) -> Any:
            # The new callback gets the pipeline first and gives back its tensors, the old one starts with the step.
            step = given[1] if len(given) == 4 else given[0]
            if step + 1 < request.n_steps:
                step_done(step + 1)
            return given[3] if len(given) == 4 else None

        name = next((name for name in ("callback_on_step_end", "callback") if name in self._accepted), None)
        if name is not None:
            more[name] = after
        try:
            made = self._pipe(
                prompt=request.prompt,
                num_inference_steps=request.n_steps,
                width=request.width,
                height=request.height,
                generator=torch.Generator("cpu").manual_seed(request.seed),
                **more,
            )
        except ValueError as error:  # the pipelines' errors for inputs that they do not accept
            raise EngineError(f"{type(self._pipe).__name__}: {error}", "Change the request accordingly.") from error
        if any(getattr(made, "nsfw_content_detected", None) or []):
            raise Refused("The pipeline's safety checker hid the image.", "Take another seed or prompt.")
        step_done(request.n_steps)
        image = made.images[0]
        if image.size != (request.width, request.height):
            drawn = f"{image.width} × {image.height} pixels"
            raise EngineError(
                f"{type(self._pipe).__name__} drew {drawn} instead of {request.width} × {request.height}.",
                "Ask for a width and a height that it draws.",
            )
        file = BytesIO()
        image.save(file, format="PNG")
        guided_by = self._guided_by.removeprefix("distilled ")
        facts: Json = {"steps_drawn": request.n_steps, "guided_by": guided_by}
        texts = {"the prompt": request.prompt}
        if "negative_prompt" in more:
            texts["the negative prompt"] = request.negative_prompt
        if cut := words_cut(self._pipe, texts):
            facts["notes"] = cut
        return Drawn(png=file.getvalue(), facts=facts)

    @property
    def _guided_by(self) -> str:
        """The argument that guidance goes to: "guidance_scale", "distilled guidance_scale" or "true_cfg_scale".

        If a pipeline has `true_cfg_scale`, `guidance_scale` only informs a network that was distilled with guidance
        (`guidance_embeds`); every other network there is guided by true classifier-free guidance.
        """
        if "true_cfg_scale" not in self._accepted:
            return "guidance_scale"
        config = getattr(getattr(self._pipe, "transformer", None), "config", None)
        is_distilled = bool(getattr(config, "guidance_embeds", False))
        return "distilled guidance_scale" if is_distilled and "guidance_scale" in self._accepted else "true_cfg_scale"


def _plain(config: Mapping[str, Any]) -> Json:
    """The sampler's settings that can be JSON: all except arrays that are derived from others."""
    kinds = (str, int, float, bool, type(None))
    return {name: value for name, value in sorted(config.items()) if name[0] != "_" and isinstance(value, kinds)}
