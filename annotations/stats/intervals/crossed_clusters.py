"""Variances of shares and other statistics whose observations share two crossed kinds of clusters: prompts and raters.

With crossed clusters, the variances over each kind are added and the one over their intersection is subtracted
(Cameron, Gelbach & Miller 2011, J. Bus. Econ. Stat. 29:238, equation 2.11); the result is never taken below either of
the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import nan

import numpy as np
from numpy.typing import NDArray

from annotations.stats.arrays import FloatArray
from annotations.stats.distributions import t_above, t_quantile
from annotations.stats.estimate import Interval

FEWEST = 3
"""Fewer clusters than this cannot represent other clusters of their kind."""
_ROUNDING = 1e-10
"""A variance below this share of that of independent observations is 0, but for rounding."""


@dataclass(frozen=True)
class Clusters:
    """A kind of cluster. name: what it is, in the plural; code (n,) int ≥ 0, for each observation."""

    name: str
    code: NDArray[np.int64]

    @cached_property
    def n(self) -> int:
        """How many clusters have an observation."""
        return len(np.unique(self.code))


def crossed(first: Clusters, second: Clusters) -> Clusters:
    """The intersections of two kinds of clusters."""
    width = int(second.code.max(initial=0)) + 1
    code = np.unique(first.code * width + second.code, return_inverse=True)[1]
    return Clusters(f"{first.name} and {second.name}", code.astype(np.int64))


def too_few(covers: str, n: Mapping[str, int]) -> str:
    """Why clusters cannot represent others of their kind, by the kind with the fewest; n: their numbers, by name."""
    fewest = min(reversed(covers.split(" and ")), key=lambda name: n.get(name, n[covers]))
    found = n.get(fewest, n[covers])
    kind = fewest.removesuffix("s") if found == 1 else fewest
    return f"{found} {kind} cannot represent others; at least {FEWEST} are needed"


def with_information(variance: FloatArray, independent: FloatArray) -> FloatArray:
    """Variances (any shape) over clusters; `independent` where they are 0 but for rounding.

    independent: the variance of independent observations. Clusters that all say the same show that they do not differ
    much, not that nothing varies.
    """
    return np.where(variance <= _ROUNDING * independent, independent, variance)


def combined(first: FloatArray, second: FloatArray, crossing: FloatArray) -> FloatArray:
    """Variances (any shape) over both of two crossed kinds of clusters, from those over each and over the crossing."""
    return np.maximum(first + second - crossing, np.maximum(first, second))


def combined_freedom(
    both: FloatArray, first: FloatArray, n_first: int, second: FloatArray, n_second: int
) -> FloatArray:
    """Degrees of freedom of variances (any shape) over both of two crossed kinds of clusters (Satterthwaite 1946).

    both, first, second: the variances over both, and over each; n_first, n_second: how many clusters there are. Never
    fewer than the smaller kind's.
    """
    least = min(n_first, n_second) - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        found = both**2 / (first**2 / max(n_first - 1, 1) + second**2 / max(n_second - 1, 1))
    return np.asarray(np.where(np.isfinite(found), np.maximum(found, least), least), float)


@dataclass(frozen=True)
class ClusteredShare:
    """A share and how well it is known. value: Σ hits / Σ weights, NaN without weight.

    variance, n_clusters  by what an interval covers: "prompts", "raters", "prompts and raters", or "votes"
    """

    value: float
    variance: dict[str, float]
    n_clusters: dict[str, int]
    kinds: tuple[tuple[str, int], ...] = ()
    """Name and number of each kind of cluster."""

    def freedom(self, covers: str) -> float:
        """Degrees of freedom of the variance: the number of clusters less one; Satterthwaite's for two kinds."""
        if len(self.kinds) < 2 or covers in dict(self.kinds):
            return float(self.n_clusters[covers] - 1)
        (first, n_first), (second, n_second) = self.kinds
        parts = (np.asarray(self.variance[name]) for name in (covers, first, second))
        both, over_first, over_second = parts
        return float(combined_freedom(both, over_first, n_first, over_second, n_second))

    def interval(self, covers: str, *, level: float = 0.95) -> Interval:
        """Wilson's interval with the number of independent observations that the variance is worth, and Student's t.

        Undefined with its reason for fewer than three clusters. Where all observations agree, the variance says
        nothing, and each cluster counts as one observation; where all clusters have the same share, observations count
        as independent. The effective number is that of Korn & Graubard (1998),
        Surv. Methodol. 24:193; the interval Wilson's (1927).
        """
        method = f"Wilson's interval with the effective number of votes, t, clusters: {covers}"
        if reason := self.why_undefined(covers):
            return Interval.undefined(covers, method, reason, level)
        n = self._effective(covers)
        t = float(t_quantile(0.5 + level / 2, self.freedom(covers)))
        centre = (self.value + t * t / (2 * n)) / (1 + t * t / n)
        half = t / (1 + t * t / n) * np.sqrt(self.value * (1 - self.value) / n + (t / (2 * n)) ** 2)
        low = 0.0 if self.value == 0 else max(0.0, float(centre - half))
        high = 1.0 if self.value == 1 else min(1.0, float(centre + half))
        return Interval(low, high, covers, method, level)

    def p_value(self, covers: str, share: float = 0.5) -> float:
        """Two-sided p of the hypothesis that the share is `share`, by the same t; NaN where there is no interval."""
        if self.why_undefined(covers):
            return nan
        t = abs(self.value - share) / np.sqrt(share * (1 - share) / self._effective(covers))
        return float(min(1.0, 2 * t_above(t, self.freedom(covers))))

    def why_undefined(self, covers: str) -> str:
        """Why no interval can cover this, or empty."""
        if np.isnan(self.value):
            return "no decided votes"
        if self.n_clusters[covers] < FEWEST:
            return too_few(covers, self.n_clusters | dict(self.kinds))
        return ""

    def _effective(self, covers: str) -> float:
        n = self.n_clusters[covers]
        spread, variance = self.value * (1 - self.value), self.variance[covers]
        return float(n) if spread == 0 else float(spread / variance)


