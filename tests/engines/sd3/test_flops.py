"""The operations that the benchmark reckons with are those that torch counts."""

import pytest

from generation.engines.torchvision_schema import prepare
from tests.benchmarks.sd35_large import flops_a_pass


@pytest.mark.parametrize("dual", [(), (0, 1)], ids=["Large", "Medium's doubled attention"])
def test_the_count_is_torchs_own(dual: tuple[int, ...]) -> None:
    prepare()
    import torch
    from diffusers import SD3Transformer2DModel
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    transformer = SD3Transformer2DModel(
        num_layers=3,
        attention_head_dim=8,
        num_attention_heads=4,
        joint_attention_dim=48,
        caption_projection_dim=32,
        pooled_projection_dim=64,
        dual_attention_layers=dual,
        qk_norm="rms_norm",
    )
    with FlopCounterMode(display=False) as counted, sdpa_kernel(SDPBackend.MATH), torch.no_grad():
        transformer(torch.randn(1, 16, 8, 8), torch.randn(1, 50, 48), torch.randn(1, 64), torch.tensor([5.0]))
    assert counted.get_total_flops() == flops_a_pass(transformer.config, latents_side=8, n_words=50)
