"""What an experiment will take, counted by hand; and how long the rest of it will."""

from dataclasses import replace

import pytest

from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix.estimate import (
    SEEDS_IN_FULL,
    Remaining,
    Stored,
    engines_of,
    estimate,
    guessed_price,
    seconds_left,
    work_key,
    work_units,
)
from generation.recipes.matrix.experiments import EXPERIMENTS
from generation.recipes.matrix.matrix import Matrix
from generation.recipes.matrix.methods import BASELINE, OFFERED, Drawing
from generation.recipes.matrix.plan import PromptFacts, plan

CHAT = EngineSpec("chat", {"endpoint": "lab", "model": "m"})
SEES = EngineSpec("chat", {"endpoint": "lab", "model": "sees"})
PAPER = EXPERIMENTS["detailscribe"].matrix(language=CHAT, critic=SEES)


def test_the_papers_comparison_by_hand() -> None:
    # 600 prompts: a decomposition, a baseline, a critique, a refined image; 2 images × 3 metrics.
    found = estimate(PAPER, n_prompts=600)
    assert found.n_steps == {"decompose": 600, "draw": 1200, "critique": 600, "score": 3600}
    assert found.n_images == 1200
    assert found.calls == {("chat", "m"): 600, ("chat", "sees"): 600}
    assert found.cost is None
    assert found.seconds is None
    assert found.unmeasured == ("draw", "score")


def test_what_the_prompts_have_already_is_not_asked_for_again() -> None:
    found = estimate(PAPER, n_prompts=600, stored=Stored(n_decomposed=590))
    assert found.calls == {("chat", "m"): 10, ("chat", "sees"): 600}
    act2i = EXPERIMENTS["act2i"].matrix(language=CHAT)
    worded = Stored(n_worded={"spatial": 10, "temporal": 9})
    assert estimate(act2i, n_prompts=10, stored=worded).calls == {("chat", "m"): 0 + 1 + 10}


def test_cost_is_calls_times_price_and_unknown_where_one_price_is() -> None:
    prices = {("chat", "m"): 0.001, ("chat", "sees"): 0.01}
    assert estimate(PAPER, n_prompts=100, price_per_call=prices).cost == pytest.approx(100 * 0.011)
    assert estimate(PAPER, n_prompts=100, price_per_call={("chat", "m"): 0.001}).cost is None
    free = estimate(EXPERIMENTS["tiny"].matrix(), n_prompts=100)
    assert (free.n_calls, free.cost) == (0, 0.0)


def test_computing_time_counts_the_denoising_steps_that_are_really_done() -> None:
    matrix = replace(PAPER, metrics={})
    (key,) = [key for kind, key in engines_of(matrix) if kind == "draw"]
    # A baseline of 28 steps and a refined image of 28 − 2, at half a second a step.
    found = estimate(matrix, n_prompts=10, seconds_per_unit={key: 0.5})
    assert found.seconds == pytest.approx(10 * (28 + 26) * 0.5)
    assert found.unmeasured == ()


def test_work_of_a_drawing() -> None:
    drawing = {"n_steps": 28}
    assert work_units("draw", {"drawing": drawing, "words": "prompt"}) == 28
    assert work_units("draw", {"drawing": drawing, "mode": "renoise", "k": 0}) == 28
    assert work_units("draw", {"drawing": drawing, "mode": "renoise", "k": 4}) == 24
    assert work_units("draw", {"drawing": drawing, "mode": "switch", "k": 0}) == 27  # one step with the old prompt
    assert work_units("draw", {"drawing": drawing, "mode": "switch", "k": 27}) == 1  # it is decoded all the same
    assert work_units("critique", {}) == 1


def test_another_size_or_engine_has_a_pace_of_its_own() -> None:
    def key(**drawing: object) -> str:
        return work_key("draw", EngineSpec("sd3", {"model": "tiny"}).as_json(), {"drawing": drawing})

    assert key(width=64, height=64, n_steps=4) == key(width=64, height=64, n_steps=9)
    assert key(width=64, height=64) != key(width=128, height=64)
    assert work_key("draw", EngineSpec("sd3").as_json(), {}) != work_key("draw", EngineSpec("diffusers").as_json(), {})


def test_many_seeds_are_counted_as_if_all_were_planned() -> None:
    methods = (BASELINE, OFFERED["seed-search"], OFFERED["rewrite"], OFFERED["best-of-four"])
    engines = {"image": EngineSpec("sd3", {"model": "tiny"}), "language": CHAT, "critic": SEES}
    metrics = {name: EngineSpec(name) for name in ("clip-score", "blip-vqa")}
    seeds = tuple(range(100, 100 + SEEDS_IN_FULL + 5))
    matrix = Matrix(methods, seeds, engines, metrics, Drawing(n_steps=8))
    slowly = plan(PromptFacts(digest="a fox"), matrix)
    found = estimate(matrix, n_prompts=1)
    for kind in ("decompose", "words", "draw", "critique", "score", "choose"):
        assert found.n_steps[kind] == len([step for step in slowly if step.kind == kind]), kind


def test_time_left_is_that_of_the_slower_queue() -> None:
    gpu, cpu = Remaining("gpu", 100, 3.0), Remaining("cpu", 10, 2.0)
    # 300 s of work at one worker's pace; 20 s at a tenth of a worker's.
    assert seconds_left([gpu, cpu], {"gpu": 1.0, "cpu": 0.1}) == pytest.approx(300)
    assert seconds_left([gpu, cpu], {"gpu": 2.0, "cpu": 0.1}) == pytest.approx(200)
    assert seconds_left([], {}) == 0


def test_time_left_is_not_shown_before_it_is_known() -> None:
    assert seconds_left([Remaining("gpu", 1, None)], {"gpu": 1.0}) is None
    assert seconds_left([Remaining("gpu", 1, 3.0)], {}) is None
    assert seconds_left([Remaining("gpu", 0, None), Remaining("cpu", 0, 1.0)], {}) == 0


def test_a_price_is_guessed_from_what_tokens_cost() -> None:
    priced = EngineSpec("chat", {"price_in": 1.0, "price_out": 10.0})
    # 900 + 10 × 400 millionths of a dollar for text; 2,500 + 10 × 700 with an image
    assert guessed_price(priced, with_image=False) == pytest.approx(0.0049)
    assert guessed_price(priced, with_image=True) == pytest.approx(0.0095)
    assert guessed_price(EngineSpec("openai-images", {"price_image": 0.04}), with_image=True) == pytest.approx(0.04)
    assert guessed_price(EngineSpec("chat", {"price_in": 1.0}), with_image=False) is None
    judge = EngineSpec("judge", {"chat": priced.as_json()})
    assert guessed_price(judge, with_image=True) == pytest.approx(0.0095)


def test_a_judge_is_paid_by_the_model_that_it_asks() -> None:
    remote, local = (
        EngineSpec("judge", {"chat": EngineSpec(e, {"model": "m"}).as_json()}) for e in ("chat", "local-chat")
    )
    matrix = replace(EXPERIMENTS["tiny"].matrix(), metrics={"judge": remote})
    assert estimate(matrix, n_prompts=2).calls == {("chat", "m"): 6}
    assert estimate(replace(matrix, metrics={"judge": local}), n_prompts=2).n_calls == 0