def clustered_share(hits: FloatArray, weights: FloatArray, kinds: list[Clusters]) -> ClusteredShare:
    """Σ hits / Σ weights of n observations, with its variance over no, one or two kinds of clusters, and over both.

    hits, weights (n,) with 0 ≤ hits ≤ weights. Variances are jackknife variances, leaving out one cluster at a time.
    Observations of weight 0 say nothing about the share, nor do clusters that have no others: these are not counted.
    """
    used = weights > 0
    hits, weights, kinds = hits[used], weights[used], [Clusters(kind.name, kind.code[used]) for kind in kinds]
    total, weight = float(hits.sum()), float(weights.sum())
    if weight == 0:
        names = [kind.name for kind in kinds] or ["votes"]
        names += [" and ".join(names)] if len(names) == 2 else []
        return ClusteredShare(nan, dict.fromkeys(names, nan), dict.fromkeys(names, 0))
    if not kinds:
        value = total / weight
        return ClusteredShare(value, {"votes": value * (1 - value) / weight}, {"votes": round(weight)})
    share = total / weight

    def variance_over(kind: Clusters) -> FloatArray:
        found = np.asarray(_jackknife(hits, weights, kind))
        return with_information(found, np.asarray(share * (1 - share) / weight))

    over = {kind.name: variance_over(kind) for kind in kinds}
    n_clusters = {kind.name: kind.n for kind in kinds}
    if len(kinds) == 2:
        both = crossed(*kinds)
        over[both.name] = combined(over[kinds[0].name], over[kinds[1].name], variance_over(both))
        n_clusters[both.name] = min(n_clusters.values())
    variance = {name: float(one) for name, one in over.items()}
    return ClusteredShare(share, variance, n_clusters, tuple((kind.name, kind.n) for kind in kinds))


def _jackknife(hits: FloatArray, weights: FloatArray, kind: Clusters) -> float:
    hit, weight = np.bincount(kind.code, weights=hits), np.bincount(kind.code, weights=weights)
    used = weight > 0  # Codes may have gaps.
    hit, weight, n = hit[used], weight[used], int(used.sum())
    left = weight.sum() - weight
    if n < 2 or (left <= 0).any():
        return nan
    without = (hit.sum() - hit) / left
    return float((n - 1) / n * np.square(without - without.mean()).sum())
