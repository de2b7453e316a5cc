"""Going on from a kept state: the same prompt is the same image, another is what the released code's callback gives."""

from functools import cache
from typing import Any

import pytest

from generation.engines.device import computing_threads
from generation.recipes.contract import Drawn, Resume
from tests.engines.sd3_drawing import FOX, OTTER, T5_LENGTH, draw, request, stock, stock_latents, tensor

N_STEPS = 7
EVERY = range(1, N_STEPS)


@cache
def baseline() -> Drawn:
    return draw(request(prompt=FOX, n_steps=N_STEPS, keep_after=tuple(EVERY)))


def switched(n_done: int, *, pooled: bool, guidance: float = 4.5) -> Any:
    """The stock pipeline over all steps, its embeddings replaced at the end of step n_done − 1, counted from 0."""
    import torch

    with torch.no_grad(), computing_threads(1):
        tokens, no_tokens, vector, no_vector = stock().encode_prompt(OTTER, None, None, max_sequence_length=T5_LENGTH)

    def swap(pipe: Any, step: int, time: Any, now: dict[str, Any]) -> dict[str, Any]:
        if step == n_done - 1:
            now["prompt_embeds"] = torch.cat([no_tokens, tokens]) if guidance > 1 else tokens
            if pooled:
                now["pooled_prompt_embeds"] = torch.cat([no_vector, vector]) if guidance > 1 else vector
        return now

    return stock_latents(
        request(prompt=FOX, n_steps=N_STEPS, guidance=guidance),
        callback_on_step_end=swap,
        callback_on_step_end_tensor_inputs=["latents", "prompt_embeds", "pooled_prompt_embeds"],
    )


@pytest.mark.parametrize("n_done", EVERY)
@pytest.mark.parametrize("swap_pooled", [True, False])
def test_with_the_same_prompt_it_is_the_baseline_to_the_bit(n_done: int, swap_pooled: bool) -> None:
    start = Resume(baseline().kept[n_done], n_done, FOX, swap_pooled)
    again = draw(request(prompt=FOX, n_steps=N_STEPS, start=start))
    assert (again.png, again.latents) == (baseline().png, baseline().latents)


@pytest.mark.parametrize("n_done", EVERY)
@pytest.mark.parametrize("swap_pooled", [True, False], ids=["with the pooled", "as released"])
def test_with_another_it_is_the_stock_pipeline_with_a_callback(n_done: int, swap_pooled: bool) -> None:
    start = Resume(baseline().kept[n_done], n_done, FOX, swap_pooled)
    drawn = draw(request(prompt=OTTER, n_steps=N_STEPS, start=start))
    assert tensor(drawn.latents).equal(switched(n_done, pooled=swap_pooled))
    assert drawn.latents != baseline().latents


def test_without_guidance_too() -> None:
    unguided = draw(request(prompt=FOX, n_steps=N_STEPS, guidance=1.0, keep_after=(3,)))
    start = Resume(unguided.kept[3], 3, FOX, swap_pooled=False)
    drawn = draw(request(prompt=OTTER, n_steps=N_STEPS, guidance=1.0, start=start))
    assert tensor(drawn.latents).equal(switched(3, pooled=False, guidance=1.0))


def test_the_pooled_embedding_makes_a_difference() -> None:
    with_it, without = (
        draw(request(prompt=OTTER, n_steps=N_STEPS, start=Resume(baseline().kept[2], 2, FOX, swap)))
        for swap in (True, False)
    )
    assert with_it.png != without.png


def test_a_state_kept_on_the_way_of_a_resumed_drawing_is_the_baselines() -> None:
    start = Resume(baseline().kept[2], 2, FOX)
    again = draw(request(prompt=FOX, n_steps=N_STEPS, start=start, keep_after=(4,)))
    assert again.kept == {4: baseline().kept[4]}
