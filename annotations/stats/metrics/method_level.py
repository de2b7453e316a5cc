"""Methods (image generators, rewriting recipes) compared by their mean scores: a few points, whose uncertainty comes
from prompts.

A method's score is the mean over its units that have both a human and a metric score, a unit's human score being the
mean over its raters. Means are settled to 12 significant digits before they are ranked, so that equal means tie.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import atanh, nan, sqrt, tanh

import numpy as np
from numpy.typing import NDArray

from annotations.stats.distributions import t_quantile
from annotations.stats.estimate import Interval
from annotations.stats.intervals.cluster_bootstrap import percentile_interval, resampled_counts
from annotations.stats.metrics.pair_counts import settle
from annotations.stats.metrics.prompt_intervals import Clusters
from annotations.stats.metrics.sign_flips import BLOCKS, all_signs, block_sums, flipped_sums, random_signs
from annotations.stats.metrics.within_prompts import divided

SOFT_METHOD = (
    "1 − mean |p_human − p_metric| over pairs of methods (Thompson et al. 2024), p by flipping the signs of prompts' "
    "differences, with mid-p so that it does not depend on the methods' order"
)
_SAME = 1e-9

STATISTICS = ("pearson", "spearman", "kendall_tau_b", "pairwise_accuracy")

_BLOCKS = 1000
"""More prompts than this are pooled at random into this many blocks of one size, and the blocks resampled: sums over
independent prompts have the same sampling variance either way, at a fraction of the draws."""


def resampling_blocks(prompts: Clusters, rng: np.random.Generator) -> Clusters:
    """The prompts themselves, or, where they are very many, random blocks of them."""
    return prompts.pooled(_BLOCKS, rng)


def resampling_weights(n_clusters: int, n_resamples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(n_resamples, n_clusters) how often each cluster is drawn."""
    drawn = resampled_counts(np.ones(n_clusters, dtype=np.int64), n_resamples, rng)
    return np.concatenate([chunk.astype(float) for chunk in drawn])


