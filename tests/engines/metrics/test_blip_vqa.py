"""BLIP-VQA against T2I-CompBench's formula, asked of transformers' BLIP one question at a time."""

from math import prod
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from generation.engines import torchvision_schema
from generation.engines.metrics import blip_vqa
from generation.engines.tiny import metrics as tiny_metrics
from generation.recipes.contract import EngineError, ScoreRequest, Unusable
from generation.recipes.engine_spec import Surroundings
from tests.engines.pictures import picture, png

HERE = Surroundings(device="cpu")
QUESTIONS = ("a cat?", "Is the paw holding the pumpkin?", "two dogs?")


def tiny(**options: Any) -> blip_vqa.BlipVqa:
    return blip_vqa.load({"model": "tiny", **options}, HERE)


def saved(folder: Path) -> None:
    """A model as the hub has it: the tiny one, with its vocabulary."""
    torchvision_schema.prepare()
    tiny_metrics.blip_vqa().save_pretrained(folder)
    (folder / "vocab.txt").write_text("".join(f"{word}\n" for word in tiny_metrics.vocabulary()))


def t2i_compbench(image: Image.Image, words: list[int]) -> float:
    """vqa_prob of T2I-CompBench's models/blip_vqa.py for one image and one question without padding.

    words: the question's numbers with [CLS] and [SEP], as BERT has them.
    """
    import torch

    network = tiny_metrics.blip_vqa().eval()
    n_words = len(tiny_metrics.vocabulary())
    levels = torch.tensor(list(image.resize((32, 32), Image.Resampling.BICUBIC).tobytes())).reshape(32, 32, 3) / 255
    mean, deviation = (
        torch.tensor([0.48145466, 0.4578275, 0.40821073]),
        torch.tensor([0.26862954, 0.26130258, 0.27577711]),
    )
    question = torch.tensor([[n_words + 1, *words[1:]]])  # [ENC], the second of the two added words
    with torch.no_grad():
        seen = network.vision_model(((levels - mean) / deviation).permute(2, 0, 1)[None]).last_hidden_state
        states = network.text_encoder(question, encoder_hidden_states=seen).last_hidden_state
        start = torch.tensor([[n_words]])  # [DEC], the first of them
        logits = network.text_decoder(start, encoder_hidden_states=states).logits[0, 0]
    every = torch.softmax(logits.double(), dim=0)
    yes, no = every[tiny_metrics.vocabulary()["yes"]], every[tiny_metrics.vocabulary()["no"]]
    return float(yes / (yes + no))


def test_a_probability_is_t2i_compbenchs() -> None:
    metric = tiny()
    found = metric.probabilities(png(1), QUESTIONS)
    slow = [t2i_compbench(picture(1), metric._tokens(question.lower())["input_ids"]) for question in QUESTIONS]
    assert found == pytest.approx(slow, abs=1e-5)
    assert all(0.001 < one < 0.999 for one in found)
    assert len({round(one, 4) for one in found}) == len(QUESTIONS)


def test_the_score_is_the_product_over_the_requests_questions() -> None:
    metric = tiny()
    (scored,) = metric.score([ScoreRequest(png(1), "a cat", QUESTIONS)])
    apart = [metric.probabilities(png(1), [question])[0] for question in QUESTIONS]
    assert scored.value == prod(apart)
    assert scored.facts == {"questions": list(QUESTIONS), "from": "request", "probabilities": apart, "notes": []}


def test_words_that_the_encoder_does_not_know_are_noted() -> None:
    (scored,) = tiny().score([ScoreRequest(png(1), "a cat", ("a cat?", "a \U0001f98a?"))])
    assert scored.facts["notes"] == ["1 word is unknown to the text encoder"]


def test_without_questions_the_prompts_noun_phrases_are_asked() -> None:
    metric = tiny()
    (scored,) = metric.score([ScoreRequest(png(1), "a red chair and a green house")])
    assert scored.facts["from"] == "noun phrases"
    assert scored.facts["questions"] == ["a red chair?", "a green house?"]
    assert scored.value == prod(metric.probabilities(png(1), ["a red chair?", "a green house?"]))


def test_a_prompt_without_noun_phrases_is_asked_as_a_whole() -> None:
    (scored,) = tiny().score([ScoreRequest(png(1), "very quickly")])
    assert (scored.facts["from"], scored.facts["questions"]) == ("prompt", ["very quickly?"])


def test_nothing_to_ask_is_not_a_score_of_one() -> None:
    with pytest.raises(EngineError, match="nothing to ask"):
        tiny().score([ScoreRequest(png(1), "  ")])


def test_a_question_is_read_as_blips_own_code_reads_it() -> None:
    metric = tiny()
    plain, other = metric.probabilities(png(1), ["a cat (on the mat)?", "A CAT on the #mat?"])
    assert plain == other
    long = " ".join(["the"] * 60)
    assert metric.probabilities(png(1), [long]) == metric.probabilities(png(1), [long + " cat"])


def test_no_questions_give_no_answers() -> None:
    assert tiny().probabilities(png(1), []) == []
    assert tiny().score([]) == []


def test_a_model_as_the_hub_has_it_is_loaded_from_its_folder(tmp_path: Path) -> None:
    saved(tmp_path)
    assert blip_vqa.missing({"model": str(tmp_path)}, HERE) == []
    metric = blip_vqa.load({"model": str(tmp_path), "threads": 1}, HERE)  # as the tiny one: threads change digits
    assert metric.probabilities(png(1), QUESTIONS) == tiny().probabilities(png(1), QUESTIONS)
    assert metric.identity["weights"].startswith("sha256:")
    assert len(metric.version) <= 100


def test_another_vocabulary_is_refused(tmp_path: Path) -> None:
    saved(tmp_path)
    words = tmp_path / "vocab.txt"
    words.write_text(words.read_text() + "one more\n")
    with pytest.raises(Unusable, match="vocabulary"):
        blip_vqa.load({"model": str(tmp_path)}, HERE)


def test_a_file_that_lacks_tensors_is_refused(tmp_path: Path) -> None:
    saved(tmp_path)
    from safetensors.torch import load_file, save_file

    file = tmp_path / "model.safetensors"
    tensors = load_file(file)
    tensors.pop("text_encoder.encoder.layer.0.attention.self.query.weight")
    save_file(tensors, file, metadata={"format": "pt"})
    with pytest.raises(Unusable, match="has no tensor text_encoder"):
        blip_vqa.load({"model": str(tmp_path)}, HERE)


def test_the_usual_model_is_asked_for_by_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    (lacking,) = blip_vqa.missing({}, HERE)
    assert lacking.cure == (
        "hf download Salesforce/blip-vqa-base config.json model.safetensors vocab.txt"
        " --revision 787b3d35d57e49572baabd22884b3d5a05acf072"
    )
