"""An experiment as a matrix: prompts × methods × seeds, with the engines that draw, read and score."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from generation.recipes.engine_spec import QUESTIONS, RULES, EngineSpec
from generation.recipes.matrix.methods import BadMethod, Drawing, MethodSpec

# Engines that wait for another computer, or compute next to nothing: they need no worker with a GPU.
REMOTE = frozenset({"chat", "openai-images", RULES})
# Engines that only pass questions on, by the option that holds the engine inside.
WRAPPERS = {"judge": "chat", QUESTIONS: "answerer"}
MOST_SEEDS = 1_000


class BadMatrix(ValueError):
    """A matrix that cannot be carried out; the message says why, and the cure."""


@dataclass(frozen=True)
class Matrix:
    """Everything a run needs besides its prompts.

    engines  by role: "image" draws; "language" decomposes and rewrites; "critic" sees; further names are for methods
             that are drawn by another engine ("openai-images"). A critic "questions" has an answerer in its options.
    metrics  by the name under which methods may choose ("clip-score", …)
    """

    methods: tuple[MethodSpec, ...]
    seeds: tuple[int, ...]
    engines: Mapping[str, EngineSpec]
    metrics: Mapping[str, EngineSpec] = field(default_factory=dict)
    drawing: Drawing = field(default_factory=Drawing)

    def __post_init__(self) -> None:
        if not self.methods:
            raise BadMatrix("No method is chosen. Choose at least one.")
        labels = [method.label for method in self.methods]
        if len(set(labels)) < len(labels):
            raise BadMatrix("Two methods have the same name. Rename one.")
        if not self.seeds or len(set(self.seeds)) < len(self.seeds) or len(self.seeds) > MOST_SEEDS:
            raise BadMatrix(f"Give 1 to {MOST_SEEDS} different seeds.")
        if not all(0 <= seed < 2**63 for seed in self.seeds):
            raise BadMatrix("A seed is a whole number from 0 to 9223372036854775807.")
        for method in self.methods:
            self._check(method)
        for name, metric in self.metrics.items():
            if metric.options.get("questions") == "decomposition" and "language" not in self.engines:
                raise BadMatrix(
                    f'The metric "{name}" asks the decomposition\'s questions, which needs an engine for "language". '
                    'Choose one, or set the metric\'s option "questions" to "phrases".'
                )

    def _check(self, method: MethodSpec) -> None:
        needed = {method.engine}
        if method.words != "prompt":
            needed.add("language")
        if method.refinement is not None:
            needed.add("critic")
            if method.refinement.critic == "structured":
                needed.add("language")
        for role in sorted(needed - set(self.engines)):
            raise BadMatrix(f'"{method.label}" needs an engine for "{role}". Choose one, or leave the method out.')
        if method.engine in self.engines and self.engines[method.engine].engine in ("openai-images", "diffusers"):
            r = method.refinement
            if r is not None and (r.drawn_as != "redraw" or method.best_of is not None):
                raise BadMatrix(f'"{method.label}" needs an engine that gives its latents, such as "sd3".')
        if method.largest_k >= self.drawing.n_steps:
            raise BadMatrix(
                f'"{method.label}" begins at step {method.largest_k}, but a drawing has {self.drawing.n_steps} steps. '
                "Use more steps, or a smaller k."
            )
        for choice in (method.seeds, method.best_of):
            if choice is not None and choice.by not in self.metrics:
                raise BadMatrix(f'"{method.label}" chooses by "{choice.by}". Add that metric, or leave the method out.')

    def queue(self, spec: EngineSpec) -> str:
        """The queue of a step with this engine: "cpu" or "gpu". If it wraps another engine, the inner one decides."""
        while spec.engine in WRAPPERS:
            inside = spec.options.get(WRAPPERS[spec.engine])
            if not isinstance(inside, Mapping):
                break
            spec = EngineSpec.from_json({"engine": "chat", **inside})
        return "cpu" if spec.engine in REMOTE else "gpu"

    def as_json(self) -> dict[str, Any]:
        return {
            "methods": [method.as_json() for method in self.methods],
            "seeds": list(self.seeds),
            "engines": {role: spec.as_json() for role, spec in self.engines.items()},
            "metrics": {name: spec.as_json() for name, spec in self.metrics.items()},
            "drawing": asdict(self.drawing),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "Matrix":
        """Raises BadMatrix or BadMethod with the part that is wrong."""
        try:
            return Matrix(
                methods=tuple(MethodSpec.from_json(method) for method in data["methods"]),
                seeds=tuple(int(seed) for seed in data["seeds"]),
                engines={role: EngineSpec.from_json(spec) for role, spec in data["engines"].items()},
                metrics={name: EngineSpec.from_json(spec) for name, spec in data.get("metrics", {}).items()},
                drawing=Drawing(**data.get("drawing", {})),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise BadMatrix(
                f"This is not a matrix: {error!r}. It has methods, seeds, engines, metrics, drawing."
            ) from error
        except (BadMatrix, BadMethod):
            raise
        except ValueError as error:
            raise BadMatrix(f"This is not a matrix: {error}.") from error
