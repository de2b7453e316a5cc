"""The judge's scale."""

import pytest

from generation.recipes.contract import BadAnswer, Json
from generation.recipes.critique.judge import judge
from tests.recipes.scripted import Scripted


def said(score: int) -> Json:
    return {"reasons": "The fox is there.", "is_shown": True, "score": score}


def test_the_score_comes_with_the_yes_and_the_reasons() -> None:
    chat = Scripted(said(4))
    score, answered = judge(chat, b"png", "A fox.")
    assert score == 4
    assert answered.value.is_shown
    assert (chat.requests[0].images, chat.requests[0].user) == ((b"png",), "Prompt: A fox.")


@pytest.mark.parametrize("outside", [0, 6, -1])
def test_a_score_outside_the_scale_is_asked_again_and_then_refused(outside: int) -> None:
    assert judge(Scripted(said(outside), said(1)), b"png", "A fox.")[0] == 1
    with pytest.raises(BadAnswer, match="from 1 to 5"):
        judge(Scripted(said(outside), said(outside)), b"png", "A fox.")
