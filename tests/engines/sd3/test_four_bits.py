"""NF4 by the real classes of diffusers and bitsandbytes; the latter quantises on a CPU too, the former refuses to."""

from pathlib import Path
from typing import Any

import pytest

from generation.engines.sd3 import engine as sd3
from generation.engines.sd3.loading import load_pipeline, read_options
from generation.recipes.contract import Unusable
from tests.engines.sd3_drawing import CPU, T5_LENGTH, stock

torch = pytest.importorskip("torch", reason="the extra `generation` is not installed")
NF4 = {"quantization": "nf4", "t5_length": T5_LENGTH, "threads": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model")
    stock().save_pretrained(path)
    return path


@pytest.fixture
def maps(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Lets a machine without a GPU pass for one with it; the device maps that the loader was asked for."""
    from diffusers.quantizers.bitsandbytes.bnb_quantizer import BnB4BitDiffusersQuantizer

    asked: list[Any] = []
    monkeypatch.setattr(
        BnB4BitDiffusersQuantizer,
        "validate_environment",
        lambda self, *_, **given: asked.append(given.get("device_map")),
    )
    return asked


def test_the_transformer_is_stored_in_four_bits_where_this_worker_computes(folder: Path, maps: list[Any]) -> None:
    from bitsandbytes.functional import dequantize_4bit
    from bitsandbytes.nn import Linear4bit

    options = {"model": str(folder), **NF4}
    transformer = load_pipeline(read_options(options), torch.device("cpu")).transformer
    four_bits = [module for module in transformer.modules() if isinstance(module, Linear4bit)]
    assert four_bits
    assert {module.weight.quant_type for module in four_bits} == {"nf4"}
    assert {module.weight.dtype for module in four_bits} == {torch.uint8}
    # All of it goes where this worker computes: without a map, diffusers would take the first GPU.
    assert maps
    assert all(given == {"": torch.device("cpu")} for given in maps)
    # The weights are still those of the file, as far as 16 levels go: bitsandbytes' own way back shows it.
    plain = stock().transformer.state_dict()
    for name, module in transformer.named_modules():
        if isinstance(module, Linear4bit):
            weight = dequantize_4bit(module.weight.data, module.weight.quant_state).float()
            error = (weight - plain[f"{name}.weight"].float()).norm() / plain[f"{name}.weight"].float().norm()
            assert error < 0.15, name


def test_without_a_gpu_the_option_is_refused_with_the_cure(folder: Path) -> None:
    with pytest.raises(Unusable, match="No GPU found") as refused:
        sd3.load({"model": str(folder), **NF4}, CPU)
    assert "where there is a GPU" in refused.value.cure
