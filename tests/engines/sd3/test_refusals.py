"""What cannot be drawn is refused before anything is computed, and the message names what can."""

from dataclasses import replace
from typing import Any

import pytest

from generation.recipes.contract import BadAnswer, EngineError, OutOfMemory, Renoise, Resume
from tests.engines.sd3_drawing import FOX, OTTER, draw, engine, request

STATE, LATENTS = b"the state after 2 steps", b"the finished image"


def put_in(start: Renoise | Resume) -> Renoise | Resume:
    """The same start with real latents, which nobody draws before a test runs."""
    finished = draw(request(keep_after=(2,)))
    return replace(
        start, latents={STATE: finished.kept[2], LATENTS: finished.latents}.get(start.latents, start.latents)
    )


@pytest.mark.parametrize(
    ("changes", "problem", "cure"),
    [
        ({"width": 100}, "width is 100", "multiples of 16 up to 1024"),
        ({"height": 0}, "height is 0", "multiples of 16"),
        ({"height": 1040}, "height is 1040", "up to 1024"),
        ({"n_steps": 0}, "n_steps is 0", "1 … 1000"),
        ({"guidance": float("nan")}, "guidance is nan", "0 or more"),
        ({"seed": -1}, "seed is -1", "0 … "),
        ({"seed": 2**64}, "seed is", "0 … "),
        ({"keep_after": (0, 2)}, "after 0 steps", "1 … 3"),
        ({"keep_after": (4,)}, "after 4 steps", "1 … 3"),
        ({"start": Renoise(LATENTS, 5, 7)}, "k is 5", "0 … 4"),
        ({"start": Renoise(LATENTS, -1, 7)}, "k is -1", "0 … 4"),
        ({"start": Renoise(LATENTS, 1, -7)}, "noise_seed is -7", "0 … "),
        ({"start": Resume(STATE, 0, FOX)}, "after 0 steps", "1 … 3"),
        ({"start": Resume(STATE, 4, FOX)}, "after 4 steps", "1 … 3"),
        ({"start": Renoise(LATENTS, 2, 7), "keep_after": (2,)}, "after 2 steps", "3 … 3"),
        ({"start": Renoise(LATENTS, 1, 7), "width": 96}, r"shape \(16, 8, 8\)", "size"),
        ({"start": Renoise(b"PNG", 1, 7)}, "3 bytes are not latents", "latents that a drawing returned"),
    ],
)
def test_a_bad_request_stops_all_before_the_first_step(changes: dict[str, Any], problem: str, cure: str) -> None:
    steps: list[int] = []
    if "start" in changes:
        changes = {**changes, "start": put_in(changes["start"])}
    with pytest.raises(EngineError, match=problem) as caught:
        engine().draw([request(), request(**changes)], lambda done, total: steps.append(done))
    assert cure in caught.value.cure
    assert caught.value.scope == "step"
    assert steps == []


def test_latents_of_another_format_of_numbers_are_not_rounded_silently() -> None:
    with pytest.raises(EngineError, match="float32; this engine computes in bf16"):
        draw(request(start=Renoise(draw(request()).latents, 1, 7)), dtype="bf16")


def test_half_precision_goes_all_the_way() -> None:
    finished = draw(request(keep_after=(2,)), dtype="bf16")
    resumed = draw(request(start=Resume(finished.kept[2], 2, FOX)), dtype="bf16")
    assert resumed.latents == finished.latents
    same = draw(request(prompt=OTTER, start=Renoise(finished.latents, 4, 7)), dtype="bf16")
    assert (same.png, same.latents) == (finished.png, finished.latents)


@pytest.mark.parametrize("message", ["CUDA out of memory. Tried to allocate 9 GiB", "not enough memory: you tried"])
def test_a_full_device_is_said_as_such_and_the_engine_goes_on_after(message: str) -> None:
    import torch

    used = engine()
    before = used.draw([request()])
    kind = torch.OutOfMemoryError if "CUDA" in message else RuntimeError

    def full(*_: object) -> None:
        raise kind(message)

    hook = used._pipe.transformer.register_forward_pre_hook(full)
    try:
        with pytest.raises(OutOfMemory, match="ran out of memory"):
            used.draw([request(), request()])
    finally:
        hook.remove()
    assert used.draw([request()]) == before


def test_numbers_that_overflowed_are_not_an_image() -> None:
    used = engine()
    hook = used._pipe.transformer.register_forward_hook(lambda module, given, out: (out[0] * float("nan"),))
    try:
        with pytest.raises(BadAnswer, match="overflowed") as caught:
            used.draw([request()])
    finally:
        hook.remove()
    assert "bf16" in caught.value.cure
