"""How far a question's figures can be relied on: raters over time, fair averages, seeds, fragility.

As statistics, as parts of a question's document, and as tables.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from annotations.reports.documents.study import ReportedQuestion, StudyDocument
from annotations.reports.documents.supporting import (
    AdjustedMethod,
    ReportedAdjusted,
    ReportedChange,
    ReportedSeeds,
    ReportedSupport,
)
from annotations.reports.estimates import ends, estimate, interval_over, note_of, number
from annotations.reports.study.data import DimensionData
from annotations.stats.arrays import IntArray, distinct
from annotations.stats.comparison.adjusted import Adjusted, adjusted_means
from annotations.stats.comparison.fragility import MOST_COMBINATIONS, fewest_to_change
from annotations.stats.estimate import Estimate, Fewest
from annotations.stats.raters.drift import Drift, drift
from annotations.stats.raters.generalisability import BadDesign, GStudy, g_study_of_ratings, spearman_brown
from annotations.stats.raters.seeds import SeedStudy, over_seeds, seed_study
from annotations.stats.raters.within_rater import WithinRaters, within_raters

_MOST_WORK = 30_000_000
"""The most ratings in all the sets of raters that are left out, together."""


@dataclass(frozen=True)
class Support:
    """None where the data do not show it: no repeats, no order, no methods, no two images of a prompt."""

    within: WithinRaters | None = None
    drift: Drift | None = None
    adjusted: Adjusted | None = None
    seeds: SeedStudy | None = None
    spread: GStudy | None = None


@dataclass(frozen=True)
class Lead:
    """For one comparison: what decides which method leads, and its difference over other seeds if there are several."""

    fewest: Sequence[Fewest]
    over_seeds: Estimate | None


def support_of(data: DimensionData, prompt: IntArray, method: IntArray) -> Support:
    """prompt, method (n_units,) codes of the question's units, negative where unknown."""
    within = None
    if data.repeats is not None:
        within = within_raters(data.repeats, data.ratings.values, is_ordinal=data.is_ordinal)
    if not data.is_ordinal:
        return Support(within)
    change = None if data.order is None else drift(data.ratings, order=data.order, seconds=data.seconds)
    has_methods = len(np.unique(method[(method >= 0) & (prompt >= 0)])) > 1
    adjusted = adjusted_means(data.ratings, prompt=prompt, method=method) if has_methods else None
    seeds = seed_study(data.ratings, prompt=prompt, method=method) if _has_seeds(prompt, method) else None
    try:
        spread = g_study_of_ratings(data.ratings)
    except BadDesign:
        spread = None
    return Support(within, change, adjusted, seeds, spread)


