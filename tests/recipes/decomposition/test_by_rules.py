"""Decomposing without a model: all things and pairs of the demo, something sensible of published prompts."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.recipes.decomposition.by_rules import decompose_by_rules
from generation.recipes.decomposition.decomposition import Decomposition
from generation.recipes.english.noun_phrases import noun_phrases
from generation.recipes.scenes.grammar import write_prompts
from generation.recipes.scenes.scene import CATEGORIES


def told(graph: Decomposition) -> list[str]:
    return [graph.statement(relation) for relation in graph.relations]


@pytest.mark.parametrize("category", CATEGORIES)
def test_the_demo_s_things_and_relations_are_found(category: str) -> None:
    for prompt in write_prompts(7, category, 60):
        graph = decompose_by_rules(prompt.text)
        names = {entity.text for entity in graph.entities}
        assert {entity.name for entity in prompt.scene.entities} <= names, prompt.text
        assert len(names) <= len(prompt.scene.entities) + 1, prompt.text  # "its head", "a string"
        texts = {entity.id: entity.text for entity in graph.entities}
        found = {(texts[r.subject], texts[r.object]) for r in graph.relations if r.object}
        wanted = {
            (prompt.scene.entity(r.subject).name, prompt.scene.entity(r.object).name) for r in prompt.scene.relations
        }
        assert wanted <= found, prompt.text


@pytest.mark.parametrize(
    ("prompt", "relations"),
    [
        (
            "An anime of a hedgehog painting a design on a pumpkin using a brush.",
            [
                "the hedgehog is painting the design",
                "the design is on the pumpkin",
                "the hedgehog is using the brush",
            ],
        ),
        ("A cat sails across the sea.", ["the cat sails across the sea"]),
        ("A fox stirs a stew in a pot.", ["the fox stirs the stew", "the stew is in the pot"]),
        (
            "A dog pushing a ball with its nose.",
            ["the dog is pushing the ball", "the dog is pushing with the dog's nose"],
        ),
        ("A colorful scarf draped over a wooden chair.", ["the colorful scarf is draped over the wooden chair"]),
        ("A peacock standing next to a traffic light.", ["the peacock is standing next to the traffic light"]),
        (
            "Two birds bring twigs and leaves to a tree.",
            ["the two birds bring the twigs", "the two birds bring the leaves", "the two birds bring to the tree"],
        ),
        ("A fox and a crow nuzzle each other.", ["the fox nuzzles the crow"]),
        ("A fox and a crow are sleeping.", ["the fox is sleeping", "the crow is sleeping"]),
        ("In a forest, a goat effortlessly cracks a nut.", ["the goat is in the forest", "the goat cracks the nut"]),
    ],
)
def test_plain_sentences(prompt: str, relations: list[str]) -> None:
    assert told(decompose_by_rules(prompt)) == relations


def test_looks_become_attributes() -> None:
    graph = decompose_by_rules("A tiny red hammer on a table.")
    assert graph.entities[0].attributes == ("tiny", "red")
    assert graph.questions()[:3] == (
        "Is there a hammer in the image?",
        "Is the hammer tiny?",
        "Is the hammer red?",
    )


def test_a_prompt_without_a_thing_is_one_thing() -> None:
    assert [entity.text for entity in decompose_by_rules("together!").entities] == ["together"]
    with pytest.raises(ValueError, match="no words"):
        decompose_by_rules("?! —")


ODD_WORDS = (
    "a",
    "the",
    "of",
    "in",
    "to",
    "cat",
    "sails",
    "each",
    "other",
    "and",
    "who",
    "which",
    "its",
    "with",
    ",",
    ".",
)
ODD_WORDS += ("left", "next", "painting", "on", "that", "is", "two", "hands", "hold", "together", "it", "as")


@given(st.text(max_size=80) | st.lists(st.sampled_from(ODD_WORDS)).map(" ".join))
def test_any_text_with_a_word_is_decomposed(text: str) -> None:
    if any(map(str.isalnum, text)):
        assert decompose_by_rules(text).entities
    noun_phrases(text)


def test_every_prompt_of_a_file_is_decomposed(prompt_files: Path) -> None:
    """On InterActing itself, 998 of 1,000 prompts had a relation between two things when this was written."""
    n_prompts = n_related = 0
    for path in sorted(prompt_files.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            graph = decompose_by_rules(json.loads(line)["prompt"])
            assert graph.entities
            assert Decomposition.from_json(graph.as_json()).as_json() == graph.as_json()
            n_prompts += 1
            n_related += any(relation.object for relation in graph.relations)
    assert n_prompts == 48
    assert n_related >= 47
