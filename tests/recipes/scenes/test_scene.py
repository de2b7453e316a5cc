"""The demo's prompts and the errors in its pictures, as data."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from generation.recipes.scenes.critic import in_words
from generation.recipes.scenes.demo import DemoStudy, demo
from generation.recipes.scenes.errors import ERROR_KINDS, SceneError, candidates, draw_errors, parts, shown
from generation.recipes.scenes.grammar import PLANS, write_prompts
from generation.recipes.scenes.layout import boxes, lay_out
from generation.recipes.scenes.scene import CATEGORIES, Entity, Scene, stream

ROOT = Path(__file__).parents[3]
DIGEST = """
import hashlib, sys
from generation.recipes.scenes.demo import demo
study = demo(5, 2)
digest = hashlib.sha256("".join(image.draw().hex() for image in study.images).encode())
# Everything but the sets, whose printed order is not theirs.
digest.update(repr([(p.text, p.decomposition()) for p in study.prompts]).encode())
digest.update(repr((study.critiques, study.controls, study.scores, study.links)).encode())
print(digest.hexdigest(), sorted({"django", "torch"} & set(sys.modules)))
"""


@pytest.fixture(scope="module")
def study() -> DemoStudy:
    return demo(11, 40)


@pytest.mark.slow
def test_same_seed_gives_the_same_bytes_in_any_process_without_django_or_torch() -> None:
    outputs = [
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1]
    assert outputs[0].endswith(" []\n")


def test_another_seed_gives_another_study() -> None:
    assert [p.text for p in demo(1, 3).prompts] != [p.text for p in demo(2, 3).prompts]


def test_a_prompt_does_not_depend_on_how_many_there_are() -> None:
    few, many = demo(3, 4), demo(3, 9)
    keys = {prompt.key for prompt in few.prompts}
    assert few.prompts == tuple(p for p in many.prompts if p.key in keys)
    assert few.images == tuple(i for i in many.images if i.prompt_key in keys)
    assert few.links == tuple(link for link in many.links if link.prompt_key in keys)
    shared = {image.key for image in few.images}
    assert few.critiques == tuple(c for c in many.critiques if c.image_key in shared)
    assert few.scores == tuple(s for s in many.scores if s.image_key in shared)


def test_no_text_is_repeated_and_every_plan_occurs() -> None:
    for category in CATEGORIES:
        prompts = write_prompts(0, category, 400)
        assert len({prompt.text for prompt in prompts}) == 400
        assert {prompt.sub_category for prompt in prompts} == set(PLANS[category])
        assert all(prompt.text[0].isupper() and prompt.text.endswith(".") for prompt in prompts)


def test_every_entity_of_the_decomposition_is_named_in_the_prompt(study: DemoStudy) -> None:
    for prompt in study.prompts:
        decomposition = prompt.decomposition()
        for entity in decomposition["entities"]:
            assert entity["name"] in prompt.text.lower()
        ids = {entity["id"] for entity in decomposition["entities"]}
        for relation in decomposition["relations"]:
            assert {relation["subject"], relation["object"]} <= ids
            assert relation["question"].endswith("?")
            assert "{" not in relation["question"]


def test_colours_and_shapes_of_a_scene_differ_so_that_a_word_names_one(study: DemoStudy) -> None:
    for prompt in study.prompts:
        assert len({e.colour for e in prompt.scene.entities}) == len(prompt.scene.entities)
        assert len({e.shape for e in prompt.scene.entities}) == len(prompt.scene.entities)


def test_every_kind_of_error_can_occur_and_shows_in_the_scene() -> None:
    seen = set()
    for category in CATEGORIES:
        for index, prompt in enumerate(write_prompts(4, category, 12)):
            for error in candidates(prompt.scene, stream(4, 99, index)):
                seen.add(error.kind)
                assert shown(prompt.scene, [error]) != prompt.scene
    assert seen == set(ERROR_KINDS)


def test_a_count_off_by_one_is_minor_and_one_further_off_is_major() -> None:
    seen = set()
    for index, prompt in enumerate(write_prompts(7, "compositional", 80)):
        for error in candidates(prompt.scene, stream(7, 95, index)):
            if error.kind == "wrong_count":
                off = abs(int(error.detail) - prompt.scene.entity(error.about).count)
                assert error.severity == {1: "minor", 2: "major"}[off]
                seen.add(off)
    assert seen == {1, 2}


@pytest.mark.parametrize(
    ("n_seen", "sentence"),
    [
        (1, "There is one heart instead of four."),
        (3, "There are three hearts instead of four."),
        (11, "There are 11 hearts instead of four."),
    ],
)
def test_any_number_that_is_seen_of_a_group_has_words(n_seen: int, sentence: str) -> None:
    group = Entity("e1", "pink", "heart", "small", count=4, is_body=False)
    assert in_words(Scene("ring", (group,), ()), SceneError("wrong_count", "major", "e1", str(n_seen))) == sentence


def test_errors_of_one_picture_touch_different_parts() -> None:
    for category in CATEGORIES:
        for index, prompt in enumerate(write_prompts(5, category, 60)):
            errors = draw_errors(prompt.scene, stream(5, 98, index), 3)
            touched = [part for error in errors for part in parts(prompt.scene, error)]
            assert len(errors) == 3
            assert len(touched) == len(set(touched))
            assert sum(error.kind == "missing_entity" for error in errors) <= 1


def test_errors_of_shown_scene_are_exactly_the_recorded_ones() -> None:
    """Reading the errors back from the shown scene, part by part, gives the record."""
    for image, prompt in zip(demo(6, 40).images[::2], demo(6, 40).prompts, strict=True):
        found = set()
        for asked, got in zip(prompt.scene.entities, image.shows.entities, strict=True):
            if asked.id in image.shows.absent:
                found.add(("missing_entity", asked.id))
            for kind, field in {
                "wrong_colour": "colour",
                "wrong_shape": "shape",
                "wrong_size": "size",
                "wrong_count": "count",
            }.items():
                if getattr(asked, field) != getattr(got, field):
                    found.add((kind, asked.id))
        for wanted, drawn in zip(prompt.scene.relations, image.shows.relations, strict=True):
            if wanted.predicate != drawn.predicate:
                found.add(("relation", wanted.id))
        found |= {("extra_entity", "extra") for _ in image.shows.extras}
        recorded = {("relation" if e.about.startswith("r") else e.kind, e.about) for e in image.errors}
        assert found == recorded


def test_layout_obeys_the_relations_as_shown(study: DemoStudy) -> None:
    checked = 0
    for image in study.images:
        places = boxes(image.shows)
        for relation in image.shows.relations:
            one, two = places[relation.subject], places[relation.object]
            if relation.predicate in ("above", "in a row above", "in an arch over", "on top of"):
                # Centre above centre; an arch reaches down next to its body, but starts above it.
                holds = one[1] < two[1] and (one[1] + one[3] < two[1] + two[3])
            elif relation.predicate in ("below", "in a row below"):
                holds = one[1] >= two[3]
            elif relation.predicate == "left of":
                holds = one[2] <= two[0]
            elif relation.predicate == "right of":
                holds = one[0] >= two[2]
            elif relation.predicate == "in a ring around":
                holds = one[0] < two[0] and one[1] < two[1] and one[2] > two[2] and one[3] > two[3]
            else:
                continue
            checked += 1
            assert holds, (image.key, relation, one, two)
    assert checked > 100


def test_boxes_lie_in_the_picture_and_errors_have_one(study: DemoStudy) -> None:
    for image in study.images:
        for spots in lay_out(image.shows).values():
            assert all(d / 2 <= x <= 1 - d / 2 and d / 2 <= y <= 1 - d / 2 for x, y, d in spots)
        for error in image.errors:
            assert error.box is not None
            x0, y0, x1, y1 = error.box
            assert 0 <= x0 < x1 <= 1
            assert 0 <= y0 < y1 <= 1


def test_quality_counts_a_major_error_as_two_minor_ones() -> None:
    image = demo(0, 1).images[0]
    major, minor = SceneError("missing_entity", "major", "e1", ""), SceneError("wrong_size", "minor", "e3", "large")
    assert replace(image, errors=()).quality == 0
    assert replace(image, errors=(major, minor)).quality == pytest.approx(-1.5)


@pytest.mark.parametrize(("seed", "count"), [(-1, 3), (0, 0)])
def test_bad_arguments_are_refused(seed: int, count: int) -> None:
    with pytest.raises(ValueError, match="the demo needs"):
        demo(seed, count)


def test_an_unknown_category_is_refused() -> None:
    with pytest.raises(KeyError):
        write_prompts(0, "landscapes", 1)


def test_streams_of_neighbouring_keys_are_unrelated() -> None:
    draws = np.array([stream(0, 1, i).random(200) for i in range(50)])
    correlations = np.corrcoef(draws)[np.triu_indices(50, 1)]
    assert np.abs(correlations).max() < 0.35  # 5 standard errors of 1/sqrt(200)
