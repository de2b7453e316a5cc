"""Agreement between two panels that answered the same question about the same units.

Source: K. Wong, P. Paritosh, L. Aroyo, "Cross-replication Reliability: An Empirical Approach to Interpreting
Inter-rater Reliability" (ACL 2021), the coefficient with missing data. Its authors' own test gives the same value.
"""

from dataclasses import dataclass
from math import isnan, nan, sqrt
from typing import Literal, get_args

import numpy as np

from annotations.stats.arrays import FloatArray, IntArray
from annotations.stats.estimate import Estimate, Interval

Distance = Literal["nominal", "ordinal", "interval"]
DISTANCES: tuple[Distance, ...] = get_args(Distance)
FEWEST_UNITS = 2
_NOTHING = 1e-12


@dataclass(frozen=True)
class _Sums:
    """What the coefficient is made of, one row per sampled cluster of units.

    observed  (n, K, K) sums over units of (R + S) / (R S) times the pairs (level by one panel, level by the other)
    weight    (n,) sums of R + S;  first, second: (n, K) ratings by level
    """

    observed: FloatArray
    weight: FloatArray
    first: FloatArray
    second: FloatArray


def cross_replication(
    first: IntArray,
    second: IntArray,
    *,
    values: FloatArray,
    distance: Distance = "ordinal",
    cluster: IntArray | None = None,
    rng: np.random.Generator | None = None,
    n_resamples: int = 1000,
    level: float = 0.95,
) -> Estimate:
    """Cross-replication reliability: 1 minus observed over expected distance between panels; 1 at most, 0 by chance.

    first, second  (n_units, K) ints: how often each panel gave each level to each unit. Units without a rating of
                   both are left out
    values         (K,) of the scale, ascending, for interval distances
    distance       nominal: 0 or 1; interval: squared difference of values; ordinal: squared number of ratings between
                   two levels, half of each included, among the ratings of both panels (Krippendorff's difference)
    cluster        (n_units,) codes of what was sampled, prompts for instance; None: units

    With `rng` there is a percentile interval that resamples clusters; it holds for these very raters. The coefficient
    says nothing about agreement within a panel: report it with the panels' alphas. Undefined (NaN) with fewer than two
    shared units, and where all ratings are equal.
    """
    if distance not in DISTANCES:
        raise ValueError(f"unknown distance {distance!r}; choose from {', '.join(DISTANCES)}")
    x, y = np.asarray(first, float), np.asarray(second, float)
    if x.shape != y.shape or x.shape[1] != len(values):
        raise ValueError(f"counts of {x.shape} and {y.shape} on {len(values)} levels: give one row per unit for both")
    has_both = (x.sum(axis=1) > 0) & (y.sum(axis=1) > 0)
    x, y = x[has_both], y[has_both]
    name = f"cross_replication_{distance}"
    method = f"Wong, Paritosh and Aroyo (2021), missing data, {distance} distance"
    counts = {"units": len(x), "ratings_first": int(x.sum()), "ratings_second": int(y.sum())}
    if len(x) < FEWEST_UNITS:
        return Estimate.undefined(name, method, "fewer than two units are rated by both panels", counts)
    codes = np.arange(len(x)) if cluster is None else np.unique(np.asarray(cluster)[has_both], return_inverse=True)[1]
    sums = _sums(x, y, codes)
    value = float(_kappa(sums, np.ones((1, len(sums.weight))), values, distance)[0])
    if isnan(value):
        return Estimate.undefined(name, method, "all ratings of both panels are equal", counts)
    intervals: tuple[Interval, ...] = ()
    if rng is not None:
        covers = "units" if cluster is None else "prompts"
        intervals = (_interval(sums, value, values, distance, covers, rng, n_resamples, level),)
    return Estimate(name, value, method, counts, intervals)


def normalised(kappa: float, alpha_first: float, alpha_second: float) -> float:
    """Reliability between panels over the geometric mean of that within each: 1 where they differ only by noise.

    Wong et al. (2021), normalised xRR. Not cut at 1: noise may carry it beyond. NaN where an alpha is not positive.
    """
    if isnan(kappa + alpha_first + alpha_second) or alpha_first <= 0 or alpha_second <= 0:
        return nan
    return kappa / sqrt(alpha_first * alpha_second)


def _sums(x: FloatArray, y: FloatArray, codes: IntArray) -> _Sums:
    n, n_levels = int(codes.max()) + 1, x.shape[1]
    r, s = x.sum(axis=1), y.sum(axis=1)
    pairs = x[:, :, None] * y[:, None, :] * ((r + s) / (r * s))[:, None, None]
    observed, first, second = np.zeros((n, n_levels, n_levels)), np.zeros((n, n_levels)), np.zeros((n, n_levels))
    np.add.at(observed, codes, pairs)
    np.add.at(first, codes, x)
    np.add.at(second, codes, y)
    return _Sums(observed, np.bincount(codes, r + s, n).astype(float), first, second)


def _kappa(sums: _Sums, times: FloatArray, values: FloatArray, distance: Distance) -> FloatArray:
    """(n_samples,) of samples in which clusters occur as often as `times` says; NaN where the expected distance is
    0."""
    first, second = times @ sums.first, times @ sums.second
    observed = np.tensordot(times, sums.observed, axes=1) / (times @ sums.weight)[:, None, None]
    apart = _distances(first + second, values, distance)
    expected = (first[:, :, None] * second[:, None, :]) / (first.sum(axis=1) * second.sum(axis=1))[:, None, None]
    d_observed, d_expected = (observed * apart).sum(axis=(1, 2)), (expected * apart).sum(axis=(1, 2))
    has_any = d_expected > _NOTHING * np.maximum(apart.max(axis=(1, 2)), 1.0)
    return np.where(has_any, 1 - d_observed / np.where(has_any, d_expected, 1.0), np.nan)


def _distances(margin: FloatArray, values: FloatArray, distance: Distance) -> FloatArray:
    """(n_samples or 1, K, K) distances of levels; margin: (n_samples, K) ratings of both panels."""
    if distance == "nominal":
        return (1.0 - np.eye(len(values)))[None]
    at = (np.cumsum(margin, axis=1) - margin / 2) if distance == "ordinal" else np.asarray(values, float)[None]
    return np.asarray((at[:, :, None] - at[:, None, :]) ** 2, float)


def _interval(
    sums: _Sums,
    value: float,
    values: FloatArray,
    distance: Distance,
    covers: str,
    rng: np.random.Generator,
    n_resamples: int,
    level: float,
) -> Interval:
    n = len(sums.weight)
    times = rng.multinomial(n, np.full(n, 1 / n), size=n_resamples).astype(float)
    found = _kappa(sums, times, values, distance)
    defined = found[np.isfinite(found)]
    how = f"percentile bootstrap over {covers}, {n_resamples} resamples"
    if not len(defined):
        return Interval.undefined(covers, how, "undefined in every resample", level)
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    n_undefined = int(len(found) - len(defined))
    return Interval.around(value, float(low), float(high), covers, how, level, n_undefined=n_undefined)
