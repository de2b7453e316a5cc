"""What the metrics that compute here have in common: their options, checked before torch is loaded, and their names."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generation.engines.device import (
    check_choice,
    check_device_name,
    check_known,
    choose_device,
    computing_threads,
    device_facts,
    dtype_name,
    memory_watched,
    torch_dtype,
)
from generation.recipes.contract import Json, Unusable
from generation.recipes.engine_spec import Surroundings

if TYPE_CHECKING:
    import torch

COMMON = ("model", "revision", "dtype", "batch_size", "threads")
DTYPES = ("fp32", "bf16", "fp16")
MOST_AT_ONCE = MOST_THREADS = 1_000
LONGEST_VERSION = 100
RANDOM = "random, seed 0"


def check_common(options: Mapping[str, Any], surroundings: Surroundings, known: Sequence[str]) -> None:
    """Raises Unusable for an unknown option or device, and for a bad one of those that all metrics have:

    dtype       "fp32", "bf16" or "fp16"; fp32 by default, since published scores are
    batch_size  how many images the network sees at once, 1 … 1000; one on the CPU and eight on CUDA by default
    threads     of the CPU, 1 … 1000, as rounding depends on it; by default one for "tiny", otherwise torch's own
    """
    check_known(tuple(options), known)
    check_device_name(surroundings.device)
    check_choice("dtype", options.get("dtype", "fp32"), DTYPES)
    for name, most in (("batch_size", MOST_AT_ONCE), ("threads", MOST_THREADS)):
        number = options.get(name, 1)
        if type(number) is not int or not 1 <= number <= most:
            raise Unusable(f"The option {name!r} is {number!r}.", f"Valid: whole numbers, 1 … {most}.")
    for name in set(known) - {"dtype", "batch_size", "threads", "weight"}:
        if not isinstance(options.get(name, ""), str):
            raise Unusable(f"The option {name!r} is {options[name]!r}.", "Valid: a text.")


@dataclass(frozen=True)
class Place:
    """Where and how a metric computes."""

    device: "torch.device"
    dtype: "torch.dtype"
    batch_size: int
    threads: int | None

    @staticmethod
    def of(options: Mapping[str, Any], surroundings: Surroundings) -> "Place":
        import torch

        device = choose_device(surroundings)
        usual = 1 if options.get("model") == "tiny" else torch.get_num_threads()
        threads = options.get("threads", usual) if device.type == "cpu" else None
        dtype = torch_dtype(options.get("dtype", "fp32"), device)
        return Place(device, dtype, options.get("batch_size", 8 if device.type == "cuda" else 1), threads)

    def facts(self) -> Json:
        """The settings on which a score's last digits depend, as JSON."""
        figures = {"dtype": dtype_name(self.dtype), "batch_size": self.batch_size, "threads": self.threads}
        return {**device_facts(self.device), **figures}

    @contextmanager
    def computing(self) -> Iterator[None]:
        """No gradients, a fixed number of threads, and nothing that differs from run to run; memory watched.

        On CUDA no reduced precision in convolutions, and no algorithm chosen by a race.
        """
        import torch

        with (
            memory_watched(),
            torch.inference_mode(),
            computing_threads(self.threads),
            torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False),
        ):
            yield


def version(text: str, options: Mapping[str, Any], plain: Mapping[str, Any]) -> str:
    """The version under which scores are stored: the text, and a digest of the options that differ from the defaults.

    Two settings that can give other scores never share a version; at most 100 characters.
    """
    other = {name: options[name] for name, usual in plain.items() if options.get(name, usual) != usual}
    mark = f", options {_digest(json.dumps(other, sort_keys=True))}" if other else ""
    room = LONGEST_VERSION - len(mark)
    return (text if len(text) <= room else f"{text[: room - 9]} {_digest(text)}") + mark


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
