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
raters' effects have heavy tails: see `rater_freedom`. Where severity counts, the lower end lies further away than the
upper one: see `severity_skew`.

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
_UNSURE = 5
"""With this many raters or fewer, nothing shows which part of V severity makes, and both arms are equally long."""
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


def severity_skew(variance: float, raters: float, cells: float, n_raters: int) -> float:
    """Standard error of a statistic that counts severity, relative to the variance of severities that lowers it.

    variance V; raters, cells: the delete-one variances. The statistic follows the square of a rater's severity, so what
    it loses is a variance of R severities, with a relative standard error of √(2/(R − 1)) for normal ones (Cramér 1946,
    eq. 27.4.2). That is multiplied by (V_raters − V_cells)/V, at most 1, the part of V that is the raters' own, and by
    1 − 5/R, since few raters show that part poorly: 0 up to five raters. See `interval_on_scale` for its use.
    """
    if not variance > 0 or n_raters <= _UNSURE:
        return 0.0
    own = min(max(raters - cells, 0.0) / variance, 1.0)
    return float(own * np.sqrt(2 / (n_raters - 1)) * (1 - _UNSURE / n_raters))


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
        skew = self._skew(place, variance) if counts_severity else 0.0
        method = f"delete-one-rater jackknife of −ln(1 − θ){held}, {t_of(freedom, skew)}"
        return self._interval(value, variance, freedom, skew, lowest, RATERS, method, level)

    def both_interval(
        self, place: int, value: float, lowest: float, level: float, *, counts_severity: bool = False
    ) -> Interval:
        variance, units = self._both(place), self.units[place]
        freedom = rater_freedom(
            variance, units, self.n_units, self.raters[place], self.n_raters, counts_severity=counts_severity
        )
        skew = self._skew(place, variance) if counts_severity else 0.0
        method = (
            "delete-one jackknives of −ln(1 − θ) over units and raters less that over single ratings, "
            f"{t_of(freedom, skew)}"
        )
        return self._interval(value, variance, freedom, skew, lowest, BOTH, method, level)

    def _both(self, place: int) -> float:
        extra, least = self.raters[place] - self.cells[place], -_NEGATIVE_ALLOWED * self.units[place]
        return float(self.units[place] + (least if extra < least else extra))

    def _skew(self, place: int, variance: float) -> float:
        return severity_skew(variance, self.raters[place], self.cells[place], self.n_raters)

    def _interval(
        self,
        value: float,
        variance: float,
        freedom: float,
        skew: float,
        lowest: float,
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
        error = float(np.sqrt(variance)) * (1 - value)
        return interval_on_scale(
            value,
            error,
            freedom,
            covers=covers,
            method=method,
            scale="logit",
            level=level,
            within=(lowest, 1.0),
            skew=skew,
        )


def t_of(freedom: float, skew: float = 0.0) -> str:
    """The quantile in words; skew as in `severity_skew`."""
    further = "; the lower end is further away, since severity counts squared" if skew else ""
    return f"t({freedom:.1f}), allowing for heavy tails of raters' effects{further}"
