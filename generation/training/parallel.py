"""The processors that train a network: in one process or in several, as `torchrun` starts them, each on one thread."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import timedelta

import torch
from torch import distributed
from torch.nn import Parameter


def start() -> None:
    """Join the other processes where the environment names them."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        # The others wait for the first while it trains what only it trains, longer than the 30 minutes by default.
        distributed.init_process_group("gloo", timeout=timedelta(days=1))


def rank() -> int:
    """Which of the processes this is, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def is_first() -> bool:
    return rank() == 0


def part_of(n: int) -> int:
    """How many of `n` each process takes, rounded up."""
    return -(-n // distributed.get_world_size()) if distributed.is_initialized() else n


def wait_for_all() -> None:
    """Return when every process has come here."""
    if distributed.is_initialized():
        distributed.barrier()


def fast_precision() -> torch.autocast:
    """Compute in bfloat16 where the processor has instructions for it, elsewhere in float32.

    Without them (AVX2 alone, say) bfloat16 is emulated, and a step takes eight times as long as in float32.
    """
    has_instructions = torch.backends.cpu.get_cpu_capability().startswith("AVX512")
    return torch.autocast("cpu", torch.bfloat16, enabled=has_instructions)


def average_gradients(parameters: Iterable[Parameter]) -> None:
    """Replace every gradient by its mean over the processes, in one message."""
    if not distributed.is_initialized():
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))
