"""Krippendorff's alpha: nominal, ordinal, interval and ratio, from count patterns.

Source: K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), section D; *Content Analysis*, 2nd ed.
(2004), section 11.3.
"""

from collections.abc import Collection, Sequence
from typing import Literal, get_args

import numpy as np

from annotations.stats.estimate import Estimate
from annotations.stats.families import Described, Features, FloatArray, gradient, ratio
from annotations.stats.level_pairs import LevelPairs
from annotations.stats.ratings import Ratings
from annotations.stats.resampling import estimates
from annotations.stats.spread import ALL_COVERS

Metric = Literal["nominal", "ordinal", "interval", "ratio"]
METRICS: tuple[Metric, ...] = get_args(Metric)

_NOTHING = 1e-12
"""A share of disagreement below this is rounding: expected disagreement is zero."""

_CONVENTION = {
    "nominal": "difference 0 or 1",
    "ordinal": "Krippendorff's ordinal difference from the observed marginals (not Gwet's ordinal weights)",
    "interval": "squared difference of scale values",
    "ratio": "squared difference over sum of scale values",
}


class AlphaFamily:
    """Alphas of several metrics from the sums of coincidences of unordered pairs of levels."""

    def __init__(self, values: FloatArray, metrics: Sequence[Metric] = METRICS) -> None:
        self.metrics = tuple(metrics)
        self.scale = values
        self.described = tuple(
            Described(
                f"krippendorff_alpha_{metric}",
                f"Krippendorff (2011), {_CONVENTION[metric]}; units with one rating left out",
            )
            for metric in self.metrics
        )
        self.pairs = LevelPairs(len(values))
        self.n_features = self.pairs.n_pairs
        # Sums of coincidences → ratings of each level in pairable units.
        margin = np.zeros((self.n_features, len(values)))
        margin[np.arange(self.n_features), self.pairs.first] = 1.0
        margin[np.arange(self.n_features), self.pairs.second] = 1.0
        self.margin = margin
        # The fixed differences, (K, K) each.
        apart, together = np.subtract.outer(values, values) ** 2, np.add.outer(values, values) ** 2
        self.squared: dict[str, FloatArray] = {
            "nominal": 1.0 - np.eye(len(values)),
            "interval": apart,
            "ratio": ratio(apart, together) if np.all(values > 0) else np.full(apart.shape, np.nan),
        }

    def features(self, rows: FloatArray) -> Features:
        """Coincidences o_ck + o_kc (or o_cc) of each unit: pairs of ratings over (ratings of the unit − 1)."""
        ratings = rows.sum(axis=1)
        per_pair = np.zeros(len(rows))
        np.divide(1.0, ratings - 1.0, out=per_pair, where=ratings >= 2)
        return self.pairs.counts(rows, per_pair)

    def values(self, sums: FloatArray) -> FloatArray:
        """α = 1 − (n − 1) Σ o_ck δ²_ck / Σ n_c n_k δ²_ck over c < k; undefined where the expected sum is zero."""
        return self._values(sums, 1.0)

    def linearisation(self, total: FloatArray) -> FloatArray:
        """Gwet (2014), section 5.5, linearises alpha without the small-sample factor (n − 1)/n; so is it here."""
        return gradient(lambda sums: self._values(sums, 0.0), total)

    def _values(self, sums: FloatArray, correction: float) -> FloatArray:
        margins = sums @ self.margin
        n = margins.sum(axis=1)
        alphas = np.empty((len(sums), len(self.metrics)))
        for place, metric in enumerate(self.metrics):
            if metric == "ordinal":
                observed, expected = self._ordinal(sums, margins, n)
                largest = n**4
            else:
                squared = self.squared[metric]
                observed = sums @ squared[self.pairs.first, self.pairs.second]
                expected = np.einsum("bc,bc->b", margins @ squared, margins) / 2
                largest = n**2 * squared.max(initial=0.0)
            smallest = np.where(np.isnan(largest), 0.0, _NOTHING * largest)
            alphas[:, place] = 1.0 - ratio((n - correction) * observed, expected, smallest)
        return alphas

    def _ordinal(self, sums: FloatArray, margins: FloatArray, n: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Observed and expected sums: Σ_{g=c..k} n_g − (n_c + n_k)/2 is the distance between the levels' mid-ranks."""
        rank = np.cumsum(margins, axis=1) - margins / 2
        squared = rank[:, self.pairs.second]
        squared -= rank[:, self.pairs.first]
        squared *= squared
        observed = np.einsum("bp,bp->b", sums, squared)
        # Σ_{c<k} n_c n_k (r_c − r_k)² = n Σ n_c (r_c − r̄)².
        centred = rank - n[:, None] / 2
        return observed, n * np.einsum("bc,bc->b", margins, centred**2)


def krippendorff_alpha(
    ratings: Ratings,
    metric: Metric = "ordinal",
    *,
    rng: np.random.Generator | None = None,
    n_resamples: int = 1000,
    level: float = 0.95,
    covers: Collection[str] = ALL_COVERS,
) -> Estimate:
    """Krippendorff's alpha of one metric, from −1 to 1 (1: perfect agreement, 0: chance), with its intervals.

    Without `rng` there is only the analytic interval over units. `covers` picks the intervals: "units" (bootstrap),
    "raters" (jackknife), "units and raters" (both). Units with one rating are left out; missing cells are no
    category; unused levels of the scale change nothing. Undefined (NaN with the reason) when no unit has two ratings,
    when all pairable ratings are equal, and for the ratio metric when the scale has values ≤ 0.
    """
    return krippendorff_alphas(ratings, (metric,), rng=rng, n_resamples=n_resamples, level=level, covers=covers)[0]


def krippendorff_alphas(
    ratings: Ratings,
    metrics: Sequence[Metric] = METRICS,
    *,
    rng: np.random.Generator | None = None,
    n_resamples: int = 1000,
    level: float = 0.95,
    covers: Collection[str] = ALL_COVERS,
) -> tuple[Estimate, ...]:
    """Alphas of several metrics on the same resamples; see `krippendorff_alpha`."""
    unknown = [metric for metric in metrics if metric not in METRICS]
    if unknown:
        raise ValueError(f"unknown metric {unknown[0]!r}; choose from {', '.join(METRICS)}")
    family = AlphaFamily(ratings.values, metrics)
    return estimates(ratings, family, rng=rng, n_resamples=n_resamples, level=level, covers=covers)
