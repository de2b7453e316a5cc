"""How far a question's figures can be relied on: raters over time, fair averages, seeds, fragility.

As statistics, as parts of a question's document, and as tables.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotations.reports.documents.study import StudyDocument
from annotations.reports.documents.supporting import (
    AdjustedMethod,
    ReportedAdjusted,
    ReportedChange,
    ReportedFewest,
    ReportedSeeds,
    ReportedSupport,
)
from annotations.reports.estimates import ends, estimate, note_of, number
from annotations.reports.study.data import DimensionData
from annotations.stats.arrays import IntArray, distinct
from annotations.stats.comparison.adjusted import Adjusted, adjusted_means
from annotations.stats.comparison.fragility import MOST_COMBINATIONS, fewest_to_change
from annotations.stats.estimate import Estimate, Fewest
from annotations.stats.raters.drift import Drift, drift
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
    return Support(within, change, adjusted, seeds)


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


_MOST_NAMES = 50
_LONGEST_NAME = 80
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
FRAGILITY = ("dimension", "baseline", "refined", "kind", "fewest", "of", "is_exact", "names")
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
    )


def reported_fewest(found: Sequence[Fewest], names: Mapping[str, Sequence[str]]) -> tuple[ReportedFewest, ...]:
    """names: of prompts and raters, by kind and then code; for kinds that are missing, no names are given."""
    return tuple(
        ReportedFewest(
            kind=one.kind,
            n=one.n,
            of=one.of,
            names=tuple(_short(names[one.kind][code]) for code in one.codes[:_MOST_NAMES]) if one.kind in names else (),
            is_exact=one.is_exact,
        )
        for one in found
    )


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


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


def fragility_rows(document: StudyDocument) -> Iterator[Sequence[Any]]:
    for dimension in document.dimensions:
        for comparison in dimension.comparisons:
            for one in comparison.fewest:
                names = ", ".join(one.names)
                pair = (dimension.name, comparison.baseline, comparison.refined)
                yield (*pair, one.kind, one.n, one.of, one.is_exact, names)


def reliability_rows(document: StudyDocument) -> Iterator[Sequence[Any]]:
    """Agreement of raters with themselves, drift, and variances of seeds."""
    for dimension in document.dimensions:
        support = dimension.support or ReportedSupport()
        for one in support.within_raters:
            n = one.n.get("repeats")
            yield dimension.name, one.statistic, one.value, *ends(one, "raters"), None, n, note_of(one), one.method
        for change in support.drift:
            found = change.estimate
            head = (dimension.name, found.statistic, found.value, *ends(found, "raters"), change.p)
            yield (*head, found.n.get("raters"), note_of(found), found.method)
        if seeds := support.seeds:
            for name, value in seeds.components.items():
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
