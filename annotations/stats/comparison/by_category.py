"""A comparison of two methods within every category of prompts, and a test of whether it differs between categories."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import nan

import numpy as np
from numpy.typing import NDArray

from annotations.stats.comparison.effects import t_interval
from annotations.stats.comparison.over_raters import NO_SPREAD, rater_spreads
from annotations.stats.comparison.paired import Cells, PairedDifferences, differences_of, paired_cells
from annotations.stats.comparison.paired_tests import paired_t_test
from annotations.stats.distributions import f_above
from annotations.stats.estimate import Estimate
from annotations.stats.intervals.equal_means import Interaction
from annotations.stats.intervals.several import holm
from annotations.stats.ratings import Ratings

_METHOD = "refined − baseline per prompt of the category, as in the comparison of all prompts"


@dataclass(frozen=True)
class CategoryEffect:
    """One category. mean_diff: with intervals over "prompts and raters", "prompts" and "raters".

    mean_baseline, mean_refined   means over prompts of the two sides, so that their difference is the mean difference
    p, p_holm    of no difference, over prompts and raters, or over prompts where there are too few raters (see
                 `p_covers`); Holm's correction over the categories of the facet
    win_rate     share of prompts on which refined is better, ties as halves
    """

    category: str
    n: int
    mean_baseline: float
    mean_refined: float
    mean_diff: Estimate
    wins: int
    ties: int
    losses: int
    p: float
    p_holm: float
    p_covers: str

    @property
    def win_rate(self) -> float:
        return (self.wins + self.ties / 2) / self.n if self.n else nan


def effects_by_category(
    ratings: Ratings,
    *,
    prompt: NDArray[np.integer],
    method: NDArray[np.integer],
    category: Sequence[str] | NDArray[np.object_],
    baseline: int,
    refined: int,
    level: float = 0.95,
) -> tuple[list[CategoryEffect], Interaction]:
    """category (n_units,): text of each unit, "" for none. In the order of the categories' names.

    Welch's F (1951, Biometrika 38:330) takes each category's prompts as a sample with a variance of its own.
    """
    texts = np.asarray(category, object)
    found, groups = [], []
    for name in sorted({str(text) for text in texts if text}):
        own = np.where(texts == name, np.asarray(prompt), -1)
        cells = paired_cells(ratings, prompt=own, method=method, baseline=baseline, refined=refined)
        paired = differences_of(ratings, cells)
        groups.append(paired.differences)
        found.append(_effect(name, ratings, cells, paired, level))
    adjusted = holm([one.p for one in found])
    corrected = [replace(one, p_holm=float(p)) for one, p in zip(found, adjusted, strict=True)]
    return corrected, welch([group for group in groups if len(group)])


def _effect(name: str, ratings: Ratings, cells: Cells, paired: PairedDifferences, level: float) -> CategoryEffect:
    differences = paired.differences
    raters = both = NO_SPREAD
    value, p, covers = nan, nan, ""
    intervals = []
    if len(paired):
        value = paired.mean
        raters, both = rater_spreads(ratings, cells, differences)
        student = paired_t_test(differences)
        span = float(ratings.values[-1] - ratings.values[0])
        intervals = [
            each.within(-span, span)
            for each in (
                both.interval(value, level),
                t_interval(value, student, level=level),
                raters.interval(value, level),
            )
        ]
        p, covers = (student.p, "prompts") if both.reason else (both.p(value), both.covers)
    sides = _sides(ratings, cells)
    reason = "" if len(paired) else "no prompt has rated images of both methods"
    estimate = Estimate("mean_diff", value, _METHOD, {"prompts": len(paired)}, tuple(intervals), reason=reason)
    counts = paired.wins, paired.ties, paired.losses
    return CategoryEffect(name, len(paired), *sides, estimate, *counts, p, nan, covers)


def _sides(ratings: Ratings, cells: Cells) -> tuple[float, float]:
    """The mean over prompts of each side: means over raters, then over images, then over prompts."""
    if not len(cells.prompts):
        return nan, nan
    n = np.bincount(ratings.unit, minlength=ratings.n_units)
    of_unit = np.bincount(ratings.unit, ratings.values[ratings.level], ratings.n_units) / np.maximum(n, 1)
    of_cell = np.bincount(cells.cell, of_unit[cells.unit], len(cells.images)) / cells.images
    return float(of_cell[0::2].mean()), float(of_cell[1::2].mean())


def welch(groups: Sequence[NDArray[np.float64]]) -> Interaction:
    """Welch's F of equal means of groups with variances of their own; each needs two values that differ.

    Equal mean differences in all categories, over prompts, for these raters.
    """
    k = len(groups)
    if k < 2:
        return Interaction.undefined("fewer than two categories have prompts of both methods")
    if any(len(group) < 2 or np.ptp(group) < 1e-12 for group in groups):
        return Interaction.undefined("a category has fewer than two prompts, or none of its prompts differs")
    n = np.array([len(group) for group in groups], float)
    weight = n / np.array([group.var(ddof=1) for group in groups])
    means = np.array([group.mean() for group in groups])
    share = weight / weight.sum()
    between = float(weight @ (means - share @ means) ** 2) / (k - 1)
    lost = float(((1 - share) ** 2 / (n - 1)).sum())
    f = between / (1 + 2 * (k - 2) / (k**2 - 1) * lost)
    below = (k**2 - 1) / (3 * lost)
    return Interaction(f, k - 1, below, float(f_above(f, k - 1, below)))
