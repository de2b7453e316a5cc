"""Critiques outside a run: of a second critic, and of critics that are shown another image than the one they judge."""

from collections.abc import Mapping, Sequence

from generation.models import Critique, Image
from generation.queries.decompositions import decompositions_of
from generation.recipes.contract import ChatEngine
from generation.recipes.critique.by_model import critique
from generation.recipes.decomposition.decomposition import Decomposition
from generation.recipes.engine_spec import EngineSpec
from generation.services.originals import original_of
from generation.services.runs.steps.results import model_label, store_critique


def criticise(
    *,
    images: Sequence[Image],
    spec: EngineSpec,
    engine: ChatEngine,
    added_by: int | None,
    shown: Mapping[int, Image] | None = None,
) -> list[Critique]:
    """A critique of each image along its prompt's decomposition; an existing one is reused.

    shown  by image id another image that the critic sees instead. Its critique of the first one is then a control,
           known by the critic's name and ", wrong image"

    EngineError propagates; it is also raised for an image whose file is missing. Memory: one image at a time.
    """
    graphs = decompositions_of([image.prompt for image in images])
    made = []
    for image in images:
        graph = graphs.get(image.prompt_id)
        other = None if shown is None else shown[image.pk]
        content = original_of(other or image)
        parts = None if graph is None else Decomposition.from_json(graph)
        outcome, _answer = critique(engine, content, image.prompt.text, parts)
        critic, version = model_label(engine.identity, spec)
        made.append(
            store_critique(
                image,
                outcome,
                critic=critic if other is None else f"{critic}, wrong image",
                critic_version=version,
                origin=Critique.Origin.MODEL,
                provenance={"engine": engine.identity, "spec": spec.as_json()},
                added_by=added_by,
                shown=other,
            )
        )
    return made
