"""Intervals over raters, and over units and raters, from statistics with one of them left out.

Both: V = V_units + (V_raters − V_cells), each from delete-one replicates (units, raters, single ratings), after
the two-way clustering of Cameron, Gelbach and Miller (2011, eq. 2.3): what comes from a single rating is already in
V_units and must not be counted twice. The difference is noisy and may be negative. It may reduce V by at most a fifth
of V_units, since cutting it at zero makes V too large on average.

Raters: V less the units' own part of V_units, which other raters would not change (see `own_variance`); at most half of
V_units is subtracted for that. If deleting one rater at a time (Tukey 1958) gives less, that variance is used. The
jackknife variance is biased upwards (Efron and Stein 1981), and strongly so with few ratings per unit, where deleting a
rater deletes whole pairs.

Both use t with the degrees of freedom of the variance itself (Satterthwaite 1946), which are fewer than R − 1, since
raters' effects have heavy tails: see `rater_freedom`.

Jackknives work on z = −ln(1 − θ), and the interval on ln((θ − L)/(1 − θ)), L the lowest value that such ratings can
have, so that it stays within what is attainable.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from annotations.stats.arrays import FloatArray
from annotations.stats.distributions import t_quantile
from annotations.stats.estimate import Interval
from annotations.stats.intervals.leave_one_out import DeletedRatings, jackknife_variance, to_log_scale
from annotations.stats.intervals.on_scale import interval_on_scale
from annotations.stats.intervals.pattern_families import PatternFamily
from annotations.stats.ratings import Ratings

UNITS = "units"
RATERS = "raters"
BOTH = "units and raters"
ALL_COVERS = (UNITS, RATERS, BOTH)

_TAIL = 1.5
"""Assumed excess kurtosis of raters' effects; a few raters are not enough to estimate it."""
_NOISE_ALLOWED = 1.25
"""V_raters counts up to this many times V: its noise from single ratings is subtracted only on average."""
_FEWEST, _FEWEST_SEVERITY = 2.0, 4 / 3
"""The fewest degrees of freedom, for statistics that count severity and for the others: those of three raters."""
_NEGATIVE_ALLOWED = 0.2
"""V_raters − V_cells may reduce V by at most this share of V_units."""
_OWN_ALLOWED = 0.5
"""At most this share of V_units counts as the units' own part, since the estimate of that part is noisy."""


def linearised_interval(value: float, variance: float, n_units: int, lowest: float, level: float) -> Interval:
    """The interval over units of the analytic standard error, cut at the ends of the statistic's range."""
    method = f"linearised standard error, t({n_units - 1})"
    if np.isnan(value + variance):
        return Interval.undefined(UNITS, method, "the standard error is undefined", level)
    reach = float(t_quantile((1 + level) / 2, n_units - 1) * np.sqrt(variance))
    return Interval.around(value, value - reach, value + reach, UNITS, method, level, within=(lowest, 1.0))


def rater_freedom(
    variance: float, units: float, n_units: int, raters: float, n_raters: int, *, counts_severity: bool = False
) -> float:
    """Degrees of freedom 2 V²/Var(V) of a variance V that comes from units and raters.

    variance V; units, raters: the delete-one variances. counts_severity as in `Described`.
    Var(V) = 2 V_units²/(n − 1) + V_raters² (2/(R − 1) + κ/R), the sampling variance of a variance (Cramér 1946, eq.
    27.4.2), with a fixed κ = 1.5 for the tails of raters' effects: what a dozen raters show of their tails is noise.
    """
    least = min(_FEWEST_SEVERITY if counts_severity else _FEWEST, max(1.0, n_raters - 1.0))
    if not variance > 0:
        return float(max(1, n_raters - 1))
    share = min(raters / variance, _NOISE_ALLOWED)
    inverse = (units / variance) ** 2 / max(1, n_units - 1)
    inverse += share**2 * (1 / max(1, n_raters - 1) + _TAIL / (2 * n_raters))
    return max(least, 1 / inverse) if inverse > 0 else float(max(1, n_raters - 1))


@dataclass(frozen=True, slots=True)
class Spread:
    """Jackknife variances of z = −ln(1 − θ) for every statistic of a family; NaN where a replicate is undefined.

    own: the part of `units` that is the units' own, as far as it can be estimated. without (n_raters with ratings,
    n_statistics): θ with each rater left out; no rows for fewer than three raters.
    """

    raters: FloatArray
    units: FloatArray
    cells: FloatArray
    own: FloatArray
    without: FloatArray
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
            return cls(nothing, nothing, nothing, nothing, np.zeros((0, len(nothing))), n_raters, n_units)
        deleted = DeletedRatings(ratings, family, features, total)
        without = deleted.without_each_rater()
        return cls(
            raters=jackknife_variance(to_log_scale(without), None),
            units=deleted.variance_of_units(),
            cells=deleted.variance_of_cells(),
            own=deleted.own_variance_of_units(),
            without=without,
            n_raters=n_raters,
            n_units=n_units,
        )

    def raters_interval(
        self, place: int, value: float, lowest: float, level: float, *, counts_severity: bool = False
    ) -> Interval:
        alone = self.raters[place]
        rest = self._both(place) - min(self.own[place], _OWN_ALLOWED * self.units[place])
        # min would keep NaN or drop it, depending on the order of its arguments.
        variance = rest if rest < alone else alone
        freedom = rater_freedom(variance, 0.0, self.n_units, alone, self.n_raters, counts_severity=counts_severity)
        held = " held to the variance over both less the units' own" if rest < alone else ""
        method = f"delete-one-rater jackknife of −ln(1 − θ){held}, {t_of(freedom)}"
        return self._interval(value, variance, freedom, lowest, RATERS, method, level)

    def both_interval(
        self, place: int, value: float, lowest: float, level: float, *, counts_severity: bool = False
    ) -> Interval:
        variance, units = self._both(place), self.units[place]
        freedom = rater_freedom(
            variance, units, self.n_units, self.raters[place], self.n_raters, counts_severity=counts_severity
        )
        method = (
            f"delete-one jackknives of −ln(1 − θ) over units and raters less that over single ratings, {t_of(freedom)}"
        )
        return self._interval(value, variance, freedom, lowest, BOTH, method, level)

    def _both(self, place: int) -> float:
        extra, least = self.raters[place] - self.cells[place], -_NEGATIVE_ALLOWED * self.units[place]
        return float(self.units[place] + (least if extra < least else extra))

    def _interval(
        self, value: float, variance: float, freedom: float, lowest: float, covers: str, method: str, level: float
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
        error = float(np.sqrt(variance)) * (1 - value)
        return interval_on_scale(
            value, error, freedom, covers=covers, method=method, scale="logit", level=level, within=(lowest, 1.0)
        )


def t_of(freedom: float) -> str:
    return f"t({freedom:.1f}), allowing for heavy tails of raters' effects"
