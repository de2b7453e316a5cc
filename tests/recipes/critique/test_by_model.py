"""Critics that see: claims by rank, the parts they are about, and the prompt that comes of them."""

import pytest

from annotations.queries.audits.work import USUAL_KINDS
from generation.recipes.contract import BadAnswer, Json
from generation.recipes.critique.by_model import critique, refine_plainly
from generation.recipes.critique.outcome import KINDS, NOTHING_WRONG, ClaimFound, CritiqueOutcome, is_finished
from generation.recipes.decomposition.decomposition import Decomposition, Entity, Relation
from tests.recipes.scripted import Scripted

PROMPT = "A hedgehog paints a pumpkin."
GRAPH = Decomposition((Entity("e1", "hedgehog"), Entity("e2", "pumpkin")), (Relation("r1", "e1", "paints", "e2"),))


def claim(text: str, rank: int, about: str = "", correction: str = "", **fields: object) -> Json:
    said = {"text": text, "about": about, "kind": "relation", "severity": "major", "rank": rank, "confidence": 0.8}
    return {**said, "correction": correction, **fields}


def test_claims_come_by_rank_and_the_prompt_says_what_should_hold() -> None:
    chat = Scripted(
        {
            "claims": [
                claim("The tail is doubled.", 7, "E1", "The hedgehog has one tail.", kind="anatomy", severity="minor"),
                claim("The knife misses the\npumpkin.", 2, "r1", "the knife cuts the pumpkin", confidence=7.0),
            ]
        }
    )
    outcome, answered = critique(chat, b"png", PROMPT, GRAPH)
    assert outcome.claims == (
        ClaimFound(1, "The knife misses the pumpkin.", "relation", "r1", "major", None),
        ClaimFound(2, "The tail is doubled.", "anatomy", "e1", "minor", 0.8),
    )
    assert outcome.refined_prompt == f"{PROMPT} The knife cuts the pumpkin. The hedgehog has one tail."
    assert outcome.text == "1. The knife misses the pumpkin.\n2. The tail is doubled."
    assert answered.value.claims[0].rank == 7
    assert is_finished(outcome) == ""


def test_the_critic_sees_image_prompt_and_parts() -> None:
    chat = Scripted({"claims": []}, {"claims": []})
    critique(chat, b"png", PROMPT, GRAPH)
    critique(chat, b"png", PROMPT, None)
    with_parts, without = chat.requests
    assert with_parts.images == without.images == (b"png",)
    assert PROMPT in with_parts.user
    assert "r1: the hedgehog paints the pumpkin" in with_parts.user
    assert without.user == f"Prompt: {PROMPT}"
    assert "id of the part" in with_parts.system
    assert "id of the part" not in without.system


@pytest.mark.parametrize(
    ("about", "part"),
    [
        ("r1: hedgehog paints", "r1"),
        ("Pumpkin", "e2"),
        ("the hedgehog paints the pumpkin", "r1"),
        ("sky", ""),
        ("e10", ""),
    ],
)
def test_a_claim_is_tied_to_a_part_or_to_none(about: str, part: str) -> None:
    outcome, _ = critique(Scripted({"claims": [claim("Wrong.", 1, about)]}), b"png", PROMPT, GRAPH)
    assert outcome.claims[0].about == part


def test_without_a_decomposition_the_critic_s_own_words_stay() -> None:
    outcome, _ = critique(Scripted({"claims": [claim("Wrong.", 1, "left  paw " * 60)]}), b"png", PROMPT, None)
    assert outcome.claims[0].about.startswith("left paw left paw")
    assert len(outcome.claims[0].about) == 300


def test_nothing_wrong_leaves_the_prompt_as_it_is() -> None:
    outcome, _ = critique(Scripted({"claims": []}), b"png", PROMPT, GRAPH)
    assert outcome == CritiqueOutcome((), PROMPT, NOTHING_WRONG)
    assert is_finished(outcome) == "The critic finds nothing wrong."


def test_the_same_claim_counts_once_and_an_empty_one_not() -> None:
    said = {"claims": [claim("No pumpkin.", 1), claim("no  pumpkin.", 2), claim(" ", 3)]}
    outcome, _ = critique(Scripted(said), b"png", PROMPT, GRAPH)
    assert [one.text for one in outcome.claims] == ["No pumpkin."]


def test_claims_without_any_text_are_asked_again() -> None:
    empty = {"claims": [claim(" ", 1)]}
    outcome, answered = critique(Scripted(empty, {"claims": []}), b"png", PROMPT, GRAPH)
    assert outcome.claims == ()
    assert len(answered.calls) == 2
    with pytest.raises(BadAnswer):
        critique(Scripted(empty, empty), b"png", PROMPT, GRAPH)


def test_a_long_prompt_has_no_room_and_ends_the_rounds() -> None:
    prompt = "fox " * 80
    outcome, _ = critique(Scripted({"claims": [claim("No fox.", 1, correction="A fox.")]}), b"png", prompt, None)
    assert outcome.refined_prompt == prompt
    assert "no room" in is_finished(outcome)


def test_claims_without_a_correction_end_the_rounds() -> None:
    outcome, _ = critique(Scripted({"claims": [claim("No fox.", 1)]}), b"png", PROMPT, None)
    assert "nothing that should hold" in is_finished(outcome)


def test_refining_plainly_splits_the_prose_and_keeps_to_the_form() -> None:
    said = {
        "critique": "1. The pumpkin is whole.\n2. Two tails.",
        "refined_prompt": "The hedgehog paints a pumpkin. The pumpkin shows cuts.",
    }
    outcome, _ = refine_plainly(Scripted(said), b"png", PROMPT)
    assert outcome.claims == (ClaimFound(1, "The pumpkin is whole."), ClaimFound(2, "Two tails."))
    assert outcome.refined_prompt == f"{PROMPT} The pumpkin shows cuts."
    assert (outcome.text, outcome.split) == (said["critique"], "numbered")


def test_refining_plainly_what_is_right_changes_nothing() -> None:
    said = {"critique": "There are no errors.", "refined_prompt": f"{PROMPT} Beautiful light."}
    outcome, _ = refine_plainly(Scripted(said), b"png", PROMPT)
    assert outcome.claims == ()
    assert outcome.refined_prompt == PROMPT


def test_the_kinds_are_those_that_auditors_are_offered() -> None:
    assert KINDS == USUAL_KINDS
