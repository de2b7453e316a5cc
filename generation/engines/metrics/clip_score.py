"""CLIPScore: how close an image and its prompt are in CLIP's space, through open_clip with any model and checkpoint.

Hessel et al. 2021, CLIPScore: A Reference-free Evaluation Metric for Image Captioning, equation 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from generation.engines.device import memory_watched
from generation.engines.hub_cache import is_folder
from generation.engines.metrics import clip_checkpoints
from generation.engines.metrics import options as metric_options
from generation.engines.metrics.image_input import constant_batches, read_image
from generation.engines.metrics.local_metric import LocalMetric
from generation.engines.metrics.options import COMMON, RANDOM
from generation.engines.packages import missing_packages
from generation.engines.small_model import CLIP, CURE, SCENES
from generation.engines.weights import locate, locate_file, pick, sha256
from generation.recipes.contract import Missing, Scored, ScoreRequest, Unusable
from generation.recipes.engine_spec import Surroundings

MODEL, CHECKPOINT = "ViT-B-32", "openai"
REVISION = "ab5b8ef490e86faa07d3523926b842c765de1de5"  # of the default checkpoint
PREFIX, WEIGHT = "A photo depicts ", 2.5
_PLAIN = {"prefix": PREFIX, "weight": WEIGHT, "dtype": "fp32"}
_CONFIG = "open_clip_config.json"
_PREPARING = ("mean", "std", "interpolation", "resize_mode")
_WEIGHTS = "open_clip_model.safetensors|open_clip_pytorch_model.bin"


def missing(options: Mapping[str, Any], surroundings: Surroundings) -> list[Missing]:
    """What is not here. Options:

    model       "scenes", the small one of the demo's world; "tiny"; an architecture of open_clip ("ViT-B-32" unless
                told); or a folder or hub id that holds an open_clip_config.json, the weights and, where open_clip has
                none, the tokenizer
    checkpoint  of an architecture: one of open_clip's names for it ("openai" by default)
    file        of an architecture: the checkpoint as a file here, instead of the hub's cache
    revision    the hub's commit; known for the default alone
    prefix, weight  before the prompt, "A photo depicts " by default; and w in w·max(cos, 0), 2.5 by default
    dtype, batch_size, threads  as in metric_options
    """
    metric_options.check_common(options, surroundings, (*COMMON, "checkpoint", "file", "prefix", "weight"))
    weight = options.get("weight", WEIGHT)
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 < weight <= 1000:
        raise Unusable(f"The option 'weight' is {weight!r}.", "Valid: a number above 0, at most 1000.")
    if lacking := missing_packages("torch", "open_clip"):
        return lacking
    found = None if options.get("model") == "tiny" else _place(options)
    return [found] if isinstance(found, Missing) else []


def load(options: Mapping[str, Any], surroundings: Surroundings) -> "ClipScore":
    """The metric, ready. Raises Unusable for a bad option, and for a checkpoint that does not fit the architecture."""
    return ClipScore(options, surroundings)


class ClipScore(LocalMetric):
    """weight · max(cos(image, prefix + prompt), 0): 0 … weight, higher is better."""

    name = "CLIPScore"
    engine, plain, packages = "clip-score", _PLAIN, ("open_clip_torch", "torch", "torchvision")

    def __init__(self, options: Mapping[str, Any], surroundings: Surroundings) -> None:
        super().__init__(options, surroundings)
        self._prefix, self._weight = options.get("prefix", PREFIX), float(options.get("weight", WEIGHT))
        from open_clip.transform import PreprocessCfg, image_transform_v2  # type: ignore[import-untyped]

        loaded = _clip(options)
        with memory_watched():
            self._network = loaded.network.to(device=self._place.device, dtype=self._place.dtype).eval()
        self._tokens = loaded.tokens
        self._prepare = image_transform_v2(PreprocessCfg(**self._network.visual.preprocess_cfg), is_train=False)
        self._file_under(loaded.label, loaded.weights, before={"prefix": self._prefix, "weight": self._weight})

    def score(self, requests: Sequence[ScoreRequest]) -> list[Scored]:
        """One score per request, independent of the others. facts: the cosine, and what was cut of image or prompt."""
        scored = []
        for batch, n_real in constant_batches(requests, self.batch_size):
            read = [read_image(request.image) for request in batch]
            texts = [self._prefix + request.prompt for request in batch]
            cosines = self._cosines([image for image, _ in read], texts)
            for (image, notes), text, cosine in list(zip(read, texts, cosines, strict=True))[:n_real]:
                facts = {"cosine": cosine, "notes": notes + self._cut(image.size, text)}
                scored.append(Scored(self._weight * max(cosine, 0.0), facts))
        return scored

    def _cosines(self, images: list[Any], texts: list[str]) -> list[float]:
        import torch
        from torch.nn.functional import cosine_similarity

        with self._place.computing():
            pixels = torch.stack([self._prepare(image) for image in images])
            seen = self._network.encode_image(pixels.to(device=self._place.device, dtype=self._place.dtype))
            read = self._network.encode_text(self._tokens(texts).to(self._place.device))
            return cast("list[float]", cosine_similarity(seen.double(), read.double()).tolist())

    def _cut(self, size: tuple[int, int], text: str) -> list[str]:
        notes = []
        if size[0] != size[1] and self._network.visual.preprocess_cfg["resize_mode"] == "shortest":
            notes.append("only the middle square was seen")
        room = self._tokens.context_length
        n_tokens = _count(self._tokens, text)
        if n_tokens > room:
            notes.append(f"the text has {n_tokens} tokens, and {room} were read")
        return notes


def _count(tokens: Any, text: str) -> int:
    if hasattr(tokens, "encode"):  # CLIP's own; it adds a start and an end
        return len(tokens.encode(text)) + 2
    return len(tokens.tokenizer(text)["input_ids"])


def _is_place(model: str) -> bool:
    return model == SCENES or "/" in model or is_folder(model)


def _place(options: Mapping[str, Any]) -> Path | Missing:
    """The file of an architecture's checkpoint, or the folder that holds all; or what is missing."""
    model, revision = options.get("model", MODEL), options.get("revision", "")
    if _is_place(model):
        if given := sorted({"checkpoint", "file"} & set(options)):
            raise Unusable(f"The option {given[0]!r} goes with an architecture, not with {model}.", "Leave it out.")
        if model != SCENES:
            return locate(model, revision, [_CONFIG, _WEIGHTS])
        is_there = all(pick(CLIP, names) for names in (_CONFIG, _WEIGHTS))
        return CLIP if is_there else Missing("the small model's CLIP", CURE)
    clip_checkpoints.model_config(model)
    if file := options.get("file"):
        if "checkpoint" not in options:
            raise Unusable(
                "The option 'file' needs the option 'checkpoint'.",
                "Name open_clip's checkpoint that the file is, as its activation goes with it; or give your own name.",
            )
        return Path(file) if Path(file).is_file() else Missing(f"the file {file}", f"Put the checkpoint at {file}.")
    checkpoint = options.get("checkpoint", CHECKPOINT)
    repository, name = clip_checkpoints.hub_place(model, checkpoint)
    if not revision and (model, checkpoint) == (MODEL, CHECKPOINT):
        revision = REVISION
    return locate_file(repository, revision, name)


