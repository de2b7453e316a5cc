"""The only place that decides which decomposition of a prompt is in use."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from generation.models import Decomposition, Prompt
from generation.recipes.decomposition.decomposition import Decomposition as Parsed


def decomposition_of(prompt: Prompt, *, made_before: datetime | None = None) -> dict[str, Any] | None:
    """The newest decomposition of a prompt, else the one that its metadata brought along; None where there is none.

    made_before  only what was there at that moment: work that counts on a decomposition's ids keeps the one it began
                 with when a newer one comes
    """
    return decompositions_of([prompt], made_before=made_before).get(prompt.pk)


def decompositions_of(prompts: Collection[Prompt], *, made_before: datetime | None = None) -> dict[int, dict[str, Any]]:
    """The same by prompt, in one query; a prompt without one has no entry."""
    rows = Decomposition.objects.filter(prompt__in=[prompt.pk for prompt in prompts]).order_by("pk")
    if made_before is not None:
        rows = rows.filter(created_at__lt=made_before)
    found: dict[int, dict[str, Any]] = {}
    for prompt in prompts:
        given = prompt.metadata.get("decomposition") if isinstance(prompt.metadata, dict) else None
        if isinstance(given, dict):
            found[prompt.pk] = given
    for pk, graph in rows.values_list("prompt_id", "graph"):  # the last of a prompt wins
        if isinstance(graph, dict):
            found[pk] = graph
    return found


def decompositions_at(prompt: Prompt, moments: Collection[datetime]) -> dict[datetime, dict[str, Any]]:
    """By moment, the decomposition in use then, in one query: a critique's ids are those that its critic was shown."""
    rows = list(Decomposition.objects.filter(prompt=prompt).order_by("pk").values_list("created_at", "graph"))
    given = prompt.metadata.get("decomposition") if isinstance(prompt.metadata, dict) else None
    found: dict[datetime, dict[str, Any]] = {}
    for moment in moments:
        for graph in (given, *(graph for created_at, graph in rows if created_at < moment)):
            if isinstance(graph, dict):
                found[moment] = graph
    return found


def newest_row(prompt: Prompt) -> Decomposition | None:
    """The origin of the decomposition in use; None if it is from the metadata, or if there is none."""
    return Decomposition.objects.filter(prompt=prompt).order_by("-pk").first()


def questions_of(graph: Mapping[str, Any]) -> list[dict[str, Any]]:
    """[{"question", "about", "after"}], each after those it depends on; `after` has their places in the list.

    An attribute depends on its entity, and a relation on the entities that it relates (Cho et al. 2024). Raises
    ValueError for a graph that makes no sense.
    """
    decomposition = Parsed.from_json(graph)
    ends = {relation.id: (relation.subject, relation.object) for relation in decomposition.relations}
    found: list[dict[str, Any]] = []
    place_of: dict[str, int] = {}
    for place, asked in enumerate(decomposition.asked()):
        if asked.kind == "missing":
            place_of.setdefault(asked.about, place)
        needed = ends.get(asked.about, ()) if asked.kind == "relation" else (asked.about,)
        after = sorted({place_of[part] for part in needed if part in place_of and place_of[part] != place})
        found.append({"question": asked.question, "about": asked.about, "after": after})
    return found
