"""A model that sees as a metric: scores 1–5, its reasons, and every call that it took."""

import json
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from generation.engines import judge
from generation.recipes.contract import BadAnswer, Metric, ScoreRequest, TryAgain, Unusable
from generation.recipes.engine_spec import Endpoint, Surroundings
from tests.engines.chat_server import Asked, ChatServer, Says, Status

KEY = "sk-very-secret-1234567890"


def by_redness(asked: Asked) -> dict[str, Any]:
    """5 for a red image, 1 for any other."""
    with Image.open(BytesIO(asked.images[0])) as image:
        is_red = image.getpixel((0, 0)) == (255, 0, 0)
    return {"reasons": f"I was asked: {asked.text[-20:]}", "is_shown": is_red, "score": 5 if is_red else 1}


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(by_redness) as started:
        yield started


def metric(server: ChatServer, **options: Any) -> Metric:
    chat = {"endpoint": "seer", "model": "seer-1", "price_in": 1, "price_out": 1, **options}
    ours: Metric = judge.load({"chat": {"options": chat}}, Surroundings({"seer": Endpoint(server.url, KEY)}))
    return ours


def request(colour: str) -> ScoreRequest:
    file = BytesIO()
    Image.new("RGB", (8, 8), colour).save(file, "PNG")
    return ScoreRequest(file.getvalue(), "a red square")


def test_every_image_is_scored_by_what_is_seen_in_it(server: ChatServer) -> None:
    red, blue = metric(server).score([request("red"), request("blue")])
    assert (red.value, blue.value) == (5.0, 1.0)
    assert (red.facts["is_shown"], blue.facts["is_shown"]) == (True, False)
    assert "a red square" in red.facts["reasons"]
    assert [len(one.calls) for one in (red, blue)] == [1, 1]
    assert sum(call.n_tokens_in for one in (red, blue) for call in one.calls) == server.tokens_in > 0


def test_a_score_outside_the_scale_is_not_a_score(server: ChatServer) -> None:
    server.answer = lambda asked: {"reasons": "", "is_shown": True, "score": 11}
    with pytest.raises(BadAnswer) as caught:
        metric(server).score([request("red")])
    assert len(caught.value.calls) == len(server.requests) == 2


def test_an_error_has_the_calls_of_the_images_before_it(server: ChatServer) -> None:
    server.script(Says(json.dumps({"reasons": "", "is_shown": True, "score": 4})), Status(503))
    with pytest.raises(TryAgain) as caught:
        metric(server).score([request("red"), request("red")])
    assert [call.outcome for call in caught.value.calls] == ["ok", "server error"]


def test_scores_are_filed_under_the_model_and_what_else_they_depend_on(server: ChatServer) -> None:
    ours, same, other = metric(server), metric(server, timeout_s=9), metric(server, reasks=0)
    assert ours.name == "judge"
    assert ours.version == same.version != other.version
    assert ours.version.startswith("seer-1 ")
    assert len(metric(server, model="m" * 300).version) <= 100
    assert KEY not in json.dumps(ours.identity)


def test_a_local_model_can_judge() -> None:
    ours: Metric = judge.load({"chat": {"engine": "local-chat", "options": {"model": "tiny"}}}, Surroundings())
    assert ours.version.startswith("tiny ")
    with pytest.raises(BadAnswer) as caught:
        ours.score([request("red")])
    assert len(caught.value.calls) == 3


def test_what_is_missing_and_bad_options() -> None:
    (one,) = judge.missing({"chat": {"options": {"endpoint": "seer", "model": "x"}}}, Surroundings())
    assert "EVALSITE_KEY_SEER" in one.cure
    for options in ({}, {"chat": {"engine": "sd3", "options": {}}}, {"chat": {"options": {"endpoint": "seer"}}}):
        with pytest.raises(Unusable):
            judge.missing(options, Surroundings())


def test_asking_what_is_missing_loads_no_library_of_models() -> None:
    program = """
import sys
from generation.engines.remote import chat
from generation.engines import judge
from generation.engines import local_chat
from generation.engines.remote import images as openai_images
from generation.recipes.engine_spec import Surroundings
for engine, options in (
    (chat, {"endpoint": "x", "model": "y"}),
    (openai_images, {"endpoint": "x"}),
    (local_chat, {"model": "tiny"}),
    (judge, {"chat": {"engine": "local-chat", "options": {"model": "tiny"}}}),
):
    engine.missing(options, Surroundings())
print(sorted({"openai", "torch", "transformers", "torchvision"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
