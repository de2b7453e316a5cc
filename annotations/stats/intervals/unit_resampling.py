"""Intervals over units, over raters and over both, for every statistic of count patterns at once.

Units: the bootstrap draws units with replacement. Units with the same count pattern are exchangeable, so the numbers of
drawn units per pattern are one multinomial draw: the same distribution as drawing units one by one, at a cost that
depends only on the number of patterns.

It is reported with the analytic interval of the linearised standard error, t with units − 1 degrees of freedom.

For raters, and for units and raters, see `over_raters`.
"""

from collections.abc import Collection

import numpy as np
from scipy import sparse

from annotations.stats.arrays import FloatArray
from annotations.stats.distributions import normal_below, normal_quantile, t_quantile
from annotations.stats.estimate import Estimate, Interval, seed_of
from annotations.stats.intervals.cluster_bootstrap import drawn_counts
from annotations.stats.intervals.leave_one_out import by_rater, unit_effects
from annotations.stats.intervals.over_raters import ALL_COVERS, BOTH, RATERS, UNITS, Spread, linearised_interval
from annotations.stats.intervals.pattern_families import PatternFamily
from annotations.stats.ratings import Ratings
from annotations.stats.undefined import notes_on_few, why_undefined

_CHUNK = 1 << 22
"""Numbers held at once while resampling: 32 MiB of doubles."""
UNITS_PER_BINOMIAL = 8
"""A binomial draw of the multinomial costs about as much as drawing and counting this many units."""
_ROUNDING = 1e-12


def estimates(
    ratings: Ratings,
    family: PatternFamily,
    *,
    rng: np.random.Generator | None,
    n_resamples: int = 1000,
    level: float = 0.95,
    covers: Collection[str] = ALL_COVERS,
) -> tuple[Estimate, ...]:
    """Every statistic of the family with the intervals asked for.

    Without `rng` there is only the analytic interval over units; with it, the first interval of each cover is the
    resampled one.
    """
    if n_resamples < 1 or not 0 < level < 1:
        raise ValueError("n_resamples must be at least 1 and level between 0 and 1")
    unknown = [cover for cover in covers if cover not in ALL_COVERS]
    if unknown:
        raise ValueError(f"unknown cover {unknown[0]!r}; choose from {', '.join(ALL_COVERS)}")
    rows, multiplicity = ratings.patterns
    features = family.features(rows.astype(float))
    total = np.asarray(multiplicity.astype(float) @ features).reshape(1, -1)
    values = family.values(total)[0] if len(rows) else np.full(len(family.described), np.nan)
    seed = None if rng is None else seed_of(rng)
    defined = ~np.isnan(values)
    intervals: list[list[Interval]] = [[] for _ in family.described]
    without = np.zeros((0, len(values)))
    if defined.any():
        lowest = family.lowest(ratings.per_unit[ratings.per_unit > 0])
        effects = unit_effects(family, features, multiplicity, total)
        if rng is not None and UNITS in covers:
            replicates = bootstrap_units(features, ratings, family, rng, n_resamples)
            for place, found in enumerate(intervals):
                skewness, kurtosis = effects.skewness[place], effects.kurtosis[place]
                found.append(
                    accelerated_interval(
                        replicates[:, place],
                        values[place],
                        skewness,
                        kurtosis,
                        level,
                        ratings.n["pairable"],
                        (lowest[place], 1.0),
                    )
                )
        if rng is not None and (RATERS in covers or BOTH in covers):
            spread = Spread.of(ratings, family, features, total)
            without = spread.without
            for place, (described, found) in enumerate(zip(family.described, intervals, strict=True)):
                for cover, interval in ((RATERS, spread.raters_interval), (BOTH, spread.both_interval)):
                    if cover in covers:
                        found.append(
                            interval(
                                place,
                                values[place],
                                lowest[place],
                                level,
                                counts_severity=described.counts_severity,
                            )
                        )
        if UNITS in covers:
            for place, found in enumerate(intervals):
                variance, n = effects.variance[place], int(effects.n[place])
                found.append(linearised_interval(values[place], variance, n, lowest[place], level))
    notes = notes_on_few(ratings.n["pairable"])
    return tuple(
        Estimate(
            one.statistic,
            float(values[place]),
            one.method,
            ratings.n,
            tuple(intervals[place]),
            seed,
            notes=notes,
            without_rater=by_rater(without[:, place], ratings) if len(without) else (),
        )
        if defined[place]
        else Estimate.undefined(one.statistic, one.method, why_undefined(ratings, one.statistic), ratings.n, seed)
        for place, one in enumerate(family.described)
    )


