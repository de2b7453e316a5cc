"""How much of the variance of ratings comes from images, raters and the rest (G study), and what more raters or tasks
would gain (D study).

Variance components by expected mean squares of balanced designs: Brennan (2001), Generalizability Theory, chapters 3
and 4. A negative component counts as 0 in everything computed from it, and is unchanged in `components`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from annotations.stats.arrays import FloatArray
from annotations.stats.intervals.two_way_components import two_way_components
from annotations.stats.ratings import Ratings


class BadDesign(ValueError):
    """Scores that are not a complete, balanced design; the message says what is missing."""


@dataclass(frozen=True)
class GStudy:
    """Variance components by name. "object" is what is measured: images, prompts, persons."""

    components: Mapping[str, float]
    n: Mapping[str, int]
    design: str

    @property
    def shares(self) -> dict[str, float]:
        """The components as shares of the variance of a single rating, negative ones as 0; NaN where nothing varies."""
        kept = {name: max(value, 0.0) for name, value in self.components.items()}
        total = sum(kept.values())
        return {name: value / total if total > 0 else float("nan") for name, value in kept.items()}


@dataclass(frozen=True)
class DStudy:
    """For the mean over this many conditions: relative (σ²δ) and absolute (σ²Δ) error variance, Eρ² and Φ.

    generalisability  Eρ², for ranking objects: σ²(object) / (σ²(object) + σ²δ)
    dependability     Φ, for their values: with σ²Δ, which also counts how severe raters and tasks are
    """

    n: Mapping[str, int]
    relative_error: float
    absolute_error: float
    generalisability: float
    dependability: float


def g_study_crossed(scores: FloatArray) -> GStudy:
    """object × rater: scores (n_objects, n_raters), every rater on every object, at least two of each."""
    scores = _complete(scores, 2)
    n, r = scores.shape
    grand = scores.mean()
    ms_object = r * float(((scores.mean(1) - grand) ** 2).sum()) / (n - 1)
    ms_rater = n * float(((scores.mean(0) - grand) ** 2).sum()) / (r - 1)
    rest = scores - scores.mean(1, keepdims=True) - scores.mean(0, keepdims=True) + grand
    ms_rest = float((rest**2).sum()) / ((n - 1) * (r - 1))
    components = {"object": (ms_object - ms_rest) / r, "rater": (ms_rater - ms_rest) / n, "residual": ms_rest}
    return GStudy(components, {"objects": n, "raters": r}, "object × rater")


def g_study_of_ratings(ratings: Ratings) -> GStudy:
    """unit × rater from ratings with gaps: Henderson's method I (1953), without gaps as `g_study_crossed`.

    "object" is the unit, "rater" the severity of raters, and "residual" everything else, their interaction included.
    Raises BadDesign where the ratings cannot separate them: one unit or one rater, or a rater for each unit.
    """
    found = two_way_components(ratings.values[ratings.level], ratings.unit, ratings.rater)
    if found is None:
        raise BadDesign(
            f"{len(ratings)} ratings of {ratings.n_units} units by {ratings.n_raters} raters cannot separate units, "
            "raters and the rest: several raters must rate several of the same units"
        )
    components = dict(zip(("object", "rater", "residual"), map(float, found), strict=True))
    return GStudy(components, {"objects": ratings.n_units, "raters": ratings.n_raters}, "object × rater, with gaps")


def g_study_nested(scores: FloatArray) -> GStudy:
    """object × (rater : task): scores (n_objects, n_tasks, n_raters), with different raters for every task.

    A task may be a question, a session or a seed. At least two of each.
    """
    scores = _complete(scores, 3)
    n, t, r = scores.shape
    grand = scores.mean()
    of_object, of_task, of_rater = scores.mean((1, 2)), scores.mean((0, 2)), scores.mean(0)
    of_both = scores.mean(2)
    ms_object = t * r * float(((of_object - grand) ** 2).sum()) / (n - 1)
    ms_task = n * r * float(((of_task - grand) ** 2).sum()) / (t - 1)
    ms_rater = n * float(((of_rater - of_task[:, None]) ** 2).sum()) / (t * (r - 1))
    crossed = of_both - of_object[:, None] - of_task[None] + grand
    ms_both = r * float((crossed**2).sum()) / ((n - 1) * (t - 1))
    rest = scores - of_both[:, :, None] - of_rater[None] + of_task[None, :, None]
    ms_rest = float((rest**2).sum()) / ((n - 1) * t * (r - 1))
    components = {
        "object": (ms_object - ms_both) / (t * r),
        "task": (ms_task - ms_both - ms_rater + ms_rest) / (n * r),
        "rater:task": (ms_rater - ms_rest) / n,
        "object×task": (ms_both - ms_rest) / r,
        "residual": ms_rest,
    }
    return GStudy(components, {"objects": n, "tasks": t, "raters": r}, "object × (rater : task)")


def d_study(study: GStudy, *, n_raters: int, n_tasks: int = 1) -> DStudy:
    """What a mean over n_raters (of each of n_tasks) would be worth. Raises ValueError for fewer than one."""
    if n_raters < 1 or n_tasks < 1:
        raise ValueError("n_raters and n_tasks must be at least 1")
    sigma = {name: max(value, 0.0) for name, value in study.components.items()}
    if "task" in sigma:
        relative = sigma["object×task"] / n_tasks + sigma["residual"] / (n_tasks * n_raters)
        absolute = relative + sigma["task"] / n_tasks + sigma["rater:task"] / (n_tasks * n_raters)
    else:
        relative = sigma["residual"] / n_raters
        absolute = relative + sigma["rater"] / n_raters
    universe = sigma["object"]
    n = {"raters": n_raters} | ({"tasks": n_tasks} if "task" in sigma else {})
    return DStudy(n, relative, absolute, _share(universe, relative), _share(universe, absolute))


def spearman_brown(reliability: float, k: float) -> float:
    """The reliability of a mean of k ratings from that of one, −1 < reliability ≤ 1 (Spearman 1910; Brown 1910)."""
    return k * reliability / (1 + (k - 1) * reliability)


def raters_for(reliability: float, wanted: float) -> int | None:
    """The fewest raters whose mean reaches the wanted reliability, from that of one rating; None if no number does."""
    if not 0 < reliability <= 1 or not 0 < wanted < 1:
        return None
    needed = wanted * (1 - reliability) / (reliability * (1 - wanted))
    return max(1, int(np.ceil(needed - 1e-9)))


def disattenuated(correlation: float, reliability: float, other: float = 1.0) -> float:
    """A correlation with people corrected for their noise: r / √(reliability of their mean × that of the other).

    Spearman (1904), Am. J. Psychol. 15:72. A metric without noise of its own has other = 1. It may exceed 1 by chance;
    NaN where a reliability is not above 0.
    """
    if not (reliability > 0 and other > 0):
        return float("nan")
    return float(correlation / np.sqrt(reliability * other))


def _complete(scores: FloatArray, dimensions: int) -> FloatArray:
    found = np.asarray(scores, float)
    if found.ndim != dimensions:
        raise BadDesign(f"scores have {found.ndim} dimensions; this design needs {dimensions}")
    if min(found.shape) < 2:
        raise BadDesign(f"scores have the shape {found.shape}; every facet needs at least two conditions")
    if not np.isfinite(found).all():
        raise BadDesign(f"{int((~np.isfinite(found)).sum())} scores are missing; leave out what is not complete")
    return found


def _share(universe: float, error: float) -> float:
    return float("nan") if universe + error <= 0 else universe / (universe + error)
