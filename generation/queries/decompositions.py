"""Which decomposition of a prompt is in use: the one place that says so."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from generation.models import Decomposition, Prompt


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
    """By moment, what was in use then, in one query: a critique's ids are those of what its critic was shown."""
    rows = list(Decomposition.objects.filter(prompt=prompt).order_by("pk").values_list("created_at", "graph"))
    given = prompt.metadata.get("decomposition") if isinstance(prompt.metadata, dict) else None
    found: dict[datetime, dict[str, Any]] = {}
    for moment in moments:
        for graph in (given, *(graph for created_at, graph in rows if created_at < moment)):
            if isinstance(graph, dict):
                found[moment] = graph
    return found


def newest_row(prompt: Prompt) -> Decomposition | None:
    """Where the decomposition in use came from; None where it is the metadata's, or none."""
    return Decomposition.objects.filter(prompt=prompt).order_by("-pk").first()
