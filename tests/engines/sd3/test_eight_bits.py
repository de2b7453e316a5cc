"""Multiplying in 8 bits is near to what 16 bits give, by row, and as indifferent to companions."""

from typing import Any

import pytest

from generation.engines.sd3 import eight_bits
from generation.engines.tiny import sd3 as tiny_sd3
from generation.engines.torchvision_schema import prepare
from tests.engines.sd3_drawing import OTTER, engine, request, tensor

EIGHT: dict[str, Any] = {"quantization": "fp8", "dtype": "bf16"}


def test_a_row_uses_the_whole_range_and_zeros_stay_zeros() -> None:
    import torch

    rows, scale = eight_bits.scaled(torch.tensor([[0.5, -2.0], [0.0, 0.0], [3e4, 1e-3]]))
    assert rows.float()[:, 0].tolist() == [112.0, 0.0, 448.0]  # 0.5 · 448 / 2
    assert (rows.float() * scale)[0].tolist() == pytest.approx([0.5, -2.0])


@pytest.mark.parametrize("bias", [True, False])
def test_a_layer_is_within_the_rounding_of_eight_bits(bias: bool) -> None:
    import torch
    from torch import nn

    torch.manual_seed(0)
    linear = nn.Linear(256, 96, bias=bias, dtype=torch.bfloat16)
    given = torch.randn(2, 33, 256, dtype=torch.bfloat16)
    found, expected = eight_bits._in_eight_bits(linear)(given).float(), linear(given).float()
    assert found.shape == expected.shape
    # 3 bits of mantissa: each factor is off by 1/16 at most, by about 1/38 in the root of the mean square
    assert (found - expected).square().mean().sqrt() < 0.05 * expected.square().mean().sqrt()
    assert not found.equal(expected)


def test_only_attention_and_feed_forward_are_converted() -> None:
    prepare()
    import torch
    from torch import nn

    transformer = tiny_sd3.build().to(torch.bfloat16).transformer
    n_before = sum(isinstance(one, nn.Linear) for one in transformer.modules())
    n_converted = eight_bits.convert(transformer)
    # the first block: 4 + 4 of attention, 2 + 2 of feed-forward; the last has no output for the text: 4 + 3, 2
    assert n_converted == 12 + 9
    assert sum(isinstance(one, nn.Linear) for one in transformer.modules()) == n_before - n_converted


def test_the_image_is_near_that_of_sixteen_bits_and_the_same_in_every_batch() -> None:
    eight, sixteen = engine(**EIGHT), engine(dtype="bf16")
    import torch

    from generation.engines.sd3.latents import from_bytes

    def latents(used: Any) -> Any:
        return from_bytes(used.draw([request()])[0].latents, (16, 8, 8), torch.bfloat16).float()

    off = (latents(eight) - latents(sixteen)).square().mean().sqrt()
    other = (latents(sixteen) - tensor(engine().draw([request(prompt=OTTER)])[0].latents)).square().mean().sqrt()
    assert 0 < off < other / 4
    assert eight.identity != sixteen.identity
    alone = eight.draw([request()])[0]
    assert eight.draw([request(prompt=OTTER), request(seed=9), request()])[2] == alone
