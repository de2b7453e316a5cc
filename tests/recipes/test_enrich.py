"""Other wordings of a prompt, from its text alone."""

from typing import get_args

import pytest

from generation.models import PromptVariant
from generation.recipes.contract import BadAnswer
from generation.recipes.enrich import Kind, enrich
from tests.recipes.scripted import Scripted

PROMPT = "a Sheep attacking a Boar"


@pytest.mark.parametrize("kind", get_args(Kind))
def test_the_new_wording_is_one_tidy_line(kind: Kind) -> None:
    chat = Scripted({"prompt": ' "A sheep charges\n at a boar." '})
    text, answered = enrich(chat, PROMPT, kind)
    assert text == "A sheep charges at a boar."
    assert PROMPT in chat.requests[0].user
    assert chat.requests[0].images == ()
    assert len(answered.calls) == 1


def test_each_kind_asks_for_something_else() -> None:
    chat = Scripted(*[{"prompt": "A sheep."}] * 4)
    for kind in get_args(Kind):
        enrich(chat, PROMPT, kind)
    assert len({request.system for request in chat.requests}) == 4


def test_the_kinds_are_kinds_of_stored_variants() -> None:
    assert set(get_args(Kind)) == set(PromptVariant.Kind.values) - {"refined"}


@pytest.mark.parametrize(("bad", "complaint"), [(' "" ', "empty"), ("sheep " * 71, "71 words; at most 70")])
def test_empty_and_endless_texts_are_asked_again(bad: str, complaint: str) -> None:
    chat = Scripted({"prompt": bad}, {"prompt": "A sheep."})
    assert enrich(chat, PROMPT, "spatial")[0] == "A sheep."
    assert complaint in chat.requests[1].user
    with pytest.raises(BadAnswer, match=complaint):
        enrich(Scripted({"prompt": bad}, {"prompt": bad}), PROMPT, "spatial")


def test_an_unknown_kind_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match="spatial, temporal, emotional, rewritten"):
        enrich(Scripted(), PROMPT, "musical")  # type: ignore[arg-type]
