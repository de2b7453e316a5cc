"""The table of differences between metrics: every pair, several statistics, Holm's correction, clusters."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import isnan, nan
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from annotations.stats.correlation import Paired
from annotations.stats.exact_means import UnitMeans
from annotations.stats.linearised import Linearised, pearson
from annotations.stats.metric_tests import (
    MetricDifference,
    clusters_of_metrics,
    correlation_differences,
    holm,
    prompt_differences,
    williams_test,
)

Exchange = Literal["prompts", "both"]

_WITHIN = ("spearman", "kendall_tau_b", "pairwise_accuracy")
_WILLIAMS = "Williams' t (n − 3), two-sided; takes units as independent and normal"


@dataclass(frozen=True, slots=True)
class MetricClusters:
    """Metrics that cannot be told apart by one statistic, best group first; see `clusters_of_metrics`."""

    statistic: str
    groups: tuple[tuple[str, ...], ...]
    method: str


def metric_differences(
    human: UnitMeans,
    scores: NDArray[np.float64],
    *,
    metric_names: Sequence[str],
    prompt: NDArray[np.int64] | None = None,
    method: NDArray[np.int64] | None = None,
    rng: np.random.Generator,
    n_permutations: int = 1000,
    exchange: Exchange = "prompts",
    digits: int | None = None,
) -> tuple[MetricDifference, ...]:
    """Every pair of metrics on the units that both scored: pearson and spearman over all units, and with prompts
    spearman, kendall_tau_b and pairwise_accuracy within prompts; Williams' test of pearson beside it.

    scores (n_metrics, n_units), NaN for missing. Permutations exchange whole prompts (units without prompts), or with
    `exchange="both"` and methods prompts and methods (statistics within prompts: always whole prompts). p is two-sided,
    (c + 1)/(k + 1); Holm's correction runs over the pairs of one statistic and test.
    """
    found: list[MetricDifference] = []
    for members, partners in _same_units(scores):
        chosen = [*members, *(other for other in partners if other not in members)]
        shared = ~np.isnan(scores[chosen]).any(axis=0)
        data = [Paired.of(human, np.where(shared, scores[one], nan), prompt, method, digits=digits) for one in chosen]
        wanted = [
            (a, b)
            for a, b in combinations(range(len(chosen)), 2)
            if members == partners or (chosen[a] in members) != (chosen[b] in members)
        ]
        names = [metric_names[one] for one in chosen]
        found += _over_units(data, names, wanted, exchange, rng, n_permutations)
        found += _within_prompts(data, names, wanted, rng, n_permutations)
    return _with_holm(found, metric_names)


def clusters_by_statistic(
    values: dict[str, Sequence[float]],
    differences: Sequence[MetricDifference],
    metric_names: Sequence[str],
    *,
    alpha: float = 0.05,
) -> tuple[MetricClusters, ...]:
    """For every statistic with permutation tests: groups of metrics, best first, by Holm-adjusted p.

    values: each metric's figure by statistic, in the order of `metric_names`.
    """
    index = {name: position for position, name in enumerate(metric_names)}
    out = []
    for statistic in dict.fromkeys(one.statistic for one in differences):
        tests = [one for one in differences if one.statistic == statistic and one.method != _WILLIAMS]
        p = np.full((len(index), len(index)), nan)
        for one in tests:
            a, b = index[one.metric_a], index[one.metric_b]
            p[a, b] = p[b, a] = one.p_holm
        groups = clusters_of_metrics(values[statistic], p, alpha=alpha)
        words = f"greedy from the best; a metric opens a group where Holm-adjusted p < {alpha:g} with any of the last"
        out.append(MetricClusters(statistic, tuple(tuple(metric_names[m] for m in group) for group in groups), words))
    return tuple(out)


def _same_units(scores: NDArray[np.float64]) -> list[tuple[list[int], list[int]]]:
    """Metrics by the units they scored: each class with itself and with every other class."""
    classes: dict[bytes, list[int]] = {}
    for index, row in enumerate(scores):
        classes.setdefault(np.packbits(np.isnan(row)).tobytes(), []).append(index)
    groups = list(classes.values())
    return [(one, one) for one in groups if len(one) > 1] + list(combinations(groups, 2))


def _over_units(
    data: list[Paired],
    names: list[str],
    wanted: list[tuple[int, int]],
    exchange: Exchange,
    rng: np.random.Generator,
    n_permutations: int,
) -> list[MetricDifference]:
    first = data[0]
    both = exchange == "both" and first.method is not None and first.prompt is not None
    what = "prompts and methods (PERM-BOTH)" if both else first.clusters.covers
    words = f"permutation exchanging {what}, {n_permutations}, two-sided"
    scores = np.stack([one.metric for one in data])
    n = scores.shape[1]
    if n < 2:
        reason = "fewer than two units have both metrics' scores"
        return [
            MetricDifference(names[a], names[b], name, nan, nan, words, n, reason=reason)
            for name in ("pearson", "spearman")
            for a, b in wanted
        ]
    found = []
    for name, human in (("pearson", first.human_mean), ("spearman", first.human_key.astype(float))):
        difference, p = correlation_differences(
            human,
            scores,
            first.clusters,
            first.method if both else None,
            rng=rng,
            n_permutations=n_permutations,
            ranks=name == "spearman",
        )
        found += [
            MetricDifference(
                names[a],
                names[b],
                name,
                float(difference[a, b]),
                float(p[a, b]),
                words + (", ranks taken before exchanging" if name == "spearman" else ""),
                n,
                reason="" if np.isfinite(p[a, b]) else "a score does not vary",
            )
            for a, b in wanted
        ]
    with_human = [pearson(first.human_mean, row) for row in scores]
    return found + [_williams(names, a, b, with_human, scores, n) for a, b in wanted]


def _williams(
    names: list[str], a: int, b: int, with_human: list[Linearised], scores: NDArray[np.float64], n: int
) -> MetricDifference:
    r_a, r_b = with_human[a].value, with_human[b].value
    _, p = williams_test(r_a, r_b, pearson(scores[a], scores[b]).value, n)
    reason = "" if not isnan(p) else "needs more than three units and correlations below 1"
    return MetricDifference(names[a], names[b], "pearson", r_a - r_b, p, _WILLIAMS, n, reason=reason)


def _within_prompts(
    data: list[Paired],
    names: list[str],
    wanted: list[tuple[int, int]],
    rng: np.random.Generator,
    n_permutations: int,
) -> list[MetricDifference]:
    if data[0].prompt is None:
        return []
    words = f"permutation exchanging prompts, {n_permutations}, two-sided"
    found = []
    for name in _WITHIN:
        values = np.stack([one.within_prompts[name] for one in data])
        difference, p, n = prompt_differences(values, rng=rng, n_permutations=n_permutations)
        found += [
            MetricDifference(
                names[a],
                names[b],
                f"{name}_grouped_by_prompt",
                float(difference[a, b]),
                float(p[a, b]),
                words,
                int(n[a, b]),
                reason="" if np.isfinite(p[a, b]) else "no prompt has this statistic for both metrics",
            )
            for a, b in wanted
        ]
    return found


def _with_holm(found: list[MetricDifference], metric_names: Sequence[str]) -> tuple[MetricDifference, ...]:
    order = {name: position for position, name in enumerate(metric_names)}
    families: dict[tuple[str, bool], list[MetricDifference]] = {}
    for one in found:
        families.setdefault((one.statistic, one.method == _WILLIAMS), []).append(one)
    out: list[MetricDifference] = []
    for tests in families.values():
        adjusted = holm([one.p for one in tests])
        whole = [replace(one, p_holm=float(p)) for one, p in zip(tests, adjusted, strict=True)]
        out += sorted(whole, key=lambda one: (order[one.metric_a], order[one.metric_b]))
    return tuple(out)
