"""The stored methods of a run: one row for everything that is exactly one way to get an image."""

from collections.abc import Mapping
from dataclasses import asdict
from itertools import count
from pathlib import PurePosixPath
from typing import Any

from generation.models import Method
from generation.models.digests import digest
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix.matrix import Matrix
from generation.recipes.matrix.methods import MethodSpec

_LONGEST_NAME = 200
_TITLES = {
    "stable-diffusion-3-medium-diffusers": "SD3 Medium",
    "stable-diffusion-3.5-medium": "SD3.5 Medium",
    "stable-diffusion-3.5-large": "SD3.5 Large",
    "stable-diffusion-3.5-large-turbo": "SD3.5 Large Turbo",
    "dall-e-3": "DALL·E 3",
    "scenes": "small model",
    "tiny": "tiny",
}


def method_row(matrix: Matrix, spec: MethodSpec) -> Method:
    """The row of a method as this matrix carries it out, made at its first use.

    Its parameters are everything but prompt and seed: the method, how and by which engine it is drawn, and the engines
    that read, see and choose for it. The same method with another critic is another row: `name (2)`.
    """
    parameters = _parameters(matrix, spec)
    code = digest("method", parameters)
    row = Method.objects.filter(parameters__digest=code).order_by("pk").first()
    if row is not None:
        return row
    title = f"{engine_title(matrix.engines[spec.engine])} · {spec.label}"
    for number in count(1):
        ending = "" if number == 1 else f" ({number})"
        row, _is_new = Method.objects.get_or_create(
            name=title[: _LONGEST_NAME - len(ending)] + ending,
            defaults={"kind": spec.kind, "parameters": {"digest": code, **parameters}},
        )
        if row.parameters.get("digest") == code:
            return row
    raise AssertionError("unreachable")


def engine_title(spec: EngineSpec) -> str:
    """The short name of the model behind an engine, for people: "SD3.5 Large", "DALL·E 3"."""
    model = str(spec.options.get("model") or spec.engine).rstrip("/")
    name = PurePosixPath(model).name
    title = _TITLES.get(name.lower(), name)
    if quantization := spec.options.get("quantization"):
        title += f" {str(quantization).upper()}"
    return title


def _parameters(matrix: Matrix, spec: MethodSpec) -> dict[str, Any]:
    helpers: dict[str, EngineSpec] = {}
    refinement = spec.refinement
    if refinement is not None:
        helpers["critic"] = matrix.engines["critic"]
    if spec.words != "prompt" or (refinement is not None and refinement.critic == "structured"):
        helpers["language"] = matrix.engines["language"]
    choosers = {choice.by: matrix.metrics[choice.by] for choice in (spec.seeds, spec.best_of) if choice is not None}
    return {
        "method": spec.as_json(),
        "engine": matrix.engines[spec.engine].as_json(),
        "drawing": asdict(matrix.drawing),
        "helpers": _as_json(helpers),
        "choosers": _as_json(choosers),
    }


def _as_json(specs: Mapping[str, EngineSpec]) -> dict[str, Any]:
    return {name: spec.as_json() for name, spec in specs.items()}