@dataclass(frozen=True)
class _Clip:
    """A network with its tokenizer, its name, and a description of its weights."""

    network: Any
    tokens: Any
    label: str
    weights: str


def _clip(options: Mapping[str, Any]) -> _Clip:
    model = options.get("model", MODEL)
    if model == "tiny":
        from generation.engines.tiny import metrics as tiny_metrics

        return _Clip(*tiny_metrics.clip(), label="tiny", weights=RANDOM)
    place = _place(options)
    if isinstance(place, Missing):
        raise Unusable(f"Missing: {place.what}.", place.cure)
    try:
        with memory_watched():
            return _of_folder(options, place) if _is_place(model) else _of_architecture(options, place)
    except (RuntimeError, ValueError, KeyError, OSError) as error:
        raise Unusable(
            f"{model} cannot be loaded from {place}: {error}", "Get the file again, or use another one."
        ) from error


def _of_folder(options: Mapping[str, Any], folder: Path) -> _Clip:
    import open_clip  # type: ignore[import-untyped]

    network = open_clip.create_model(f"local-dir:{folder}", require_pretrained=True)
    digest = sha256(pick(folder, _WEIGHTS) or folder)
    label = f"{options['model']}@{options.get('revision', digest)[:12]}"
    return _Clip(network, open_clip.get_tokenizer(f"local-dir:{folder}"), label, f"sha256:{digest}")


def _of_architecture(options: Mapping[str, Any], file: Path) -> _Clip:
    import open_clip

    model, checkpoint = options.get("model", MODEL), options.get("checkpoint", CHECKPOINT)
    known = open_clip.get_pretrained_cfg(model, checkpoint)
    network = open_clip.create_model(
        model,
        pretrained=str(file),
        require_pretrained=True,
        force_quick_gelu=known.get("quick_gelu", False),
        force_preprocess_cfg={key: known[key] for key in _PREPARING if key in known},
    )
    digest = sha256(file)
    label = f"{model}/{checkpoint}" + (f"@{digest[:12]}" if "file" in options else "")
    return _Clip(network, open_clip.get_tokenizer(model), label, f"sha256:{digest}")
