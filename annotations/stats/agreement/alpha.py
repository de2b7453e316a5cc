"""Krippendorff's alpha: nominal, ordinal, interval and ratio, from count patterns.

Source: K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), section D; *Content Analysis*, 2nd ed.
(2004), section 11.3.
"""

from collections.abc import Collection, Sequence
from typing import Literal, get_args

import numpy as np
from scipy import sparse

from annotations.stats.agreement.level_pairs import LevelPairs
from annotations.stats.arrays import FloatArray, IntArray, ratio, totals
from annotations.stats.estimate import Estimate
from annotations.stats.intervals.over_raters import ALL_COVERS
from annotations.stats.intervals.pattern_families import Described, Exchanged, Features, PatternFamily, lowest_of_pairs
from annotations.stats.intervals.unit_resampling import estimates
from annotations.stats.ratings import Ratings

Metric = Literal["nominal", "ordinal", "interval", "ratio"]
METRICS: tuple[Metric, ...] = get_args(Metric)

_NOTHING = 1e-12
"""A share of disagreement below this is rounding: expected disagreement is zero."""

_FEWEST_UNITS = 2
"""Alpha of one pairable unit is 0 by construction."""

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
        n_pairs = self.pairs.n_pairs
        self.n_features = n_pairs + 1
        # Sums of coincidences → ratings of each level in pairable units. Up to two entries per row: for a slider's half
        # a million pairs a dense matrix would take gigabytes.
        each = np.arange(n_pairs)
        pair = np.concatenate((each, self.pairs.apart))
        level = np.concatenate((self.pairs.first, self.pairs.second[self.pairs.apart]))
        margin = sparse.csr_array((np.ones(len(pair)), (pair, level)), shape=(n_pairs, len(values)))
        self.margin: FloatArray | sparse.csr_array = margin if self.pairs.is_sparse else margin.toarray()
        # The fixed differences, (K, K) each.
        apart, together = np.subtract.outer(values, values) ** 2, np.add.outer(values, values) ** 2
        self.squared: dict[str, FloatArray] = {
            "nominal": 1.0 - np.eye(len(values)),
            "interval": apart,
            "ratio": ratio(apart, together) if np.all(values > 0) else np.full(apart.shape, np.nan),
        }

    def features(self, rows: FloatArray) -> Features:
        """[coincidences o_ck + o_kc (or o_cc) of each pair of levels…, pairable] of each unit.

        A coincidence is a pair of ratings over (ratings of the unit − 1).
        """
        ratings = rows.sum(axis=1)
        pairable = ratings >= 2
        per_pair = np.zeros(len(rows))
        np.divide(1.0, ratings - 1.0, out=per_pair, where=pairable)
        counts, count = self.pairs.counts(rows, per_pair), pairable[:, None].astype(float)
        if isinstance(counts, sparse.csr_array):
            return sparse.csr_array(sparse.hstack([counts, sparse.csr_array(count)], format="csr"))
        return np.hstack([counts, count])

    def values(self, sums: FloatArray) -> FloatArray:
        """α = 1 − (n − 1) Σ o_ck δ²_ck / Σ n_c n_k δ²_ck over c < k.

        Undefined where the expected sum is zero, and for a single pairable unit, whose α is always 0.
        """
        pairs = sums[:, :-1]
        margins = np.asarray(pairs @ self.margin)
        n = margins.sum(axis=1)
        alphas = np.empty((len(sums), len(self.metrics)))
        for place, metric in enumerate(self.metrics):
            if metric == "ordinal":
                observed, expected = self._ordinal(pairs, margins, n)
            else:
                squared = self.squared[metric]
                observed = pairs @ squared[self.pairs.first, self.pairs.second]
                expected = np.einsum("bc,bc->b", margins @ squared, margins) / 2
            alphas[:, place] = 1.0 - ratio((n - 1) * observed, expected, self._nothing(metric, n))
        alphas[sums[:, -1] < _FEWEST_UNITS - 0.5] = np.nan
        return alphas

    def gradient(self, total: FloatArray) -> FloatArray:
        return self._derivatives(total, 1.0)

    def linearisation(self, total: FloatArray) -> FloatArray:
        """Gwet (2014), section 5.5, linearises alpha without the small-sample factor (n − 1)/n; so does this."""
        return self._derivatives(total, 0.0)

    def lowest(self, sizes: IntArray) -> FloatArray:
        """−1/(m − 1) for m ratings per unit: the differences are squared distances, whose sum within units is at most
        that of all ratings. With unequal m, of the pairable unit with the fewest."""
        return np.full(len(self.metrics), lowest_of_pairs(sizes))

    def _derivatives(self, total: FloatArray, correction: float) -> FloatArray:
        """(n_features, n_statistics): dα with the factor n − correction."""
        pairs = total[:, :-1]
        margins = np.asarray(pairs @ self.margin)
        n = margins.sum(axis=1)
        of_n = np.asarray(self.margin.sum(axis=1))
        result = np.zeros((self.n_features, len(self.metrics)))
        for place, metric in enumerate(self.metrics):
            if metric == "ordinal":
                observed, expected = self._ordinal(pairs, margins, n)
                of_observed, of_expected = self._ordinal_derivatives(pairs[0], margins[0], float(n[0]))
            else:
                squared = self.squared[metric]
                of_observed = squared[self.pairs.first, self.pairs.second]
                to_margins = margins[0] @ squared
                observed, expected = pairs @ of_observed, margins @ to_margins / 2
                of_expected = self.margin @ to_margins
            share = ratio(np.ones(1), expected, self._nothing(metric, n))
            factor = (n - correction) * share
            result[:-1, place] = factor * (observed * share * of_expected - of_observed) - observed * share * of_n
        return result

    def _nothing(self, metric: str, n: FloatArray) -> FloatArray:
        """(b,): an expected sum below this is rounding."""
        largest = n**4 if metric == "ordinal" else n**2 * self.squared[metric].max(initial=0.0)
        return np.where(np.isnan(largest), 0.0, _NOTHING * largest)

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

    def _ordinal_derivatives(self, pairs: FloatArray, margins: FloatArray, n: float) -> tuple[FloatArray, FloatArray]:
        """(n_pairs,) each: derivatives of `_ordinal` in the sums of coincidences, which also move the mid-ranks.

        r_g = Σ_{c<g} n_c + n_g/2, so that a margin n_c moves its own rank by a half and all higher ones by 1.
        """
        rank = np.cumsum(margins) - margins / 2
        apart = rank[self.pairs.second] - rank[self.pairs.first]
        pull = 2 * pairs * apart
        of_rank = totals(self.pairs.second, pull, len(margins)) - totals(self.pairs.first, pull, len(margins))
        of_observed = apart**2 + self.margin @ _moved_by_margins(of_rank)
        centred = rank - n / 2
        spread = float(margins @ centred**2)
        # The centre n/2 moves too, but Σ n_g (r_g − n/2) is zero.
        of_margins = spread + n * (centred**2 + _moved_by_margins(2 * margins * centred))
        return of_observed, self.margin @ of_margins


