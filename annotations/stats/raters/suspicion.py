"""Which raters to look at first, and why: a score that is the sum of parts, each with its own explanation.

The score decides nothing. It ranks raters for a person to look at; annotations.stats.comparison.multiverse shows what
each exclusion would change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import Literal

import numpy as np

from annotations.stats.arrays import FloatArray

Suspicious = Literal["low", "high", "both"]
NOTICE, CERTAIN = 2.0, 5.0
"""Distances at which a part starts to count (0 points) and counts fully (1 point)."""
MIN_PANEL = 4
"""How many raters must have the figure before any of them can stand out."""


@dataclass(frozen=True, eq=False)
class Measure:
    """One figure of every rater, (n_raters,) each, to be compared with the panel."""

    name: str
    label: str
    value: FloatArray
    """NaN where it could not be judged."""
    error: FloatArray
    """Its standard error: a rater with few ratings must be further off to stand out."""
    suspicious: Suspicious
    scale: str = ".2f"
    distance: FloatArray | None = None
    """Where given, used as it is in place of the distance from the panel (for figures with a model of their own)."""
    expected: FloatArray | None = None
    """What the model expects; goes with `distance`."""


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a rater's score."""

    name: str
    value: float
    usual: float
    """The panel's median, or what the model expects."""
    distance: float
    """In standard distances towards suspicion; negative is on the safe side. NaN if it could not be judged."""
    points: float
    """0 to 1: (distance − 2) / 3, cut at both ends; 0 where it could not be judged."""
    label: str
    scale: str

    @property
    def words(self) -> str:
        if isnan(self.distance):
            return f"{self.label}: could not be judged (+0.00)"
        value, usual = (format(each, self.scale).replace("-", "−") for each in (self.value, self.usual))
        verdict = f"{self.distance:.1f} standard distances off" if self.points > 0 else "within the usual"
        return f"{self.label} {value}, usual {usual}: {verdict} (+{self.points:.2f})"


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A rater's score, 0 to the number of components judged, with everything that went into it."""

    score: float
    """Sum of the components' points; NaN where none could be judged."""
    components: tuple[Component, ...]
    n_judged: int

    @property
    def words(self) -> str:
        """The parts that count, largest first, in one line."""
        if not self.n_judged:
            return "nothing to judge by"
        counting = sorted((each for each in self.components if each.points > 0), key=lambda each: -each.points)
        if not counting:
            return f"nothing unusual in {self.n_judged} {'component' if self.n_judged == 1 else 'components'}"
        return f"{self.score:.2f}: " + "; ".join(each.words for each in counting)


def suspicions(measures: Sequence[Measure], *, n_raters: int) -> tuple[Suspicion, ...]:
    """The score of every rater.

    Distance of a figure = (figure − panel median) / √(spread² + error²) towards the suspicious side, with spread 1.4826
    · median absolute deviation of the panel (Rousseeuw & Croux 1993): what is usual is learnt from the raters in the
    data. If most of a panel is careless, carelessness is usual; gold units are the remedy.
    Weights are equal and the components are not independent: the score gives an order and is not a probability.
    """
    columns = [_against_panel(measure) for measure in measures]
    judged = sum((~np.isnan(distance)).astype(int) for _, distance, _ in columns)
    rows = []
    for rater in range(n_raters):
        parts = tuple(
            Component(
                measure.name,
                float(measure.value[rater]),
                float(usual[rater]),
                float(distance[rater]),
                float(points[rater]),
                measure.label,
                measure.scale,
            )
            for measure, (usual, distance, points) in zip(measures, columns, strict=True)
        )
        n_judged = int(np.broadcast_to(judged, n_raters)[rater])
        rows.append(Suspicion(sum(part.points for part in parts) if n_judged else np.nan, parts, n_judged))
    return tuple(rows)


def _against_panel(measure: Measure) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Usual value, distance towards suspicion and points of each rater."""
    if measure.distance is not None:
        distance = measure.distance
        usual = np.full(len(distance), np.nan) if measure.expected is None else measure.expected
    else:
        known = measure.value[~np.isnan(measure.value)]
        usual, distance = np.full(len(measure.value), np.nan), np.full(len(measure.value), np.nan)
        if len(known) >= MIN_PANEL:
            centre = float(np.median(known))
            spread = 1.4826 * float(np.median(np.abs(known - centre)))
            usual[:] = centre
            error = np.where(np.isnan(measure.error), 0.0, measure.error)
            distance = (measure.value - centre) / np.maximum(np.hypot(spread, error), 1e-9)
            distance = {"low": -distance, "high": distance, "both": np.abs(distance)}[measure.suspicious]
    points = np.clip((distance - NOTICE) / (CERTAIN - NOTICE), 0.0, 1.0)
    return usual, distance, np.where(np.isnan(points), 0.0, points)