def bootstrap_units(
    features: FloatArray | sparse.csr_array,
    ratings: Ratings,
    family: PatternFamily,
    rng: np.random.Generator,
    n_resamples: int,
    *,
    units_per_binomial: float = UNITS_PER_BINOMIAL,
) -> FloatArray:
    """(n_resamples, n_statistics): the statistics of units drawn with replacement, NaN where undefined.

    All units are drawn from, those without ratings included: one by one where they are fewer than `units_per_binomial`
    for each pattern, otherwise as numbers of each pattern. Both ways have one distribution.
    """
    _, multiplicity = ratings.patterns
    one_by_one = ratings.n_units < units_per_binomial * len(multiplicity)
    pattern_of_unit = ratings.pattern_of_unit if one_by_one else None
    step = max(1, _CHUNK // max(len(multiplicity), family.n_features))
    parts = []
    for first in range(0, n_resamples, step):
        drawn = drawn_counts(multiplicity, pattern_of_unit, min(step, n_resamples - first), rng).astype(float)
        parts.append(family.values(np.asarray(drawn @ features)))
    return np.concatenate(parts)


def accelerated_interval(
    replicates: FloatArray,
    value: float,
    skewness: float,
    kurtosis: float,
    level: float,
    n_units: int,
    within: tuple[float, float] = (-np.inf, np.inf),
) -> Interval:
    """The bias-corrected and accelerated percentile interval (BCa; Efron 1987), expanded for n and heavy tails.

    replicates (n_resamples,) of the statistic over units, NaN where undefined: those are counted and left out. value:
    the statistic itself. skewness of the statistic and excess kurtosis of the units' effects, 0 where unknown.
    within: the statistic's range. Undefined where at least half of the resamples are, and where none differs.

    Percentiles at Φ(z₀ + (z₀ + x)/(1 − a (z₀ + x))), x = ±√(n/(n − 1)) t: z₀ from the share of replicates below the
    value (ties count half), a = skewness/6. The expansion corrects for the fact that resampling n units gives a
    variance too small by (n − 1)/n and does not allow for t (Hesterberg 2015, section 5.3); t has the degrees of
    freedom 2 V²/Var(V) of the variance, 2/(2/(n − 1) + κ/n), n − 1 without heavy tails.
    """
    method = (
        "percentile bootstrap over units, bias-corrected and accelerated, expanded for n and kurtosis, "
        f"{len(replicates)} resamples"
    )
    kept = replicates[~np.isnan(replicates)]
    if 2 * len(kept) <= len(replicates):
        return Interval.undefined(UNITS, method, "undefined in at least half of the resamples", level)
    if n_units < 2:
        return Interval.undefined(UNITS, method, "one unit cannot be resampled", level)
    freedom = 2 / (2 / (n_units - 1) + max(0.0, kurtosis) / n_units)
    reach = np.sqrt(n_units / (n_units - 1)) * t_quantile((1 + level) / 2, freedom)
    # Equal statistics differ by rounding from one resample to the next.
    near = _ROUNDING * max(1.0, abs(value))
    below = np.mean(kept < value - near) + np.mean(np.abs(kept - value) <= near) / 2
    edge = 1 / (len(kept) + 1)
    bias = normal_quantile(np.clip(below, edge, 1 - edge))
    ends = bias + np.array([-reach, reach])
    slack = 1 - skewness / 6 * ends
    # Beyond the pole the percentile is the outermost.
    ends = np.where(slack > 0, bias + ends / np.where(slack > 0, slack, 1.0), np.copysign(np.inf, ends))
    low, high = np.quantile(kept, np.asarray(normal_below(ends)))
    return Interval.around(
        value,
        float(low),
        float(high),
        UNITS,
        method,
        level,
        within=within,
        n_undefined=len(replicates) - len(kept),
        unmoved="no resample differs from the estimate",
    )
