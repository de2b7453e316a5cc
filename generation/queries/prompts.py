"""Reads for the pages of prompts: sets with their counts, the prompts of one, and everything about one prompt."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When, Window
from django.db.models.functions import Coalesce, RowNumber

from generation.models import Image, Method, MetricScore, Prompt, PromptSet, PromptVariant

IMAGES_IN_A_STRIP = 6


def _counted(rows: QuerySet[Any], by: str) -> Coalesce:
    per_row = rows.filter(**{by: OuterRef("pk")}).order_by().values(by).annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(per_row, output_field=IntegerField()), 0)


# --- sets and their prompts ------------------------------------------------------------------------------------------
def prompt_sets() -> QuerySet[PromptSet, Any]:
    """Every set with `n_prompts` and `n_images`, the newest first."""
    return PromptSet.objects.annotate(
        n_prompts=_counted(Prompt.objects.all(), "prompt_set"),
        n_images=_counted(Image.objects.all(), "prompt__prompt_set"),
    ).order_by("-created_at", "-pk")


@dataclass(frozen=True)
class PromptFilter:
    """A filter for a set's prompts; empty means all."""

    category: str = ""
    text: str = ""


def prompts_of(prompt_set: PromptSet, chosen: PromptFilter) -> QuerySet[Prompt, Any]:
    """The set's prompts with `n_images`, in the order of their addition. The search covers text, topic and key."""
    prompts = prompt_set.prompts.annotate(n_images=_counted(Image.objects.all(), "prompt"))
    if chosen.category:
        prompts = prompts.filter(category=chosen.category)
    if chosen.text:
        words = chosen.text
        prompts = prompts.filter(Q(text__icontains=words) | Q(topic__icontains=words) | Q(key__iexact=words))
    return prompts.order_by("pk")


def categories_of(prompt_set: PromptSet) -> list[tuple[str, int]]:
    """Category and number of prompts, in alphabetical order, without the empty one."""
    rows = prompt_set.prompts.exclude(category="").order_by("category").values_list("category")
    return list(rows.annotate(n=Count("pk")))


def strips(prompts: Collection[Prompt]) -> dict[int, list[Image]]:
    """The first images of each prompt, by prompt, in one query."""
    place = Window(RowNumber(), partition_by=F("prompt"), order_by="pk")
    images = Image.objects.filter(prompt__in=[prompt.pk for prompt in prompts]).annotate(place=place)
    found: dict[int, list[Image]] = defaultdict(list)
    for image in images.filter(place__lte=IMAGES_IN_A_STRIP).select_related("method").order_by("pk"):
        found[image.prompt_id].append(image)
    return dict(found)


# --- one prompt ------------------------------------------------------------------------------------------------------
def images_of(prompt: Prompt) -> QuerySet[Image]:
    """All images of a prompt: baselines first, then by method, seed and round."""
    images = Image.objects.filter(prompt=prompt).select_related("method", "variant")
    kinds = [When(method__kind=kind, then=Value(place)) for place, kind in enumerate(Method.Kind.values)]
    return images.order_by(
        Case(*kinds, default=Value(len(kinds))), "method__name", F("seed").asc(nulls_first=True), "round", "pk"
    )


def variants_of(prompt: Prompt) -> dict[str, list[PromptVariant]]:
    """Other wordings by kind, in the order of the kinds; refined ones come with the images drawn from them."""
    found: dict[str, list[PromptVariant]] = {kind: [] for kind in PromptVariant.Kind.values}
    for variant in prompt.variants.annotate(n_images=_counted(Image.objects.all(), "variant")).order_by("pk"):
        found[variant.kind].append(variant)
    return {kind: variants for kind, variants in found.items() if variants}


def scores_of(images: Collection[int]) -> dict[int, list[MetricScore]]:
    """Each image's scores, in one query, with metrics in alphabetical order."""
    found: dict[int, list[MetricScore]] = defaultdict(list)
    for score in MetricScore.objects.filter(image__in=images).order_by("metric", "version"):
        found[score.image_id].append(score)
    return dict(found)


def by_method(images: Sequence[Image]) -> list[tuple[str, list[Image]]]:
    """Images in groups of one method, in the order in which they come."""
    groups: dict[int, list[Image]] = defaultdict(list)
    for image in images:
        groups[image.method_id].append(image)
    return [(group[0].method.name, group) for group in groups.values()]
