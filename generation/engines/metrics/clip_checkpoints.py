"""open_clip's list of checkpoints, read from its files, because importing it takes seconds and needs torch."""

import ast
import importlib.util
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from generation.engines.hub_cache import LONGEST_PART
from generation.engines.packages import INSTALL
from generation.recipes.contract import Unusable


@lru_cache(maxsize=1)
def package_folder() -> Path | None:
    """The folder in which open_clip is installed, or None."""
    found = importlib.util.find_spec("open_clip")
    return Path(found.origin).parent if found and found.origin else None


def model_config(name: str) -> dict[str, Any]:
    """The architecture of that name. Raises Unusable for an unknown one, or one whose tokenizer open_clip lacks."""
    folder = _installed() / "model_configs"
    path = folder / f"{name}.json"
    if "/" in name or len(name.encode()) > LONGEST_PART - len(".json") or not path.is_file():
        known = ", ".join(sorted(one.stem for one in folder.glob("*.json")))
        raise Unusable(
            f"open_clip has no model {name!r}.", f'Valid are "tiny", a folder, a hub id "owner/name", and: {known}.'
        )
    config: dict[str, Any] = json.loads(path.read_text())
    if {"hf_tokenizer_name", "hf_model_name"} & set(config["text_cfg"]):
        raise Unusable(
            f"The tokenizer of {name} is not in open_clip.",
            "Give as model the hub repository or the folder that holds open_clip_config.json, weights and tokenizer.",
        )
    return config


def hub_place(model: str, checkpoint: str) -> tuple[str, str]:
    """The hub repository of a checkpoint and its file, as names "a|b"; both empty if it is not on a hub.

    Raises Unusable, naming the model's checkpoints, for an unknown one.
    """
    known = checkpoints()
    # open_clip takes a model by its name with "-quickgelu" too, and a tag in any writing.
    tags = known.get(model) or known.get(model.removesuffix("-quickgelu"), {})
    tag = checkpoint.lower().replace("-", "_")
    if tag not in tags:
        raise Unusable(
            f"{model} has no checkpoint {checkpoint!r}.",
            f"Valid are {', '.join(sorted(tags)) or 'none'}; or give the option 'file', a checkpoint on this machine.",
        )
    repository, _, name = tags[tag].rpartition("/")
    return repository, (name or "open_clip_model.safetensors|open_clip_pytorch_model.bin") if repository else ""


@lru_cache(maxsize=1)
def checkpoints() -> dict[str, dict[str, str]]:
    """For each model its checkpoints, and for each of these "owner/name/file" on the hub, empty where it is on none."""
    tree = ast.parse((_installed() / "pretrained.py").read_text())
    tables: dict[str, dict[str, str]] = {}
    for statement in tree.body:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            continue
        name, value = statement.targets[0].id, statement.value
        if name == "_PRETRAINED" and isinstance(value, ast.Dict):
            return {
                str(ast.literal_eval(key)): tables[one.id] if isinstance(one, ast.Name) else _tags(one)
                for key, one in zip(value.keys, value.values, strict=True)
                if key is not None
            }
        tables[name] = _tags(value)
    raise Unusable("This open_clip lists its checkpoints in another way.", "Install open_clip_torch 3.3.")


def _tags(value: ast.expr) -> dict[str, str]:
    """{tag: hub place} of `dict(tag=_pcfg(hf_hub="…"), …)`; empty for any other expression."""
    if not isinstance(value, ast.Call):
        return {}
    found = {}
    for tag in value.keywords:
        if tag.arg and isinstance(tag.value, ast.Call):
            places = [str(ast.literal_eval(one.value)) for one in tag.value.keywords if one.arg == "hf_hub"]
            found[tag.arg] = places[0] if places else ""
    return found


def _installed() -> Path:
    folder = package_folder()
    if folder is None:
        raise Unusable("open_clip is not installed.", INSTALL)
    return folder
