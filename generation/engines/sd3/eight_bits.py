"""The transformer's large matrix multiplications in 8-bit floats, which newer GPUs multiply twice as fast.

Weights are scaled by row once, activations by row (token) as they come, both to the range of float8_e4m3fn
(Micikevicius et al. 2022, "FP8 formats for deep learning"). A row's scale does not depend on other rows.
"""

from typing import TYPE_CHECKING, Any

from generation.recipes.contract import Unusable

if TYPE_CHECKING:
    import torch

LARGEST = 448.0  # of float8_e4m3fn
# Of each block. The shifts and scales made from the time stay: they cost little, and everything hangs on them.
PARTS = ("attn", "attn2", "ff", "ff_context")


def check_device(device: "torch.device") -> None:
    """Raises Unusable for a GPU that does not multiply 8-bit floats scaled by row; a CPU does, slowly."""
    import torch

    if device.type == "cuda" and torch.cuda.get_device_capability(device) < (9, 0):
        raise Unusable(
            f"{torch.cuda.get_device_name(device)} does not multiply 8-bit floats.",
            "Leave out the quantization 'fp8': it needs an H100, an H200 or a later GPU.",
        )


def convert(transformer: Any) -> int:
    """Put 8-bit layers in place of the blocks' linear ones; returns how many. The transformer must be in bf16."""
    from torch import nn

    n_converted = 0
    for block in transformer.transformer_blocks:
        for part in (getattr(block, name, None) for name in PARTS):
            for parent in [] if part is None else list(part.modules()):
                for name, child in list(parent.named_children()):
                    if isinstance(child, nn.Linear):
                        setattr(parent, name, _in_eight_bits(child))
                        n_converted += 1
    return n_converted


def scaled(rows: "torch.Tensor") -> tuple["torch.Tensor", "torch.Tensor"]:
    """Rows (n, width) in 8 bits, and the float32 scale (n, 1) that each was divided by. A row of zeros stays zeros."""
    import torch

    scale = rows.abs().amax(dim=1, keepdim=True).float().clamp(min=1e-12) / LARGEST
    return (rows / scale).clamp(-LARGEST, LARGEST).to(torch.float8_e4m3fn), scale


def _in_eight_bits(linear: Any) -> Any:
    import torch
    from torch import nn

    class EightBitLinear(nn.Module):
        weight: torch.Tensor
        scale: torch.Tensor
        bias: torch.Tensor | None

        def __init__(self) -> None:
            super().__init__()
            weight, scale = scaled(linear.weight.detach())
            self.register_buffer("weight", weight)
            self.register_buffer("scale", scale.T.contiguous())
            self.register_buffer("bias", None if linear.bias is None else linear.bias.detach())
            self.in_features, self.out_features = linear.in_features, linear.out_features

        def forward(self, given: "torch.Tensor") -> "torch.Tensor":
            rows, scale = scaled(given.reshape(-1, self.in_features))
            product = torch._scaled_mm(
                rows, self.weight.T, scale_a=scale, scale_b=self.scale, bias=self.bias, out_dtype=given.dtype
            )
            return product.reshape(*given.shape[:-1], self.out_features)

    return EightBitLinear()
