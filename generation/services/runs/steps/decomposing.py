"""Steps that break a prompt down: by what is stored with it, by rules, or by a language model."""

from collections.abc import Sequence
from typing import Any

from generation.models import Decomposition, Prompt, PromptVariant, Step
from generation.models.digests import digest
from generation.recipes.contract import Json
from generation.recipes.decomposition.by_model import decompose
from generation.recipes.decomposition.by_rules import decompose_by_rules
from generation.recipes.decomposition.decomposition import BadDecomposition
from generation.recipes.decomposition.decomposition import Decomposition as Graph
from generation.recipes.engine_spec import RULES
from generation.services.runs.steps.job import Job, Stopwatch
from generation.services.runs.steps.results import made_by

Origin = PromptVariant.Origin
GIVEN = (Origin.IMPORTED, Origin.PERSON, Origin.SIMULATED)


def decompose_prompts(job: Job, steps: Sequence[Step]) -> None:
    job.each(steps, 1, lambda chunk: _decompose(job, chunk[0]))


def _decompose(job: Job, step: Step) -> None:
    watch = Stopwatch()
    if step.parameters.get("use_stored"):
        row = _stored_row(job, step)
        if row is not None:
            job.close(step, lambda: {"decomposition": row}, seconds=watch.share(1))
            return
        if (graph := _of_metadata(step.prompt)) is not None:
            origin = Origin.SIMULATED if step.prompt.metadata.get("is_simulated") else Origin.IMPORTED
            provenance = made_by(step, source="the prompt's metadata")
            job.close(step, lambda: _saved(step, graph, origin, provenance), seconds=watch.share(1))
            return
    spec = job.spec(step)
    if spec.is_recipe:
        origin = Origin.RULES
        found, identity = decompose_by_rules(step.prompt.text), {"engine": RULES}
    else:
        origin, engine = Origin.MODEL, job.engine(spec)
        found, answer = decompose(engine, step.prompt.text)
        job.note_calls(step, answer.calls)
        identity = engine.identity
    provenance = made_by(step, engine=identity, spec=spec.as_json())
    job.close(step, lambda: _saved(step, found, origin, provenance), seconds=watch.share(1))


def _stored_row(job: Job, step: Step) -> Decomposition | None:
    """The newest that somebody gave or that this very engine made; another engine's would be another experiment."""
    for row in Decomposition.objects.filter(prompt=step.prompt_id).order_by("-pk"):
        is_ours = job.run.may_reuse and row.provenance.get("spec") == step.engine
        if (row.origin in GIVEN or is_ours) and _read(row.graph) is not None:
            return row
    return None


def _of_metadata(prompt: Prompt) -> Graph | None:
    graph = prompt.metadata.get("decomposition") if isinstance(prompt.metadata, dict) else None
    return None if graph is None else _read(graph)


def _read(graph: Any) -> Graph | None:
    """None for what is not a decomposition: then one is made."""
    try:
        return Graph.from_json(graph)
    except BadDecomposition:
        return None


def _saved(step: Step, graph: Graph, origin: str, provenance: Json) -> dict[str, Decomposition]:
    as_json = graph.as_json()
    row, _is_new = Decomposition.objects.get_or_create(
        prompt=step.prompt,
        digest=digest("decomposition", as_json),
        defaults={"graph": as_json, "origin": origin, "provenance": provenance},
    )
    return {"decomposition": row}
