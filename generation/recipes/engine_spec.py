"""Which engine, with which options, as data: what a run stores, a worker loads, and a manifest repeats."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

RULES = "rules"
QUESTIONS = "questions"


@dataclass(frozen=True)
class EngineSpec:
    """`engine` is a name of `generation.engines.registry`; `options` are what that engine's module documents.

    Never holds a key: an endpoint is meant by the name under which the environment has its address and key.
    """

    engine: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_recipe(self) -> bool:
        """Whether it needs no model of its own: rules that read a prompt, or a critic that asks an answerer."""
        return self.engine in (RULES, QUESTIONS)

    @property
    def answerer(self) -> "EngineSpec | None":
        """The engine that a critic of questions asks; None for every other engine, and where none is rightly named."""
        named = self.options.get("answerer") if self.engine == QUESTIONS else None
        if not isinstance(named, Mapping) or not isinstance(named.get("options", {}), Mapping):
            return None
        return EngineSpec.from_json(named) if isinstance(named.get("engine"), str) else None

    @property
    def lacks_answerer(self) -> bool:
        """Whether it is a critic of questions that names nobody to ask."""
        return self.engine == QUESTIONS and self.answerer is None

    def as_json(self) -> dict[str, Any]:
        return {"engine": self.engine, "options": dict(self.options)}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "EngineSpec":
        return EngineSpec(str(data["engine"]), dict(data.get("options", {})))


@dataclass(frozen=True)
class Endpoint:
    """Where an OpenAI-compatible server answers. The key is in no text that Python makes of this."""

    url: str = ""  # empty: the client library's own default
    key: str = field(default="", repr=False)


@dataclass(frozen=True)
class Surroundings:
    """What a worker has that must not be stored in a run: endpoints by name with their keys, and the device.

    device  "auto" takes CUDA where it is, else the CPU
    """

    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    device: str = "auto"
