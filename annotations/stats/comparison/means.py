"""Mean rating and distribution of every method, with intervals that hold for other prompts and for other raters."""

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from numpy.typing import NDArray

from annotations.stats.arrays import numbered
from annotations.stats.estimate import Estimate, Interval, seed_of
from annotations.stats.intervals.cluster_bootstrap import percentile_interval, resampled_counts
from annotations.stats.intervals.few import too_few
from annotations.stats.intervals.leave_one_out import jackknife_variance
from annotations.stats.intervals.on_scale import interval_on_scale
from annotations.stats.ratings import BadRatings, Ratings

_JACKKNIFE = "delete-one-{} jackknife of the mean, t on one degree of freedom less than there are {}s"


@dataclass(frozen=True)
class MethodMean:
    """One method's ratings.

    method      the method's code
    mean        Estimate "mean": every rating counts once; intervals over "prompts" (jackknife, then bootstrap) and
                "raters"
    mean_of_units   the same with every image counted once, which is what paired differences are made of; they differ
                    only where images have unequal numbers of ratings
    low, high   the leading interval over prompts
    histogram   (n_levels,) how many ratings each level of the scale got, unused levels included
    """

    method: int
    mean: Estimate
    mean_of_units: float
    n_units: int
    n_ratings: int
    n_prompts: int
    n_raters: int
    histogram: NDArray[np.int64]

    @property
    def low(self) -> float:
        return self.mean.intervals[0].low if self.mean.intervals else nan

    @property
    def high(self) -> float:
        return self.mean.intervals[0].high if self.mean.intervals else nan


def method_means(
    ratings: Ratings,
    *,
    method: NDArray[np.integer],
    prompt: NDArray[np.integer],
    rng: np.random.Generator,
    n_resamples: int = 1000,
    level: float = 0.95,
) -> tuple[MethodMean, ...]:
    """The mean of every method code ≥ 0 that occurs in `method`, in ascending order, rated or not.

    method, prompt (n_units,) int: codes per unit; a negative method leaves the unit out, a negative prompt makes the
    unit a prompt of its own. Raises BadRatings where their lengths do not fit the ratings.
    """
    method, prompt = np.asarray(method), np.asarray(prompt)
    if method.shape != (ratings.n_units,) or prompt.shape != (ratings.n_units,):
        raise BadRatings(f"method and prompt need one code for each of the {ratings.n_units} units")
    # A unit without a prompt gets a code that no other unit has.
    own = int(prompt.max(initial=-1)) + 1 + np.arange(ratings.n_units)
    clusters = np.where(prompt >= 0, prompt, own)
    methods = np.unique(method[method >= 0])
    of_rating = method[ratings.unit]
    return tuple(
        _method_mean(ratings, int(code), of_rating == code, clusters, rng, n_resamples, level) for code in methods
    )


def _method_mean(
    ratings: Ratings,
    code: int,
    chosen: NDArray[np.bool_],
    clusters: NDArray[np.integer],
    rng: np.random.Generator,
    n_resamples: int,
    level: float,
) -> MethodMean:
    unit, rater, rank = ratings.unit[chosen], ratings.rater[chosen], ratings.level[chosen]
    value = ratings.values[rank]
    histogram = np.bincount(rank, minlength=len(ratings.values)).astype(np.int64)
    (units, unit_index), (prompts, prompt_index), (raters, rater_index) = map(numbered, (unit, clusters[unit], rater))
    of_unit = np.bincount(unit_index)
    n = {"units": len(units), "ratings": len(unit), "prompts": len(prompts), "raters": len(raters)}
    seed = seed_of(rng)
    convention = "mean of all ratings, each counted once"
    scale = float(ratings.values[0]), float(ratings.values[-1])
    if len(unit) == 0:
        mean = Estimate.undefined("mean", convention, "no ratings of this method", n, seed)
        of_units = nan
    else:
        # From the histogram, so that the figure does not depend on the order of the ratings.
        estimate = float(histogram @ ratings.values) / len(unit)
        intervals = (
            _jackknife(value, prompt_index, estimate, "prompt", level),
            _bootstrap(value, prompt_index, rng, n_resamples, level),
            _jackknife(value, rater_index, estimate, "rater", level),
        )
        within = tuple(interval.within(*scale) for interval in intervals)
        mean = Estimate("mean", estimate, convention, n, within, seed)
        of_units = float(np.mean(np.bincount(unit_index, value) / of_unit))
    return MethodMean(code, mean, of_units, len(units), len(unit), len(prompts), len(raters), histogram)


def _jackknife(
    value: NDArray[np.float64], cluster: NDArray[np.intp], mean: float, sampled: str, level: float
) -> Interval:
    """The delete-one-cluster jackknife of a mean of ratings (Efron and Tibshirani 1993, chapter 11)."""
    covers, method = f"{sampled}s", _JACKKNIFE.format(sampled, sampled)
    size = np.bincount(cluster)
    n = len(size)
    if reason := too_few(n, f"{sampled}s"):
        return Interval.undefined(covers, method, reason, level)
    without = (value.sum() - np.bincount(cluster, value)) / (len(value) - size)
    variance = float(jackknife_variance(without, None))
    if variance <= (1e-12 * max(1.0, abs(mean))) ** 2:
        return Interval.undefined(covers, method, f"no variation between {sampled}s", level)
    return interval_on_scale(mean, sqrt(variance), n - 1, covers=covers, method=method, scale="plain", level=level)


def _bootstrap(
    value: NDArray[np.float64], cluster: NDArray[np.intp], rng: np.random.Generator, n_resamples: int, level: float
) -> Interval:
    """Percentile bootstrap over prompts: whole prompts are drawn, with all their ratings."""
    method = f"percentile bootstrap over prompts, {n_resamples} resamples"
    keys = np.column_stack((np.bincount(cluster, value).round(9), np.bincount(cluster)))
    distinct, multiplicity = np.unique(keys, axis=0, return_counts=True)
    means = [
        counts @ distinct[:, 0] / (counts @ distinct[:, 1])
        for counts in resampled_counts(multiplicity, n_resamples, rng)
    ]
    if reason := too_few(len(keys), "prompts"):
        return Interval.undefined("prompts", method, reason, level)
    return percentile_interval(float(value.mean()), np.concatenate(means), covers="prompts", method=method, level=level)
