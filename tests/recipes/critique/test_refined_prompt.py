"""The refined prompt: the original first, never more than 70 words, and said when something found no room."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.recipes.critique.refined_prompt import MAX_WORDS, corrections_in, refined_prompt, sentences

ORIGINAL = "A fox stirs a stew in a pot."


def test_corrections_follow_as_sentences() -> None:
    refined = refined_prompt(ORIGINAL, ["the fox grips the ladle", " The pot\nstands on a fire. "])
    assert refined.text == "A fox stirs a stew in a pot. The fox grips the ladle. The pot stands on a fire."
    assert refined.adds
    assert refined.shortened == ""


def test_without_corrections_it_is_the_original() -> None:
    refined = refined_prompt("a fox ", ["", "  ", "..."])
    assert (refined.text, refined.adds, refined.shortened) == ("a fox ", False, "")


@pytest.mark.parametrize(
    ("original", "start"),
    [
        ("a fox", "a fox. The pot"),
        ("Is it a fox?", "Is it a fox? The pot"),
        ('A sign says "Fox."', 'A sign says "Fox." The pot'),
        ("A fox,", "A fox, The pot"),
    ],
)
def test_the_original_gets_a_full_stop_where_none_ends_it(original: str, start: str) -> None:
    assert refined_prompt(original, ["the pot is hot"]).text.startswith(start)


def test_what_repeats_is_left_out() -> None:
    refined = refined_prompt(ORIGINAL, ["A fox stirs the stew in a pot.", "The pot is hot", "the pot is hot."])
    assert refined.text == f"{ORIGINAL} The pot is hot."
    assert refined.shortened == ""


def test_it_is_cut_at_the_end_of_a_sentence() -> None:
    refined = refined_prompt(ORIGINAL, ["One two three four.", "Five six seven eight."], max_words=15)
    assert refined.text == f"{ORIGINAL} One two three four."
    assert refined.shortened == "1 of 2 sentences of corrections fit within 15 words."


def test_else_it_is_cut_behind_a_word_and_not_behind_an_article() -> None:
    refined = refined_prompt(ORIGINAL, ["The fox holds the ladle with the right paw."], max_words=15)
    assert refined.text == f"{ORIGINAL} The fox holds the ladle."
    assert "cut short" in refined.shortened


@pytest.mark.parametrize("n_words", [67, 70, 71, 100])
def test_a_long_original_is_used_alone(n_words: int) -> None:
    original = " ".join(["fox"] * n_words)
    refined = refined_prompt(original, ["The fox grips the ladle."])
    assert refined.text == original
    assert not refined.adds
    assert refined.shortened == "No correction was added: the original leaves no room within 70 words."


def test_an_empty_original_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        refined_prompt(" \n", ["The fox."])


texts = st.text(st.sampled_from("ab cdé .,!?\n\"'()中-—…A1"), max_size=400)


@given(texts.filter(str.strip), st.lists(texts, max_size=6))
def test_original_first_and_at_most_70_words(original: str, corrections: list[str]) -> None:
    refined = refined_prompt(original, corrections)
    assert refined.text.startswith(original.rstrip())
    assert len(refined.text.split()) <= max(MAX_WORDS, len(original.split()))
    assert refined.adds == (refined.text != original)
    assert refined_prompt(original, corrections) == refined


@given(texts.filter(str.strip), texts)
def test_a_models_own_prompt_is_brought_into_the_same_form(original: str, text: str) -> None:
    refined = refined_prompt(original, corrections_in(original, text))
    assert refined.text.startswith(original.rstrip())
    assert len(refined.text.split()) <= max(MAX_WORDS, len(original.split()))


@pytest.mark.parametrize(
    ("text", "corrections"),
    [
        ("A fox stirs a stew in a pot. The fox grips the ladle.", ("The fox grips the ladle.",)),
        ("a fox stirs  a stew in a pot, with the ladle in its paw", ("With the ladle in its paw.",)),
        ("The fox stirs a stew in a pot! The fox grips the ladle.", ("The fox grips the ladle.",)),
        ("A fox stirs a stew in a pot", ()),
        ("A grey wolf is asleep. It snores.", ("A grey wolf is asleep.", "It snores.")),
    ],
)
def test_a_model_s_own_first_sentence_is_not_trusted(text: str, corrections: tuple[str, ...]) -> None:
    assert corrections_in(ORIGINAL, text) == corrections


def test_sentences_are_distinguished_by_mark_and_capital() -> None:
    assert sentences("It is 3.5 m high. “No!” he says? yes\nand no") == [
        "It is 3.5 m high.",
        "“No!” he says? yes and no.",
    ]
