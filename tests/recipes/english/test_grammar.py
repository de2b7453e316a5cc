"""The little English that questions are made with."""

import pytest

from generation.recipes.english import grammar as english


@pytest.mark.parametrize(
    ("third", "base"),
    [("holds", "hold"), ("carries", "carry"), ("watches", "watch"), ("presses", "press"), ("closes", "close"),
     ("goes", "go"), ("ties", "tie"), ("mixes", "mix"), ("plays", "play"), ("has", "have")],
)  # fmt: skip
def test_a_verb_s_third_person(third: str, base: str) -> None:
    assert english.base_form(third) == base
    assert english.third_person(base) == third
    assert english.base_form(base) == base


@pytest.mark.parametrize(
    ("thing", "question"),
    [
        ("a fox", "Is there a fox in the image?"),
        ("the orange star", "Is there an orange star in the image?"),
        ("jars of honey", "Are there jars of honey in the image?"),
        ("three mice", "Are there three mice in the image?"),
        ("glass", "Is there glass in the image?"),
        ("octopus", "Is there an octopus in the image?"),
        ("fox's paw", "Can the fox's paw be seen in the image?"),
    ],
)
def test_asking_for_a_thing(thing: str, question: str) -> None:
    assert english.asks_for(thing) == question


@pytest.mark.parametrize(
    ("subject", "predicate", "target", "question", "statement"),
    [
        ("fox", "hold", "pot", "Does the fox hold the pot?", "the fox holds the pot"),
        ("foxes", "holds", "pot", "Do the foxes hold the pot?", "the foxes hold the pot"),
        ("fox", "is holding", "pot", "Is the fox holding the pot?", "the fox is holding the pot"),
        (
            "two foxes",
            "on top of",
            "pot",
            "Are the two foxes on top of the pot?",
            "the two foxes are on top of the pot",
        ),
        ("scarf", "draped over", "chair", "Is the scarf draped over the chair?", "the scarf is draped over the chair"),
        ("fox", "painted", "wall", "Does the image show that the fox painted the wall?", "the fox painted the wall"),
        ("fox", "flies", None, "Does the fox fly?", "the fox flies"),
        ("fox", "flying", None, "Is the fox flying?", "the fox is flying"),
    ],
)
def test_asking_and_telling_a_relation(
    subject: str, predicate: str, target: str | None, question: str, statement: str
) -> None:
    assert english.asks_whether(subject, predicate, target) == question
    assert english.states_that(subject, predicate, target) == statement
