"""Intervals over raters, and over units and raters, from statistics with one of them left out.

Both: V = V_units + (V_raters − V_cells), each from delete-one replicates (units, raters, single ratings), after
the two-way clustering of Cameron, Gelbach and Miller (2011, eq. 2.3): what comes from a single rating is in V_units
already and must not be counted twice. The difference is noisy and may be negative; it takes at most a fifth of V_units
away, for cutting it at zero makes V too large on average.

Raters: V less the units' own part of V_units, which other raters would not change (see `own_variance`); at most half
of V_units is taken for that. Or delete one rater at a time (Tukey 1958), if that is less: the jackknife variance errs
upwards (Efron and Stein 1981), by far where few ratings a unit make a rater's going the going of whole pairs.

Both with t of as many degrees of freedom as the variance itself has (Satterthwaite 1946), which are far fewer than
R − 1 where raters' effects have heavy tails: see `rater_freedom`.

Jackknives work on z = −ln(1 − θ).
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from annotations.stats.deletion import DeletedRatings, excess_kurtosis, from_log_scale, jackknife_variance
from annotations.stats.distributions import t_quantile
from annotations.stats.estimate import Interval
from annotations.stats.families import Described, FloatArray, PatternFamily
from annotations.stats.ratings import Ratings

UNITS = "units"
RATERS = "raters"
BOTH = "units and raters"
ALL_COVERS = (UNITS, RATERS, BOTH)

_SQUARE_OF_NORMAL = 12.0
"""Excess kurtosis of the square of a normal variable (chi-squared with one degree of freedom)."""
_NOISE_ALLOWED = 1.5
"""V_raters counts up to this many times V: its noise from single ratings is subtracted only on average."""
_NEGATIVE_ALLOWED = 0.2
"""V_raters − V_cells may take this share of V_units away."""
_OWN_ALLOWED = 0.5
"""At most this share of V_units counts as the units' own: what is found to be theirs is noisy."""


def linearised_interval(value: float, variance: float, n_units: int, described: Described, level: float) -> Interval:
    """The interval of the analytic standard error over units."""
    method = f"linearised standard error, t({n_units - 1})"
    if np.isnan(value + variance):
        return Interval.undefined(UNITS, method, "the standard error is undefined", level)
    return _symmetric(value, variance, n_units - 1, described, UNITS, method, level)


def _symmetric(
    value: float, variance: float, freedom: float, described: Described, covers: str, method: str, level: float
) -> Interval:
    """value ± t √variance, kept within the statistic's range."""
    reach = float(t_quantile((1 + level) / 2, freedom) * np.sqrt(variance))
    low, high = max(value - reach, described.low), min(value + reach, described.high)
    return Interval(float(low), float(high), covers, method, level)


def rater_freedom(
    variance: float, units: float, n_units: int, raters: float, cells: float, kurtosis: float, n_raters: int
) -> float:
    """Degrees of freedom 2 V²/Var(V) of a variance V that comes from units and raters.

    variance V; units, raters, cells: the delete-one variances, cells being what of raters has no heavy tail for sure;
    kurtosis: excess kurtosis of the raters' effects.
    Var(V) = 2 V_units²/(n − 1) + V_raters² (2/(R − 1) + κ/R), the sampling variance of a variance (Cramér 1946, eq.
    27.4.2). Twenty raters show far too little of a heavy tail, and agreement often follows the square of a rater's
    severity; so κ is halfway between what is seen and that of the square of a normal variable, the latter as far as
    V_raters is not noise of single ratings. Never below 2 (or R − 1, if less), where t turns uninformative.
    """
    least = float(max(1, min(2, n_raters - 1)))
    if not variance > 0:
        return float(max(1, n_raters - 1))
    real = max(0.0, raters - cells) / raters if raters > 0 else 0.0
    heavy = max(0.0, (kurtosis + _SQUARE_OF_NORMAL * real) / 2)
    inverse = (units / variance) ** 2 / max(1, n_units - 1)
    share = min(raters / variance, _NOISE_ALLOWED)
    inverse += share**2 * (1 / max(1, n_raters - 1) + heavy / (2 * n_raters))
    return max(least, 1 / inverse) if inverse > 0 else float(max(1, n_raters - 1))


