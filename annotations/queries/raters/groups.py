"""Ratings by raters' self-reported group; small groups are never shown."""

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Count

from annotations.models import Dimension, Study
from annotations.models.participation import plan_of
from annotations.queries.studies import current_responses
from annotations.stats.raters.watching import mean_interval

FEWEST_RATERS = 5
"""A group with fewer raters is not shown, since its members could be recognised."""


@dataclass(frozen=True)
class GroupMean:
    """One method's rating by a group: the mean of its raters' means, with an interval over raters."""

    method: str
    n_raters: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Groups:
    """By group, each method's mean; `n_hidden` groups have too few raters to be shown."""

    question: str
    rows: dict[str, list[GroupMean]]
    n_hidden: int


def by_group(study: Study) -> Groups | None:
    """For the first question about images with ordered levels; None if the study does not ask for a group. Two queries.

    A method that fewer than five raters of a group have rated is left out of that group.
    """
    if not plan_of(study).groups:
        return None
    asked = study.dimensions.filter(kind=Dimension.Kind.ORDINAL, about=Dimension.About.IMAGE).order_by("position")
    dimension = asked.first()
    if dimension is None:
        return None
    sums: dict[tuple[str, str, int], list[float]] = defaultdict(lambda: [0.0, 0.0])
    rows = current_responses([dimension]).filter(level__isnull=False).exclude(assignment__rater__group="")
    counted = rows.order_by().values_list(
        "assignment__rater__group", "image__method__name", "assignment__rater", "level"
    )
    values = [float(value) for value in dimension.values]
    for group, method, rater, level, n in counted.annotate(n=Count("pk")):
        total = sums[group, method, rater]
        total[0] += values[level] * n
        total[1] += n
    means: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for (group, method, _rater), (total_value, n) in sums.items():
        means[group][method].append(total_value / n)
    shown = {
        group: [
            GroupMean(method, len(each), *mean_interval(each))
            for method, each in sorted(methods.items())
            if len(each) >= FEWEST_RATERS
        ]
        for group, methods in sorted(means.items())
    }
    kept = {group: found for group, found in shown.items() if found}
    return Groups(dimension.question, kept, len(shown) - len(kept))
