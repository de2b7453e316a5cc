"""The noise levels are those of diffusers' scheduler, and the start index that of its image-to-image pipelines."""

import numpy as np
import pytest

from generation.engines.torchvision_schema import prepare
from generation.recipes.schedule import noise_share, shifted, sigmas, strength


@pytest.mark.parametrize("n_steps", [1, 2, 4, 7, 28, 40, 50])
@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_the_levels_are_those_of_the_real_scheduler(n_steps: int, shift: float) -> None:
    prepare()
    from diffusers import FlowMatchEulerDiscreteScheduler

    scheduler = FlowMatchEulerDiscreteScheduler(shift=shift)
    scheduler.set_timesteps(n_steps)
    assert sigmas(n_steps, shift) == pytest.approx(scheduler.sigmas.numpy(), abs=1e-6)


def test_so_little_of_the_baseline_is_left_at_the_switch_steps() -> None:
    # shift 3, 28 steps: the figures of the paper's t' = T − 1, T − 2, T − 4
    assert [round(noise_share(28, k), 3) for k in (1, 2, 4)] == [0.987, 0.974, 0.945]
    assert noise_share(28, 0) == 1
    assert noise_share(28, 28) == 0


def test_a_level_shifted_by_hand() -> None:
    # 3·½ / (1 + 2·½) = 3/4
    assert shifted(0.5, 3.0) == pytest.approx(3 / 4)
    assert shifted(np.array([0.0, 1.0]), 3.0).tolist() == [0, 1]


@pytest.mark.parametrize("n_steps", range(1, 120))
def test_the_strength_makes_diffusers_start_at_step_k(n_steps: int) -> None:
    for k in range(n_steps):
        n_taken = min(n_steps * strength(n_steps, k), n_steps)  # get_timesteps of the image-to-image pipelines
        assert int(max(n_steps - n_taken, 0)) == k


def test_the_plain_share_would_start_one_step_beside_for_some() -> None:
    def naive(n_steps: int, k: int) -> int:
        return int(max(n_steps - min(n_steps * (1 - k / n_steps), n_steps), 0))

    assert any(naive(n_steps, k) != k for n_steps in range(1, 60) for k in range(n_steps))


@pytest.mark.parametrize("k", [-1, 29])
def test_a_step_outside_is_refused_with_the_range(k: int) -> None:
    with pytest.raises(ValueError, match="0 … 28"):
        noise_share(28, k)
    with pytest.raises(ValueError, match="0 … 27"):
        strength(28, 28)
    with pytest.raises(ValueError, match="at least 1"):
        sigmas(0)