@dataclass(frozen=True, slots=True)
class Spread:
    """Jackknife variances of z = −ln(1 − θ) for every statistic of a family; NaN where a replicate is undefined.

    own: the part of `units` that is the units' own, as far as it can be told.
    """

    raters: FloatArray
    units: FloatArray
    cells: FloatArray
    own: FloatArray
    kurtosis: FloatArray
    n_raters: int
    n_units: int

    @classmethod
    def of(
        cls,
        ratings: Ratings,
        family: PatternFamily,
        features: FloatArray | sparse.csr_array,
        total: FloatArray,
    ) -> "Spread":
        n_raters = int(np.count_nonzero(ratings.per_rater))
        nothing = np.full(len(family.described), np.nan)
        n_units = ratings.n["units"]
        if n_raters < 3:
            return cls(nothing, nothing, nothing, nothing, nothing, n_raters, n_units)
        deleted = DeletedRatings(ratings, family, features, total)
        without = deleted.without_each_rater()
        return cls(
            raters=jackknife_variance(without, None),
            units=deleted.variance_of_units(),
            cells=deleted.variance_of_cells(),
            own=deleted.own_variance_of_units(),
            kurtosis=excess_kurtosis(without),
            n_raters=n_raters,
            n_units=n_units,
        )

    def raters_interval(self, place: int, value: float, described: Described, level: float) -> Interval:
        alone = self.raters[place]
        rest = self._both(place) - min(self.own[place], _OWN_ALLOWED * self.units[place])
        # min would keep NaN or drop it by the order of its arguments.
        variance = rest if rest < alone else alone
        freedom = self._freedom(place, variance, 0.0)
        held = " held to the variance over both less the units' own" if rest < alone else ""
        method = f"delete-one-rater jackknife of −ln(1 − θ){held}, {t_of(freedom)}"
        return self._interval(value, variance, freedom, described, RATERS, method, level)

    def both_interval(self, place: int, value: float, described: Described, level: float) -> Interval:
        variance = self._both(place)
        freedom = self._freedom(place, variance, self.units[place])
        method = (
            f"delete-one jackknives of −ln(1 − θ) over units and raters less that over single ratings, {t_of(freedom)}"
        )
        return self._interval(value, variance, freedom, described, BOTH, method, level)

    def _freedom(self, place: int, variance: float, units: float) -> float:
        tails, cells = self.kurtosis[place], self.cells[place]
        return rater_freedom(variance, units, self.n_units, self.raters[place], cells, tails, self.n_raters)

    def _both(self, place: int) -> float:
        extra, least = self.raters[place] - self.cells[place], -_NEGATIVE_ALLOWED * self.units[place]
        return float(self.units[place] + (least if extra < least else extra))

    def _interval(
        self,
        value: float,
        variance: float,
        freedom: float,
        described: Described,
        covers: str,
        method: str,
        level: float,
    ) -> Interval:
        reason = ""
        if np.isnan(value):
            reason = "the statistic is undefined"
        elif self.n_raters < 3:
            reason = f"{self.n_raters} raters; leaving one out must leave two"
        elif 1 - value < 1e-12:
            reason = "there is no disagreement that could spread"
        elif np.isnan(variance):
            reason = "undefined or without disagreement when one of the raters, units or ratings is left out"
        if reason:
            return Interval.undefined(covers, method, reason, level)
        reach = float(t_quantile((1 + level) / 2, freedom) * np.sqrt(variance))
        z = -np.log1p(-value)
        low, high = max(from_log_scale(z - reach), described.low), min(from_log_scale(z + reach), described.high)
        return Interval(low, high, covers, method, level)


def t_of(freedom: float) -> str:
    return f"t({freedom:.1f}) from the kurtosis of raters' effects"
