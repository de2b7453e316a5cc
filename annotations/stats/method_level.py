"""Methods (image generators, rewriting recipes) compared by their mean scores: a few points, uncertain through prompts.

A method's score is the mean over its units that have both a human and a metric score, a unit's human score being the
mean over its raters. Means are settled to 12 significant digits before they are ranked, so that equal means tie.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotations.stats.cluster_bootstrap import percentile_interval, resampled_counts
from annotations.stats.estimate import Interval
from annotations.stats.grouped import divided
from annotations.stats.pair_counts import settle
from annotations.stats.prompt_intervals import Clusters

STATISTICS = ("pearson", "spearman", "kendall_tau_b", "pairwise_accuracy")

_RESAMPLED_PROMPTS = 5000
"""Above so many prompts the means' normal limit is drawn from: it and the resampled means are then the same law."""


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
        """human, metric, method (n,): units with both scores; methods without units are left out."""
        cell = clusters.code * n_methods + method
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

    def intervals(self, rng: np.random.Generator, n_resamples: int, level: float = 0.95) -> dict[str, Interval]:
        """For each of STATISTICS the percentile interval over prompts; the methods are these very ones."""
        many = len(self.units) > _RESAMPLED_PROMPTS
        how = "normal limit of the methods' means over" if many else "bootstrap over"
        method = f"{how} {self.covers} ({n_resamples} draws), percentile"
        if len(self.units) < 2 or self.n_methods < 2:
            short = f"{self.covers}" if len(self.units) < 2 else "methods"
            return {n: Interval.undefined(self.covers, method, f"needs two or more {short}", level) for n in STATISTICS}
        human, metric = self._limit_draws(rng, n_resamples) if many else self._resampled(rng, n_resamples)
        draws = over_methods(human, metric)
        return {
            name: percentile_interval(draws[name], covers=self.covers, method=method, level=level)
            for name in STATISTICS
        }

    def _resampled(self, rng: np.random.Generator, n_resamples: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        humans, metrics = [], []
        for drawn in resampled_counts(np.ones(len(self.units), dtype=np.int64), n_resamples, rng):
            weights = drawn.astype(float)
            total = weights @ self.units
            humans.append(settle(divided(weights @ self.human, total)))
            metrics.append(settle(divided(weights @ self.metric, total)))
        return np.concatenate(humans), np.concatenate(metrics)

    def _limit_draws(self, rng: np.random.Generator, n_draws: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Draws of the means from the normal law that resampled prompts tend to (linearised ratio means)."""
        total = self.units.sum(axis=0)
        means = np.concatenate((self.human.sum(axis=0) / total, self.metric.sum(axis=0) / total))
        off = np.concatenate((self.human, self.metric), axis=1) - means * np.tile(self.units, 2)
        off /= np.tile(total, 2)
        g = len(self.units)
        values, vectors = np.linalg.eigh(off.T @ off * (g / (g - 1)))
        draws = means + (rng.standard_normal((n_draws, len(means))) * np.sqrt(np.maximum(values, 0))) @ vectors.T
        return draws[:, : self.n_methods], draws[:, self.n_methods :]


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
