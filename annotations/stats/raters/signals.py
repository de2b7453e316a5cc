"""The quality signals of all raters at once: each function adds its columns of estimates and its measures for
suspicion."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotations.stats.arrays import FloatArray, IntArray
from annotations.stats.distributions import normal_quantile, t_quantile
from annotations.stats.estimate import Estimate, Interval
from annotations.stats.intervals.wilson import METHOD as WILSON
from annotations.stats.intervals.wilson import wilson_bounds
from annotations.stats.raters import sums
from annotations.stats.raters.suspicion import Measure, Suspicious
from annotations.stats.ratings import BadRatings, Ratings

MIN_UNITS = 5
"""With fewer ratings than this, none of a rater's figures counts towards suspicion."""
NO_ORDER = "the levels have no order"
"""Why a figure of distances or ranks is undefined."""


@dataclass(eq=False)
class Columns:
    """What has been computed so far: the name of a column → one Estimate per rater, and the measures for suspicion."""

    level: float
    by_name: dict[str, list[Estimate]] = field(default_factory=dict)
    measures: list[Measure] = field(default_factory=list)

    def add(
        self,
        name: str,
        statistic: str,
        method: str,
        value: FloatArray,
        n: IntArray,
        covers: str,
        limits: tuple[FloatArray, FloatArray, str, str] | None,
        reason: str,
    ) -> None:
        """One Estimate per rater from whole columns; `limits`: low, high, the interval's method, and why it may be
        missing."""
        column = []
        lows, highs = (limits[0].tolist(), limits[1].tolist()) if limits else ([], [])
        undefined = np.isnan(value).tolist()
        for rater, (each, count) in enumerate(zip(value.tolist(), n.tolist(), strict=True)):
            counts: Mapping[str, int] = {covers: count}
            if undefined[rater]:
                column.append(Estimate.undefined(statistic, method, reason, counts))
                continue
            intervals: tuple[Interval, ...] = ()
            if limits:
                low, high = lows[rater], highs[rater]
                if np.isnan(low):
                    interval = Interval.undefined(covers, limits[2], limits[3], self.level)
                else:
                    interval = Interval.around(each, low, high, covers, limits[2], self.level)
                intervals = (interval,)
            column.append(Estimate(statistic, each, method, counts, intervals))
        self.by_name[name] = column

    def add_share(
        self,
        name: str,
        method: str,
        hits: IntArray,
        n: IntArray,
        covers: str,
        suspicion: tuple[str, Suspicious] | None,
    ) -> None:
        """hits / n with Wilson's interval; `suspicion` is its label and the side of the panel that is suspicious."""
        low, high = wilson_bounds(hits, n, level=self.level)
        share = divide(hits, n)
        self.add(name, f"rater_{name}", method, share, n, covers, (low, high, WILSON, "no data"), f"no {covers}")
        if suspicion:
            judged = np.where(n >= MIN_UNITS, share, np.nan)
            self.measures.append(Measure(name, suspicion[0], judged, _share_error(hits, n), suspicion[1]))


def add_gold(
    columns: Columns,
    ratings: Ratings,
    gold: ArrayLike | None,
    tolerance: int,
) -> None:
    """Share of gold units passed; units without gold do not count."""
    truth = np.full(ratings.n_units, -1) if gold is None else np.asarray(gold)
    if truth.shape != (ratings.n_units,) or (truth.size and (truth.min() < -1 or truth.max() >= len(ratings.values))):
        raise BadRatings(f"gold must hold one level (or −1) for each of {ratings.n_units} units")
    tested = truth[ratings.unit] >= 0
    passed = np.abs(truth[ratings.unit] - ratings.level) <= tolerance
    method = "gold units answered with the right level" if tolerance == 0 else f"within {tolerance} levels of gold"
    n = np.bincount(ratings.rater[tested], minlength=ratings.n_raters)
    hits = np.bincount(ratings.rater[tested & passed], minlength=ratings.n_raters)
    columns.add_share("gold_pass_rate", method, hits, n, "gold units", ("gold passed", "low"))


