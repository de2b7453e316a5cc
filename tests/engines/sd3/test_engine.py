"""A plain drawing is the stock pipeline's to the last bit, and the same whatever else is drawn with it."""

import json
from dataclasses import replace
from functools import cache
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from generation.engines.registry import load, missing
from generation.recipes.contract import Drawn, DrawRequest, Renoise, Resume, Stopped
from generation.recipes.engine_spec import EngineSpec
from tests.engines.sd3_drawing import CPU, FOX, OTTER, draw, engine, request, stock_image, stock_latents, tensor

N_POOL = 10


@cache
def states() -> Drawn:
    return draw(request(keep_after=(2,)))


@cache
def pool() -> list[DrawRequest]:
    """What may lie side by side in a batch: prompts, seeds, sizes, lengths, with and without guidance, starts."""
    return [
        request(),
        request(prompt=OTTER),
        request(seed=8),
        request(n_steps=7, guidance=2.0),
        request(guidance=1.0),
        request(width=96),
        request(negative_prompt="blurry", keep_after=(1, 3)),
        request(prompt=OTTER, start=Resume(states().kept[2], 2, FOX)),
        request(prompt=OTTER, start=Renoise(states().latents, 1, noise_seed=7)),
        request(start=Renoise(states().latents, 4, noise_seed=7)),
    ]


@pytest.mark.parametrize("n_steps", [1, 4, 28])
@pytest.mark.parametrize("guidance", [4.5, 1.0, 0.0], ids=["guided", "Turbo's", "none"])
def test_a_plain_drawing_is_the_stock_pipelines_to_the_bit(n_steps: int, guidance: float) -> None:
    asked = request(n_steps=n_steps, guidance=guidance, negative_prompt="blurry")
    drawn = draw(asked)
    assert tensor(drawn.latents).equal(stock_latents(asked))
    assert Image.open(BytesIO(drawn.png)).tobytes() == stock_image(asked).tobytes()


def test_an_oblong_image_is_the_stock_pipelines_too() -> None:
    asked = request(width=96, height=32)
    drawn = draw(asked)
    assert Image.open(BytesIO(drawn.png)).size == (96, 32)
    assert Image.open(BytesIO(drawn.png)).tobytes() == stock_image(asked).tobytes()


def test_without_the_third_text_encoder_the_prompt_still_counts() -> None:
    fox, otter = (draw(request(prompt=prompt), t5=False) for prompt in (FOX, OTTER))
    assert fox.png != otter.png
    assert fox.png != draw(request(prompt=FOX)).png


@pytest.mark.parametrize(
    "changes", [{"seed": 8}, {"prompt": OTTER}, {"negative_prompt": "blurry"}, {"guidance": 5.0}, {"n_steps": 5}]
)
def test_every_field_of_the_request_changes_the_image(changes: dict[str, object]) -> None:
    assert draw(request()).png != draw(request(**changes)).png


@cache
def alone(place: int, forward_size: int) -> Drawn:
    return engine(forward_size).draw([pool()[place]])[0]


@pytest.mark.parametrize("forward_size", [1, 4])
@given(places=st.lists(st.integers(0, N_POOL - 1), min_size=1, max_size=9))
@settings(max_examples=12, deadline=None)
def test_an_image_is_the_same_in_every_batch_order_and_slot(forward_size: int, places: list[int]) -> None:
    assert len(pool()) == N_POOL
    drawn = engine(forward_size).draw([pool()[place] for place in places])
    for place, one in zip(places, drawn, strict=True):
        by_itself = alone(place, forward_size)
        assert one.latents == by_itself.latents
        assert one.png == by_itself.png
        assert one.kept == by_itself.kept


def test_how_many_go_through_the_transformer_at_once_is_part_of_the_identity() -> None:
    assert engine(1).identity != engine(4).identity
    assert tensor(alone(0, 4).latents).allclose(tensor(alone(0, 1).latents), atol=1e-4)


