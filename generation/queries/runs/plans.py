"""Reads for the page that designs a run: the choices, stored results, and how long such work took."""

import random
from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import Count, Exists, OuterRef, QuerySet

from generation.models import Decomposition, Prompt, PromptSet, PromptVariant, Step
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix.estimate import Stored, work_key, work_units

# Measured durations are looked for among this many of the latest steps, of which this many of a kind are read.
LOOK_BACK = 20_000
SAMPLE = 200


def prompt_sets_with_counts() -> QuerySet[PromptSet, Any]:
    """All prompt sets that have prompts, with `n_prompts`."""
    return PromptSet.objects.annotate(n_prompts=Count("prompts")).filter(n_prompts__gt=0)


def categories(prompt_set_id: int | None) -> list[str]:
    """The categories of a set, or of all sets."""
    prompts = Prompt.objects.exclude(category="")
    if prompt_set_id is not None:
        prompts = prompts.filter(prompt_set=prompt_set_id)
    return list(prompts.order_by("category").values_list("category", flat=True).distinct())


def category_for(prompt_set: PromptSet, wanted: str) -> str:
    """An experiment's category where the set has it; else none, which is all prompts."""
    return wanted if wanted and prompts_of(prompt_set, wanted).exists() else ""


def prompts_of(prompt_set: PromptSet, category: str) -> QuerySet[Prompt]:
    """A set's prompts in their order; only a category's where one is given, whatever its capital letters."""
    prompts = prompt_set.prompts.order_by("pk")
    return prompts.filter(category__iexact=category) if category else prompts


def chosen_prompts(prompt_set: PromptSet, category: str, *, n: int | None, seed: int | None) -> list[int]:
    """Row ids: all, the first n, or with a seed n at random. The same seed chooses the same of the same prompts."""
    ids = list(prompts_of(prompt_set, category).values_list("pk", flat=True))
    if n is None or n >= len(ids):
        return ids
    if seed is None:
        return ids[:n]
    return sorted(random.Random(seed).sample(ids, n))  # noqa: S311  # a choice to be repeated, not a secret


def stored(prompt_ids: Collection[int]) -> Stored:
    """How many of the prompts have a decomposition, and each kind of wording: no model is asked for these again."""
    prompts = Prompt.objects.filter(pk__in=prompt_ids)
    n_decomposed = prompts.filter(Exists(Decomposition.objects.filter(prompt=OuterRef("pk")))).count()
    worded = (
        PromptVariant.objects.filter(prompt__in=prompt_ids)
        .order_by()
        .values("kind")
        .annotate(n=Count("prompt", distinct=True))
    )
    return Stored(n_decomposed, {row["kind"]: row["n"] for row in worded})


def seconds_per_unit(engines: Mapping[tuple[str, str], tuple[EngineSpec, Mapping[str, Any]]]) -> dict[str, float]:
    """By `work_key` the measured seconds per unit of work, for those kinds of work that were done here lately."""
    latest = Step.objects.order_by("-pk").values_list("pk", flat=True).first()
    if latest is None:
        return {}
    found: dict[str, float] = {}
    for (kind, key), (spec, _parameters) in engines.items():
        rows = Step.objects.filter(
            pk__gt=latest - LOOK_BACK,
            kind=kind,
            state=Step.State.DONE,
            is_reused=False,
            seconds__isnull=False,
            engine__engine=spec.engine,
        ).order_by("-pk")
        alike = [
            (seconds, work_units(kind, parameters))
            for seconds, engine, parameters in rows.values_list("seconds", "engine", "parameters")[:SAMPLE]
            if seconds is not None and engine is not None and work_key(kind, engine, parameters) == key
        ]
        if alike:
            found[key] = sum(seconds for seconds, _ in alike) / sum(units for _, units in alike)
    return found


def prompts_by_id(ids: Collection[int]) -> QuerySet[Prompt]:
    return Prompt.objects.filter(pk__in=ids)
