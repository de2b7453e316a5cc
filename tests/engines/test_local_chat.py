"""A language model in this process: tiny ones through the real classes, and taught ones that do answer in JSON."""

import json
from collections.abc import Mapping
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import pytest
from PIL import Image
from pydantic import BaseModel, ConfigDict

from generation.engines import local_chat
from generation.engines.local_chat import LocalChat
from generation.engines.remote.schema_answers import in_words
from generation.recipes.contract import BadAnswer, ChatEngine, ChatRequest, EngineError, OutOfMemory, Unusable
from generation.recipes.engine_spec import Surroundings

CPU = Surroundings(device="cpu")


class Seen(BaseModel):
    model_config = ConfigDict(extra="forbid")

    colour: Literal["red", "blue"]


REQUEST = ChatRequest("Look.", "Which?", Seen)


def png(colour: str) -> bytes:
    file = BytesIO()
    Image.new("RGB", (48, 32), colour).save(file, "PNG")
    return file.getvalue()


@cache
def tiny(*, sees: bool) -> LocalChat:
    return local_chat.load({"model": "tiny", "sees": sees}, CPU)


def load_folder(folder: Path, **options: Any) -> LocalChat:
    return local_chat.load({"model": str(folder), **options}, CPU)


def teach(folder: Path, lessons: Mapping[tuple[str, str], str], *, sees: bool) -> None:
    """Save a tiny model that was fitted to give these answers: (question, the image's colour or "") → answer."""
    import torch

    from generation.engines.tiny import chat as tiny_chat

    model, processor = tiny_chat.build(sees=sees)
    tokenizer = getattr(processor, "tokenizer", processor)
    batches = []
    for (question, colour), answer in lessons.items():
        parts: Any = question
        system: Any = f"{REQUEST.system}\n\n{in_words(Seen)}"
        if sees:
            parts = [{"type": "image", "image": Image.new("RGB", (48, 32), colour)}, {"type": "text", "text": question}]
            system = [{"type": "text", "text": system}]
        messages = [{"role": "system", "content": system}, {"role": "user", "content": parts}]
        inputs = processor.apply_chat_template(
            messages, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
        )
        n_asked = inputs["input_ids"].shape[1]
        said = tokenizer(answer + "<|end|>", return_tensors="pt")["input_ids"]
        ids = torch.cat([inputs["input_ids"], said], dim=1)
        labels = torch.where(torch.arange(ids.shape[1]) < n_asked, -100, ids)
        rest = {name: value for name, value in inputs.items() if name == "pixel_values"}
        batches.append({"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels, **rest})
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(300):
        losses = [model(**batch).loss for batch in batches]
        worst = max(float(loss.detach()) for loss in losses)
        optimiser.zero_grad()
        torch.stack(losses).sum().backward()
        optimiser.step()
        if worst < 0.02:
            break
    assert worst < 0.1
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reader")
    teach(folder, {("Which?", ""): '{"colour": "blue"}'}, sees=False)
    return folder


@pytest.fixture(scope="module")
def seer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seer")
    lessons = {("Which?", colour): f'```json\n{{"colour": "{colour}"}}\n```' for colour in ("red", "blue")}
    teach(folder, lessons, sees=True)
    return folder


@pytest.mark.parametrize(("sees", "name"), [(False, "LlamaForCausalLM"), (True, "LlavaForConditionalGeneration")])
def test_random_weights_say_nonsense_three_times(sees: bool, name: str) -> None:
    engine: ChatEngine = tiny(sees=sees)
    with pytest.raises(BadAnswer) as caught:
        engine.ask(ChatRequest("Look.", "Which?", Seen, images=(png("red"),) if sees else ()))
    calls = caught.value.calls
    assert len(calls) == 3
    assert {call.outcome for call in calls} <= {"malformed", "truncated"}
    assert all(call.n_tokens_in > 100 and 0 < call.n_tokens_out <= 64 and call.seconds > 0 for call in calls)
    assert {(call.engine, call.model, call.cost) for call in calls} == {("local-chat", "tiny", 0.0)}
    identity = json.loads(json.dumps(engine.identity))
    assert identity["weights"] == "random, seed 0"
    assert (identity["class"], identity["dtype"], identity["device"]) == (name, "float32", "cpu")


def test_a_model_that_answers_in_json(reader: Path) -> None:
    answer = load_folder(reader).ask(REQUEST)
    assert answer.value == Seen(colour="blue")
    assert json.loads(answer.text) == {"colour": "blue"}
    (call,) = answer.calls
    # one token a byte, and the end's
    assert (call.outcome, call.n_tokens_out, call.cost) == ("ok", len('{"colour": "blue"}') + 1, 0.0)


def test_a_model_that_sees_answers_by_the_image(seer: Path) -> None:
    engine = load_folder(seer)
    for colour in ("red", "blue"):
        answer = engine.ask(ChatRequest("Look.", "Which?", Seen, images=(png(colour),)))
        assert answer.value.colour == colour
        assert answer.text.startswith("```json")


def test_an_answer_cut_off_is_asked_again_with_more_tokens(reader: Path) -> None:
    answer = load_folder(reader).ask(ChatRequest("Look.", "Which?", Seen, max_tokens=6))
    assert [(call.outcome, call.n_tokens_out) for call in answer.calls] == [
        ("truncated", 6),
        ("truncated", 12),
        ("ok", 19),
    ]


def test_the_same_question_has_the_same_answer_and_the_seed_decides_when_sampling() -> None:
    import torch

    def said(temperature: float, seed: int | None) -> str:
        engine = local_chat.load({"model": "tiny", "sees": False, "reasks": 0}, CPU)
        heard: list[str] = []
        decode = engine._network.tokenizer.decode

        def listen(*args: Any, **kwargs: Any) -> str:
            heard.append(decode(*args, **kwargs))
            return heard[-1]

        engine._network.tokenizer.decode = listen
        with pytest.raises(BadAnswer):
            engine.ask(ChatRequest("Look.", "Which?", Seen, temperature=temperature, seed=seed))
        return heard[0]

    before = torch.random.get_rng_state()
    assert said(0, 1) == said(0, 2)
    assert said(1, 1) == said(1, 1)
    assert said(1, 1) != said(1, 2)
    assert said(1, None) == said(1, None)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_chat_template_without_a_system_gets_its_words_with_the_question(reader: Path, tmp_path: Path) -> None:
    import torch

    from generation.engines.tiny import chat as tiny_chat

    model, tokenizer = tiny_chat.build(sees=False)
    seen: list[str] = []
    refuse = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    tokenizer.chat_template = refuse + tokenizer.chat_template
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    engine = load_folder(tmp_path, reasks=0, most_tokens=4)
    generate = engine._network.model.generate

    def heard(**inputs: Any) -> torch.Tensor:
        seen.append(engine._network.tokenizer.decode(inputs["input_ids"][0]))
        result: torch.Tensor = generate(**inputs)
        return result

    engine._network.model.generate = heard
    with pytest.raises(BadAnswer):
        engine.ask(REQUEST)
    assert seen[0].startswith("<|user|>Look.")
    assert seen[0].endswith("Which?<|end|><|assistant|>")


def test_images_for_a_model_that_does_not_see() -> None:
    with pytest.raises(Unusable, match="does not see") as caught:
        tiny(sees=False).ask(ChatRequest("Look.", "Which?", Seen, images=(png("red"),)))
    assert "sees" in caught.value.cure
    with pytest.raises(EngineError, match="cannot be read"):
        tiny(sees=True).ask(ChatRequest("Look.", "Which?", Seen, images=(b"no image",)))


def test_a_question_longer_than_the_context_fails_its_step_before_computing() -> None:
    with pytest.raises(EngineError, match="more than the model's 65536") as caught:
        tiny(sees=False).ask(ChatRequest("Look.", "x" * 66_000, Seen))
    assert caught.value.scope == "step"
    assert [call.outcome for call in caught.value.calls] == ["too long"]


def test_too_little_memory_is_said_as_such_with_the_call(reader: Path) -> None:
    import torch

    engine = load_folder(reader)

    def runs_out(*args: Any, **kwargs: Any) -> None:
        torch.empty(2**60)  # more than any machine has

    engine._network.model.model.layers[0].register_forward_pre_hook(runs_out)
    with pytest.raises(OutOfMemory) as caught:
        engine.ask(REQUEST)
    assert [call.outcome for call in caught.value.calls] == ["out of memory"]


def test_other_weights_in_a_folder_are_another_identity(reader: Path, seer: Path) -> None:
    first, again, other = (load_folder(folder).identity["weights"] for folder in (reader, reader, seer))
    assert first == again != other


def test_what_is_missing_is_said_with_the_command_that_gets_it(
    tmp_path: Path, reader: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    commit = "0123456789abcdef0123456789abcdef01234567"
    (one,) = local_chat.missing({"model": "owner/name", "revision": commit}, CPU)
    assert one.cure == f"hf download owner/name --revision {commit}"
    assert local_chat.missing({"model": str(reader)}, CPU) == []
    assert local_chat.missing({"model": "tiny"}, CPU) == []
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "config.json").write_text("{}")
    (one,) = local_chat.missing({"model": str(tmp_path / "half")}, CPU)
    assert "2 of its files" in one.what


def test_files_that_are_not_a_chat_model(tmp_path: Path) -> None:
    from generation.engines.tiny import chat as tiny_chat

    model, tokenizer = tiny_chat.build(sees=False)
    tokenizer.chat_template = None
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(Unusable, match="no chat template"):
        load_folder(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "unheard-of"}')
    with pytest.raises(Unusable, match="cannot be loaded"):
        load_folder(tmp_path)
    (tmp_path / "config.json").unlink()


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({}, "model"),
        ({"model": "owner/name", "revision": "main"}, "revision"),
        ({"model": "tiny", "dtype": "int3"}, "dtype"),
        ({"model": "tiny", "temperature": 1}, "temperature"),
        ({"model": "tiny", "reasks": 100}, "reasks"),
    ],
)
def test_a_bad_option_is_named(options: dict[str, Any], name: str) -> None:
    with pytest.raises(Unusable, match=f"'{name}'"):
        local_chat.missing(options, CPU)


def test_whether_it_sees_cannot_be_chosen_for_real_weights(reader: Path) -> None:
    with pytest.raises(Unusable, match="'sees'"):
        local_chat.missing({"model": str(reader), "sees": True}, CPU)
