"""The human ceiling: how well one rater follows the others, by the same figures as a metric.

Each rater in turn is treated as a metric and compared with the exact mean of the *other* raters of the same units; the
figures are averaged over raters. A metric that reaches the ceiling predicts people as well as one more rater would. A
rater is compared with one rater fewer than a metric is, so the ceiling is slightly too low.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import nan, sqrt

import numpy as np
from numpy.typing import NDArray

from annotations.stats.arrays import distinct
from annotations.stats.estimate import Estimate, Interval, seed_of
from annotations.stats.exact_means import exact_levels, means_of_sums, unit_means
from annotations.stats.intervals.on_scale import interval_on_scale
from annotations.stats.metrics.correlation import CONVENTIONS, GROUPED, Paired, scale_of
from annotations.stats.metrics.influence import Linearised
from annotations.stats.metrics.method_level import (
    STATISTICS,
    MethodScores,
    method_level_interval,
    resampling_blocks,
    resampling_weights,
)
from annotations.stats.metrics.prompt_intervals import Clusters
from annotations.stats.ratings import Ratings

_WORDS = "one rater against the mean of the others on the same units, averaged over raters"
_MIN_UNITS = 3


@dataclass
class _Average:
    """Values of raters that have one, and each prompt's influence on their sum."""

    values: list[float]
    influence: NDArray[np.float64]

    def add(self, value: float, influence: NDArray[np.float64]) -> None:
        if not np.isnan(value):
            self.values.append(value)
            self.influence += influence


def human_ceiling(
    human: Ratings,
    *,
    prompt: NDArray[np.int64] | None = None,
    method: NDArray[np.int64] | None = None,
    rng: np.random.Generator,
    n_resamples: int = 1000,
    level: float = 0.95,
) -> tuple[Estimate, ...]:
    """The figures of `correlate` for one rater against the rest, averaged over raters.

    prompt, method (n_units,) int codes or None. A rater counts if they share at least 3 units with others and their
    figure is defined; n has the "raters" that count and "raters_undefined". Intervals are over prompts (units without
    prompts): infinitesimal jackknife of the average, at method level the bootstrap. The intervals hold for these raters
    only. NaN with a reason if no rater has a value.
    """
    prompts = Clusters.of(prompt, human.n_units)
    groups = np.arange(human.n_units) if prompt is None else prompts.code
    averages = {name: _Average([], np.zeros(prompts.n_clusters)) for name in _names(prompt is not None)}
    blocks = resampling_blocks(prompts, rng) if method is not None else prompts
    tables: list[MethodScores] = []
    used_units = np.zeros(human.n_units, dtype=bool)
    n_shared = 0
    for units, data in _one_against_rest(human, prompt, method):
        n_shared += 1
        used_units[units] = True
        for name, statistic in data.linearised().items():
            if not np.isnan(statistic.value):
                averages[name].add(statistic.value, prompts.at_units(units, statistic.influence))
        own = distinct(groups[units])
        for name, values in data.within_prompts.items():
            mean, influence = _mean_and_influence(values)
            spread = np.zeros(prompts.n_clusters)
            spread[own] = influence
            averages[f"{name}_grouped_by_prompt"].add(mean, spread)
        if method is not None:
            pooled = Clusters(blocks.code[units], blocks.n_clusters, blocks.covers)
            scores = data.by_method(pooled)
            if scores is not None:
                tables.append(scores)
    n, g = {"units": int(used_units.sum())}, len(distinct(groups[used_units]))
    if prompt is not None:
        n["prompts"] = g
    found = [
        _estimate(name, average, n, n_shared, human.n_raters, g, prompts.covers, rng, level)
        for name, average in averages.items()
    ]
    if method is not None:
        weights = resampling_weights(blocks.n_clusters, n_resamples, rng) if blocks.n_clusters >= 2 else None
        found += _method_level(tables, weights, blocks, n, human.n_raters, rng, level)
    return tuple(found)


