"""Stable Diffusion 3 and 3.5 onto the device: the options, what is missing for them, and the loaded pipeline."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generation.engines.device import (
    DTYPES,
    check_choice,
    check_device_name,
    check_known,
    device_facts,
    dtype_name,
    torch_dtype,
    versions,
)
from generation.engines.hub_cache import check_model, fingerprint, is_folder, lacking_files, missing_files, model_folder
from generation.engines.packages import missing_packages
from generation.engines.small_model import CURE, PIPELINE, SCENES
from generation.engines.torchvision_schema import prepare
from generation.recipes.contract import Json, Missing, Unusable
from generation.recipes.engine_spec import Surroundings

if TYPE_CHECKING:
    import torch

Pipeline = Any  # a StableDiffusion3Pipeline; the way diffusers imports it hides its parts from type checkers
PACKAGES = ("torch", "diffusers", "transformers", "accelerate", "safetensors")


@dataclass(frozen=True)
class Options:
    """What a run may say of the engine.

    model         "scenes" (this project's small model of the demo's world), "tiny" (random weights), a folder, or a
                  hub id with `revision`: Large, Medium, Turbo, SD3
    quantization  of the transformer. "nf4": in 4 bits by bitsandbytes, computing in `dtype`; "fp8": multiplying in 8
                  bits, which is fastest, on GPUs from the H100 on and with bf16 for the rest
    offload       only the part that computes is on the GPU
    compile       torch.compile: slow at the first image of each size, then faster; it rounds differently
    t5, t5_length whether the third text encoder is used, and how many of its tokens, 1 … 512
    forward_size  images in one pass of the transformer. Fixed, because rounding, and with it the image, depends on it
    batch_size    useful number of images per call
    threads       on the CPU, where rounding depends on it too; None: 1 for "tiny" and "scenes", otherwise torch's
                  own setting
    """

    model: str
    revision: str | None = None
    dtype: str = "auto"
    quantization: str | None = None
    offload: bool = False
    compile: bool = False
    t5: bool = True
    t5_length: int = 512
    forward_size: int = 1
    batch_size: int = 4
    threads: int | None = None


def read_options(options: Mapping[str, Any]) -> Options:
    """The options, complete. Raises Unusable naming the bad one and the valid values; needs no torch."""
    check_known(list(options), [field.name for field in fields(Options)])
    if options.get("model") != SCENES:
        check_model(options.get("model"), options.get("revision"))
    read = Options(**options)
    if read.model == SCENES:
        # It has no third encoder; what the pipeline puts in its place has the length that the model learnt with.
        read = replace(read, t5=False, t5_length=1)
    check_choice("dtype", read.dtype, DTYPES)
    check_choice("quantization", read.quantization, (None, "nf4", "fp8"))
    for name in ("offload", "compile", "t5"):
        check_choice(name, getattr(read, name), (False, True))
    for name, most in (("t5_length", 512), ("forward_size", 64), ("batch_size", 1_000), ("threads", 1_000)):
        value = getattr(read, name)
        if name == "threads" and value is None:
            continue
        if type(value) is not int or not 1 <= value <= most:
            raise Unusable(f"The option {name!r} is {value!r}.", f"Valid: whole numbers 1 … {most}.")
    if read.model == "tiny" and read.quantization == "nf4":
        raise Unusable("The option 'quantization' is 'nf4', which the tiny model lacks.", "Valid: None, 'fp8'.")
    if read.quantization == "fp8" and read.dtype != "bf16":
        raise Unusable(f"The option 'dtype' is {read.dtype!r}.", "Valid with the quantization 'fp8': 'bf16'.")
    return read


def n_threads(options: Options, device: "torch.device") -> int | None:
    """How many threads of the CPU draw; None on a GPU, where it changes nothing."""
    import torch

    if device.type != "cpu":
        return None
    return options.threads or (1 if options.model in ("tiny", SCENES) else torch.get_num_threads())


def skipped_parts(options: Options) -> tuple[str, ...]:
    """The parts of the pipeline that are not loaded."""
    return () if options.t5 else ("text_encoder_3", "tokenizer_3")


def missing_parts(options: Options, surroundings: Surroundings) -> list[Missing]:
    """The missing packages and files, each with the command that installs or downloads it."""
    check_device_name(surroundings.device)
    found = missing_packages(*PACKAGES)
    if options.quantization == "nf4" and find_spec("bitsandbytes") is None:
        found.append(
            Missing("the Python package bitsandbytes, for quantization nf4", "pip install 'bitsandbytes~=0.50.2'")
        )
    if options.model == SCENES:
        if lacking := lacking_files(PIPELINE, skipped_parts(options)):
            found.append(Missing(f"the small model ({len(lacking)} of its files, the first is {lacking[0]})", CURE))
    elif options.model != "tiny":
        found += missing_files(options.model, options.revision, skipped_parts(options))
    return found


def load_pipeline(options: Options, device: "torch.device") -> Pipeline:
    """The pipeline on the device, or with offloading on the CPU. Raises Unusable for files of something else."""
    prepare()
    from diffusers import FlowMatchEulerDiscreteScheduler, StableDiffusion3Pipeline

    from generation.engines.sd3 import eight_bits
    from generation.engines.tiny import sd3 as tiny_sd3

    dtype = torch_dtype(options.dtype, device)
    if options.offload and device.type != "cuda":
        raise Unusable("The option 'offload' is on, but there is no GPU to offload from.", "Leave it out.")
    if options.model == "tiny":
        pipe: Pipeline = tiny_sd3.build(t5=options.t5)
        if dtype != pipe.transformer.dtype:
            pipe.to(dtype)
    else:
        folder = PIPELINE if options.model == SCENES else model_folder(options.model, options.revision)
        parts: dict[str, Any] = dict.fromkeys(skipped_parts(options))
        if options.quantization == "nf4":
            parts["transformer"] = _in_four_bits(folder, dtype, device)
        _say_no_progress()
        try:
            pipe = StableDiffusion3Pipeline.from_pretrained(folder, dtype=dtype, local_files_only=True, **parts)
        except (OSError, ValueError, KeyError) as error:
            raise Unusable(
                f"{options.model} cannot be loaded as Stable Diffusion 3: {error}",
                "Get the files again, or name a model of the Stable Diffusion 3 family.",
            ) from error
    pipe.set_progress_bar_config(disable=True)
    config = pipe.scheduler.config
    if not isinstance(pipe.scheduler, FlowMatchEulerDiscreteScheduler) or config.stochastic_sampling:
        raise Unusable(
            f"{options.model} comes with the sampler {type(pipe.scheduler).__name__}, which this engine does not have.",
            "Use the engine 'diffusers', which draws with any sampler.",
        )
    if options.quantization == "fp8":
        eight_bits.check_device(device)
        eight_bits.convert(pipe.transformer)
    if options.offload:
        pipe.enable_model_cpu_offload(device=device)
    else:
        pipe.to(device)
    return pipe


def _say_no_progress() -> None:
    """A worker's log is not a terminal: bars would fill it with lines."""
    from diffusers.utils import logging as of_diffusers
    from transformers.utils import logging as of_transformers

    of_diffusers.disable_progress_bar()
    of_transformers.disable_progress_bar()


