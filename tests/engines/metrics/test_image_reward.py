"""ImageReward's published format on transformers' classes, against its original forward pass written out."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from generation.engines import torchvision_schema
from generation.engines.metrics import image_reward, image_reward_weights
from generation.engines.tiny import metrics as tiny_metrics
from generation.recipes.contract import ScoreRequest, Unusable
from generation.recipes.engine_spec import Surroundings
from tests.engines.pictures import picture, png

if TYPE_CHECKING:
    import torch

HERE = Surroundings(device="cpu")
CAT = ScoreRequest(png(1), "a cat on a mat")
State = dict[str, Any]


@pytest.fixture(autouse=True)
def _importable() -> None:
    torchvision_schema.prepare()


def published(folder: Path, state: State) -> dict[str, Any]:
    """The options of a checkpoint written as its authors wrote theirs, with a vocabulary next to it."""
    import torch

    torch.save(state, folder / "ImageReward.pt")
    (folder / "vocab.txt").write_text("".join(f"{word}\n" for word in tiny_metrics.vocabulary()))
    return {"model": str(folder), "vocabulary": str(folder)}


def original_reward(state: State, pixels: "torch.Tensor", ids: list[int]) -> float:
    """The released ImageReward's forward pass for one image and one text without padding, from its own names.

    models/BLIP/vit.py, models/BLIP/med.py and ImageReward.py of the authors' repository, without what only training
    needs. pixels: (3, side, side); ids: the words' numbers with [CLS] and [SEP].
    """
    import torch
    from torch.nn import functional as F

    def linear(name: str, x: "torch.Tensor") -> "torch.Tensor":
        return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    def norm(name: str, x: "torch.Tensor", tiny: float) -> "torch.Tensor":
        centred = x - x.mean(-1, keepdim=True)
        scaled = centred / (centred.pow(2).mean(-1, keepdim=True) + tiny).sqrt()
        return scaled * state[f"{name}.weight"] + state[f"{name}.bias"]

    def attend(q: "torch.Tensor", k: "torch.Tensor", v: "torch.Tensor") -> "torch.Tensor":
        heads = []
        for start in range(0, q.shape[-1], 64):
            part = slice(start, start + 64)
            heads.append(torch.softmax(q[:, part] @ k[:, part].T / 64**0.5, dim=-1) @ v[:, part])
        return torch.cat(heads, dim=-1)

    vit, bert = "blip.visual_encoder", "blip.text_encoder"
    weight, bias = state[f"{vit}.patch_embed.proj.weight"], state[f"{vit}.patch_embed.proj.bias"]
    patch = weight.shape[-1]
    patches = [
        (weight * pixels[:, top : top + patch, left : left + patch]).sum(dim=(1, 2, 3)) + bias
        for top in range(0, pixels.shape[1], patch)
        for left in range(0, pixels.shape[2], patch)
    ]
    seen = torch.stack([state[f"{vit}.cls_token"][0, 0], *patches]) + state[f"{vit}.pos_embed"][0]
    for block in (f"{vit}.blocks.{n}" for n in range(2)):
        q, k, v = linear(f"{block}.attn.qkv", norm(f"{block}.norm1", seen, 1e-6)).chunk(3, dim=-1)
        seen = seen + linear(f"{block}.attn.proj", attend(q, k, v))
        inner = F.gelu(linear(f"{block}.mlp.fc1", norm(f"{block}.norm2", seen, 1e-6)))
        seen = seen + linear(f"{block}.mlp.fc2", inner)
    seen = norm(f"{vit}.norm", seen, 1e-6)

    words = state[f"{bert}.embeddings.word_embeddings.weight"][ids]
    read = words + state[f"{bert}.embeddings.position_embeddings.weight"][: len(ids)]
    read = norm(f"{bert}.embeddings.LayerNorm", read, 1e-12)
    for layer in (f"{bert}.encoder.layer.{n}" for n in range(2)):
        for name, source in (("attention", None), ("crossattention", seen)):
            other = read if source is None else source
            part = f"{layer}.{name}"
            q, k, v = linear(f"{part}.self.query", read), *(linear(f"{part}.self.{x}", other) for x in ("key", "value"))
            read = norm(f"{part}.output.LayerNorm", linear(f"{part}.output.dense", attend(q, k, v)) + read, 1e-12)
        inner = F.gelu(linear(f"{layer}.intermediate.dense", read))
        read = norm(f"{layer}.output.LayerNorm", linear(f"{layer}.output.dense", inner) + read, 1e-12)
    reward = read[0]
    for place in (0, 2, 4, 6, 7):
        reward = linear(f"mlp.layers.{place}", reward)
    return (float(reward) - 0.16717362830052426) / 1.0333394966054072


@pytest.mark.parametrize("prompt", ["a cat on a mat", "yes", "the brush paints a design, and the paw holds it"])
def test_a_published_file_scores_as_the_original_network_does(prompt: str, tmp_path: Path) -> None:
    import torch

    state = {name: tensor.double() for name, tensor in tiny_metrics.image_reward_state().items()}
    metric = image_reward.load(published(tmp_path, tiny_metrics.image_reward_state()), HERE)
    levels = torch.tensor(list(picture(7).resize((32, 32), Image.Resampling.BICUBIC).tobytes())).double()
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073]).double()
    deviation = torch.tensor([0.26862954, 0.26130258, 0.27577711]).double()
    pixels = ((levels.reshape(32, 32, 3) / 255 - mean) / deviation).permute(2, 0, 1)
    expected = original_reward(state, pixels, metric._tokens(prompt)["input_ids"][:35])
    (scored,) = metric.score([ScoreRequest(png(7), prompt)])
    assert scored.value == pytest.approx(expected, abs=2e-5)


def test_the_words_and_the_image_both_matter() -> None:
    metric = image_reward.load({"model": "tiny"}, HERE)
    values = [metric.score([ScoreRequest(png(n), p)])[0].value for n in (1, 2) for p in ("a cat", "two dogs")]
    assert len({round(value, 3) for value in values}) == 4


def test_padding_and_words_beyond_the_35th_token_change_nothing() -> None:
    metric = image_reward.load({"model": "tiny"}, HERE)
    # [CLS], 33 letters and [SEP] are 35 tokens.
    full = replace(CAT, prompt=" ".join("abc" * 11))
    (short,) = metric.score([full])
    (cut,) = metric.score([replace(full, prompt=f"{full.prompt} d e")])
    assert short.facts["notes"] == []
    assert cut.value == short.value
    assert cut.facts["notes"] == ["the prompt has 37 tokens, and 35 were read"]


def test_words_that_the_encoder_does_not_know_are_noted() -> None:
    metric = image_reward.load({"model": "tiny"}, HERE)
    known, unknown = metric.score([CAT, replace(CAT, prompt="a cat \U0001f98a \u732b")])
    assert known.facts["notes"] == []
    assert unknown.facts["notes"] == ["2 words are unknown to the text encoder"]


def test_every_tensor_of_the_file_has_its_place_and_only_blips_own_heads_are_left_out() -> None:
    names = set(tiny_metrics.image_reward_state())
    unused = {name for name in names if image_reward_weights.UNUSED.fullmatch(name)}
    assert unused == {
        "blip.vision_proj.weight",
        "blip.vision_proj.bias",
        "blip.text_proj.weight",
        "blip.text_proj.bias",
        "blip.text_encoder.embeddings.position_ids",
    }
    renamed = {image_reward_weights.renamed(name) for name in names - unused}
    assert len(renamed) == len(names - unused)
    assert {name.partition(".")[0] for name in renamed} == {"vision", "text", "head"}


def test_the_published_sizes_make_a_network_of_the_published_files_size() -> None:
    import torch

    sizes = {"width": 1024, "inner": 4096, "blocks": 24, "side": 224, "words": 30524, "read": 768, "layers": 12}
    with torch.device("meta"):
        state = dict(published_shapes(**sizes))
    network = image_reward_weights.build(state, "published")
    used = sum(tensor.numel() for part in network.parts for tensor in part.parameters())
    # BLIP's two contrastive heads, 1024 and 768 to 256; position_ids are 512 whole numbers.
    n_bytes = 4 * (used + (1024 + 1) * 256 + (768 + 1) * 256) + 8 * 512
    # ImageReward.pt has 1,786,880,927 bytes; what is left are the names and places of its 625 tensors.
    assert 0 < 1_786_880_927 - n_bytes < 625 * 500
    assert network.side == 224


def published_shapes(**size: int) -> Any:
    """Tensors of the published sizes under the published names, made from the tiny ones by replacing sizes."""
    import torch

    tiny = tiny_metrics.image_reward_state()
    for name, tensor in tiny.items():
        vision = ".visual_encoder." in name
        width = size["width"] if vision else size["read"]
        inner = size["inner"] if vision else 4 * size["read"]
        new = {128: width, 256: inner, 384: 3 * width, len(tiny_metrics.vocabulary()) + 2: size["words"], 64: 512}
        if name.startswith("mlp."):
            new = {128: 128}
        shape = [new.get(one, one) for one in tensor.shape]
        if name == "mlp.layers.0.weight":
            shape = [1024, size["read"]]
        if "crossattention.self.key.weight" in name or "crossattention.self.value.weight" in name:
            shape[1] = size["width"]
        if name.endswith("pos_embed"):
            shape[1] = (size["side"] // 16) ** 2 + 1
        if "_proj." in name and "attn" not in name:
            shape = [256, size["width"] if "vision" in name else size["read"]][: len(shape)]
        first = ".blocks.0." in name or ".layer.0." in name
        if ".blocks.1." in name or ".layer.1." in name:
            continue
        for number in range((size["blocks"] if vision else size["layers"]) if first else 1):
            again = name.replace(".blocks.0.", f".blocks.{number}.").replace(".layer.0.", f".layer.{number}.")
            yield again, torch.empty(shape)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda state: state.pop("blip.visual_encoder.blocks.1.attn.qkv.bias"), "missing: vision.encoder.layers.1"),
        (lambda state: state.pop("mlp.layers.7.weight"), "not ImageReward"),
        (lambda state: state.update({"blip.itm_head.weight": state["mlp.layers.7.bias"]}), "left over: blip.itm_head"),
        (lambda state: state.update({"mlp.layers.2.bias": state["mlp.layers.7.bias"]}), "size mismatch"),
        (lambda state: state.clear(), "not ImageReward"),
        (lambda state: state.update({"step": 3}), "more than tensors"),
    ],
)
def test_another_networks_file_is_refused(change: Any, complaint: str, tmp_path: Path) -> None:
    state = tiny_metrics.image_reward_state()
    change(state)
    with pytest.raises(Unusable, match=complaint):
        image_reward.load(published(tmp_path, state), HERE)


def test_a_file_that_is_not_a_checkpoint_is_refused(tmp_path: Path) -> None:
    options = published(tmp_path, {})
    (tmp_path / "ImageReward.pt").write_bytes(b"not found")
    with pytest.raises(Unusable, match="is not a checkpoint"):
        image_reward.load(options, HERE)


def test_another_vocabulary_is_refused(tmp_path: Path) -> None:
    options = published(tmp_path, tiny_metrics.image_reward_state())
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ncat\n")
    with pytest.raises(Unusable, match="vocabulary"):
        image_reward.load(options, HERE)


def test_what_is_missing_comes_with_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert [one.cure for one in image_reward.missing({}, HERE)] == [
        "hf download zai-org/ImageReward ImageReward.pt --revision 5736be03b2652728fb87788c9797b0570450ab72",
        "hf download google-bert/bert-base-uncased vocab.txt --revision 86b5e0934494bd15c9632b12f734a8a67f723594",
    ]


def test_the_version_names_the_file_that_was_loaded(tmp_path: Path) -> None:
    metric = image_reward.load(published(tmp_path, tiny_metrics.image_reward_state()), HERE)
    assert metric.version.startswith("ImageReward-v1.0@")
    assert str(tmp_path) not in str(metric.identity)
