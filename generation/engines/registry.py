"""Engines by name: the roles of each, its missing requirements, and one loaded copy of each per process.

The only access to engines: tasks ask here, and an engine's module is imported only when it is requested by name.
"""

import gc
import importlib
import json
import sys
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from threading import RLock
from typing import Any

from generation.recipes.contract import Missing, OutOfMemory, Unusable
from generation.recipes.engine_spec import EngineSpec, Surroundings


@dataclass(frozen=True)
class _Entry:
    """A module with the functions `missing(options, surroundings)` and `load(options, surroundings)`."""

    module: str
    roles: tuple[str, ...]


_ENGINES = {
    "sd3": _Entry("generation.engines.sd3.engine", ("image",)),
    "diffusers": _Entry("generation.engines.diffusers_pipeline", ("image",)),
    "openai-images": _Entry("generation.engines.remote.images", ("image",)),
    "chat": _Entry("generation.engines.remote.chat", ("language", "critic")),
    "local-chat": _Entry("generation.engines.local_chat", ("language", "critic")),
    "clip-score": _Entry("generation.engines.metrics.clip_score", ("metric",)),
    "image-reward": _Entry("generation.engines.metrics.image_reward", ("metric",)),
    "blip-vqa": _Entry("generation.engines.metrics.blip_vqa", ("metric", "answerer")),
    "scenes-critic": _Entry("generation.engines.scenes.critic", ("critic",)),
    "scenes-vqa": _Entry("generation.engines.scenes.answerer", ("metric", "answerer")),
    "judge": _Entry("generation.engines.judge", ("metric",)),
}
ROLES = ("image", "language", "critic", "metric", "answerer")
MOST_LOADED = 6

_loaded: OrderedDict[tuple[Hashable, ...], Any] = OrderedDict()
_lock = RLock()


def names(role: str = "") -> tuple[str, ...]:
    """The names of the engines that can play a role ("image", "language", "critic", "metric", "answerer"), or of all.

    Raises Unusable for a role that does not exist.
    """
    if role and role not in ROLES:
        raise Unusable(f"There is no role {role!r}.", f"Roles are {', '.join(ROLES)}.")
    return tuple(name for name, entry in _ENGINES.items() if not role or role in entry.roles)


def missing(spec: EngineSpec, surroundings: Surroundings) -> list[Missing]:
    """The engine's requirements that are missing here; without torch. Raises Unusable for an option not accepted."""
    found: list[Missing] = _module(spec).missing(spec.options, surroundings)
    return found


def load(spec: EngineSpec, surroundings: Surroundings) -> Any:
    """A fresh engine. Raises Unusable, naming every cure, if something is missing."""
    module = _module(spec)
    if lacking := module.missing(spec.options, surroundings):
        raise Unusable(
            f"{spec.engine} cannot run here. Missing: {'; '.join(one.what for one in lacking)}.",
            "\n".join(dict.fromkeys(one.cure for one in lacking)),
        )
    return module.load(spec.options, surroundings)


def cached(spec: EngineSpec, surroundings: Surroundings) -> Any:
    """This process's copy of the engine, loaded if necessary.

    The last MOST_LOADED are kept. If loading runs out of memory, the others are freed, the longest unused first,
    until it fits; raises OutOfMemory if it does not fit by itself.
    """
    with _lock:
        key = _key(spec, surroundings)
        if key not in _loaded:
            _loaded[key] = _load_making_room(spec, surroundings)
            while len(_loaded) > MOST_LOADED:
                _free_oldest()
        _loaded.move_to_end(key)
        return _loaded[key]


def forget(*, but: EngineSpec | None = None) -> int:
    """Free the engines of this process, or all except those of one spec; returns how many were freed.

    For a step that ran out of memory while other engines were idle.
    """
    with _lock:
        kept = None if but is None else _canonical(but)
        gone = [key for key in _loaded if kept is None or key[0] != kept]
        for key in gone:
            del _loaded[key]
        if gone:
            _return_memory()
        return len(gone)


def _module(spec: EngineSpec) -> Any:
    entry = _ENGINES.get(spec.engine)
    if entry is None:
        raise Unusable(f"There is no engine {spec.engine!r}.", f"Engines are {', '.join(_ENGINES)}.")
    return importlib.import_module(entry.module)


def _load_making_room(spec: EngineSpec, surroundings: Surroundings) -> Any:
    while True:
        try:
            return load(spec, surroundings)
        except OutOfMemory:
            if not _loaded:
                raise
        # Outside the handler: there the error's traceback would still hold the half-loaded engine.
        _free_oldest()


def _free_oldest() -> None:
    _loaded.popitem(last=False)
    _return_memory()


def _return_memory() -> None:
    gc.collect()
    if (torch := sys.modules.get("torch")) is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def _key(spec: EngineSpec, surroundings: Surroundings) -> tuple[Hashable, ...]:
    """A key that is equal for specs with the same meaning; another key or address of an endpoint is another engine."""
    return (
        _canonical(spec),
        surroundings.device,
        tuple(sorted(surroundings.endpoints.items(), key=lambda pair: pair[0])),
    )


def _canonical(spec: EngineSpec) -> str:
    return json.dumps(spec.as_json(), sort_keys=True)
