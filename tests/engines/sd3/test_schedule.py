"""The noise levels are those of diffusers' scheduler, and the start index that of its image-to-image pipelines."""

from pathlib import Path

import numpy as np
import pytest

from generation.engines.torchvision_schema import prepare
from tests.engines.sd3.schedule import shifted, sigmas, strength


@pytest.mark.slow
@pytest.mark.parametrize("n_steps", [1, 2, 4, 7, 28, 40, 50])
@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_the_levels_are_those_of_the_real_scheduler(n_steps: int, shift: float) -> None:
    prepare()
    from diffusers import FlowMatchEulerDiscreteScheduler

    scheduler = FlowMatchEulerDiscreteScheduler(shift=shift)
    scheduler.set_timesteps(n_steps)
    assert sigmas(n_steps, shift) == pytest.approx(scheduler.sigmas.numpy(), abs=1e-6)


def test_the_shares_of_noise_are_those_of_the_document() -> None:
    methods = Path("docs/generation/methods.md").read_text()
    table = methods[methods.index("| σ, the share of noise |") :].splitlines()[0].split("|")[2:-1]
    steps = methods[methods.index("**Whose noise.**") :].split("| k |")[1].splitlines()[0].split("|")[:-1]
    for k, share in zip(steps, table, strict=True):
        assert sigmas(28)[int(k)] == pytest.approx(float(share), abs=5e-4), k


def test_a_level_shifted_by_hand() -> None:
    # 3·½ / (1 + 2·½) = 3/4
    assert shifted(0.5, 3.0) == pytest.approx(3 / 4)
    assert shifted(np.array([0.0, 1.0]), 3.0).tolist() == [0, 1]


@pytest.mark.parametrize("n_steps", range(1, 120))
def test_the_strength_makes_diffusers_start_at_step_k(n_steps: int) -> None:
    for k in range(n_steps):
        n_taken = min(n_steps * strength(n_steps, k), n_steps)  # get_timesteps of the image-to-image pipelines
        assert int(max(n_steps - n_taken, 0)) == k


def test_the_plain_share_would_start_one_step_off_for_some() -> None:
    def naive(n_steps: int, k: int) -> int:
        return int(max(n_steps - min(n_steps * (1 - k / n_steps), n_steps), 0))

    assert any(naive(n_steps, k) != k for n_steps in range(1, 60) for k in range(n_steps))
