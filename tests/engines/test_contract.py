"""What every engine that computes here keeps, whatever it is for: tiny random weights through the real classes.

The engines behind endpoints are held to the same by their own tests, against a server over real HTTP.
"""

import json
import subprocess
import sys
from functools import cache
from typing import Any

import pytest
from pydantic import BaseModel

from generation.engines import registry
from generation.recipes.contract import BadAnswer, ChatRequest, DrawRequest, ScoreRequest, Unusable
from generation.recipes.engine_spec import EngineSpec, Surroundings
from tests.engines.pictures import png

HERE = Surroundings(device="cpu")
TINY: dict[str, dict[str, Any]] = {
    "sd3": {"model": "tiny", "t5_length": 32},
    "diffusers": {"model": "tiny"},
    "local-chat": {"model": "tiny"},
    "clip-score": {"model": "tiny"},
    "image-reward": {"model": "tiny"},
    "blip-vqa": {"model": "tiny"},
    "judge": {"chat": {"engine": "local-chat", "options": {"model": "tiny"}}},
}
# Without weights or random numbers: they look at pixels.
LOOKING: dict[str, dict[str, Any]] = {"scenes-critic": {}, "scenes-vqa": {}}
REMOTE: dict[str, dict[str, Any]] = {
    "openai-images": {"endpoint": "lab"},
    "chat": {"endpoint": "lab", "model": "some-model"},
}
METRICS = ("clip-score", "image-reward", "blip-vqa")
IMAGES = ("sd3", "diffusers")
local = pytest.mark.parametrize("name", TINY)
HEAVY = ("torch", "torchvision", "transformers", "diffusers", "open_clip", "openai", "accelerate")


class Answer(BaseModel):
    text: str


def spec(name: str, **options: Any) -> EngineSpec:
    return EngineSpec(name, {**(TINY | LOOKING)[name], **options})


@cache
def engine(name: str, **options: Any) -> Any:
    return registry.load(spec(name, **options), HERE)


def drawing(seed: int, prompt: str = "a cat") -> DrawRequest:
    return DrawRequest(prompt, seed, n_steps=2, guidance=4.5, width=64, height=64)


def scoring(number: int) -> ScoreRequest:
    """Another image, of another size, with another prompt of another length, for each number."""
    prompt = ("a cat", "a red chair and two dogs in the house", "a boat", "x", "the pumpkin on the ground " * 9)[number]
    return ScoreRequest(png(number, 40 + 8 * number, 64), prompt)


def outcome(name: str, number: int = 0, **options: Any) -> Any:
    """What the engine makes of a small request, as plain data."""
    made = engine(name, **options)
    if name in IMAGES:
        (drawn,) = made.draw([drawing(number)])
        return drawn.png, drawn.latents
    if name in METRICS:
        (scored,) = made.score([scoring(number)])
        return scored.value, scored.facts
    question = ChatRequest("You look at images.", "What is it?", Answer, images=(png(number),))
    asked = made if name == "local-chat" else made._chat
    # Random weights seldom say anything that fits a schema: what they said is compared.
    try:
        answer = asked.ask(question)
    except BadAnswer as error:
        return str(error), [(call.outcome, call.n_tokens_in, call.n_tokens_out) for call in error.calls]
    return answer.text


def test_every_engine_of_the_registry_is_held_to_the_contract() -> None:
    assert set(registry.names()) == set(TINY) | set(LOOKING) | set(REMOTE)


@local
def test_nothing_is_missing_and_two_copies_say_the_same_of_themselves(name: str) -> None:
    assert registry.missing(spec(name), HERE) == []
    first, second = engine(name).identity, registry.load(spec(name), HERE).identity
    assert json.loads(json.dumps(first)) == second == first
    assert "random, seed 0" in json.dumps(first)
    assert "2.13.0" in json.dumps(first)  # torch's version, as an example of what pixels and scores depend on


@local
def test_the_same_request_twice_has_the_same_outcome_from_either_copy(name: str) -> None:
    first = outcome(name)
    assert outcome(name) == first
    engine.cache_clear()
    assert outcome(name) == first
    if name != "judge" and name != "local-chat":
        assert outcome(name, 1) != first


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize("name", METRICS)
def test_a_score_depends_on_nothing_but_its_own_request(name: str, batch_size: int) -> None:
    metric = engine(name, batch_size=batch_size)
    alone = [metric.score([scoring(number)])[0] for number in range(5)]
    # Exactly, not nearly: the network always sees batches of one size.
    assert metric.score([scoring(number) for number in range(5)]) == alone
    assert metric.score([scoring(number) for number in (4, 2, 0, 3, 1, 1)]) == [alone[n] for n in (4, 2, 0, 3, 1, 1)]
    assert len({scored.value for scored in alone}) == 5
    assert metric.score([]) == []


