"""Latents as bytes: what an image is before the decoder, kept in its own format of numbers, to the last bit."""

from typing import TYPE_CHECKING

from generation.engines.device import dtype_name
from generation.recipes.contract import EngineError

if TYPE_CHECKING:
    import torch

_NAME = "latents"


def to_bytes(latents: "torch.Tensor") -> bytes:
    """A safetensors file of one tensor (channels, height, width), without metadata: equal latents, equal bytes."""
    from safetensors.torch import save

    return bytes(save({_NAME: latents.detach().cpu().contiguous()}))


def from_bytes(data: bytes, shape: tuple[int, ...], dtype: "torch.dtype") -> "torch.Tensor":
    """The tensor in them, on the CPU. Raises EngineError unless it has this shape and format and finite values."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        latents = load(data)[_NAME]
    except (SafetensorError, KeyError) as error:
        raise EngineError(
            f"These {len(data)} bytes are not latents: {error}", "Use the latents that a drawing returned."
        ) from None
    if tuple(latents.shape) != shape:
        raise EngineError(
            f"The latents have the shape {tuple(latents.shape)}; this request needs {shape} (channels, height, width).",
            "Ask for the size of the image that the latents are from.",
        )
    if latents.dtype != dtype:
        found = str(latents.dtype).removeprefix("torch.")
        raise EngineError(
            f"The latents are {found}; this engine computes in {dtype_name(dtype)}.",
            "Load the engine with the dtype that drew the image, so that nothing is rounded.",
        )
    if not latents.isfinite().all():
        raise EngineError("The latents hold values that are not finite numbers.", "Draw the image again.")
    return latents