@pytest.mark.parametrize("dtype", ["bf16", "fp32"])
def test_another_engine_of_the_same_identity_draws_the_same(dtype: str) -> None:
    first = engine(dtype=dtype)
    engine.cache_clear()
    second = engine(dtype=dtype)
    assert first is not second
    assert first.identity == second.identity
    assert first.identity["weights"] == "random, seed 0"
    assert json.loads(json.dumps(first.identity)) == first.identity
    assert first.draw([request()]) == second.draw([request()])


def test_the_number_of_threads_that_a_worker_was_given_does_not_matter() -> None:
    import torch

    large = request(width=256, height=256)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        there = draw(large)
        assert torch.get_num_threads() == 3
        torch.set_num_threads(1)
        assert draw(large) == there
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("forward_size", [1, 4])
def test_stopping_midway_passes_on_at_once_and_leaves_the_engine_as_it_was(forward_size: int) -> None:
    rounds: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        rounds.append((done, total))
        if len(rounds) == 3:
            raise Stopped

    used = engine(forward_size)
    before = used.draw([request(), request(seed=8)])
    with pytest.raises(Stopped):
        used.draw([request(), request(seed=8)], stop)
    assert len(rounds) == 3
    assert used.draw([request(), request(seed=8)]) == before


@pytest.mark.parametrize(("forward_size", "n_rounds"), [(1, 4 + 7 + 2), (4, 7)])
def test_progress_counts_the_steps_of_single_images_and_ends_at_all(forward_size: int, n_rounds: int) -> None:
    seen: list[tuple[int, int]] = []
    asked = [request(), request(n_steps=7), request(prompt=OTTER, start=Resume(states().kept[2], 2, FOX))]
    engine(forward_size).draw(asked, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (13, 13)
    assert {total for _, total in seen} == {13}
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert len(seen) == n_rounds


def test_the_file_holds_the_pixels_and_nothing_else() -> None:
    image = Image.open(BytesIO(draw(request()).png))
    assert (image.format, image.mode, image.info) == ("PNG", "RGB", {})


def test_nothing_asked_nothing_drawn() -> None:
    assert engine().draw([]) == []


def test_states_are_kept_where_asked_and_nowhere_else() -> None:
    drawn = draw(request(n_steps=7, keep_after=(5, 1)))
    assert list(drawn.kept) == [1, 5]
    assert drawn == replace(draw(request(n_steps=7)), kept=drawn.kept)


def test_what_of_a_long_prompt_was_not_read_is_noted() -> None:
    words = "a red cube on a blue ball, " * 20
    (short, long) = (draw(request(prompt=prompt)).facts for prompt in (FOX, words))
    assert "notes" not in short
    n = len(engine()._pipe.tokenizer(words, truncation=False)["input_ids"])
    assert f"text encoder 1: the prompt has {n} tokens, and 77 were read" in long["notes"]
    assert [note.partition(":")[0] for note in long["notes"]] == [f"text encoder {i}" for i in (1, 2, 3)]
    without = draw(request(prompt=words, negative_prompt=words), t5=False).facts["notes"]
    assert [note.partition(" has ")[0] for note in without] == [
        f"text encoder {i}: the {what}" for i in (1, 2) for what in ("prompt", "negative prompt")
    ]


@pytest.mark.parametrize(
    ("prompt", "notes"),
    [
        ("A robot waters 3 red stars.", ["the model does not know these words of the prompt: robot, waters, 3"]),
        ("红色的星星", ["the model does not know these words of the prompt: 红色的星星"]),
        ("A RED star, holding a small heart!", []),
    ],
)
def test_words_that_the_small_model_does_not_know_are_noted(prompt: str, notes: list[str]) -> None:
    small_model = EngineSpec("sd3", {"model": "scenes"})
    if missing(small_model, CPU):
        pytest.skip("the small model is not trained")
    facts = load(small_model, CPU).draw([request(prompt=prompt, n_steps=1)])[0].facts
    assert facts.get("notes", []) == notes