def reliability_of_means(human: Ratings, units: NDArray[np.int64]) -> Linearised:
    """The reliability of the mean ratings of `units` (n,): 1 − their error variance over their variance.

    If the same raters rated all of these units, their severities shift all means alike, and the error is that of
    consistency: the value is ICC(C,k). Otherwise differences between raters are part of the error: σ² within units
    times the mean of 1/(ratings of the unit), which is ICC(1,k) for equally many. Influences are the units'
    (infinitesimal jackknife). Undefined where no unit has two ratings, or the means do not vary more than their error.
    """
    narrowed = human.only_units(units)
    n, per_unit = len(units), narrowed.per_unit.astype(float)
    value = narrowed.values[narrowed.level]
    present = narrowed.per_rater > 0
    k = int(present.sum())
    is_complete = n > 1 and k > 1 and bool((per_unit == k).all())
    if is_complete:
        of_rater = np.bincount(narrowed.rater, value, minlength=narrowed.n_raters) / np.maximum(narrowed.per_rater, 1)
        value = value - of_rater[narrowed.rater]
    mean = np.bincount(narrowed.unit, value, minlength=n) / np.maximum(per_unit, 1)
    square = np.bincount(narrowed.unit, (value - mean[narrowed.unit]) ** 2, minlength=n)
    freedom = np.full(n, (n - 1) * (k - 1) / n) if is_complete else np.maximum(per_unit - 1, 0)
    if n < 3 or not freedom.sum() > 0:
        return Linearised.undefined("no unit has two ratings")
    one = float(square.sum() / freedom.sum())
    shares = 1 / np.maximum(per_unit, 1)
    share, centred = float(shares.mean()), mean - mean.mean()
    spread = float(centred @ centred) / (n - 1)
    if not spread > one * share:
        return Linearised.undefined("the units' means do not vary more than their noise")
    of_one = (square - one * freedom) / freedom.sum()
    of_spread = (centred**2 - spread * (n - 1) / n) / (n - 1)
    influence = -(of_one * share + one * (shares - share) / n) / spread + one * share * of_spread / spread**2
    return Linearised(1 - one * share / spread, influence)


def corrected_for_noise(statistic: Linearised, reliability: Linearised) -> Linearised:
    """A correlation with people's means over the square root of their reliability (Spearman 1904); may exceed 1."""
    if reason := statistic.reason or reliability.reason:
        return Linearised.undefined(reason)
    root = sqrt(reliability.value)
    pull = statistic.value / (2 * root**3)
    return Linearised(statistic.value / root, statistic.influence / root - pull * reliability.influence)


