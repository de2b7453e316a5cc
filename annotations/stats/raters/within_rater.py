"""Do raters agree with themselves? Measured on units that were shown to a rater twice, over all raters."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, nan, sqrt

import numpy as np

from annotations.stats.arrays import FloatArray, IntArray
from annotations.stats.estimate import Estimate, Interval
from annotations.stats.intervals.crossed_clusters import Clusters, clustered_share
from annotations.stats.intervals.few import too_few
from annotations.stats.intervals.on_scale import Scale, interval_on_scale
from annotations.stats.raters.table import Repeats

_NONE = "no unit was shown to a rater twice"
_OVER_RATERS = "delete-one-rater jackknife, Student's t"


@dataclass(frozen=True)
class WithinRaters:
    """Reliability within raters, each Estimate over other raters of this kind.

    same    share of repeats with the same level
    alpha   Krippendorff's alpha of both answers: interval differences where levels are ordered, else nominal
    error   standard error of one answer, √(mean d² / 2) in scale points; undefined for levels without an order
    shift   mean of second − first answer, each rater weighing by repeats; undefined for levels without an order
    """

    same: Estimate
    alpha: Estimate
    error: Estimate
    shift: Estimate

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        return self.same, self.alpha, self.error, self.shift


def within_raters(
    repeats: Repeats, values: FloatArray, *, is_ordinal: bool = True, level: float = 0.95
) -> WithinRaters:
    """Both answers of each repeat, (n_repeats,) levels of the scale `values` (n_levels,).

    Several repeats of a unit by a rater each form a pair with the first answer. Intervals need three raters with
    repeats and otherwise say so. Nothing is random.
    """
    rater = np.unique(repeats.rater, return_inverse=True)[1].astype(np.int64)
    first, second = values[repeats.first], values[repeats.second]
    n = {"repeats": len(rater), "raters": int(rater.max(initial=-1)) + 1}
    same = (repeats.first == repeats.second).astype(float)
    words = "share of repeats with the same level"
    if not len(rater):
        names = ("within_rater_same", "within_rater_alpha", "within_rater_error", "within_rater_shift")
        return WithinRaters(*(Estimate.undefined(name, words, _NONE, n) for name in names))
    share = clustered_share(same, np.ones(len(same)), [Clusters("raters", rater)])
    agreed = Estimate("within_rater_same", share.value, words, n, (share.interval("raters", level=level),))
    kind = "interval" if is_ordinal else "nominal"
    method = f"Krippendorff's alpha ({kind}) of both answers of each repeat"
    sums = _Sums(rater, first, second, is_ordinal)
    alpha = _over_raters("within_rater_alpha", method, sums, sums.alpha, "fisher z", level)
    if not is_ordinal:
        reason = "the levels have no order"
        undefined = (
            Estimate.undefined(f"within_rater_{name}", "differences of both answers", reason, n)
            for name in ("error", "shift")
        )
        return WithinRaters(agreed, alpha, *undefined)
    error = _over_raters("within_rater_error", "√(mean squared difference / 2)", sums, sums.error, "plain", level)
    shift = _over_raters("within_rater_shift", "mean of second − first answer", sums, sums.shift, "plain", level)
    return WithinRaters(agreed, alpha, error, shift)


class _Sums:
    """Sums over repeats of each rater, from which each figure follows with any rater left out."""

    def __init__(self, rater: IntArray, first: FloatArray, second: FloatArray, is_ordinal: bool) -> None:
        self.n_raters = int(rater.max()) + 1
        apart = second - first
        # Per rater: repeats, d, d², and what the expected disagreement needs.
        self.count = np.bincount(rater, minlength=self.n_raters).astype(float)
        self.apart = np.bincount(rater, apart, minlength=self.n_raters)
        self.square = np.bincount(rater, apart**2, minlength=self.n_raters)
        levels, both = np.unique(np.concatenate((first, second)), return_inverse=True)
        self.levels, self.is_ordinal = levels, is_ordinal
        cell = np.concatenate((rater, rater)) * len(levels) + both
        self.table = np.bincount(cell, minlength=self.n_raters * len(levels)).reshape(self.n_raters, -1).astype(float)
        self.unlike = np.bincount(rater, (apart != 0).astype(float), minlength=self.n_raters)

    def alpha(self, kept: FloatArray) -> float:
        """1 − Do/De over the raters with weight 1 in kept (n_raters,): Krippendorff (2011), two answers per unit."""
        margins = kept @ self.table
        total = margins.sum()
        if self.is_ordinal:
            observed, mean = kept @ self.square, margins @ self.levels / max(total, 1.0)
            expected = total * float(margins @ (self.levels - mean) ** 2)
        else:
            observed = kept @ self.unlike
            expected = float(total**2 - margins @ margins) / 2
        return 1 - float((total - 1) * observed / expected) if expected > 1e-12 * max(total, 1.0) ** 2 else nan

    def error(self, kept: FloatArray) -> float:
        return sqrt(float(kept @ self.square) / float(kept @ self.count) / 2)

    def shift(self, kept: FloatArray) -> float:
        return float(kept @ self.apart) / float(kept @ self.count)

    @property
    def n(self) -> dict[str, int]:
        return {"repeats": int(self.count.sum()), "raters": self.n_raters}

    def jackknife(self, figure: Callable[[FloatArray], float]) -> tuple[float, float]:
        """The figure of all raters, and its standard error where each is left out in turn; NaN for two raters."""
        value = float(figure(np.ones(self.n_raters)))
        if self.n_raters < 3:
            return value, nan
        without = np.array([figure(1.0 - np.eye(self.n_raters)[out]) for out in range(self.n_raters)])
        spread = (self.n_raters - 1) / self.n_raters * float(((without - without.mean()) ** 2).sum())
        return value, sqrt(spread)


def _over_raters(
    name: str, words: str, sums: _Sums, figure: Callable[[FloatArray], float], scale: Scale, level: float
) -> Estimate:
    value, error = sums.jackknife(figure)
    if np.isnan(value):
        return Estimate.undefined(name, words, "both answers of all repeats are one level", sums.n)
    reason = too_few(sums.n_raters, "raters") or ("undefined without one of the raters" if np.isnan(error) else "")
    if reason:
        return Estimate(name, value, words, sums.n, (Interval.undefined("raters", _OVER_RATERS, reason, level),))
    interval = interval_on_scale(
        value,
        error,
        sums.n_raters - 1,
        covers="raters",
        method=_OVER_RATERS,
        scale=scale,
        level=level,
        within=(0.0, inf) if name == "within_rater_error" else None,
    )
    return Estimate(name, value, words, sums.n, (interval,))