def add_agreement(columns: Columns, peers: sums.Peers, n_raters: int) -> None:
    """Quadratic-weighted kappa and Spearman against the others."""
    n = np.bincount(peers.rater, minlength=n_raters)
    kappa, error = _quadratic_kappa(peers, n_raters)
    low, high = fisher_limits(
        kappa, divide(error, 1 - kappa**2), t_quantile(0.5 + columns.level / 2, np.maximum(n - 1, 1))
    )
    columns.add(
        "agreement",
        "rater_agreement_quadratic",
        "quadratic-weighted kappa of the rater's answer with each other answer to the unit, every unit weighing once",
        kappa,
        n,
        "units",
        (low, high, "delta method on Fisher's z with t", "no variation to judge by, or fewer than two units"),
        "no unit rated by another rater, or neither side varies",
    )
    # Rounded at 1e-9 of the scale's range, so that means that are equal in exact arithmetic stay tied.
    reach = float(np.ptp(peers.own)) or 1.0 if len(peers.own) else 1.0
    means = np.round(peers.others / reach, 9)
    rho = sums.correlation_by(
        peers.rater, sums.ranks_within(peers.rater, peers.own), sums.ranks_within(peers.rater, means), n_raters
    )
    spread = np.where(n > 3, np.sqrt((1 + rho**2 / 2) / np.maximum(n - 3, 1)), np.nan)
    low, high = fisher_limits(rho, spread, float(normal_quantile(0.5 + columns.level / 2)))
    columns.add(
        "rank_correlation",
        "rater_spearman",
        "Spearman with the mean of the others' answers, ties sharing their mean rank, means equal to 1e-9 tied",
        rho,
        n,
        "units",
        (low, high, "Fisher's z, Bonett and Wright (2000)", "fewer than four units, or a correlation of ±1"),
        "no unit rated by another rater, or one side does not vary",
    )
    judged = np.where(n >= MIN_UNITS, rho, np.nan)
    error = spread * np.maximum(1 - rho**2, 0.05)
    columns.measures.append(Measure("rank_correlation", "rank correlation with the others", judged, error, "low"))


def add_deviation(columns: Columns, peers: sums.Peers, n_raters: int) -> None:
    """Distance from the others, severity and spread."""
    n = np.bincount(peers.rater, minlength=n_raters)
    gap = peers.own - peers.others
    quantile = t_quantile(0.5 + columns.level / 2, np.maximum(n - 1, 1))
    for name, statistic, method, values in (
        ("mean_absolute_deviation", "rater_mean_absolute_deviation", "mean distance to the others' mean", np.abs(gap)),
        ("severity", "rater_severity", "mean of own answer minus the others' mean; below 0 is severer", gap),
    ):
        mean, deviation = sums.deviation_by(peers.rater, values, n_raters)
        error = deviation / np.sqrt(np.maximum(n, 1))
        columns.add(
            name,
            statistic,
            method,
            mean,
            n,
            "units",
            (mean - quantile * error, mean + quantile * error, "t over units", "fewer than two units"),
            "no unit rated by another rater",
        )
    columns.measures.append(
        Measure("severity", "severity", np.where(n >= MIN_UNITS, mean, np.nan), error, "both", scale="+.2f")
    )
    own = sums.deviation_by(peers.rater, peers.own, n_raters)[1]
    centre = sums.mean_by(peers.rater, peers.others, n_raters)
    # E(y²) − E(y)² is safe here: values of a rating scale are small numbers near its middle.
    middle = peers.others.mean() if len(peers.others) else 0.0
    square = sums.mean_by(peers.rater, peers.others_square - 2 * middle * peers.others + middle**2, n_raters)
    variance = np.maximum(square - (centre - middle) ** 2, 0) * divide(n, n - 1)
    ratio = divide(own, np.where(variance > 1e-12, np.sqrt(variance), 0.0))
    columns.add(
        "spread",
        "rater_spread",
        "standard deviation (n − 1) of own answers over that of the others' answers to the same units",
        ratio,
        n,
        "units",
        None,
        "fewer than two shared units, or the others do not vary",
    )
    # On a log scale twice and half are equally far away; a standard deviation's has an error of 1/√(2(n − 1)).
    logarithm = np.log2(np.maximum(np.where(n >= MIN_UNITS, ratio, np.nan), 2.0**-5))
    columns.measures.append(
        Measure("spread", "log₂ spread", logarithm, 1.4427 / np.sqrt(np.maximum(n - 1, 1)), "both", scale="+.2f")
    )


