"""A finished image drawn again: the method in twenty plain lines, and diffusers' own image-to-image pipeline."""

from typing import Any

import pytest

from generation.engines.device import computing_threads
from generation.recipes.contract import DrawRequest, Renoise
from tests.engines.sd3.schedule import sigmas, strength
from tests.engines.sd3_drawing import (
    FOX,
    OTTER,
    T5_LENGTH,
    draw,
    request,
    stock,
    stock_from_image_latents,
    stock_latents,
    tensor,
)

EVERY = [(n_steps, k) for n_steps in (4, 7, 28) for k in range(n_steps + 1)]


def by_hand(asked: DrawRequest, finished: Any, k: int, noise_seed: int) -> Any:
    """x = σ_k·ε + (1 − σ_k)·x₀, then Euler's steps along the guided direction. Latents (channels, height, width)."""
    import torch

    pipe, levels = stock(), sigmas(asked.n_steps)
    noise = torch.randn((1, *finished.shape), generator=torch.Generator("cpu").manual_seed(noise_seed))
    x = levels[k] * noise + (1 - levels[k]) * finished[None]
    with torch.no_grad(), computing_threads(1):
        tokens, no_tokens, pooled, no_pooled = pipe.encode_prompt(
            asked.prompt, None, None, negative_prompt=asked.negative_prompt, max_sequence_length=T5_LENGTH
        )
        for step in range(k, asked.n_steps):
            time = torch.tensor([1_000 * levels[step]], dtype=torch.float32)
            towards = pipe.transformer(x.float(), tokens, pooled, time, return_dict=False)[0]
            away = pipe.transformer(x.float(), no_tokens, no_pooled, time, return_dict=False)[0]
            x = x + (levels[step + 1] - levels[step]) * (away + asked.guidance * (towards - away))
    return x[0].float()


@pytest.mark.parametrize(("n_steps", "k"), EVERY)
def test_it_is_the_method_written_out(n_steps: int, k: int) -> None:
    finished = draw(request(n_steps=n_steps))
    again = request(prompt=OTTER, n_steps=n_steps, start=Renoise(finished.latents, k, noise_seed=5))
    expected = by_hand(again, tensor(finished.latents), k, noise_seed=5)
    assert (tensor(draw(again).latents) - expected).abs().max() < 1e-5 * max(1, expected.abs().max())


@pytest.mark.parametrize(("n_steps", "k"), [(n_steps, k) for n_steps, k in EVERY if k < n_steps])
def test_it_is_what_diffusers_makes_of_the_latents(n_steps: int, k: int) -> None:
    finished = draw(request(n_steps=n_steps))
    again = request(prompt=OTTER, n_steps=n_steps, start=Renoise(finished.latents, k, noise_seed=5))
    expected = stock_from_image_latents(again, tensor(finished.latents), strength=strength(n_steps, k), noise_seed=5)
    assert (tensor(draw(again).latents) - expected).abs().max() < 1e-5


def test_left_out_altogether_the_image_is_what_it_was() -> None:
    finished = draw(request())
    same = draw(request(prompt=OTTER, start=Renoise(finished.latents, 4, noise_seed=5)))
    assert (same.png, same.latents) == (finished.png, finished.latents)


def test_from_noise_alone_the_finished_image_is_forgotten() -> None:
    finished = draw(request(prompt=FOX))
    again = draw(request(prompt=OTTER, start=Renoise(finished.latents, 0, noise_seed=5)))
    assert tensor(again.latents).equal(stock_latents(request(prompt=OTTER, seed=5)))


def test_whose_noise_is_added_matters_and_the_seed_of_the_drawing_does_not() -> None:
    finished = draw(request())
    first, other = (draw(request(start=Renoise(finished.latents, 1, noise_seed=seed))) for seed in (5, 6))
    assert first.png != other.png
    assert draw(request(seed=99, start=Renoise(finished.latents, 1, noise_seed=5))).png == first.png


def test_states_on_the_way_can_be_kept() -> None:
    finished = draw(request(n_steps=7))
    again = draw(request(n_steps=7, start=Renoise(finished.latents, 3, noise_seed=5), keep_after=(4, 6)))
    assert list(again.kept) == [4, 6]
