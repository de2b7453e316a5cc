"""The published ImageReward.pt on transformers' classes: all of its tensors under their new names, and no others."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generation.recipes.contract import Unusable

if TYPE_CHECKING:
    import torch

HEAD_WIDTH = 64  # of an attention head, in both of BLIP's networks at all their sizes
# In the file, but never used for a reward: BLIP's own contrastive heads, and a constant.
UNUSED = re.compile(r"blip\.(vision_proj|text_proj)\..*|blip\.text_encoder\.embeddings\.position_ids")
_RENAMED = (
    (r"blip\.visual_encoder\.cls_token", "vision.embeddings.class_embedding"),
    (r"blip\.visual_encoder\.pos_embed", "vision.embeddings.position_embedding"),
    (r"blip\.visual_encoder\.patch_embed\.proj\.", "vision.embeddings.patch_embedding."),
    (r"blip\.visual_encoder\.blocks\.(\d+)\.attn\.proj\.", r"vision.encoder.layers.\1.self_attn.projection."),
    (r"blip\.visual_encoder\.blocks\.(\d+)\.attn\.", r"vision.encoder.layers.\1.self_attn."),
    (r"blip\.visual_encoder\.blocks\.(\d+)\.norm(\d)\.", r"vision.encoder.layers.\1.layer_norm\2."),
    (r"blip\.visual_encoder\.blocks\.(\d+)\.mlp\.", r"vision.encoder.layers.\1.mlp."),
    (r"blip\.visual_encoder\.norm\.", "vision.post_layernorm."),
    (r"blip\.text_encoder\.", "text."),
    (r"mlp\.layers\.", "head."),
)
_ANOTHER = "Use ImageReward.pt as its authors published it."


@dataclass(frozen=True)
class Network:
    """An image's patches; a text that attends to them; and a reward from the text's first token.

    side  the image's, in pixels
    """

    vision: Any
    text: Any
    head: Any
    side: int

    @property
    def parts(self) -> tuple[Any, Any, Any]:
        return self.vision, self.text, self.head


def read(file: Path) -> "dict[str, torch.Tensor]":
    """The tensors of a checkpoint, on the CPU, without executing anything in it. Raises Unusable for other files."""
    import torch

    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # unpickling may raise any error
        raise Unusable(f"{file} is not a checkpoint: {error}", _ANOTHER) from error
    if not isinstance(state, dict) or not all(isinstance(one, torch.Tensor) for one in state.values()):
        raise Unusable(f"{file} holds more than tensors.", _ANOTHER)
    return state


def renamed(name: str) -> str:
    """A tensor's name in the published file as `vision.…`, `text.…` or `head.…`; unknown names stay as they are."""
    for pattern, new in _RENAMED:
        name, n_changed = re.subn(f"^{pattern}", new, name)
        if n_changed:
            return name
    return name


def build(state: "Mapping[str, torch.Tensor]", label: str) -> Network:
    """The network that the tensors fit, of any size.

    Raises Unusable, naming them, for tensors that are missing, left over, or of another shape.
    """
    import torch

    used = {renamed(name): tensor for name, tensor in state.items() if not UNUSED.fullmatch(name)}
    try:
        network = _empty(used)
    except (KeyError, IndexError, ZeroDivisionError) as error:
        raise Unusable(f"{label} is not ImageReward: {error} is missing.", _ANOTHER) from error
    left = {name for name in used if name.partition(".")[0] not in ("vision", "text", "head")}
    wrong = [f"left over: {name}" for name in sorted(left)]
    for prefix, part in (("vision.", network.vision), ("text.", network.text), ("head.", network.head)):
        own = {name.removeprefix(prefix): tensor for name, tensor in used.items() if name.startswith(prefix)}
        try:
            found = part.load_state_dict(own, strict=False, assign=True)
        except RuntimeError as error:
            raise Unusable(f"{label} is not ImageReward: {error}", _ANOTHER) from error
        wrong += [f"missing: {prefix}{name}" for name in found.missing_keys]
        wrong += [f"left over: {prefix}{name}" for name in found.unexpected_keys]
    if wrong:
        raise Unusable(f"{label} is not ImageReward: {'; '.join(wrong[:5])} ({len(wrong)} in all).", _ANOTHER)
    for part in network.parts:
        # Buffers are in no file: they were made without a place, too.
        for name, buffer in list(part.named_buffers()):
            if buffer.is_meta:
                owner = part.get_submodule(name.rpartition(".")[0])
                setattr(owner, name.rpartition(".")[2], torch.arange(buffer.shape[-1])[None])
    return network


def _empty(used: "Mapping[str, torch.Tensor]") -> Network:
    """The modules without memory, their sizes read off the tensors' shapes."""
    import torch
    from transformers import BlipTextConfig, BlipTextModel, BlipVisionConfig, BlipVisionModel

    width, _, patch, _ = used["vision.embeddings.patch_embedding.weight"].shape
    side = int((used["vision.embeddings.position_embedding"].shape[1] - 1) ** 0.5) * patch
    n_words, text_width = used["text.embeddings.word_embeddings.weight"].shape
    vision = BlipVisionConfig(
        hidden_size=width,
        intermediate_size=used["vision.encoder.layers.0.mlp.fc1.weight"].shape[0],
        num_hidden_layers=_count(used, r"vision\.encoder\.layers\.(\d+)\..*"),
        num_attention_heads=width // HEAD_WIDTH,
        image_size=side,
        patch_size=patch,
        layer_norm_eps=1e-6,  # BLIP's own; transformers' default is ten times that
    )
    text = BlipTextConfig(
        vocab_size=n_words,
        hidden_size=text_width,
        encoder_hidden_size=width,
        intermediate_size=used["text.encoder.layer.0.intermediate.dense.weight"].shape[0],
        num_hidden_layers=_count(used, r"text\.encoder\.layer\.(\d+)\..*"),
        num_attention_heads=text_width // HEAD_WIDTH,
        max_position_embeddings=used["text.embeddings.position_embeddings.weight"].shape[0],
        bos_token_id=None,  # nothing is written
        eos_token_id=None,
        sep_token_id=None,
    )
    places = sorted(int(name.split(".")[1]) for name in used if re.fullmatch(r"head\.\d+\.weight", name))
    layers: dict[int, Any] = dict.fromkeys(range(places[-1] + 1))
    with torch.device("meta"):
        for place in layers:
            # Between the linear layers are dropouts, which do nothing here; no other function lies between them.
            linear = used[f"head.{place}.weight"].shape[::-1] if place in places else None
            layers[place] = torch.nn.Linear(*linear) if linear else torch.nn.Identity()
        head = torch.nn.Sequential(*layers.values())
        return Network(BlipVisionModel(vision), BlipTextModel(text, add_pooling_layer=False), head, side)


def _count(names: "Mapping[str, Any]", pattern: str) -> int:
    return 1 + max(int(found[1]) for name in names if (found := re.fullmatch(pattern, name)))
