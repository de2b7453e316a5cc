"""The place of a model's files on this machine: a folder, or a pinned commit in the hub's cache. Never the network."""

import hashlib
import json
import os
import re
from pathlib import Path

from generation.recipes.contract import Missing, Unusable

_COMMIT = re.compile(r"[0-9a-f]{40}")
LONGEST_MODEL, LONGEST_PART = 1_000, 255
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_END_BYTES = 1 << 20


def cache_folder() -> Path:
    """The hub's cache: HF_HUB_CACHE, otherwise HF_HOME/hub, otherwise the usual place in the home folder."""
    if found := os.environ.get("HF_HUB_CACHE"):
        return Path(found).expanduser()
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    return Path(home).expanduser() / "hub"


def check_model(model: object, revision: object) -> None:
    """Raises Unusable unless `model` is "tiny", a folder, or a hub id with the commit that `revision` pins."""
    if not isinstance(model, str) or not model:
        raise Unusable(
            f"The option 'model' is {model!r}.",
            'Valid: "tiny", a folder, or a hub id such as "stabilityai/stable-diffusion-3.5-large".',
        )
    if len(model) > LONGEST_MODEL or any(len(part.encode()) > LONGEST_PART for part in Path(model).parts):
        raise Unusable("The option 'model' is longer than a file's name can be.", 'Name a folder, or "owner/name".')
    if model == "tiny" or is_folder(model):
        return
    if not _HUB_ID.fullmatch(model):
        raise Unusable(f"The option 'model' is {model!r}: no such folder, and no hub id.", 'Valid: "owner/name".')
    if not isinstance(revision, str) or not _COMMIT.fullmatch(revision):
        raise Unusable(
            f"The option 'revision' of {model} is {revision!r}.",
            "Name the commit in full, 40 hexadecimal digits: a branch moves, and the images would with it.",
        )


def is_folder(name: str) -> bool:
    """Whether there is such a folder; no file system takes every name."""
    try:
        return Path(name).is_dir()
    except (OSError, ValueError):
        return False


def model_folder(model: str, revision: str | None) -> Path:
    """The folder with the model's files, whether it exists or not."""
    if is_folder(model):
        return Path(model)
    return cache_folder() / f"models--{model.replace('/', '--')}" / "snapshots" / str(revision)


def missing_files(model: str, revision: str | None, skip: tuple[str, ...] = ()) -> list[Missing]:
    """The missing files of a diffusers pipeline as one entry, with the command that downloads them.

    skip  components that are not loaded
    """
    folder = model_folder(model, revision)
    lacking = lacking_files(folder, skip)
    if not lacking:
        return []
    what = f"{model} ({len(lacking)} of its files, the first is {lacking[0]})"
    if Path(model).is_dir():
        return [Missing(what, f"Complete the folder {model}: it must be a pipeline as diffusers saves it.")]
    return [Missing(what, f"hf download {model} --revision {revision}")]


def lacking_files(folder: Path, skip: tuple[str, ...] = ()) -> list[str]:
    """The files that a pipeline's index and its parts' indices name and that are not in the folder."""
    index = folder / "model_index.json"
    if not index.is_file():
        return ["model_index.json"]
    lacking = []
    for part, kind in json.loads(index.read_text()).items():
        if part.startswith("_") or part in skip or not isinstance(kind, list) or kind[0] is None:
            continue
        if not (folder / part).is_dir():
            lacking.append(f"{part}/")
        elif (folder / part / "config.json").is_file():  # tokenizers and schedulers have no weights
            lacking += _lacking_weights(folder, part)
    return lacking


def _lacking_weights(folder: Path, part: str) -> list[str]:
    indices = sorted((folder / part).glob("*.safetensors.index.json"))
    if indices:
        plain = [path for path in indices if path.name.count(".") == 3] or indices  # not "….fp16.…": a variant
        shards = set(json.loads(plain[0].read_text())["weight_map"].values())
        return [f"{part}/{name}" for name in sorted(shards) if not (folder / part / name).exists()]
    found = any((folder / part).glob("*.safetensors"))
    return [] if found else [f"{part}/*.safetensors"]


def fingerprint(folder: Path) -> str:
    """A digest of a folder's files: names, sizes, and of each the first and last MiB, as whole ones take minutes."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        size = path.stat().st_size
        digest.update(f"{path.relative_to(folder).as_posix()}\0{size}\0".encode())
        with path.open("rb") as file:
            digest.update(file.read(_END_BYTES))
            file.seek(max(size - _END_BYTES, 0))
            digest.update(file.read(_END_BYTES))
    return digest.hexdigest()
