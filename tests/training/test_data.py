"""What the small model is trained on, and what is kept from it."""

from pathlib import Path

import numpy as np
import pytest

from generation.engines.registry import missing
from generation.engines.small_model import CURE
from generation.recipes.engine_spec import EngineSpec, Surroundings
from generation.recipes.scenes.grammar import PLANS
from generation.recipes.scenes.held_out import held_out_prompts, is_held_out
from generation.recipes.scenes.scene import CATEGORIES, Scene
from generation.recipes.scenes.seeing.check import check
from generation.training.data import picture, training_prompts


def triples(scene: Scene) -> set[tuple[str, str, str]]:
    return {(r.predicate, scene.entity(r.subject).shape, scene.entity(r.object).shape) for r in scene.relations}


def test_held_out_compositions_are_never_trained_on() -> None:
    trained = set().union(*(triples(prompt.scene) for chunk in range(3) for prompt in training_prompts(chunk)))
    held_out = held_out_prompts(120)
    assert all(is_held_out(prompt.scene) and triples(prompt.scene) - trained for prompt in held_out)
    assert {prompt.category for prompt in held_out} == set(CATEGORIES)
    assert {prompt.sub_category for prompt in held_out} == {plan for plans in PLANS.values() for plan in plans}


def test_training_pictures_show_their_prompts_on_varied_grounds() -> None:
    prompts = training_prompts(0)[::20]
    right = [
        check(prompt.scene, picture(prompt, np.random.default_rng(n))).is_right for n, prompt in enumerate(prompts)
    ]
    assert np.mean(right) > 0.9
    first, second = (picture(prompts[0], np.random.default_rng(seed)) for seed in (1, 2))
    assert (first != second).any()


@pytest.mark.parametrize(
    ("engine", "place"),
    [("sd3", "generation.engines.sd3.loading.PIPELINE"), ("clip-score", "generation.engines.metrics.clip_score.CLIP")],
)
def test_without_weights_the_command_that_makes_them_is_named(
    engine: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, tmp_path)
    (lacking,) = missing(EngineSpec(engine, {"model": "scenes"}), Surroundings())
    assert lacking.cure == CURE
    assert "python -m generation.training" in lacking.cure
