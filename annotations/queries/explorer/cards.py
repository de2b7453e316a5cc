"""What the explorer shows about units: images and words from the database, figures from the report's columns."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np

from annotations.models import Assignment, Dimension, Item, ItemImage, Response, Study
from annotations.queries.audits.critic import counted_errors, critiques_on_trial
from annotations.queries.audits.ledger import entries
from annotations.queries.explorer.wall import Wall
from annotations.queries.studies import current_responses
from annotations.reports.explorer.units import places
from annotations.reports.numbers import figure
from generation.models import Claim, Critique, Image

MOST_LINES = 100
"""The most answers, comments and claims shown for one unit."""


@dataclass(frozen=True)
class Card:
    """One unit: its images by slot, the images that refine them or that they refine, and its figures.

    image    the key of the judged image; 0 for everything that the item shows
    counts   how often each level was given
    gap      of the wall's metric, −1 … 1; None without a score or a judgement
    claims   the critic's claims, each with its votes and their result
    """

    item: Item
    image: int
    row: int
    images: list[Image]
    parent: Image | None
    counts: list[int]
    n_unable: int
    mean: float | None
    distance: float | None
    change: float | None
    score: float | None
    gap: float | None
    n_claims: int
    n_wrong: int
    n_missed: int
    n_flags: int
    claims: list[Any] = field(default_factory=list)

    @property
    def n(self) -> int:
        return sum(self.counts)

    @property
    def mean_text(self) -> str:
        return figure(self.mean, digits=2)

    @property
    def score_text(self) -> str:
        return figure(self.score)

    @property
    def gap_points(self) -> int:
        """The gap in percentage points; 0 without one."""
        return round(100 * (self.gap or 0.0))

    @property
    def gap_points_below(self) -> int:
        return -self.gap_points

    @property
    def signed_change(self) -> str:
        return figure(self.change, signed=True, digits=2)

    @property
    def value(self) -> str:
        """The unit as forms and addresses name it."""
        return f"{self.item.pk}-{self.image}"


def cards(study: Study, wall: Wall, rows: Sequence[int]) -> list[Card]:
    """The units of these rows, in their order; six queries for any number of units."""
    keys = [(int(wall.column("item")[row]), int(wall.column("image")[row])) for row in rows]
    items = Item.objects.filter(study=study).select_related("prompt").in_bulk({item for item, _image in keys})
    shown: dict[int, list[Image]] = {}
    pictures = ItemImage.objects.filter(item__in=items).select_related("image__method", "image__parent__method")
    for place in pictures.order_by("item", "slot"):
        shown.setdefault(place.item_id, []).append(place.image)
    claims = _claims(study, {image.pk for images in shown.values() for image in images})
    metric = wall.chosen.metric
    found = []
    for row, (item, image) in zip(rows, keys, strict=True):
        if item not in items:
            continue
        own = [one for one in shown.get(item, []) if image in (0, one.pk)]
        found.append(
            Card(
                item=items[item],
                image=image,
                row=row,
                images=own,
                parent=own[0].parent if image and own else None,
                counts=wall.column("counts")[row].tolist(),
                n_unable=int(wall.column("unable")[row]),
                mean=_or_none(wall.column("mean")[row]),
                distance=_or_none(wall.column("distance")[row]),
                change=_or_none(wall.column("change")[row]),
                score=_or_none(wall.column(f"score:{metric}")[row]) if metric else None,
                gap=_or_none(wall.column(f"gap:{metric}")[row]) if metric else None,
                n_claims=int(wall.column("claims")[row]),
                n_wrong=int(wall.column("wrong")[row]),
                n_missed=int(wall.column("missed")[row]),
                n_flags=int(wall.column("flags")[row]),
                claims=[claim for one in own for claim in claims.get(one.pk, [])][:MOST_LINES],
            )
        )
    return found


def units_of_prompts(study: Study, prompts: Collection[int]) -> list[tuple[int, int]]:
    """(item, image) of everything that the study shows of these prompts, and (item, 0) of the items themselves."""
    rows = ItemImage.objects.filter(item__study=study, item__role=Item.Role.RATED, item__prompt__in=prompts).order_by(
        "item", "slot"
    )
    found = list(rows.values_list("item_id", "image_id"))
    return [*found, *dict.fromkeys((item, 0) for item, _image in found)]


@dataclass(frozen=True)
class MetricPlace:
    """A metric's score of a unit, and its rank among all units that have score and rating: 0 lowest, 1 highest.

    people is the rank of raters' judgement among the same units.
    """

    metric: str
    score: float
    place: float
    people: float

    @property
    def percent(self) -> int:
        return round(100 * self.place)

    @property
    def percent_of_people(self) -> int:
        return round(100 * self.people)


def metric_places(wall: Wall, row: int) -> list[MetricPlace]:
    """Every metric that scored this unit, those furthest from raters first."""
    found = []
    mean = wall.column("mean").astype(float)
    better = mean if wall.measure == "rating" else -mean
    for metric in wall.table.names["metrics"]:
        score = wall.column(f"score:{metric}").astype(float)
        both = np.isfinite(score) & np.isfinite(better)
        if both[row]:
            at = int(both[:row].sum())
            place, people = places(score[both])[at], places(better[both])[at]
            found.append(MetricPlace(metric, float(score[row]), float(place), float(people)))
    return sorted(found, key=lambda one: -abs(one.place - one.people))


def answers_about(study: Study, dimension: str, item: int, image: int) -> list[Response]:
    """The answers that count about one unit, with their raters, at most MOST_LINES."""
    asked = Dimension.objects.filter(study=study, name=dimension)
    rows = current_responses(asked, with_further=True).filter(assignment__item=item, assignment__item__study=study)
    if image:
        # An answer about one of several images names it; if the item has only one image, it need not.
        rows = rows.filter(image__in=[image]) if rows.filter(image=image).exists() else rows
    return list(rows.select_related("assignment__rater").order_by("level", "assignment__rater__name")[:MOST_LINES])


def comments_on(study: Study, item: int) -> list[Assignment]:
    """Raters' flags on an item, newest first."""
    rows = Assignment.objects.filter(study=study, item=item).exclude(flag="").select_related("rater")
    return list(rows.order_by("-pk")[:MOST_LINES])


def errors_missed(study: Study, images: Sequence[int]) -> list[Any]:
    """Errors that auditors listed and no claim named, of these images."""
    rows = counted_errors(study).filter(image__in=images, group__claims=None).select_related("auditor")
    return list(rows.order_by("pk")[:MOST_LINES])


def _claims(study: Study, images: set[int]) -> dict[int, list[Any]]:
    """A critic's claims about images, with votes, by image."""
    on_trial = critiques_on_trial(study).filter(image__in=images, source=Critique.Source.CRITIC)
    ids = list(Claim.objects.filter(critique__in=on_trial).values_list("pk", flat=True))
    found: dict[int, list[Any]] = {}
    if ids:
        for claim in entries(study, ids):
            found.setdefault(claim.critique.image_id, []).append(claim)
    return found


def _or_none(value: np.floating[Any]) -> float | None:
    """The number with the digits that it was stored with: older reports have columns of 32 bits."""
    return float(str(value)) if isfinite(value) else None
