"""The table of differences between metrics: every pair, several statistics, Holm's correction, clusters."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import isnan, nan
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from annotations.stats.exact_means import UnitMeans
from annotations.stats.metrics.correlation import Paired
from annotations.stats.metrics.permutation import (
    CorrelationColumns,
    MetricDifference,
    clusters_of_metrics,
    correlation_columns,
    correlation_p,
    holm,
    mid_ranks,
    prompt_differences,
    prompt_p,
    williams_test,
)
from annotations.stats.metrics.prompt_intervals import Clusters
from annotations.stats.metrics.sign_flips import BLOCKS, block_sums, flipped_sums, random_signs

Exchange = Literal["prompts", "both"]

_WITHIN = ("spearman", "kendall_tau_b", "pairwise_accuracy")
_WILLIAMS = "Williams' t (n − 3), two-sided; takes units as independent and normal"


@dataclass(frozen=True, slots=True)
class MetricClusters:
    """Metrics that cannot be distinguished by one statistic, best group first; see `clusters_of_metrics`."""

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
    paired: Sequence[Paired] | None = None,
) -> tuple[MetricDifference, ...]:
    """Every pair of metrics on the units that both scored: pearson and spearman over all units, and with prompts
    spearman, kendall_tau_b and pairwise_accuracy within prompts; Williams' test of pearson next to it.

    scores (n_metrics, n_units), NaN for missing. Permutations exchange whole prompts (units without prompts), or with
    `exchange="both"` and methods prompts and methods (statistics within prompts: always whole prompts); more than 2,000
    prompts in as many random blocks. p is two-sided, (c + 1)/(k + 1); Holm's correction runs over the pairs of one
    statistic and test. `paired`: each metric's `Paired` where the caller has them already.
    """
    if paired is None:
        paired = Paired.of_each(human, scores, prompt, method, digits=digits)
    found: list[MetricDifference] = []
    classes = _same_units(scores)
    for members, partners in classes:
        if members is partners:
            chosen, data = members, [paired[one] for one in members]
        else:
            chosen = members + partners
            shared = ~np.isnan(scores[chosen]).any(axis=0)
            data = Paired.of_each(human, np.where(shared, scores[chosen], nan), prompt, method, digits=digits)
        wanted = [
            pair
            for pair in combinations(range(len(chosen)), 2)
            if members is partners or (pair[0] < len(members)) != (pair[1] < len(members))
        ]
        found += _compare(data, [metric_names[one] for one in chosen], wanted, exchange, rng, n_permutations)
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


def _compare(
    data: list[Paired],
    names: list[str],
    wanted: list[tuple[int, int]],
    exchange: Exchange,
    rng: np.random.Generator,
    n_permutations: int,
) -> list[MetricDifference]:
    """All tests of metrics that share their units; every statistic sees the same random signs."""
    first = data[0]
    both = exchange == "both" and first.method is not None and first.prompt is not None
    what = "prompts and methods (PERM-BOTH)" if both else first.clusters.covers
    in_blocks = f" in {BLOCKS} random blocks" if first.clusters.n_clusters > BLOCKS else ""
    words = f"permutation exchanging {what}{in_blocks}, {n_permutations}, two-sided"
    n = len(first.metric)
    if n < 2:
        reason = "fewer than two units have both metrics' scores"
        return [
            MetricDifference(names[a], names[b], name, nan, nan, words, n, reason=reason)
            for name in ("pearson", "spearman")
            for a, b in wanted
        ]
    method = first.method if both else None
    blocks = first.clusters.pooled(BLOCKS, rng)
    scores = np.stack([one.metric for one in data])
    over_units = {
        "pearson": correlation_columns(first.human_mean, scores, blocks, method),
        "spearman": correlation_columns(
            mid_ranks(first.human_key), np.stack([mid_ranks(row) for row in scores]), blocks, method
        ),
    }
    within: dict[str, NDArray[np.float64]] = {}
    if first.prompt is not None:
        for name in _WITHIN:
            within[name] = np.stack([one.within_prompts[name] for one in data])
    columns = [one.columns for one in over_units.values()]
    for values in within.values():
        columns.append(block_sums(prompt_differences(values), _block_of_prompt(first, blocks), blocks.n_clusters))
    signs = random_signs(blocks.n_clusters, n_permutations, rng)
    ends = np.cumsum([table.shape[1] for table in columns])[:-1].tolist()
    flipped = np.split(flipped_sums(np.concatenate(columns, axis=1), signs), ends, axis=1)
    found = []
    for (name, sums), mine in zip(over_units.items(), flipped, strict=False):
        difference, p = correlation_p(sums, mine, rng=rng)
        how = words + (", ranks taken before exchanging" if name == "spearman" else "")
        for a, b in wanted:
            reason = "" if np.isfinite(p[a, b]) else "a score does not vary"
            found.append(
                MetricDifference(
                    names[a], names[b], name, float(difference[a, b]), float(p[a, b]), how, n, reason=reason
                )
            )
    found += _williams(over_units["pearson"], names, wanted)
    position = {pair: index for index, pair in enumerate(combinations(range(len(data)), 2))}
    for (name, values), mine in zip(within.items(), flipped[len(over_units) :], strict=True):
        results = prompt_p(values, mine)
        how = f"permutation exchanging prompts{in_blocks}, {n_permutations}, two-sided"
        for a, b in wanted:
            value, p_value, count = results[position[a, b]]
            reason = "" if count else "no prompt has this statistic for both metrics"
            statistic = f"{name}_grouped_by_prompt"
            found.append(MetricDifference(names[a], names[b], statistic, value, p_value, how, count, reason=reason))
    return found


def _block_of_prompt(data: Paired, blocks: Clusters) -> NDArray[np.int64]:
    """(n_prompts,) the block of each prompt."""
    block = np.zeros(data.clusters.n_clusters, dtype=np.int64)
    block[data.clusters.code] = blocks.code
    return block


def _williams(data: CorrelationColumns, names: list[str], wanted: list[tuple[int, int]]) -> list[MetricDifference]:
    with_human = data.total[:, 0] / data.n
    between = data.standardised @ data.standardised.T / data.n
    found = []
    for a, b in wanted:
        r_a, r_b = float(with_human[a]), float(with_human[b])
        _, p = williams_test(r_a, r_b, float(between[a, b]), data.n)
        reason = "" if not isnan(p) else "needs more than three units and correlations below 1"
        found.append(MetricDifference(names[a], names[b], "pearson", r_a - r_b, p, _WILLIAMS, data.n, reason=reason))
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
