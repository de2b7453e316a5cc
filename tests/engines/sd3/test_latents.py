"""Latents as bytes come back to the last bit, in the format that they had."""

import pytest

from generation.engines.sd3.latents import from_bytes, to_bytes
from generation.recipes.contract import EngineError


@pytest.mark.parametrize("name", ["bfloat16", "float16", "float32"])
def test_there_and_back(name: str) -> None:
    import torch

    latents = torch.randn((16, 4, 6), generator=torch.Generator().manual_seed(0)).to(getattr(torch, name))
    data = to_bytes(latents)
    assert from_bytes(data, (16, 4, 6), latents.dtype).equal(latents)
    assert to_bytes(latents.clone()) == data
    assert len(data) == latents.nbytes + 80


def test_a_view_is_stored_as_what_it_shows() -> None:
    import torch

    latents = torch.arange(24.0).reshape(2, 3, 4).transpose(1, 2)
    assert from_bytes(to_bytes(latents), (2, 4, 3), torch.float32).equal(latents)


@pytest.mark.parametrize("data", [b"", b"not safetensors at all", b"\xff" * 40])
def test_other_bytes_are_refused(data: bytes) -> None:
    import torch

    with pytest.raises(EngineError, match="not latents"):
        from_bytes(data, (16, 4, 6), torch.float32)


def test_a_cut_file_is_refused() -> None:
    import torch

    with pytest.raises(EngineError, match="not latents"):
        from_bytes(to_bytes(torch.zeros(16, 4, 6))[:-4], (16, 4, 6), torch.float32)


def test_what_is_not_finite_is_refused() -> None:
    import torch

    with pytest.raises(EngineError, match="not finite"):
        from_bytes(to_bytes(torch.full((1, 1, 1), torch.inf)), (1, 1, 1), torch.float32)