@dataclass(frozen=True, slots=True)
class MethodScores:
    """Sums for each prompt and method of one metric's units, (n_prompts, n_methods) each."""

    human: NDArray[np.float64]
    metric: NDArray[np.float64]
    units: NDArray[np.float64]
    covers: str

    @classmethod
    def of(
        cls,
        human: NDArray[np.float64],
        metric: NDArray[np.float64],
        method: NDArray[np.int64],
        n_methods: int,
        clusters: Clusters,
    ) -> "MethodScores":
        """human, metric, method (n,): units with both scores; methods without units are left out, and so are units
        whose method is unknown (−1)."""
        known = method >= 0
        human, metric, cell = human[known], metric[known], (clusters.code * n_methods + method)[known]
        shape = (clusters.n_clusters, n_methods)
        human_sum, metric_sum, units = (
            np.bincount(cell, weights=w, minlength=shape[0] * shape[1]).astype(float).reshape(shape)
            for w in (human, metric, np.ones(len(human)))
        )
        used = units.sum(axis=0) > 0
        return cls(human_sum[:, used], metric_sum[:, used], units[:, used], clusters.covers)

    @property
    def n_methods(self) -> int:
        return self.units.shape[1]

    def means(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The methods' mean human and metric scores, (n_methods,) each."""
        total = self.units.sum(axis=0)
        return settle(self.human.sum(axis=0) / total), settle(self.metric.sum(axis=0) / total)

    def values(self) -> dict[str, float]:
        """STATISTICS over the methods' means; NaN where undefined (fewer than two methods, or no variation)."""
        human, metric = self.means()
        return {name: float(draw[0]) for name, draw in over_methods(human[None], metric[None]).items()}

    def draws(self, weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """STATISTICS in each resample; weights (n_resamples, n_prompts) from `resampling_weights`."""
        sums = weights @ np.concatenate((self.units, self.human, self.metric), axis=1)
        total, human, metric = np.split(sums, 3, axis=1)
        return over_methods(settle(divided(human, total)), settle(divided(metric, total)))


def method_level_interval(
    statistic: str,
    value: float,
    draws: NDArray[np.float64],
    clusters: Clusters,
    n_methods: int,
    *,
    level: float = 0.95,
) -> Interval:
    """The interval over prompts of one of STATISTICS; it holds for these methods only.

    Noise in the means pulls a correlation of means towards 0, and more so in each resample than in the data, so that a
    percentile interval of Pearson's r lies too low and can miss the estimate. Pearson's is therefore value ± t(G − 1)
    times the root mean square deviation of the draws *from the value*, on Fisher's z, which includes that shift. The
    rank statistics take few values and keep the percentile interval.
    """
    g, smooth = clusters.n_clusters, statistic == "pearson"
    kind = "root mean square deviation on fisher z, Student's t" if smooth else "percentile"
    method = f"bootstrap over {clusters.covers} ({len(draws)} resamples), {kind}, these methods"
    if g < 2 or n_methods < 2:
        lacking = clusters.covers if g < 2 else "methods"
        return Interval.undefined(clusters.covers, method, f"needs two or more {lacking}", level)
    if not smooth:
        return percentile_interval(value, draws, covers=clusters.covers, method=method, level=level)
    defined = draws[np.isfinite(draws)]
    if len(defined) * 2 <= len(draws):
        return Interval.undefined(clusters.covers, method, "undefined in at least half of the resamples", level)
    if not abs(value) < 1 - 1e-12:
        return Interval.undefined(clusters.covers, method, "the statistic is at the end of its range", level)
    z = atanh(value)
    apart = np.arctanh(np.clip(defined, -1 + 1e-12, 1 - 1e-12)) - z
    reach = float(t_quantile((1 + level) / 2, g - 1)) * sqrt(float(np.mean(apart**2)))
    if reach < 1e-12:
        return Interval.undefined(clusters.covers, method, "no resample differs from the estimate", level)
    low, high = tanh(z - reach), tanh(z + reach)
    return Interval(low, high, clusters.covers, method, level, len(draws) - len(defined))


def over_methods(human: NDArray[np.float64], metric: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """STATISTICS of each row of method means (k, n_methods), (k,) each; a row with a missing mean is NaN."""
    k, m = human.shape
    out = {name: np.full(k, np.nan) for name in STATISTICS}
    rows = max(1, 2_000_000 // max(m * m, 1))
    for start in range(0, k if m >= 2 else 0, rows):
        part = slice(start, start + rows)
        h, s = human[part], metric[part]
        missing = np.isnan(h).any(axis=1) | np.isnan(s).any(axis=1)
        rise_h, rise_s = (np.sign(x[:, :, None] - x[:, None, :]) for x in (h, s))
        surplus = (rise_h * rise_s).sum(axis=(1, 2))
        below = np.sqrt((rise_h**2).sum(axis=(1, 2)) * (rise_s**2).sum(axis=(1, 2)))
        found = {
            "pearson": _rows_pearson(h, s),
            "spearman": _rows_pearson(rise_h.sum(axis=2), rise_s.sum(axis=2)),
            "kendall_tau_b": divided(surplus, below),
            "pairwise_accuracy": ((rise_h == rise_s).sum(axis=(1, 2)) - m) / (m * (m - 1)),
        }
        for name, values in found.items():
            out[name][part] = np.where(missing, np.nan, values)
    return out


def _rows_pearson(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    dx, dy = (a - a.mean(axis=1, keepdims=True) for a in (x, y))
    for d, a in ((dx, x), (dy, y)):
        d[np.abs(d).max(axis=1) <= 1e-12 * np.abs(a).max(axis=1)] = 0
    below = np.sqrt((dx * dx).sum(axis=1)) * np.sqrt((dy * dy).sum(axis=1))
    return np.clip(divided((dx * dy).sum(axis=1), below), -1, 1)


@dataclass(frozen=True, slots=True)
class SoftPairwise:
    """The value, and the number of prompts with every method that it rests on; NaN and a reason where undefined."""

    value: float
    n_prompts: int
    reason: str = ""


def soft_pairwise_accuracy(
    tables: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]],
    *,
    rng: np.random.Generator,
    n_permutations: int = 1000,
    mid_p: bool = True,
) -> list[SoftPairwise]:
    """Soft pairwise accuracy, 1 − PCE, of each metric; 1 is full agreement, chance is near 2/3.

    tables: for each metric the human scores and its own, (n_prompts, n_methods) each, NaN where a method has no unit
    for a prompt. Prompts with a gap are left out. For each pair of methods p is the share of random sign flips of the
    prompts' differences whose sum reaches the observed one (one-sided); the same flips serve people and metrics. With
    few prompts all 2ⁿ flips are used; more than 2,000 prompts are flipped in as many random blocks. `mid_p` counts a
    tie of flipped and observed sums half; without it a tie counts in full, as Thompson et al. have it, and the value
    depends on which of two methods comes first.
    """
    complete = [np.all(np.isfinite(np.add(human, metric)), axis=1) for human, metric in tables]
    out: list[SoftPairwise] = []
    n_clusters = len(tables[0][0]) if tables else 0
    n_methods = tables[0][0].shape[1] if tables else 0
    reason = "needs two or more methods" if n_methods < 2 else ""
    if reason or not any(rows.any() for rows in complete):
        reason = reason or "no prompt has a score of every method"
        return [SoftPairwise(nan, int(rows.sum()), reason) for rows in complete]
    columns = np.concatenate(
        [np.where(rows[:, None], table, 0.0) for pair, rows in zip(tables, complete, strict=True) for table in pair],
        axis=1,
    )
    exhaustive = 2 ** min(n_clusters, 60) <= n_permutations
    if exhaustive:
        sums = flipped_sums(columns, all_signs(n_clusters))
    else:
        pooled = n_clusters > BLOCKS
        rows = block_sums(columns, rng.permutation(n_clusters) % BLOCKS, BLOCKS) if pooled else columns
        sums = flipped_sums(rows, random_signs(len(rows), n_permutations, rng))
    flipped = sums.reshape(-1, len(tables), 2, n_methods)
    observed = columns.sum(axis=0).reshape(len(tables), 2, n_methods)
    size = np.abs(columns).sum(axis=0).reshape(len(tables), 2, n_methods)
    first, second = np.triu_indices(n_methods, 1)
    for index, rows in enumerate(complete):
        if not rows.any():
            out.append(SoftPairwise(nan, 0, "no prompt has a score of every method"))
            continue
        null = flipped[:, index][:, :, first] - flipped[:, index][:, :, second]
        delta = observed[index][:, first] - observed[index][:, second]
        noise = _SAME * (size[index][:, first] + size[index][:, second])
        ties = (np.abs(null - delta) <= noise).mean(axis=0)
        p = (null > delta + noise).mean(axis=0) + ties * (0.5 if mid_p else 1.0)
        out.append(SoftPairwise(1 - float(np.abs(p[0] - p[1]).mean()), int(rows.sum())))
    return out
