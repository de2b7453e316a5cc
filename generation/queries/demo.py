"""Finds the demo's material."""

from collections.abc import Collection

from django.db.models import QuerySet

from generation.models import Image
from generation.recipes.scenes.demo import PLACEBO


def demo_set_name(seed: int) -> str:
    """The name of the prompt set that holds the demo scenes of a seed."""
    return f"Demo scenes (simulated, seed {seed})"


def placebo_pairs(baselines: Collection[Image]) -> QuerySet[Image]:
    """The demo's images that repeat their baseline, in the order of their keys."""
    return Image.objects.filter(parent__in=baselines, method__name=PLACEBO).order_by("key")
