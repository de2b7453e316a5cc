"""Memory that runs out is said as such, whatever torch calls it; other errors stay what they are."""

import gc
import subprocess
import sys
import weakref

import pytest

from generation.engines.device import check_choice, check_device_name, check_known, choose_device, memory_watched
from generation.engines.torchvision_schema import prepare
from generation.recipes.contract import OutOfMemory, Stopped, Unusable
from generation.recipes.engine_spec import Surroundings


def test_a_real_allocation_that_cannot_succeed_is_out_of_memory() -> None:
    import torch

    with pytest.raises(OutOfMemory, match="ran out of memory") as caught, memory_watched():
        torch.empty(2**60)
    assert caught.value.cure


def test_what_the_failed_call_held_is_let_go_even_while_the_error_is_held() -> None:
    import torch

    held = []

    def needs_much() -> None:
        big = torch.zeros(10)
        held.append(weakref.ref(big))
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    with pytest.raises(OutOfMemory) as caught, memory_watched():
        needs_much()
    gc.collect()
    assert caught.value is not None
    assert held[0]() is None


@pytest.mark.parametrize("error", [RuntimeError("mat1 and mat2 shapes cannot be multiplied"), Stopped(), KeyError("x")])
def test_other_errors_pass_unchanged(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, memory_watched():
        raise error
    assert caught.value is error


def test_the_cpu_is_always_there_and_a_device_that_is_not_is_refused() -> None:
    assert str(choose_device(Surroundings(device="cpu"))) == "cpu"
    with pytest.raises(Unusable, match="not available"):
        choose_device(Surroundings(device="cuda:99"))
    with pytest.raises(Unusable) as caught:
        check_device_name("tpu")
    assert '"auto", "cpu", "cuda"' in caught.value.cure


def test_a_bad_option_names_the_valid_ones() -> None:
    with pytest.raises(Unusable, match="'dtype' is 'int8'") as caught:
        check_choice("dtype", "int8", ("bf16", "fp32"))
    assert "'bf16', 'fp32'" in caught.value.cure
    with pytest.raises(Unusable, match="guidence"):
        check_known(["guidence"], ["guidance"])
    with pytest.raises(Unusable):
        check_choice("forward_size", True, (1, 2))  # True == 1, but nobody means it


def test_torchvision_can_be_imported_after_prepare() -> None:
    program = (
        "from generation.engines.torchvision_schema import prepare; prepare(); prepare();"
        "from torchvision import transforms; print(transforms.CenterCrop(2))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "CenterCrop" in done.stdout
    prepare()
