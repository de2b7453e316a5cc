"""The marks of a picture: what is right of what was asked for, and nothing else."""

import numpy as np

from generation.recipes.scenes.drawing import paint
from generation.recipes.scenes.errors import SceneError, shown
from generation.recipes.scenes.grammar import write_prompts
from generation.recipes.scenes.scene import CATEGORIES, ScenePrompt
from generation.recipes.scenes.seeing.marks import MARKS, Marked, mark, total
from generation.recipes.scenes.variation import settle_places

PROMPTS = [prompt for category in CATEGORIES for prompt in write_prompts(5, category, 4)]


def marked(prompt: ScenePrompt, *errors: SceneError) -> Marked:
    scene = shown(prompt.scene, errors)
    pixels = np.asarray(paint(scene, settle_places(scene), 128, oversampling=2))
    return mark(prompt.scene, pixels)


def test_of_a_picture_as_asked_for_everything_is_right() -> None:
    for prompt in PROMPTS:
        one = marked(prompt)
        assert one.right == one.parts, prompt.text
        assert one.satisfied == 1
        n_bodies = sum(entity.is_body for entity in prompt.scene.entities)
        assert one.parts["body_colour"] == one.parts["body_outline"] == n_bodies
        assert one.parts["relation"] == len(prompt.scene.relations)
        assert set(one.parts) <= set(MARKS)


def test_what_is_missing_has_nothing_right() -> None:
    for prompt in PROMPTS:
        one = marked(prompt, SceneError("missing_entity", "major", "e1", ""))
        lost = [relation for relation in prompt.scene.relations if "e1" in (relation.subject, relation.object)]
        assert one.right["body_colour"] == one.parts["body_colour"] - 1
        assert one.right["body_outline"] == one.parts["body_outline"] - 1
        assert one.right["relation"] <= one.parts["relation"] - len(lost)
        assert one.right["scene"] == 0
        assert one.satisfied < 1


def test_a_wrong_colour_costs_that_colour_alone() -> None:
    prompt = next(prompt for prompt in PROMPTS if prompt.sub_category == "holding")
    used = {entity.colour for entity in prompt.scene.entities}
    colour = next(name for name in ("blue", "green", "yellow", "purple") if name not in used)
    one = marked(prompt, SceneError("wrong_colour", "major", "e2", colour))
    wrong = {name for name in one.parts if one.right[name] < one.parts[name]}
    assert wrong == {"body_colour", "scene"}


def test_marks_add_up() -> None:
    both = total([marked(PROMPTS[0]), marked(PROMPTS[1], SceneError("missing_entity", "major", "e1", ""))])
    assert both.parts["scene"] == 2
    assert both.right["scene"] == 1
