"""Free text of critics, split into claims: what people and models really write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.recipes.critique.claims import split_claims
from generation.recipes.scenes.demo import demo


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("1. The star is red.\n2. The fox has no ladle.", ("The star is red.", "The fox has no ladle.")),
        ("1) one thing\n2) another", ("one thing", "another")),
        ("(1) one thing\n(2) another", ("one thing", "another")),
        ("**1.** one thing\n**2.** another", ("one thing", "another")),
        ("1 - one thing\n2 - another", ("one thing", "another")),
        ("1. **Hand:** it has six fingers\n2. **Pot**", ("Hand: it has six fingers", "Pot")),
        ("1. The fox\n   holds a spoon.\n2. The pot is empty.", ("The fox holds a spoon.", "The pot is empty.")),
        ("1. one\r\n2. two\r\n", ("one", "two")),
        ("The image has errors: 1) the cat is blue 2) the dog is missing.", ("the cat is blue", "the dog is missing.")),
        ("1. the cat is blue 2. the dog is missing", ("the cat is blue", "the dog is missing")),
        ("1. one\n1. two\n1. three", ("one", "two", "three")),
    ],
)
def test_a_numbered_list_is_split_at_its_numbers(text: str, claims: tuple[str, ...]) -> None:
    split = split_claims(text)
    assert split.claims == claims
    assert split.manner == "numbered"


def test_what_is_around_the_list_is_not_a_claim() -> None:
    text = (
        "I looked at the image.\n\n1. The hat is gone.\n2. The dog flies.\n\nRefined prompt: a dog with a hat, sitting."
    )
    assert split_claims(text).claims == ("The hat is gone.", "The dog flies.")


def test_an_indented_paragraph_belongs_to_its_claim() -> None:
    text = "1. The hat is gone.\n\n   It should be on the head.\n\n2. The dog flies.\n\n   It should sit."
    assert split_claims(text).claims == ("The hat is gone. It should be on the head.", "The dog flies. It should sit.")


def test_a_list_that_begins_again_goes_on_and_its_headings_fall_away() -> None:
    text = "Entities:\n1. no hat\n2. blue dog\n\nRelations:\n1. the dog does not wear the hat"
    assert split_claims(text).claims == ("no hat", "blue dog", "the dog does not wear the hat")


def test_a_deeper_list_stays_in_its_claim() -> None:
    text = "1. The hands:\n   1. six fingers\n   2. no thumb\n2. The pot"
    assert split_claims(text).claims == ("The hands: 1. six fingers 2. no thumb", "The pot")


def test_numbers_in_sentences_are_not_a_list() -> None:
    text = "1. There are 12. of them, not 3.5 as asked.\n1990. was no year of foxes\n2. The pot"
    assert split_claims(text).claims == (
        "There are 12. of them, not 3.5 as asked. 1990. was no year of foxes",
        "The pot",
    )


def test_bullets_serve_where_there_are_no_numbers() -> None:
    split = split_claims("Problems:\n- no hat\n  at all\n* blue dog\n• wrong tree")
    assert split.claims == ("no hat at all", "blue dog", "wrong tree")
    assert split.manner == "bullets"


def test_without_a_list_the_text_is_one_claim() -> None:
    split = split_claims("The dog\nis blue.")
    assert (split.claims, split.manner) == (("The dog is blue.",), "whole")


@pytest.mark.parametrize(
    "text", ["", "  \n", "None.", "No errors found.", "Nothing in this picture contradicts the prompt."]
)
def test_saying_that_nothing_is_wrong_is_not_a_claim(text: str) -> None:
    split = split_claims(text)
    assert (split.claims, split.manner) == ((), "none")


@pytest.mark.parametrize(
    "text",
    ["None of the foxes wears a hat.", "No errors in the fox, but the pot is missing.", "Nothing is on the table."],
)
def test_a_claim_that_sounds_like_nothing_is_kept(text: str) -> None:
    assert split_claims(text).claims == (text,)


def test_the_demo_critic_s_text_gives_back_its_claims() -> None:
    study = demo(seed=3, prompts_per_category=8)
    for critique in (*study.critiques, *study.controls):
        assert split_claims(critique.text).claims == tuple(claim.text for claim in critique.claims)


@pytest.mark.slow
@given(st.lists(st.from_regex(r"[A-Za-z][A-Za-z ,']{0,60}[a-z]", fullmatch=True), min_size=2, max_size=12))
def test_any_list_of_sentences_comes_back(claims: list[str]) -> None:
    text = "\n".join(f"{number}. {claim}" for number, claim in enumerate(claims, start=1))
    assert split_claims(text).claims == tuple(" ".join(claim.split()) for claim in claims)


@given(st.text(max_size=300))
def test_no_text_breaks_it_and_no_claim_is_empty(text: str) -> None:
    split = split_claims(text)
    assert all(claim and claim == claim.strip() for claim in split.claims)
    assert (split.manner == "none") == (not split.claims)
