"""Agreement in a running study as answers arrive, with its interval; cached for a while, so that viewing it is
cheap."""

from dataclasses import dataclass
from math import isnan

import numpy as np
from django.core.cache import cache
from django.db.models import Max
from django.db.models.functions import Coalesce

from annotations.kinds.registry import kind_of
from annotations.models import Dimension, ItemImage, Study
from annotations.queries.results import is_turned
from annotations.queries.studies import current_responses
from annotations.questions import names_sides
from annotations.stats.agreement.alpha import Metric, krippendorff_alpha
from annotations.stats.ratings import Ratings

MOST_ANSWERS = 20_000
"""With more answers than this, agreement is left to the report: a page that reloads itself repeatedly must stay
cheap."""
FEWEST_ANSWERS = 10
POINTS = 8
KEPT_SECONDS = 600


@dataclass(frozen=True)
class Agreement:
    """Krippendorff's alpha after the first n answers, with its 95% interval over raters; None where undefined."""

    n: int
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Growth:
    """Agreement on one question at several times, the last with all answers.

    is_large    it was not calculated
    is_ordering the question asks for rankings or for best and worst, of which no agreement is calculated here
    has_few     there are fewer than FEWEST_ANSWERS answers
    metric      empty for questions whose answers have no alpha
    """

    question: str
    metric: str
    points: tuple[Agreement, ...]
    is_large: bool = False
    is_ordering: bool = False
    has_few: bool = False

    @property
    def last(self) -> Agreement | None:
        return self.points[-1] if self.points else None


def growth(study: Study, dimension: Dimension) -> Growth:
    """Agreement on one question. Calculated again only if its answers have changed; kept in the process's cache."""
    measured = kind_of(dimension).measured_as
    metric: Metric | None = None if measured == "ranking" else measured
    rows = current_responses([dimension]).filter(level__isnull=False)
    n = rows[: MOST_ANSWERS + 1].count()
    if metric is None or n < FEWEST_ANSWERS:
        is_ordering, has_few = dimension.is_ordering, metric is not None
        return Growth(dimension.question, metric or "", (), is_ordering=is_ordering, has_few=has_few)
    if n > MOST_ANSWERS:
        return Growth(dimension.question, metric, (), is_large=True)
    newest = rows.aggregate(last=Max("pk"))["last"]
    key = f"growth-{dimension.pk}-{n}-{newest}"
    found: Growth | None = cache.get(key)
    if found is None:
        found = Growth(dimension.question, metric, _points(dimension, metric))
        cache.set(key, found, KEPT_SECONDS)
    return found


def _points(dimension: Dimension, metric: Metric) -> tuple[Agreement, ...]:
    answers = current_responses([dimension]).filter(level__isnull=False).annotate(turned=is_turned()).order_by("pk")
    fields = answers.values_list(
        "assignment__item_id", Coalesce("image_id", 0), "assignment__rater_id", "level", "turned"
    )
    table = np.array(list(fields[:MOST_ANSWERS]), np.int64).reshape(-1, 5)
    unit = np.unique(table[:, :2], axis=0, return_inverse=True)[1].reshape(-1)
    rater = np.unique(table[:, 2], return_inverse=True)[1]
    level = table[:, 3]
    if names_sides(dimension):
        level = np.where((table[:, 4] == 1) & (level < 2), 1 - level, level)
    values = [float(value) for value in dimension.values]
    scale = values if values == sorted(set(values)) else [float(code) for code in range(len(values))]
    n = len(table)
    times = np.unique(np.linspace(max(FEWEST_ANSWERS, n / POINTS), n, POINTS).round().astype(int))
    exchanged = (0, 1) if names_sides(dimension) and metric == "nominal" and _has_many_methods(dimension) else None
    return tuple(_at(int(time), unit, rater, level, scale, metric, exchanged) for time in times)


def _has_many_methods(dimension: Dimension) -> bool:
    """Whether the first and the second image are of other methods in other items."""
    of_images = ItemImage.objects.filter(item__study=dimension.study_id)
    return of_images.values("image__method").distinct().count() > 2


def _at(
    n: int,
    unit: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    rater: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    level: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    scale: list[float],
    metric: Metric,
    exchanged: tuple[int, int] | None,
) -> Agreement:
    units, own_unit = np.unique(unit[:n], return_inverse=True)
    raters, own_rater = np.unique(rater[:n], return_inverse=True)
    ratings = Ratings(own_unit, own_rater, level[:n], np.array(scale), len(units), len(raters))
    rng = np.random.default_rng(0)
    estimate = krippendorff_alpha(ratings, metric, rng=rng, covers=("raters",), exchanged=exchanged)
    interval = next((one for one in estimate.intervals if one.covers == "raters" and one.is_defined), None)
    return Agreement(
        n,
        None if isnan(estimate.value) else estimate.value,
        interval.low if interval else None,
        interval.high if interval else None,
    )