def lead_of(data: DimensionData, prompt: IntArray, method: IntArray, pair: tuple[int, int]) -> Lead:
    """What the comparison of a pair of methods, (baseline, refined), depends on."""
    baseline, refined = pair
    fewest = fewest_to_change(
        data.ratings,
        prompt=prompt,
        method=method,
        baseline=baseline,
        refined=refined,
        most_combinations=min(MOST_COMBINATIONS, _MOST_WORK // max(len(data.ratings), 1)),
    )
    of_pair = np.where((method == baseline) | (method == refined), method, -1)
    seeds = None
    if _has_seeds(prompt, of_pair):
        seeds = over_seeds(data.ratings, prompt=prompt, method=method, baseline=baseline, refined=refined)
    return Lead(fewest, seeds)


def _has_seeds(prompt: IntArray, method: IntArray) -> bool:
    """Whether a prompt has two images of a method."""
    used = (prompt >= 0) & (method >= 0)
    cell = prompt[used] * (int(method.max(initial=0)) + 1) + method[used]
    return len(distinct(cell)) < len(cell)


@dataclass(frozen=True)
class MeanReliability:
    """Of the mean of k raters, with its interval over `covers`; words: from which coefficient."""

    k: int
    value: float
    low: float | None
    high: float | None
    covers: str
    words: str


_MOST_DRAWN = 40


def reliability_of_means(dimension: ReportedQuestion) -> list[MeanReliability]:
    """The reliability of means of 1, 2, … raters by Spearman and Brown's formula, from that of one rating.

    From ICC(A,1) if all raters rated all items, so that it is Φ of a D study; otherwise from ICC(1,1), for which every
    item has raters of its own. Empty where that is not defined or not above 0: then no number of raters is enough.
    """
    found = {one.statistic: one for one in dimension.agreement}
    one, words = found.get("icc_a_1"), "ICC(A,k), all raters on all items"
    if one is None or one.value is None or one.n.get("complete_units") != dimension.n_units:
        one, words = found.get("icc_1_1_unbalanced"), "ICC(1,k), other raters for each item"
    if one is None or one.value is None or one.value <= 0:
        return []
    over = next((each for each in map(partial(interval_over, one), ("units and raters", "units")) if each), None)
    low, high = (over.bounds or (None, None)) if over else (None, None)
    most = min(max(10, 2 * round(dimension.n_ratings / max(dimension.n_units, 1))), _MOST_DRAWN)
    return [
        MeanReliability(
            k,
            spearman_brown(one.value, k),
            None if low is None else _stepped_up(low, k),
            None if high is None else spearman_brown(high, k),
            over.covers.replace("units", "items") if over and low is not None else "",
            words,
        )
        for k in range(1, most + 1)
    ]


def _stepped_up(low: float, k: int) -> float:
    """Of a lower end, which may be below what the formula takes; at least −1, as the ICCs of means in the table."""
    return -1.0 if 1 + (k - 1) * low <= 0 else max(spearman_brown(low, k), -1.0)


_SPREAD = "G study, item × rater, Henderson's method I (1953); negative components as 0"
LEVELS = ("dimension", "method", "value", "label", "n", "share")
ADJUSTED = (
    "dimension",
    "method",
    "adjusted_mean",
    "low",
    "high",
    "raw_mean",
    "prompts_low",
    "prompts_high",
    "raters_low",
    "raters_high",
    "n_ratings",
    "note",
)
GAINS = ("dimension", "baseline", "refined", "n_prompts", "n_raters", "raters_per_prompt", "n_ratings", "half_width")
RELIABILITY = ("dimension", "statistic", "value", "low", "high", "p", "n", "note", "method")


def reported_support(found: Support, methods: Sequence[str]) -> ReportedSupport:
    adjusted, seeds = found.adjusted, found.seeds
    return ReportedSupport(
        within_raters=tuple(estimate(one) for one in found.within.estimates) if found.within else (),
        drift=tuple(
            ReportedChange(estimate=estimate(one), p=number(found.drift.p[one.statistic]))
            for one in found.drift.estimates
        )
        if found.drift
        else (),
        adjusted=ReportedAdjusted(
            methods=tuple(
                AdjustedMethod(method=methods[one.method], mean=estimate(one.mean), raw=number(float(one.raw)))
                for one in adjusted.methods
            ),
            reason=adjusted.reason,
        )
        if adjusted
        else None,
        seeds=ReportedSeeds(
            components={name: number(value) for name, value in seeds.components.items()},
            n=dict(seeds.n),
            reason=seeds.reason,
        )
        if seeds
        else None,
        spread={name: number(value) for name, value in found.spread.shares.items()} if found.spread else {},
    )


def level_rows(document: StudyDocument) -> Iterator[Sequence[Any]]:
    """How often each method was given each level; `share` is the share of the method's ratings."""
    for dimension in document.dimensions:
        labels = dimension.labels or [""] * len(dimension.values)
        for mean in dimension.means:
            total = sum(mean.histogram)
            for value, label, n in zip(dimension.values, labels, mean.histogram, strict=False):
                yield dimension.name, mean.method, value, label, n, n / total if total else None


def adjusted_rows(document: StudyDocument) -> Iterator[Sequence[Any]]:
    for dimension in document.dimensions:
        adjusted = dimension.support.adjusted if dimension.support else None
        for one in adjusted.methods if adjusted else ():
            both, prompts, raters = (ends(one.mean, each) for each in ("prompts and raters", "prompts", "raters"))
            head = (dimension.name, one.method, one.mean.value, *both, one.raw)
            yield (*head, *prompts, *raters, one.mean.n.get("ratings"), note_of(one.mean))


def gain_rows(document: StudyDocument) -> Iterator[Sequence[Any]]:
    """The expected half width of a comparison's interval over prompts and raters by the size of the study, that of this
    study first."""
    for dimension in document.dimensions:
        for one in dimension.comparisons:
            for plan in one.gains:
                size = (plan.n_prompts, plan.n_raters, plan.raters_per_prompt, plan.n_ratings, plan.half_width)
                yield (dimension.name, one.baseline, one.refined, *size)


def reliability_rows(document: StudyDocument) -> Iterator[Sequence[Any]]:
    """Agreement of raters with themselves, drift, reliability of means of more raters, and variances of seeds."""
    for dimension in document.dimensions:
        support = dimension.support or ReportedSupport()
        for one in support.within_raters:
            n = one.n.get("repeats")
            yield dimension.name, one.statistic, one.value, *ends(one, "raters"), None, n, note_of(one), one.method
        for change in support.drift:
            found = change.estimate
            head = (dimension.name, found.statistic, found.value, *ends(found, "raters"), change.p)
            yield (*head, found.n.get("raters"), note_of(found), found.method)
        for name, called in (("object", "item"), ("rater", "rater"), ("residual", "rest")):
            if name not in support.spread:
                continue
            value = support.spread[name]
            n = dimension.n_ratings
            yield dimension.name, f"share_of_variance_{called}", value, None, None, None, n, "", _SPREAD
        for mean in reliability_of_means(dimension):
            covers = f", interval over {mean.covers}" if mean.covers else ""
            of_k = (dimension.name, f"reliability_of_mean_of_{mean.k}", mean.value, mean.low, mean.high)
            yield (*of_k, None, dimension.n_ratings, "", f"Spearman–Brown, {mean.words}{covers}")
        if seeds := support.seeds:
            for name, value in seeds.in_order():
                n = seeds.n.get("ratings")
                yield (
                    dimension.name,
                    f"variance_{name.replace(' × ', '_')}",
                    value,
                    None,
                    None,
                    None,
                    n,
                    seeds.reason,
                    "",
                )
