"""Noun phrases for BLIP-VQA."""

import pytest

from generation.recipes.english.noun_phrases import noun_phrase_questions, noun_phrases


@pytest.mark.parametrize(
    ("prompt", "phrases"),
    [
        (
            "An anime of a bear flipping pancakes in a pan, with jars of honey around.",
            ("a bear", "pancakes", "a pan", "jars of honey"),
        ),
        ("A yellow diamond to the left of an orange circle.", ("a yellow diamond", "an orange circle")),
        ("A cat on the left, the cat asleep.", ("a cat", "the cat asleep")),
        ("A crow mixing colorful, glowing potions.", ("a crow", "colorful glowing potions")),
        ("An octopus playing guitar in a rock band.", ("an octopus", "guitar", "a rock band")),
    ],
)
def test_things_are_found_as_they_are_said(prompt: str, phrases: tuple[str, ...]) -> None:
    assert noun_phrases(prompt) == phrases


def test_there_are_at_most_eight_and_each_once() -> None:
    prompt = "A cat, a dog, a fox, a cow, a hen, a pig, a cat, a bee, a bat, a rat."
    assert [phrase.split()[1] for phrase in noun_phrases(prompt)] == "cat dog fox cow hen pig bee bat".split()  # noqa: SIM905
    assert noun_phrase_questions(prompt, 2) == ("a cat?", "a dog?")