def _in_four_bits(folder: Path, dtype: "torch.dtype", device: "torch.device") -> Any:
    """The transformer, quantised on the device that is meant: without a map, the first GPU would take it."""
    from diffusers import BitsAndBytesConfig, SD3Transformer2DModel

    config = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype)
    try:
        return SD3Transformer2DModel.from_pretrained(
            folder,
            subfolder="transformer",
            quantization_config=config,
            dtype=dtype,
            device_map={"": device},
            local_files_only=True,
        )
    except RuntimeError as error:  # no GPU, or no room on it
        raise Unusable(
            f"The transformer cannot be stored in 4 bits, as the option 'quantization' asks: {error}",
            "Leave the option out, or run the worker where there is a GPU with room for it.",
        ) from error


def identity(options: Options, pipe: Pipeline, device: "torch.device") -> Json:
    """Everything on which the pixels depend, except the request."""
    weights: Json = {"revision": options.revision}
    if options.model == "tiny":
        weights = {"weights": "random, seed 0"}
    elif options.model == SCENES:
        weights = {"fingerprint": fingerprint(PIPELINE)}
    elif is_folder(options.model):
        weights = {"fingerprint": fingerprint(Path(options.model))}
    return {
        "engine": "sd3",
        "model": options.model,
        **weights,
        "dtype": dtype_name(torch_dtype(options.dtype, device)),
        "quantization": options.quantization,
        "compile": options.compile,
        "t5_length": options.t5_length if options.t5 else 0,
        "forward_size": options.forward_size,
        "invariant": True,
        "threads": n_threads(options, device),
        "scheduler": {
            "class": type(pipe.scheduler).__name__,
            **{name: value for name, value in sorted(pipe.scheduler.config.items()) if not name.startswith("_")},
        },
        "versions": versions(*PACKAGES, *(["bitsandbytes"] if options.quantization else [])),
        **device_facts(device),
    }