def agreement_classes(human: Ratings) -> NDArray[np.object_]:
    """(n_units,) how far people agree on each unit: “unanimous”, “within 1 level”, “further apart”; "" for one rating.

    Near are levels up to a tenth of the scale apart, at least one: on a slider from 0 to 100 “within 10 levels”.
    """
    lowest = np.full(human.n_units, human.n_levels, np.int64)
    highest = np.full(human.n_units, -1, np.int64)
    np.minimum.at(lowest, human.unit, human.level)
    np.maximum.at(highest, human.unit, human.level)
    near = max(1, (human.n_levels - 1) // 10)
    apart = highest - lowest
    names = np.array(["", "unanimous", f"within {near} level{'s' if near > 1 else ''}", "further apart"], dtype=object)
    code = np.where(human.per_unit < 2, 0, np.where(apart == 0, 1, np.where(apart <= near, 2, 3)))
    found: NDArray[np.object_] = names[code]
    return found


def _one_against_rest(
    human: Ratings, prompt: NDArray[np.int64] | None, method: NDArray[np.int64] | None
) -> Iterator[tuple[NDArray[np.int64], Paired]]:
    """For each rater with enough shared units: those units, and the rater's answers paired with the others' means."""
    numerators, denominator = exact_levels(human)
    means = unit_means(human)
    order = np.argsort(human.rater, kind="stable")
    bounds = np.searchsorted(human.rater[order], np.arange(human.n_raters + 1)).tolist()
    for start, stop in pairwise(bounds):
        mine = order[start:stop]
        mine = mine[means.n[human.unit[mine]] >= 2]
        if len(mine) < _MIN_UNITS:
            continue
        units, levels = human.unit[mine], human.level[mine]
        rest = means_of_sums(means.sum[units] - numerators[levels], means.n[units] - 1, denominator)
        yield (
            units,
            Paired.of(
                rest,
                human.values[levels],
                None if prompt is None else np.asarray(prompt)[units],
                None if method is None else np.asarray(method)[units],
            ),
        )


def _mean_and_influence(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    defined = np.isfinite(values)
    count = int(defined.sum())
    if count == 0:
        return nan, np.zeros(len(values))
    mean = float(values[defined].mean())
    return mean, np.where(defined, values - mean, 0.0) / count


def _names(by_prompt: bool) -> list[str]:
    return [*CONVENTIONS, *(f"{name}_grouped_by_prompt" for name in GROUPED if by_prompt)]


def _estimate(
    name: str,
    average: _Average,
    n: dict[str, int],
    n_shared: int,
    n_raters: int,
    g: int,
    covers: str,
    rng: np.random.Generator,
    level: float,
) -> Estimate:
    words = f"{CONVENTIONS[name.removesuffix('_grouped_by_prompt')]}; {_WORDS}"
    if name.endswith("_grouped_by_prompt"):
        words += "; within each prompt, averaged over the prompts that have one"
    counts = {**n, "raters": len(average.values), "raters_undefined": int(n_raters) - len(average.values)}
    if not average.values:
        return Estimate.undefined(name, words, _why_none(n_shared), counts, seed_of(rng))
    value = float(np.mean(average.values))
    scale = scale_of(name)
    how = f"infinitesimal jackknife over {covers}, {scale}, Student's t"
    if g < 2:
        interval = Interval.undefined(covers, how, f"needs two or more {covers}", level)
    else:
        influence = average.influence / len(average.values)
        error = sqrt(g / (g - 1) * float(influence @ influence))
        interval = interval_on_scale(value, error, g - 1, covers=covers, method=how, scale=scale, level=level)
    return Estimate(name, value, words, counts, (interval,), seed_of(rng))


def _method_level(
    tables: list[MethodScores],
    weights: NDArray[np.float64] | None,
    blocks: Clusters,
    n: dict[str, int],
    n_raters: int,
    rng: np.random.Generator,
    level: float,
) -> list[Estimate]:
    by_rater = [table.values() for table in tables]
    draws = [table.draws(weights) for table in tables] if weights is not None else []
    n_methods = max((table.n_methods for table in tables), default=0)
    found = []
    for name in STATISTICS:
        values = np.array([values[name] for values in by_rater])
        defined = np.isfinite(values)
        words = f"{CONVENTIONS[name]}; over the methods' mean scores; {_WORDS}"
        counts = {**n, "methods": n_methods, "raters": int(defined.sum())}
        counts["raters_undefined"] = int(n_raters) - counts["raters"]
        full = f"{name}_method_level"
        if not defined.any():
            found.append(Estimate.undefined(full, words, _why_none(len(tables)), counts, seed_of(rng)))
            continue
        total = np.zeros(len(weights) if weights is not None else 0)
        for draw, use in zip(draws, defined, strict=False):
            total = total + draw[name] if use else total
        value = float(values[defined].mean())
        interval = method_level_interval(name, value, total / counts["raters"], blocks, n_methods, level=level)
        found.append(Estimate(full, value, words, counts, (interval,), seed_of(rng)))
    return found


def _why_none(n_shared: int) -> str:
    if n_shared == 0:
        return f"no rater shares {_MIN_UNITS} or more units with another rater"
    return "no rater's figure is defined: scores do not vary, or there are too few units"
