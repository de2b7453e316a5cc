"""Shared by all engines that compute here: the device, the number format, and a clear error for too little memory."""

import os
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from typing import TYPE_CHECKING

from generation.recipes.contract import Json, OutOfMemory, Unusable
from generation.recipes.engine_spec import Surroundings

if TYPE_CHECKING:
    import torch

# On some processors MKL's results depend on where in memory an array lies, so the same request could give other digits.
# MKL reads this at its first call; torch is imported later than this module.
os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")

# In a plain RuntimeError: the CPU's allocator on Linux and on Windows, drivers, and cuBLAS when it starts.
_NO_ROOM = ("can't allocate memory", "not enough memory", "out of memory", "cublas_status_alloc_failed")

DTYPES = ("auto", "bf16", "fp16", "fp32")


def choose_device(surroundings: Surroundings) -> "torch.device":
    """The device to compute on; "auto" takes CUDA if present. Raises Unusable for a device that this machine lacks."""
    import torch

    name = surroundings.device
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    check_device_name(name)
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise Unusable(
            f"The device {name!r} is not available: torch sees {torch.cuda.device_count()} CUDA devices.",
            'Use the device "auto" or "cpu", or install a CUDA build of torch and its driver.',
        )
    return device


def check_device_name(name: str) -> None:
    """Raises Unusable for a text that is not a device's name; does not need torch."""
    kind, _, index = name.partition(":")
    if name not in ("auto", "cpu", "cuda") and not (kind == "cuda" and index.isdigit()):
        raise Unusable(f"Unknown device {name!r}.", 'Valid are "auto", "cpu", "cuda", "cuda:0", "cuda:1" …')


def check_choice(option: str, value: object, valid: Sequence[object]) -> None:
    """Raises Unusable, naming the option and the valid values, for a value that is not among them."""
    if not any(value == one and type(value) is type(one) for one in valid):
        known = ", ".join(repr(one) for one in valid)
        raise Unusable(f"The option {option!r} is {value!r}.", f"Valid values: {known}.")


def check_known(options: Sequence[str], known: Sequence[str]) -> None:
    """Raises Unusable for an option that the engine does not have: a misspelt one would silently do nothing."""
    if unknown := sorted(set(options) - set(known)):
        raise Unusable(f"Unknown option {', '.join(map(repr, unknown))}.", f"Known options: {', '.join(known)}.")


def torch_dtype(name: str, device: "torch.device") -> "torch.dtype":
    """The number format of this name; "auto" is bf16 on CUDA and fp32 on the CPU."""
    import torch

    check_choice("dtype", name, DTYPES)
    if name == "auto":
        name = "bf16" if device.type == "cuda" else "fp32"
    return {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}[name]


def dtype_name(dtype: "torch.dtype") -> str:
    """The short name of a format: "bf16", "fp16" or "fp32"."""
    return {"torch.bfloat16": "bf16", "torch.float16": "fp16", "torch.float32": "fp32"}[str(dtype)]


def device_facts(device: "torch.device") -> Json:
    """The properties of the device that a result depends on: its kind, a GPU's name, a CPU's instructions. JSON."""
    import torch

    if device.type == "cuda":
        return {"device": "cuda", "device_name": torch.cuda.get_device_name(device)}
    return {"device": device.type, "instructions": torch.backends.cpu.get_cpu_capability()}


def versions(*packages: str) -> dict[str, str]:
    """The installed version of each package, "absent" where there is none."""
    found = {}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "absent"
    return found


@contextmanager
def computing_threads(n_threads: int | None) -> Iterator[None]:
    """Within the block, compute with this many CPU threads, as rounding depends on it; None changes nothing."""
    import torch

    before = torch.get_num_threads()
    if n_threads is None or n_threads == before:
        yield
        return
    torch.set_num_threads(n_threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def memory_watched() -> Iterator[None]:
    """Turns torch's errors for exhausted memory into OutOfMemory; memory held by the failed call is released."""
    import torch

    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not _says_no_room(error):
            raise
        # The traceback's frames hold the failed call's tensors as long as the error is referenced.
        traceback.clear_frames(error.__traceback__)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        raise OutOfMemory(
            f"The device ran out of memory: {(str(error).splitlines() or ['no room'])[0]}",
            "Draw fewer at once, at a smaller size, with a smaller dtype, or with offloading.",
        ) from None


def _says_no_room(error: BaseException) -> bool:
    import torch

    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    text = str(error).lower()
    return any(words in text for words in _NO_ROOM)