def add_modal(
    columns: Columns,
    ratings: Ratings,
    per_rater: IntArray,
    others: FloatArray,
) -> FloatArray:
    """The share of the rater's answers at one level; returns the same for the others' answers, (n_raters,)."""
    n_levels = len(ratings.values)
    table = np.bincount(ratings.rater * n_levels + ratings.level, minlength=ratings.n_raters * n_levels)
    table = table.reshape(ratings.n_raters, n_levels)
    hits = table.max(axis=1)
    columns.add_share("modal_share", "share of the most given level", hits, per_rater, "ratings", None)
    # Against the others' own most given level, not against what they give at this one: a severe rater's favourite is
    # another level, and severity is a signal of its own.
    usual = others.max(axis=1)
    excess = divide(hits, per_rater) - usual
    excess[per_rater < MIN_UNITS] = np.nan
    columns.measures.append(
        Measure(
            "modal_share",
            "excess of the most given level over the others' most given",
            excess,
            _share_error(hits, per_rater),
            "high",
            scale="+.2f",
        )
    )
    return usual


def add_runs(
    columns: Columns,
    ratings: Ratings,
    order: FloatArray | None,
    per_rater: IntArray,
    others: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """The longest run of one level; returns the typical one (n_raters,) and the chance of one as long (n_raters,)."""
    n_raters = ratings.n_raters
    known = np.isfinite(others).all(axis=1) & (per_rater > 0)
    filled = np.where(known[:, None], others, 0.0)
    typical, p_value, length = (np.full(n_raters, np.nan) for _ in range(3))
    if order is not None:
        runs = sums.longest_run_by(ratings.rater, order, ratings.level, n_raters)
        length = np.where(per_rater > 0, runs, np.nan)
        typical = np.where(known, sums.typical_longest_run(per_rater, filled), np.nan)
        p_value = np.where(known, sums.run_tail(runs, np.maximum(per_rater, runs), filled), np.nan)
    columns.add(
        "longest_run",
        "rater_longest_run",
        "most equal answers in a row, in the order given",
        length,
        per_rater,
        "ratings",
        None,
        "no ratings" if order is not None else "the order of ratings is not known",
    )
    distance = np.where(per_rater >= MIN_UNITS, -normal_quantile(np.clip(p_value, 1e-300, 1.0)), np.nan)
    columns.measures.append(
        Measure(
            "longest_run",
            "longest run of one level",
            length,
            np.zeros(n_raters),
            "high",
            scale=".0f",
            distance=np.maximum(distance, -9.0),
            expected=typical,
        )
    )
    return typical, p_value


def add_speed(
    columns: Columns,
    ratings: Ratings,
    seconds: FloatArray | None,
    threshold: float | None,
) -> None:
    """Median time, and the share of ratings below the threshold."""
    known = np.zeros(len(ratings), bool) if seconds is None else np.isfinite(seconds)
    time = np.zeros(0) if seconds is None else seconds[known]
    rater = ratings.rater[known]
    n = np.bincount(rater, minlength=ratings.n_raters)
    if threshold is None:
        threshold = float(np.median(time)) / 3 if len(time) else np.nan
        limit = f"{threshold:.3g} s, a third" if len(time) else "a third"
        method = f"ratings faster than {limit} of the median of all"
    else:
        method = f"ratings faster than {threshold:g} s"
    columns.add(
        "median_seconds",
        "rater_median_seconds",
        "median of known times",
        sums.median_by(rater, time, ratings.n_raters),
        n,
        "times",
        None,
        "no time is known",
    )
    hits = np.bincount(rater[time < threshold], minlength=ratings.n_raters)
    columns.add_share("fast_share", method, hits, n, "times", ("share of fast ratings", "high"))


def add_repeats(
    columns: Columns,
    ratings: Ratings,
    rater: IntArray,
    first: IntArray,
    second: IntArray,
    *,
    is_ordinal: bool = True,
) -> None:
    """Consistency of the rater with themselves on units shown twice, (n_repeats,) each."""
    if not len(rater) == len(first) == len(second):
        raise BadRatings("a repeat needs a rater, a first and a second level")
    n = np.bincount(rater, minlength=ratings.n_raters)
    hits = np.bincount(rater[first == second], minlength=ratings.n_raters)
    method = "hidden repeats answered with the same level"
    columns.add_share("self_consistency", method, hits, n, "repeats", ("same answer to repeats", "low"))
    gap = np.abs(ratings.values[first] - ratings.values[second]) if is_ordinal else np.full(len(rater), np.nan)
    mean, deviation = sums.deviation_by(rater, gap, ratings.n_raters)
    error = deviation / np.sqrt(np.maximum(n, 1)) * t_quantile(0.5 + columns.level / 2, np.maximum(n - 1, 1))
    columns.add(
        "self_deviation",
        "rater_self_deviation",
        "mean absolute difference between both answers to a repeat",
        mean,
        n,
        "repeats",
        (np.maximum(mean - error, 0), mean + error, "t over repeats, cut at 0", "fewer than two repeats"),
        "no hidden repeats" if is_ordinal else NO_ORDER,
    )


def _quadratic_kappa(peers: sums.Peers, n_raters: int) -> tuple[FloatArray, FloatArray]:
    """Kappa 2(E xy − E x E y) / (E x² + E y² − 2 E x E y) per rater, and its standard error by the delta method.

    Quadratic-weighted kappa and Lin's concordance are this one figure (Fleiss & Cohen 1973; Lin 1989).
    """
    group = peers.rater
    # Centred, so that the digits of their difference are not lost in squares of a scale far from 0.
    middle = float(peers.own.mean()) if len(peers.own) else 0.0
    x, y = peers.own - middle, peers.others - middle
    yy = peers.others_square - 2 * middle * peers.others + middle**2
    mx, my, mxx, myy, mxy = (sums.mean_by(group, each, n_raters) for each in (x, y, x * x, yy, x * y))
    scale = mxx + myy - 2 * mx * my
    scale = np.where(scale > 1e-12 * (1 + mxx + myy), scale, 0.0)
    kappa = divide(2 * (mxy - mx * my), scale)
    k, a, b = kappa[group], mx[group], my[group]
    cross = x * b + a * y
    influence = 2 * (x * y - cross) - k * (x * x + yy - 2 * cross)
    count = np.bincount(group, minlength=n_raters)
    deviation = sums.deviation_by(group, np.where(np.isnan(influence), 0.0, influence), n_raters)[1]
    return kappa, divide(deviation, scale * np.sqrt(np.maximum(count, 1)))


def fisher_limits(
    value: FloatArray, error: FloatArray, quantile: NDArray[Any] | float
) -> tuple[FloatArray, FloatArray]:
    """Limits of a correlation from its standard error on Fisher's z; NaN at ±1 and where the error is 0."""
    inside = np.abs(value) < 1 - 1e-12
    z = np.arctanh(np.where(inside, value, 0.0))
    half = np.where(inside & (error > 0), quantile * error, np.nan)
    return np.tanh(z - half), np.tanh(z + half)


def divide(numerator: NDArray[Any], denominator: NDArray[Any]) -> FloatArray:
    usable = np.isfinite(denominator) & (denominator != 0)
    return np.divide(numerator, denominator, out=np.full(len(numerator), np.nan), where=usable)


def _share_error(hits: IntArray, n: IntArray) -> FloatArray:
    """Standard error of a share with two successes and two failures added (Agresti & Coull 1998): never 0."""
    share = (hits + 2) / (n + 4)
    return np.sqrt(share * (1 - share) / (n + 4))
