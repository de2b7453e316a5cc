"""The looking critic: better than chance and not perfect; the guesses of a blind one are no better than chance."""

import numpy as np
import pytest

from generation.recipes.decomposition.by_rules import decompose_by_rules
from generation.recipes.decomposition.decomposition import Decomposition
from generation.recipes.scenes.drawing import paint
from generation.recipes.scenes.errors import draw_errors, shown
from generation.recipes.scenes.grammar import write_prompts
from generation.recipes.scenes.scene import CATEGORIES, Scene
from generation.recipes.scenes.seeing.asked import predicate_in, scene_of_parts, scene_of_prompt, things_in
from generation.recipes.scenes.seeing.check import check
from generation.recipes.scenes.seeing.eyes import look
from generation.recipes.scenes.seeing.looking import guesses, plant, remarks, where
from generation.recipes.scenes.variation import settle_places

PROMPTS = [prompt for category in CATEGORIES for prompt in write_prompts(12, category, 20)]


def asked(prompt_number: int) -> Scene:
    return scene_of_parts(Decomposition.from_json(PROMPTS[prompt_number].decomposition()).as_lines())


def picture(scene: Scene) -> np.ndarray:
    return np.asarray(paint(scene, settle_places(scene), 64, oversampling=4))


def test_the_parts_of_a_decomposition_are_read_as_they_were_meant() -> None:
    for number, prompt in enumerate(PROMPTS):
        read = asked(number)
        assert {(e.id, e.name, e.is_body) for e in read.entities} == {
            (e.id, e.name, e.is_body) for e in prompt.scene.entities
        }
        assert set(read.relations) == set(prompt.scene.relations)


def test_a_decomposition_by_rules_is_read_too() -> None:
    """It has parts that are not things of the world ("the square's head"), which are left out."""
    for prompt in PROMPTS:
        read = scene_of_parts(decompose_by_rules(prompt.text).as_lines())
        asks = {(read.entity(r.subject).shape, r.predicate, read.entity(r.object).shape) for r in read.relations}
        scene = prompt.scene
        assert asks == {
            (scene.entity(r.subject).shape, r.predicate, scene.entity(r.object).shape) for r in scene.relations
        }


def test_a_prompt_alone_gives_things_without_relations() -> None:
    scene = scene_of_prompt("Four small pink hearts in a ring around an orange hexagon. The hearts are clearly pink.")
    assert [entity.name for entity in scene.entities] == ["four small pink hearts", "orange hexagon"]
    assert [entity.is_body for entity in scene.entities] == [False, True]
    assert scene.relations == ()


@pytest.mark.parametrize("text", ["", "A robot waters a cactus.", "42", "r1: e2: –"])
def test_what_is_of_another_world_is_not_asked_for(text: str) -> None:
    assert things_in(text) == ()
    assert scene_of_parts(text).entities == ()
    assert remarks(scene_of_parts(text), ()) == ()
    assert guesses(scene_of_prompt(text), b"") == ()


def test_predicates_are_distinguished() -> None:
    assert predicate_in("Do the star and the heart hold hands?") == "holds hands with"
    assert predicate_in("the star holds the heart") == "holds"
    assert predicate_in("Are the hearts in a row below the star?") == "in a row below"
    assert predicate_in("Is the star below the heart?") == "below"
    assert predicate_in("a star") == ""


@pytest.mark.slow
def test_the_looking_critic_is_mostly_right_and_the_blind_one_seldom() -> None:
    """Against the independent check, on drawn pictures with up to two errors; 60 prompts, so loose bounds."""
    rng = np.random.default_rng(4)
    true = said = right = guessed = guessed_right = 0
    for number, prompt in enumerate(PROMPTS):
        pixels = picture(shown(prompt.scene, draw_errors(prompt.scene, rng, int(rng.integers(3)))))
        errors = {error.same_as for error in check(prompt.scene, pixels).errors}
        claims = {remark.error.same_as for remark in remarks(asked(number), look(pixels))}
        blind = {remark.error.same_as for remark in guesses(asked(number), prompt.text.encode())}
        true, said, right = true + len(errors), said + len(claims), right + len(errors & claims)
        guessed, guessed_right = guessed + len(blind), guessed_right + len(errors & blind)
    assert right / said > 0.7
    assert right / true > 0.6
    assert guessed_right / guessed < 0.2


def test_guesses_depend_on_the_prompt_alone() -> None:
    scene = asked(0)
    assert guesses(scene, b"one") == guesses(scene, b"one")
    assert len({guesses(scene, str(seed).encode()) for seed in range(10)}) > 3


def test_planting_replaces_claims_at_the_rate_asked_for() -> None:
    scene = asked(0)
    found = guesses(scene, b"true", 2)
    assert plant(scene, found, 0.0, b"x") == found
    for seed in range(10):
        planted = plant(scene, found, 1.0, str(seed).encode())
        assert not {remark.error.about for remark in planted} & {remark.error.about for remark in found}
    assert len(plant(scene, (), 1.0, b"x")) == 1  # a critic that found nothing makes something up
    kept = [len(set(plant(scene, found, 0.5, str(seed).encode())) & set(found)) for seed in range(200)]
    assert np.mean(kept) / len(found) == pytest.approx(0.5, abs=0.08)


def test_places_in_words() -> None:
    assert where((0.4, 0.4, 0.6, 0.6)) == "in the middle"
    assert where((0.0, 0.4, 0.2, 0.6)) == "on the left"
    assert where((0.0, 0.0, 0.2, 0.2)) == "at the upper left"
    assert where((0.4, 0.8, 0.6, 1.0)) == "at the bottom"
