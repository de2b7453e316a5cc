"""The recipes' own requests, over real HTTP: their schemas go through, in every way a server can be held to them."""

from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image

from generation.engines.remote import chat
from generation.recipes.critique.by_model import critique, refine_plainly
from generation.recipes.critique.judge import judge
from generation.recipes.decomposition.by_model import decompose
from generation.recipes.engine_spec import Endpoint, Surroundings
from generation.recipes.enrich import enrich
from tests.engines.chat_server import ChatServer
from tests.engines.sensible_answers import sensible

PROMPT = "a hedgehog holds a red pumpkin"


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(sensible) as started:
        yield started


@pytest.mark.parametrize("structured", ["json_schema", "json_object", "none"])
def test_every_recipe_gets_an_answer_that_it_can_use(server: ChatServer, structured: str) -> None:
    options = {"endpoint": "seer", "model": "seer-1", "structured": structured}
    ours = chat.load(options, Surroundings({"seer": Endpoint(server.url, "sk-very-secret-1234567890")}))
    file = BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "PNG")
    image = file.getvalue()

    decomposition, first = decompose(ours, PROMPT)
    assert {entity.without_attributes for entity in decomposition.entities} == {"hedgehog", "pumpkin"}
    assert [relation.predicate for relation in decomposition.relations] == ["holds"]
    outcome, second = critique(ours, image, PROMPT, decomposition)
    assert outcome.claims[0].about == decomposition.relations[0].id
    assert outcome.refined_prompt.lower().startswith(PROMPT)
    plain, third = refine_plainly(ours, image, PROMPT)
    assert "five fingers" in plain.refined_prompt
    reworded, fourth = enrich(ours, PROMPT, "spatial")
    assert "from the side" in reworded
    score, fifth = judge(ours, image, PROMPT)
    assert 1 <= score <= 5

    answers = (first, second, third, fourth, fifth)
    assert [[call.outcome for call in answer.calls] for answer in answers] == [["ok"]] * 5
    assert len(server.requests) == 5
    assert [len(asked.images) for asked in server.requests] == [0, 1, 1, 0, 1]
