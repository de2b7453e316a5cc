"""A language model's files in a folder: the missing ones, and the network with its tokenizer or processor."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generation.engines.hub_cache import is_folder, model_folder
from generation.engines.tiny import chat as tiny_chat
from generation.recipes.contract import Missing, Unusable

if TYPE_CHECKING:
    import torch

_WORDS = ("tokenizer.json", "tokenizer_config.json", "processor_config.json")


@dataclass(frozen=True)
class Network:
    """A loaded model and its processor, which is the tokenizer for a model without vision."""

    model: Any
    processor: Any
    sees: bool

    @property
    def tokenizer(self) -> Any:
        return getattr(self.processor, "tokenizer", self.processor)


def missing_files(model: str, revision: str | None) -> list[Missing]:
    """One entry for all missing files of a language model, with the command that downloads them; none for "tiny"."""
    if model == "tiny":
        return []
    lacking = _lacking(model_folder(model, revision))
    if not lacking:
        return []
    what = f"{model} ({len(lacking)} of its files, the first is {lacking[0]})"
    if is_folder(model):
        return [Missing(what, f"Complete the folder {model}: it must be a model as transformers saves it.")]
    return [Missing(what, f"hf download {model} --revision {revision}")]


def _lacking(folder: Path) -> list[str]:
    lacking = [] if (folder / "config.json").is_file() else ["config.json"]
    if not any((folder / name).is_file() for name in _WORDS):
        lacking.append(_WORDS[0])
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        shards = sorted(set(json.loads(index.read_text())["weight_map"].values()))
        lacking += [shard for shard in shards if not (folder / shard).exists()]
    elif not (folder / "model.safetensors").exists():
        lacking.append("model.safetensors")
    return lacking


def load_network(
    model: str, revision: str | None, *, tiny_sees: bool, dtype: "torch.dtype", device: "torch.device"
) -> Network:
    """The network on its device. Raises Unusable for files that transformers cannot read or that cannot chat."""
    if model == "tiny":
        network = Network(*tiny_chat.build(sees=tiny_sees), sees=tiny_sees)
    else:
        try:
            network = _from_folder(model_folder(model, revision), dtype)
        except (OSError, ValueError, KeyError, ImportError) as error:
            problem = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            raise Unusable(
                f"The model {model} cannot be loaded ({problem}).",
                "Check that its files are complete and that this version of transformers supports its kind.",
            ) from error
    network.model.to(device=device, dtype=dtype).eval()
    if not (getattr(network.processor, "chat_template", None) or network.tokenizer.chat_template):
        raise Unusable(
            f"The model {model} has no chat template: it continues texts and does not answer.",
            "Use its instruction-tuned version, whose name often ends in -Instruct or -it.",
        )
    return network


def _from_folder(folder: Path, dtype: "torch.dtype") -> Network:
    """Only safetensors, no code from the folder, nothing from the network."""
    from transformers import (
        MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING,
        AutoConfig,
        AutoModelForCausalLM,
        AutoModelForImageTextToText,
        AutoProcessor,
        AutoTokenizer,
    )

    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    sees = type(config) in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING
    kind = AutoModelForImageTextToText if sees else AutoModelForCausalLM
    network = kind.from_pretrained(folder, dtype=dtype, local_files_only=True, use_safetensors=True)
    words = (AutoProcessor if sees else AutoTokenizer).from_pretrained(folder, local_files_only=True)
    return Network(network, words, sees)