@pytest.mark.parametrize("name", METRICS)
def test_another_batch_size_is_said_and_hardly_matters(name: str) -> None:
    one, three = engine(name, batch_size=1), engine(name, batch_size=3)
    assert (one.batch_size, three.batch_size) == (1, 3)
    assert one.identity != three.identity
    assert one.version == three.version
    for number in range(5):
        again = three.score([scoring(number)])[0].value
        assert again == pytest.approx(one.score([scoring(number)])[0].value, abs=1e-5)


@pytest.mark.parametrize("name", METRICS)
def test_a_score_does_not_depend_on_the_threads_that_a_worker_has(name: str) -> None:
    import torch

    before, first = torch.get_num_threads(), outcome(name)
    try:
        torch.set_num_threads(2 if before == 1 else 1)
        assert outcome(name) == first
        assert torch.get_num_threads() == (2 if before == 1 else 1)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_depends_on_nothing_but_its_own_request(name: str) -> None:
    painter = engine(name)
    requests = [drawing(1), drawing(2, "two dogs in a boat"), drawing(3)]
    together = painter.draw(requests)
    assert painter.draw(requests[::-1]) == together[::-1]
    assert painter.draw([requests[1]]) == [together[1]]
    assert len({drawn.png for drawn in together}) == 3


@pytest.mark.parametrize("name", registry.names("metric"))
def test_a_metric_files_its_scores_under_a_name_and_a_version(name: str) -> None:
    metric = engine(name)
    assert 0 < len(metric.name) <= 100
    assert ("tiny" in metric.version) == (name in TINY)
    assert len(metric.version) <= 100
    assert metric.version == registry.load(spec(name), HERE).version


@pytest.mark.parametrize("name", [name for name in registry.names("answerer") if name in TINY])
def test_an_answerer_gives_a_probability_for_each_question(name: str) -> None:
    answers = engine(name).probabilities(png(1), ["a cat?", "a dog?"])
    assert len(answers) == 2
    assert all(0 < one < 1 for one in answers)
    assert engine(name).probabilities(png(1), ["a dog?", "a cat?"]) == answers[::-1]


@local
def test_random_numbers_of_others_are_left_as_they_were(name: str) -> None:
    import torch

    torch.manual_seed(11)
    expected = torch.rand(3).tolist()
    torch.manual_seed(11)
    registry.load(spec(name), HERE)
    outcome(name)
    assert torch.rand(3).tolist() == expected


def python(code: str) -> str:
    """What a new process prints; it has no network, and says so if somebody tries."""
    guard = (
        "import socket\n"
        "def refuse(*given, **named): raise AssertionError(f'reached for the network: {given}')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
    )
    command = [sys.executable, "-c", guard + code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


def test_importing_a_module_and_refusing_an_option_wait_for_nothing_heavy() -> None:
    code = f"""
import sys
from generation.engines import registry
from generation.recipes.engine_spec import EngineSpec, Surroundings
from generation.recipes.contract import Unusable
for name, options in {[*TINY.items(), *REMOTE.items()]!r}:
    for call in (registry.missing, registry.load):
        try:
            call(EngineSpec(name, {{**options, "colour": "red"}}), Surroundings(device="cpu"))
        except Unusable as error:
            print(name, "colour" in f"{{error.problem}} {{error.cure}}")
    registry.missing(EngineSpec(name, options), Surroundings(device="cpu"))
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    said = python(code).splitlines()
    assert said[-1] == "[]"
    assert said[:-1] == [f"{name} True" for name in (*TINY, *REMOTE) for _ in range(2)]


def test_loading_needs_no_network() -> None:
    code = f"""
from generation.engines import registry
from generation.recipes.engine_spec import EngineSpec, Surroundings
for name, options in {list(TINY.items())!r}:
    registry.load(EngineSpec(name, options), Surroundings(device="cpu"))
print("loaded")
"""
    assert python(code).splitlines()[-1] == "loaded"


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize(
    ("options", "complaint", "valid"),
    [
        ({"dtype": "int8"}, "'dtype' is 'int8'", "'fp32', 'bf16', 'fp16'"),
        ({"batch_size": 0}, "'batch_size' is 0", "1 … 1000"),
        ({"batch_size": True}, "'batch_size' is True", "1 … 1000"),
        ({"threads": 2.5}, "'threads' is 2.5", "1 … 1000"),
        ({"revision": 3}, "'revision' is 3", "a text"),
        ({"size": 3}, "option 'size'", "batch_size"),
        ({"model": "no/such", "revision": "main"}, "'revision'", "40 hexadecimal digits"),
        ({"model": "/no such folder/at all"}, "no such folder", "owner/name"),
    ],
)
def test_a_metrics_bad_option_is_named_with_the_valid_values(
    name: str, options: dict[str, Any], complaint: str, valid: str
) -> None:
    with pytest.raises(Unusable, match=complaint) as caught:
        registry.missing(EngineSpec(name, options), HERE)
    assert valid in caught.value.cure


@local
def test_a_device_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(Unusable, match="abacus"):
        registry.load(spec(name), Surroundings(device="abacus"))
