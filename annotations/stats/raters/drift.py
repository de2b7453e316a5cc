"""Do raters change while they work? Severity, distance from the others and time, from the first answer to the last.

A rating's deviation from the mean of the others' answers to the same unit does not depend on how good the unit is, so
its trend along a rater's own order reflects the rater. Each rater has a slope by least squares; the raters' slopes are
then a sample of raters. Their mean with Student's t is the two-stage summary of a random-slopes model (Matthews et al.
1990, BMJ 300:230).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from annotations.stats.arrays import FloatArray, IntArray
from annotations.stats.distributions import t_above
from annotations.stats.estimate import Estimate, Interval
from annotations.stats.intervals.few import too_few
from annotations.stats.intervals.on_scale import interval_on_scale
from annotations.stats.raters.sums import mean_by
from annotations.stats.ratings import BadRatings, Ratings

FEWEST_RATINGS = 10
"""A rater with fewer ratings of units that others also rated has no slope."""
_COVERS = "raters"
_HOW = "t over the raters' slopes"


@dataclass(frozen=True)
class Drift:
    """Change from a rater's first answer to the last, mean over raters; in order, with p of no change.

    severity   of own answer − mean of the others', in scale points: below 0, the rater grows severer
    distance   of the absolute deviation, in scale points: above 0, the rater agrees less and less
    time       of the seconds per answer, as a factor: below 1, the rater gets faster
    """

    severity: Estimate
    distance: Estimate
    time: Estimate
    p: dict[str, float]
    """By the names of the estimates; NaN where there is none."""
    slopes: FloatArray
    """(n_raters,) severity's slope of each rater, NaN where there is none."""

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        return self.severity, self.distance, self.time


def drift(
    ratings: Ratings,
    *,
    order: ArrayLike | None,
    seconds: ArrayLike | None = None,
    fewest: int = FEWEST_RATINGS,
    level: float = 0.95,
) -> Drift:
    """order (n_ratings,) any numbers that ascend in the order of rating within each rater; seconds NaN where unknown.

    A rater's order counts from 0 (first answer) to 1 (last), including all ratings in between. Ratings of units that
    nobody else rated have no deviation and are left out. Raters with fewer than `fewest` such ratings have no slope.
    Raises BadRatings for arrays of another length.
    """
    names = ("drift_severity", "drift_distance", "drift_time")
    if order is None:
        reason = "the order of ratings is not known"
        severity, distance, time = (
            Estimate.undefined(name, "change from first to last answer", reason) for name in names
        )
        return Drift(severity, distance, time, dict.fromkeys(names, np.nan), np.full(ratings.n_raters, np.nan))
    place = _position(ratings, np.asarray(order, float))
    value = ratings.values[ratings.level]
    others = ratings.per_unit[ratings.unit] - 1
    total = np.bincount(ratings.unit, value, minlength=ratings.n_units)[ratings.unit]
    shared = others > 0
    deviation = value[shared] - (total[shared] - value[shared]) / others[shared]
    n, rater = ratings.n_raters, ratings.rater[shared]
    slopes = _slopes(rater, place[shared], deviation, n, fewest)
    found = [
        _mean_slope(names[0], "change of own answer − mean of the others', first to last answer", slopes, level),
        _mean_slope(
            names[1],
            "change of the absolute deviation from the mean of the others, first to last answer",
            _slopes(rater, place[shared], np.abs(deviation), n, fewest),
            level,
        ),
    ]
    paces = np.full(n, np.nan)
    if seconds is not None:
        took = np.asarray(seconds, float)
        if took.shape != (len(ratings),):
            raise BadRatings(f"seconds has shape {took.shape}; give one entry for each of {len(ratings)} ratings")
        known = np.isfinite(took) & (took > 0)
        paces = _slopes(ratings.rater[known], place[known], np.log(took[known]), n, fewest)
    of_time, p_time = _mean_slope(names[2], "factor of the seconds per answer, first to last answer", paces, level)
    found.append((_as_factor(of_time), p_time))
    (severity, _), (distance, _), (time, _) = found
    return Drift(severity, distance, time, {name: p for name, (_, p) in zip(names, found, strict=True)}, slopes)


def _position(ratings: Ratings, order: FloatArray) -> FloatArray:
    """(n_ratings,) 0 for a rater's first answer … 1 for the last; equal orders share their mean place."""
    if order.shape != (len(ratings),):
        raise BadRatings(f"order has shape {order.shape}; give one entry for each of {len(ratings)} ratings")
    sequence = np.lexsort((order, ratings.rater))
    rater, sorted_order = ratings.rater[sequence], order[sequence]
    starts = np.cumsum(ratings.per_rater) - ratings.per_rater
    rank = np.arange(len(rater)) - starts[rater].astype(float)
    new = np.ones(len(rater), bool)
    new[1:] = (rater[1:] != rater[:-1]) | (sorted_order[1:] != sorted_order[:-1])
    run = np.cumsum(new) - 1
    rank = mean_by(run, rank, int(run[-1]) + 1 if len(run) else 0)[run] if len(run) else rank
    place = np.empty(len(rater))
    place[sequence] = rank / np.maximum(ratings.per_rater[rater] - 1, 1)
    return place


def _slopes(rater: IntArray, place: FloatArray, values: FloatArray, n_raters: int, fewest: int) -> FloatArray:
    """(n_raters,) least-squares slopes of values on place within each rater; NaN with few ratings or only one place."""
    at = place - mean_by(rater, place, n_raters)[rater]
    square = np.bincount(rater, at**2, minlength=n_raters)
    cross = np.bincount(rater, at * values, minlength=n_raters)
    enough = (np.bincount(rater, minlength=n_raters) >= fewest) & (square > 1e-12)
    return np.divide(cross, square, out=np.full(n_raters, np.nan), where=enough)


def _mean_slope(name: str, words: str, slopes: FloatArray, level: float) -> tuple[Estimate, float]:
    defined = slopes[~np.isnan(slopes)]
    n = {"raters": len(defined)}
    if not len(defined):
        return Estimate.undefined(name, words, f"no rater has {FEWEST_RATINGS} answers to compare", n), np.nan
    value = float(defined.mean())
    if reason := too_few(len(defined), "raters"):
        return Estimate(name, value, words, n, (Interval.undefined(_COVERS, _HOW, reason, level),)), np.nan
    error, df = float(defined.std(ddof=1)) / np.sqrt(len(defined)), len(defined) - 1
    interval = interval_on_scale(value, error, df, covers=_COVERS, method=_HOW, scale="plain", level=level)
    p = float(2 * t_above(abs(value) / error, df)) if error > 0 else np.nan
    return Estimate(name, value, words, n, (interval,)), p


def _as_factor(found: Estimate) -> Estimate:
    """A change of a logarithm as a factor."""
    intervals = tuple(
        Interval(float(np.exp(one.low)), float(np.exp(one.high)), one.covers, one.method, one.level)
        if one.is_defined
        else one
        for one in found.intervals
    )
    value = float(np.exp(found.value))
    return Estimate(found.statistic, value, found.method, found.n, intervals, reason=found.reason)