def _moved_by_margins(of_rank: FloatArray) -> FloatArray:
    """(K,): derivatives in the mid-ranks → derivatives in the margins."""
    return np.asarray(of_rank.sum() - np.cumsum(of_rank) + of_rank / 2)


def krippendorff_alpha(
    ratings: Ratings,
    metric: Metric = "ordinal",
    *,
    rng: np.random.Generator | None = None,
    n_resamples: int = 1000,
    level: float = 0.95,
    covers: Collection[str] = ALL_COVERS,
    exchanged: tuple[int, int] | None = None,
) -> Estimate:
    """Krippendorff's alpha of one metric, from −1 to 1 (1: perfect agreement, 0: chance), with its intervals.

    Without `rng` there is only the analytic interval over units. `covers` picks the intervals: "units" (bootstrap),
    "raters" (jackknife), "units and raters" (both). Units with one rating are left out; missing cells are not a
    category; unused levels of the scale change nothing. Undefined (NaN with the reason) when no unit has two ratings,
    when all pairable ratings are equal, and for the ratio metric when the scale has values ≤ 0.

    `exchanged` names two levels of a nominal scale that mean something else in each unit, such as the first and the
    second image where units show several pairs of methods: half of each unit counts with them exchanged.
    """
    return krippendorff_alphas(
        ratings, (metric,), rng=rng, n_resamples=n_resamples, level=level, covers=covers, exchanged=exchanged
    )[0]


def krippendorff_alphas(
    ratings: Ratings,
    metrics: Sequence[Metric] = METRICS,
    *,
    rng: np.random.Generator | None = None,
    n_resamples: int = 1000,
    level: float = 0.95,
    covers: Collection[str] = ALL_COVERS,
    exchanged: tuple[int, int] | None = None,
) -> tuple[Estimate, ...]:
    """Alphas of several metrics on the same resamples; see `krippendorff_alpha`."""
    unknown = [metric for metric in metrics if metric not in METRICS]
    if unknown:
        raise ValueError(f"unknown metric {unknown[0]!r}; choose from {', '.join(METRICS)}")
    family: PatternFamily = AlphaFamily(ratings.values, metrics)
    if exchanged is not None:
        family = Exchanged(family, exchanged)
    return estimates(ratings, family, rng=rng, n_resamples=n_resamples, level=level, covers=covers)
