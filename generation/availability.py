"""Which of a matrix's engines this machine has. Only this module asks the registry for engines."""

from typing import Any

from django.conf import settings

from generation.engines import registry
from generation.recipes.contract import EngineError, Missing
from generation.recipes.engine_spec import Endpoint, EngineSpec, Surroundings
from generation.recipes.matrix.matrix import BadMatrix, Matrix


def surroundings() -> Surroundings:
    """What this worker has: endpoints with their keys, and a device."""
    endpoints = {name: Endpoint(url, key) for name, (url, key) in settings.GENERATION_ENDPOINTS.items()}
    return Surroundings(endpoints, settings.GENERATION_DEVICE)


def engine_for(spec: EngineSpec) -> Any:
    """An engine, loaded at its first use and kept. Raises Unusable with the cure."""
    return registry.cached(spec, surroundings())


def make_room(spec: EngineSpec) -> int:
    """Free the idle engines other than this one; returns how many."""
    return registry.forget(but=spec)


def missing_for(matrix: Matrix, queue: str | None = None) -> list[Missing]:
    """Everything that the engines of a matrix, or those of one queue, need and this machine lacks."""
    missing: dict[str, Missing] = {}
    for spec in [*matrix.engines.values(), *matrix.metrics.values()]:
        if queue is None or matrix.queue(spec) == queue:
            missing |= {part.what: part for part in _missing(spec)}
    return list(missing.values())


def check_engines(matrix: Matrix) -> None:
    """Raises BadMatrix, naming the place, for an engine or an option that does not exist on any machine.

    Something that is only missing here is not a fault of the matrix: a worker elsewhere may have it.
    """
    named = [(f"engines.{role}", spec) for role, spec in matrix.engines.items()]
    named += [(f"metrics.{name}", spec) for name, spec in matrix.metrics.items()]
    for place, spec in named:
        if spec.lacks_answerer:
            raise BadMatrix(
                f'{place}: a critic of questions needs an "answerer" among its options, such as "blip-vqa".'
            )
        try:
            asked = _asked(spec)
            if asked is not None:
                registry.missing(asked, surroundings())
        except EngineError as error:
            raise BadMatrix(f"{place}: {error.problem} {error.cure}") from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadMatrix(f"{place}: its options cannot be read. See the engine's documentation.") from error


def _missing(spec: EngineSpec) -> list[Missing]:
    asked = _asked(spec)
    if asked is None:
        return []
    try:
        return registry.missing(asked, surroundings())
    except EngineError as error:
        return [Missing(error.problem, error.cure)]


def _asked(spec: EngineSpec) -> EngineSpec | None:
    """The engine that has to be loaded: none for the rules, and the answerer for a critic that asks questions."""
    return spec.answerer if spec.is_recipe else spec
