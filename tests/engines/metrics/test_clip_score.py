"""CLIPScore against its equation, open_clip's checkpoints against its own list, and what is refused before loading."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from generation.engines import torchvision_schema
from generation.engines.metrics import clip_checkpoints, clip_score
from generation.engines.tiny import metrics as tiny_metrics
from generation.recipes.contract import ScoreRequest, Unusable
from generation.recipes.engine_spec import Surroundings
from tests.engines.pictures import picture, png

HERE = Surroundings(device="cpu")
CAT = ScoreRequest(png(1), "a cat on a mat")


def tiny(**options: Any) -> clip_score.ClipScore:
    return clip_score.load({"model": "tiny", **options}, HERE)


def test_the_score_is_two_and_a_half_times_the_cosine_of_image_and_prefixed_prompt() -> None:
    metric = tiny()
    import torch

    network, tokens = tiny_metrics.clip()
    levels = torch.tensor(list(picture(1).resize((32, 32), 3).tobytes())).reshape(32, 32, 3).permute(2, 0, 1) / 255
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073])[:, None, None]
    deviation = torch.tensor([0.26862954, 0.26130258, 0.27577711])[:, None, None]
    with torch.no_grad():
        image = network.eval().encode_image(((levels - mean) / deviation)[None])[0]
        text = network.encode_text(tokens(["A photo depicts a cat on a mat"]))[0]
    cosine = float(image @ text / (image.norm() * text.norm()))
    (scored,) = metric.score([CAT])
    assert scored.value == pytest.approx(2.5 * cosine, abs=1e-5)
    assert scored.facts == {"cosine": pytest.approx(cosine, abs=1e-5), "notes": []}
    assert 0 < scored.value < 2.5


def test_a_cosine_below_zero_scores_zero() -> None:
    metric = tiny()
    import torch

    with torch.no_grad():
        metric._network.text_projection.mul_(-1)
    (scored,) = metric.score([CAT])
    assert scored.facts["cosine"] < 0
    assert scored.value == 0


def test_prefix_and_weight_are_options_and_are_filed_under_another_version() -> None:
    usual, other = tiny(), tiny(prefix="", weight=1)
    assert usual.version == "tiny, open_clip 3.3.0"
    assert other.version.startswith("tiny, open_clip 3.3.0, options ")
    assert (usual.name, other.name) == ("CLIPScore", "CLIPScore")
    prefixed = replace(CAT, prompt=f"A photo depicts {CAT.prompt}")
    assert 2.5 * other.score([prefixed])[0].value == pytest.approx(usual.score([CAT])[0].value)
    assert other.score([CAT]) != other.score([prefixed])


def test_what_was_not_seen_is_said() -> None:
    long = ScoreRequest(png(1, 60, 40), "a cat " * 40)
    (scored,) = tiny().score([long])
    assert scored.facts["notes"] == ["only the middle square was seen", "the text has 85 tokens, and 77 were read"]
    assert scored.value == tiny().score([replace(long, prompt="a cat " * 50)])[0].value


def test_a_checkpoint_of_an_architecture_is_loaded_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torchvision_schema.prepare()
    import open_clip
    import torch

    # A real architecture's file is gigabytes; a small one is given to open_clip by its own means for adding one.
    config = tmp_path / "Small-CLIP.json"
    config.write_text(
        '{"embed_dim": 8, "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},'
        ' "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 1}}'
    )
    open_clip.add_model_config(config)
    monkeypatch.setattr(clip_checkpoints, "model_config", lambda name: {})
    torch.manual_seed(3)
    network = open_clip.create_model("Small-CLIP").eval()
    file = tmp_path / "mine.pt"
    torch.save(network.state_dict(), file)
    options = {"model": "Small-CLIP", "checkpoint": "mine", "file": str(file)}
    assert clip_score.missing(options, HERE) == []
    metric = clip_score.load(options, HERE)
    assert metric.version.startswith("Small-CLIP/mine@")
    assert metric.identity["weights"].startswith("sha256:")
    with torch.no_grad():
        text = network.encode_text(open_clip.get_tokenizer("Small-CLIP")(["A photo depicts a cat on a mat"]))
        image = network.encode_image(metric._prepare(picture(1))[None])
    expected = float(torch.cosine_similarity(image, text))
    assert metric.score([CAT])[0].facts["cosine"] == pytest.approx(expected, abs=1e-6)
    torch.save({"visual.proj": torch.zeros(3)}, file)
    with pytest.raises(Unusable, match="cannot be loaded"):
        clip_score.load(options, HERE)


def test_a_folder_as_open_clip_saves_it_is_loaded(tmp_path: Path) -> None:
    torchvision_schema.prepare()
    import open_clip
    import torch

    (tmp_path / "open_clip_config.json").write_text(
        '{"model_cfg": {"embed_dim": 8, "quick_gelu": true,'
        ' "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},'
        ' "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 1}},'
        ' "preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "resize_mode": "squash"}}'
    )
    assert clip_score.missing({"model": str(tmp_path)}, HERE)[0].what.endswith("open_clip_pytorch_model.bin")
    network = open_clip.create_model(f"local-dir:{tmp_path}")
    torch.save(network.state_dict(), tmp_path / "open_clip_pytorch_model.bin")
    assert clip_score.missing({"model": str(tmp_path)}, HERE) == []
    metric = clip_score.load({"model": str(tmp_path)}, HERE)
    (scored,) = metric.score([ScoreRequest(png(1, 60, 40), "a cat")])
    assert scored.facts["notes"] == []  # the whole image is squeezed, not cut
    assert len(metric.version) <= 100


def test_every_checkpoint_of_open_clip_is_known_with_its_place() -> None:
    torchvision_schema.prepare()
    import open_clip
    from open_clip.pretrained import get_pretrained_cfg

    theirs = {
        (model, tag): get_pretrained_cfg(model, tag).get("hf_hub", "")
        for model, tag in open_clip.list_pretrained()
        if not model.endswith("-quickgelu") or model in clip_checkpoints.checkpoints()
    }
    ours = {
        (model, tag): place for model, tags in clip_checkpoints.checkpoints().items() for tag, place in tags.items()
    }
    assert ours == theirs
    assert len(ours) > 100


def test_the_usual_checkpoint_is_asked_for_by_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    (lacking,) = clip_score.missing({}, HERE)
    assert lacking.cure == (
        "hf download timm/vit_base_patch32_clip_224.openai open_clip_model.safetensors"
        " --revision ab5b8ef490e86faa07d3523926b842c765de1de5"
    )
    with pytest.raises(Unusable, match="'revision'"):
        clip_score.missing({"model": "ViT-L-14", "checkpoint": "openai"}, HERE)
    pinned = {"model": "ViT-L-14", "checkpoint": "laion2b_s32b_b82k", "revision": "a" * 40}
    assert "laion/CLIP-ViT-L-14-laion2B-s32B-b82K" in clip_score.missing(pinned, HERE)[0].cure


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"model": "ViT-B-33"}, "no model 'ViT-B-33'"),
        ({"checkpoint": "closedai"}, "no checkpoint 'closedai'"),
        ({"model": "ViT-B-16-SigLIP", "checkpoint": "webli"}, "tokenizer of ViT-B-16-SigLIP is not in open_clip"),
        ({"file": "/somewhere/else.pt"}, "'file' needs the option 'checkpoint'"),
        ({"model": "owner/net", "checkpoint": "openai"}, "'checkpoint' goes with an architecture"),
        ({"weight": 0}, "'weight' is 0"),
        ({"weight": True}, "'weight' is True"),
    ],
)
def test_a_bad_option_is_refused_by_name(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(Unusable, match=complaint) as caught:
        clip_score.missing(options, HERE)
    assert caught.value.cure
