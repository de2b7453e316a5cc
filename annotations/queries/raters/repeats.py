"""Hidden repeats of a study as arrays: what raters answered first and second."""

from dataclasses import dataclass

import numpy as np
from django.db.models import Exists, OuterRef

from annotations.kinds.registry import with_levels
from annotations.models import Assignment, Dimension, Response, Study
from annotations.questions import names_sides
from annotations.reports.numbers import figure, span
from annotations.stats.estimate import Estimate
from annotations.stats.raters.table import Repeats
from annotations.stats.raters.within_rater import WithinRaters, within_raters

Purpose = Assignment.Purpose
MOST_REPEATS = 20_000
"""How many repeats a page reads at most, newest first: enough for any interval."""


@dataclass(frozen=True)
class Figure:
    """A figure in text; `limits` of its interval, empty without one; `reason` says why something is missing."""

    text: str
    limits: str
    reason: str


@dataclass(frozen=True)
class WithinOneself:
    """How far raters agree with themselves on one question; `n` repeats, including mirrored ones."""

    dimension: Dimension
    n: int
    found: WithinRaters

    @property
    def figures(self) -> list[Figure]:
        """Same answer, alpha and error of one answer, as a page shows them."""
        return [_figure(one) for one in (self.found.same, self.found.alpha, self.found.error)]


def within_oneself(study: Study) -> list[WithinOneself]:
    """For each question that is answered with a level and has repeats; two queries each."""
    found = []
    for dimension in with_levels(list(study.dimensions.order_by("position"))):
        repeats = repeats_of(dimension)
        if not len(repeats.rater):
            continue
        values = np.array([float(value) for value in dimension.values])
        is_ordinal = dimension.kind == Dimension.Kind.ORDINAL
        found.append(
            WithinOneself(dimension, len(repeats.rater), within_raters(repeats, values, is_ordinal=is_ordinal))
        )
    return found


def repeats_of(dimension: Dimension) -> Repeats:
    """Both levels of each repeat of raters who are not excluded; sides count as the images that were on them.

    A repeat counts if both answers are levels.
    """
    counting = Response.objects.filter(
        dimension=dimension,
        is_current=True,
        level__isnull=False,
        assignment__state=Assignment.State.ANSWERED,
        assignment__rater__excluded_at=None,
    )
    columns = ("assignment__rater_id", "assignment__item_id", "image_id", "level", "assignment__shown_order")
    again = counting.filter(assignment__purpose__in=(Purpose.REPEAT, Purpose.MIRROR)).order_by("-pk")[:MOST_REPEATS]
    second = list(again.values_list(*columns))
    repeated = Assignment.with_checks.filter(
        rater=OuterRef("assignment__rater"),
        item=OuterRef("assignment__item"),
        purpose__in=(Purpose.REPEAT, Purpose.MIRROR),
    )
    rated = counting.filter(Exists(repeated), assignment__purpose=Purpose.RATING)
    is_sided = names_sides(dimension)
    first = {
        (rater, item, image): _level(level, order, is_sided=is_sided)
        for rater, item, image, level, order in rated.values_list(*columns).iterator(chunk_size=5000)
    }
    pairs = [
        (rater, first[rater, item, image], _level(level, order, is_sided=is_sided))
        for rater, item, image, level, order in second
        if (rater, item, image) in first
    ]
    rater, one, two = np.array(pairs, np.int64).reshape(-1, 3).T
    return Repeats(rater, one, two)


def _level(level: int, order: str, *, is_sided: bool) -> int:
    return 1 - level if is_sided and level < 2 and order.startswith("1") else level


def _figure(estimate: Estimate) -> Figure:
    if np.isnan(estimate.value):
        return Figure("–", "", estimate.reason)
    interval = estimate.intervals[0] if estimate.intervals else None
    if interval is None or np.isnan(interval.low):
        return Figure(figure(estimate.value, digits=2), "", interval.reason if interval else "")
    return Figure(figure(estimate.value, digits=2), span(interval.low, interval.high), estimate.method)
