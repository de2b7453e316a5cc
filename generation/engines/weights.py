"""Where a metric's weights lie: a file, a folder, or a pinned commit in the hub's cache. Never the network."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from generation.engines.hub_cache import check_model, is_folder, model_folder
from generation.recipes.contract import Missing


def is_file(place: str) -> bool:
    """Whether there is such a file; no file system takes every name."""
    try:
        return Path(place).is_file()
    except (OSError, ValueError):
        return False


def locate(model: str, revision: str, files: Sequence[str]) -> Path | Missing:
    """The folder in which all files lie, or what is missing with the command that gets it.

    files  names in the folder; "a|b" means one of the two, of which the first is fetched
    Raises Unusable for a hub id without the full commit.
    """
    check_model(model, revision)
    folder = model_folder(model, revision)
    lacking = [names for names in files if pick(folder, names) is None]
    if not lacking:
        return folder
    wanted = [names.partition("|")[0] for names in files]
    what = f"{model}: {', '.join(names.replace('|', ' or ') for names in lacking)}"
    if is_folder(model):
        return Missing(what, f"Put {' and '.join(wanted)} into the folder {model}.")
    return Missing(what, f"hf download {model} {' '.join(wanted)} --revision {revision}")


def locate_file(model: str, revision: str, name: str) -> Path | Missing:
    """The file itself where `model` is one, else the one of that name (or names, "a|b") in its folder."""
    if is_file(model):
        return Path(model)
    found = locate(model, revision, [name])
    return found if isinstance(found, Missing) else (pick(found, name) or found)


def pick(folder: Path, names: str) -> Path | None:
    """The first of the names "a|b" that the folder has."""
    return next((folder / name for name in names.split("|") if (folder / name).is_file()), None)


def sha256(path: Path) -> str:
    """The digest of a whole file; computed once per process for a file that has not changed."""
    seen = path.stat()
    return _sha256(path, seen.st_size, seen.st_mtime_ns)


@lru_cache(maxsize=64)
def _sha256(path: Path, _size: int, _changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
